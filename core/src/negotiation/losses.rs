//! Requests that were lost, or that reached a server which does not know the session: each is sent again
//! with the same bytes (XEP-0124 §14.3), in the order of the RIDs. ejabberd ends a session if it gets a
//! second copy of a request while an earlier one is missing. A request is not sent again if its answer can tell nothing
//! new: ejabberd keeps its last two answers, and never answers the copy of a request before those.

use std::time::Duration;

use super::{Failure, Negotiation, Open, Step};
use crate::condition::{BoshCondition, Condition};
use crate::error::{Error, ErrorKind, Phase, Stage};
use crate::learned::Server;
use crate::request::Request;

/// How long to wait before a request is sent again to a server that does not know the session: 250 ms in
/// all. The nodes of an ejabberd cluster learn of a new session up to 111 ms late.
const PAUSES: [u64; 6] = [4, 8, 16, 32, 64, 126];

impl<'a> Negotiation<'a> {
    /// Takes note that the connection broke before the reply to the request with this RID was there.
    ///
    /// # Errors
    /// [`Failure`] with this `error` if the request was repeated before, or creates a session, which
    /// must not be repeated: its `terminate` is best sent.
    pub fn lost(mut self, rid: u64, error: Error) -> Result<Step<'a>, Failure> {
        if let Some(end) = self.end.take() {
            self.session = None;
            return Err(self.fail(end));
        }
        if !self.repeat(rid) {
            let Some(at) =
                self.open.iter().position(|open| open.request.rid() == rid && self.is_settled(open))
            else {
                return Err(self.fail(error));
            };
            self.open.remove(at);
        }
        let advance = self.next();
        self.step(advance)
    }

    /// As [`lost`](Self::lost), where this much of the reply's body arrived.
    #[cfg(feature = "client")]
    pub(crate) fn lost_after(mut self, partial: &[u8], rid: u64, error: Error) -> Result<Step<'a>, Failure> {
        self.note_stray(partial);
        self.lost(rid, error)
    }

    /// Whether the request can be repeated, once.
    pub(super) fn repeat(&mut self, rid: u64) -> bool {
        let open = self.open.iter_mut().find(|open| open.request.rid() == rid);
        let Some(open) = open.filter(|open| !open.was_repeated && open.request.is_repeatable()) else {
            return false;
        };
        self.losses += 1;
        open.request = open.request.clone().after(Duration::ZERO);
        (open.was_repeated, open.is_lost) = (true, true);
        open.waits += 1;
        true
    }

    /// Whether the request can be repeated although the server does not know the session. A session that
    /// was only just created may be unknown to another node of a cluster.
    pub(super) fn repeat_unknown(&mut self, rid: u64) -> bool {
        let open = self.open.iter_mut().find(|open| open.request.rid() == rid);
        let Some(open) = open.filter(|open| open.request.is_repeatable()) else { return false };
        let Some(pause) = PAUSES.get(open.unknown) else { return false };
        open.request = open.request.clone().after(Duration::from_millis(*pause));
        open.unknown += 1;
        open.is_lost = true;
        open.waits += 1;
        true
    }

    /// Whether the session has gone with the server that had it, so that none that is there has looked at a
    /// secret. ejabberd says `internal-server-error` of a session on a node that was killed, to all of its requests.
    /// If it is said to the request that holds a secret, and to no other, it may be about the login. But ejabberd
    /// refuses a login by a `<failure/>`, so it is not once the secret was answered without one.
    pub(super) fn is_session_gone(&self, error: &Error) -> bool {
        let is_not_refused = self.unanswered_secret.is_none() && self.learned.server() == Server::Ejabberd;
        let may_be_gone = self.losses > 0 || !self.open.is_empty() || is_not_refused;
        (self.session.is_some() && is_unknown(error)) || (has_failed(error) && may_be_gone)
    }

    /// Whether the creation was lost where that tells nothing of a secret in it: a proxy lost the server (502), or the
    /// server is ejabberd, which refuses a login by a `<failure/>` and keeps the connection.
    pub(super) fn is_creation_lost(&self, error: &Error) -> bool {
        self.session.is_none()
            && match error.kind() {
                ErrorKind::Http { status, .. } => *status == 502,
                ErrorKind::Connect { phase: Phase::Headers | Phase::Body } => {
                    self.plan.server == Some(Server::Ejabberd)
                }
                _ => false,
            }
    }

    /// Whether the answer to this request can tell nothing new. A later request was answered, so this one has reached
    /// the server: replies come in the order of the requests (XEP-0124 §11). Once the login is done, only the answer
    /// to a bind, or to a request after it, may tell more: the JID.
    fn tells_nothing(&self, open: &Open) -> bool {
        let may_tell_jid = self.jid.is_none() && open.request.stage() == Stage::Bind;
        self.login.is_done() && open.request.rid() < self.answered && !may_tell_jid
    }

    /// Whether the request was lost, and its answer is not waited for: where the node is gone that answered it, nothing
    /// comes.
    pub(super) fn is_settled(&self, open: &Open) -> bool {
        (open.was_repeated || open.unknown > 0) && self.tells_nothing(open)
    }

    /// How many requests are open whose answers are to be waited for.
    pub(super) fn unsettled(&self) -> usize {
        self.open.iter().filter(|open| !self.is_settled(open)).count()
    }

    /// The lost request that no earlier one is open beside. A lost request whose answer can tell nothing new is
    /// forgotten instead.
    pub(super) fn due_repeats(&mut self) -> Vec<Request> {
        let open = std::mem::take(&mut self.open);
        self.open = open.into_iter().filter(|open| !open.is_lost || !self.tells_nothing(open)).collect();
        let first = self.open.iter().position(|open| open.is_lost || !self.is_settled(open));
        let waits = self.waits + 1;
        let first = first.map(|at| &mut self.open[at]).filter(|open| open.is_lost);
        Vec::from_iter(first.map(|open| {
            open.is_lost = false;
            open.waits = open.waits.max(waits);
            open.request.clone()
        }))
    }
}

/// Whether the server says that it does not know the session.
pub(crate) fn is_unknown(error: &Error) -> bool {
    *error.kind() == ErrorKind::Terminated
        && error.condition() == Some(&Condition::Bosh(BoshCondition::ItemNotFound))
}

/// Whether the server says that it failed, as ejabberd does of a session on a node that was killed.
pub(crate) fn has_failed(error: &Error) -> bool {
    *error.kind() == ErrorKind::Terminated
        && error.condition() == Some(&Condition::Bosh(BoshCondition::InternalServerError))
}

#[cfg(test)]
mod tests;
