//! The BOSH session that the exchange is made in (XEP-0124): its ID, its cookies, and which of its requests are open.
//!
//! A request that was lost, or that reached a server which does not know the session, is sent again with the same
//! bytes (§14.3), in the order of the RIDs. ejabberd ends a session if it gets a second copy of a request while an
//! earlier one is missing. A request is not sent again if its answer can tell nothing new: ejabberd keeps its last two
//! answers, and never answers the copy of a request before those.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use crate::config::Config;
use crate::error::{BoshCondition, Condition, Error, ErrorKind, Phase, Result, Stage};
use crate::secret::Secret;
use crate::wire::body::{Created, Frame, Received, stray_sid};
use crate::wire::cookies::Cookies;
use crate::wire::reply::Reply;
use crate::wire::request::Request;
use crate::wire::server::Server;

/// Requests that may be open at once, if the server does not allow fewer. More than two arrive out
/// of order too often, and what is beyond the server's window ends the session.
const MAX_OPEN: u32 = 2;

/// How long to wait before a request is sent again to a server that does not know the session: 250 ms in
/// all. The nodes of an ejabberd cluster learn of a new session up to 111 ms late.
const PAUSES: [u64; 6] = [4, 8, 16, 32, 64, 126];

#[derive(Default)]
pub(super) struct Bosh {
    /// Its ID, and what the server said of it.
    pub(super) session: Option<(Secret, Created)>,
    pub(super) cookies: Cookies,
    /// That of the request after the latest one.
    pub(super) next_rid: u64,
    /// The RIDs before that one which are left for the next bodies of the plan.
    skipped: VecDeque<u64>,
    /// In the order of the RIDs.
    pub(super) open: Vec<Open>,
    /// The request with the latest secret, until it is answered, and not by an error.
    unanswered_secret: Option<u64>,
    /// The highest RID that was answered.
    answered: u64,
    /// Whether the login is done.
    pub(super) is_logged_in: bool,
    /// Whether the JID is known.
    pub(super) is_bound: bool,
    /// How many requests or their answers were lost.
    losses: u32,
    /// How many times an answer was waited for, one after the other.
    pub(super) waits: u32,
}

/// A request that was sent and not answered.
pub(super) struct Open {
    request: Request,
    was_repeated: bool,
    /// How often the server did not know the session.
    unknown: usize,
    /// Whether it is to be sent again as soon as no earlier request is open.
    is_lost: bool,
    /// The waits up to its answer.
    waits: u32,
}

impl Bosh {
    pub(super) fn new(first_rid: u64) -> Self {
        Self { next_rid: first_rid, ..Self::default() }
    }

    pub(super) fn sid(&self) -> Option<&Secret> {
        self.session.as_ref().map(|(sid, _)| sid)
    }

    /// How many requests may be open at once.
    pub(super) fn window(&self) -> usize {
        let granted = self.session.as_ref().and_then(|(_, created)| created.requests);
        granted.unwrap_or(MAX_OPEN).clamp(1, MAX_OPEN) as usize
    }

    /// Whether RIDs are left for the bodies that come next.
    pub(super) fn is_ahead(&self) -> bool {
        !self.skipped.is_empty()
    }

    /// Writes a request with the first RID that is free, `ahead_of` so many that are written later.
    pub(super) fn write(&mut self, frame: &Frame<'_>, stage: Stage, payload: &str, ahead_of: u64) -> Request {
        let gap = self.next_rid..self.next_rid + ahead_of;
        self.next_rid = gap.end;
        let rid = self.skipped.pop_front().unwrap_or_else(|| {
            self.next_rid += 1;
            self.next_rid - 1
        });
        self.skipped.extend(gap);
        Request::new(frame, stage, rid, self.sid().map(Secret::expose), payload, self.cookies.header())
    }

    /// Holds a request as open.
    pub(super) fn open(&mut self, request: Request) {
        if request.holds_secret() {
            self.unanswered_secret = Some(request.rid());
        }
        let place = self.open.partition_point(|other| other.request.rid() < request.rid());
        let waits = self.waits + 1;
        self.open.insert(place, Open { request, was_repeated: false, unknown: 0, is_lost: false, waits });
    }

    /// The request that ends the session, if one stands. It is not held as open.
    #[cfg(feature = "client")]
    pub(super) fn ending(&self) -> Option<Request> {
        let (sid, cookie) = (self.sid()?.expose(), self.cookies.header());
        Some(Request::new(&Frame::Terminate, Stage::Terminate, self.next_rid, Some(sid), "", cookie))
    }

    /// Takes note of a session that stands although the answer to its creation is unusable, so that it can
    /// be ended.
    pub(super) fn note_stray(&mut self, body: &[u8], config: &Config) {
        if self.session.is_none() {
            self.session = stray_sid(body).map(|sid| (sid, Created::asked(config)));
        }
    }

    pub(super) fn is_open(&self, rid: u64) -> bool {
        self.open.iter().any(|open| open.request.rid() == rid)
    }

    /// Whether a reply says that its request was lost, and the exchange goes on all the same.
    pub(super) fn is_lost(&mut self, reply: &Reply, received: &Result<Received>) -> bool {
        let in_session = self.session.is_some();
        let holds_secret =
            self.open.iter().any(|open| open.request.rid() == reply.rid && open.request.holds_secret());
        match received {
            Ok(Received::Body(_)) => false,
            Ok(Received::Recoverable) => self.repeat(reply.rid),
            Ok(Received::Terminated(error)) => {
                is_unknown(error) && (self.repeat_unknown(reply.rid) || self.settle(reply.rid))
            }
            Err(_) => {
                // A server that failed over a password has looked at it, and may count it.
                let may_repeat =
                    if holds_secret { reply.is_from_gateway() } else { reply.is_server_failure() };
                (in_session && may_repeat && self.repeat(reply.rid))
                    || (reply.is_server_failure() && self.settle(reply.rid))
            }
        }
    }

    /// Takes note that the connection broke before the request was answered. Whether the exchange can go on.
    pub(super) fn lost(&mut self, rid: u64) -> bool {
        self.repeat(rid) || self.settle(rid)
    }

    /// Takes note that a request is answered.
    pub(super) fn close(&mut self, rid: u64) {
        self.open.retain(|open| {
            if open.request.rid() == rid {
                self.waits = self.waits.max(open.waits);
            }
            open.request.rid() != rid
        });
        self.answered = self.answered.max(rid);
    }

    /// Takes note that the answer to a request was no error.
    pub(super) fn accept(&mut self, rid: u64) {
        self.unanswered_secret.take_if(|secret| *secret == rid);
    }

    /// Whether an earlier request is open. Replies come in the order of the requests (§11), but over several
    /// connections the later one may be here first.
    pub(super) fn is_behind(&self, rid: u64) -> bool {
        self.open.iter().any(|open| open.request.rid() < rid)
    }

    /// Whether the server holds a request: replies come in the order of the requests (§11), so it holds what is later
    /// than the one it answered last.
    pub(super) fn is_held(&self) -> bool {
        self.open.iter().any(|open| open.request.rid() > self.answered)
    }

    /// How many requests are open whose answers are to be waited for.
    pub(super) fn unsettled(&self) -> usize {
        self.open.iter().filter(|open| !self.is_settled(open)).count()
    }

    /// The lost request that no earlier one is open beside. A lost request whose answer can tell nothing new is
    /// forgotten instead.
    pub(super) fn due_repeats(&mut self) -> Vec<Request> {
        let open = mem::take(&mut self.open);
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

    /// Whether the request was lost, and its answer is not waited for: where the node is gone that answered it, nothing
    /// comes.
    fn is_settled(&self, open: &Open) -> bool {
        (open.was_repeated || open.unknown > 0) && self.tells_nothing(open)
    }

    /// Whether the answer to this request can tell nothing new. A later request was answered, so this one has reached
    /// the server: replies come in the order of the requests (§11). Once the login is done, only the answer to a bind,
    /// or to a request after it, may tell more: the JID.
    fn tells_nothing(&self, open: &Open) -> bool {
        let may_tell_jid = !self.is_bound && open.request.stage() == Stage::Bind;
        self.is_logged_in && open.request.rid() < self.answered && !may_tell_jid
    }

    /// Whether the session has gone with the server that had it, so that none that is there has looked at a
    /// secret. ejabberd says `internal-server-error` of a session on a node that was killed, to all of its requests.
    /// If it is said to the request that holds a secret, and to no other, it may be about the login. But ejabberd
    /// refuses a login by a `<failure/>`, so it is not once the secret was answered without one.
    pub(super) fn is_gone(&self, error: &Error, server: Server) -> bool {
        let is_not_refused = self.unanswered_secret.is_none() && server == Server::Ejabberd;
        let may_be_gone = self.losses > 0 || !self.open.is_empty() || is_not_refused;
        (self.session.is_some() && is_unknown(error)) || (has_failed(error) && may_be_gone)
    }

    /// Whether the creation was lost where that tells nothing of a secret in it: a proxy lost the server (502), or the
    /// server is expected to be ejabberd, which refuses a login by a `<failure/>` and keeps the connection.
    pub(super) fn is_creation_lost(&self, error: &Error, expected: Option<Server>) -> bool {
        self.session.is_none()
            && match error.kind() {
                ErrorKind::Http { status, .. } => *status == 502,
                ErrorKind::Connect { phase: Phase::Headers | Phase::Body } => {
                    expected == Some(Server::Ejabberd)
                }
                _ => false,
            }
    }

    /// Whether the request can be repeated, once.
    fn repeat(&mut self, rid: u64) -> bool {
        let Some(open) = self.repeatable(rid).filter(|open| !open.was_repeated) else { return false };
        open.was_repeated = true;
        open.lose(Duration::ZERO);
        self.losses += 1;
        true
    }

    /// Whether the request can be repeated although the server does not know the session. A session that
    /// was only just created may be unknown to another node of a cluster.
    fn repeat_unknown(&mut self, rid: u64) -> bool {
        let Some(open) = self.repeatable(rid) else { return false };
        let Some(pause) = PAUSES.get(open.unknown) else { return false };
        open.unknown += 1;
        open.lose(Duration::from_millis(*pause));
        true
    }

    fn repeatable(&mut self, rid: u64) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.request.rid() == rid && open.request.is_repeatable())
    }

    /// Whether the request is settled, which then is no longer open.
    fn settle(&mut self, rid: u64) -> bool {
        let settled = self.open.iter().position(|open| open.request.rid() == rid && self.is_settled(open));
        settled.map(|at| self.open.remove(at)).is_some()
    }
}

impl Open {
    /// It is to be sent again, after this pause.
    fn lose(&mut self, pause: Duration) {
        self.request = self.request.clone().after(pause);
        self.is_lost = true;
        self.waits += 1;
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
