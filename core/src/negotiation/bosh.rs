//! The BOSH session of the exchange (XEP-0124): its ID, its cookies, and its open requests.
//!
//! A request that was lost is sent again with the same bytes (§14.3), in the order of the RIDs. A request
//! also counts as lost if the server that got it does not know the session. The order matters because
//! ejabberd ends a session if it gets a second copy of a request while an earlier one is missing. A request
//! is not sent again if its answer can say nothing new: ejabberd keeps only its last two answers, and never
//! answers a copy of an older request.

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

/// The most requests that may be open at once; the server may allow fewer. More than two would often arrive
/// in the wrong order, and a request beyond the server's window ends the session.
const MAX_OPEN: u32 = 2;

/// How long to wait each time, in milliseconds, before a request is sent again to a server that does not know
/// the session: 250 ms in all. The nodes of an ejabberd cluster hear of a new session up to 111 ms late.
const PAUSES: [u64; 6] = [4, 8, 16, 32, 64, 126];

#[derive(Default)]
pub(super) struct Bosh {
    /// The session's ID, and what the server said about the session.
    pub(super) session: Option<(Secret, Created)>,
    pub(super) cookies: Cookies,
    /// The RID after the highest one that was given out.
    pub(super) next_rid: u64,
    /// The lower RIDs that are reserved for the next bodies of the plan.
    skipped: VecDeque<u64>,
    /// The open requests, in the order of their RIDs.
    pub(super) open: Vec<Open>,
    /// The last request with a secret, until it is answered without an error.
    unanswered_secret: Option<u64>,
    /// The highest RID that was answered.
    answered: u64,
    /// Whether the login is done.
    pub(super) is_logged_in: bool,
    /// Whether the bound JID is known.
    pub(super) is_bound: bool,
    /// How many requests or answers were lost.
    losses: u32,
    /// How many waits for an answer followed each other: the round trips.
    pub(super) waits: u32,
}

/// A request that was sent and is not answered yet.
pub(super) struct Open {
    request: Request,
    was_repeated: bool,
    /// How often the answer was that the server does not know the session.
    unknown: usize,
    /// Whether the request is sent again as soon as no earlier request is open.
    is_lost: bool,
    /// The round trips of the exchange up to this request's answer.
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

    /// Whether RIDs are reserved for the next bodies of the plan.
    pub(super) fn is_ahead(&self) -> bool {
        !self.skipped.is_empty()
    }

    /// Writes a request. Its RID leaves room for `ahead_of` requests that are written later with lower RIDs.
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

    /// Records that a request is open.
    pub(super) fn open(&mut self, request: Request) {
        if request.holds_secret() {
            self.unanswered_secret = Some(request.rid());
        }
        let place = self.open.partition_point(|other| other.request.rid() < request.rid());
        let waits = self.waits + 1;
        self.open.insert(place, Open { request, was_repeated: false, unknown: 0, is_lost: false, waits });
    }

    /// The request that ends the session, if there is one. It does not count as open.
    #[cfg(feature = "client")]
    pub(super) fn ending(&self) -> Option<Request> {
        let (sid, cookie) = (self.sid()?.expose(), self.cookies.header());
        Some(Request::new(&Frame::Terminate, Stage::Terminate, self.next_rid, Some(sid), "", cookie))
    }

    /// Finds the SID in an unusable answer to the creation, so that the session can be ended.
    pub(super) fn note_stray(&mut self, body: &[u8], config: &Config) {
        if self.session.is_none() {
            self.session = stray_sid(body).map(|sid| (sid, Created::asked(config)));
        }
    }

    pub(super) fn is_open(&self, rid: u64) -> bool {
        self.open.iter().any(|open| open.request.rid() == rid)
    }

    /// Whether the reply says that its request was lost, and the exchange can go on.
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
                // A server that fails after it saw a password may count it as a wrong one, so only a
                // gateway's error allows a repeat.
                let may_repeat =
                    if holds_secret { reply.is_from_gateway() } else { reply.is_server_failure() };
                (in_session && may_repeat && self.repeat(reply.rid))
                    || (reply.is_server_failure() && self.settle(reply.rid))
            }
        }
    }

    /// Records that the connection broke before the request was answered. Returns whether the exchange can go
    /// on.
    pub(super) fn lost(&mut self, rid: u64) -> bool {
        self.repeat(rid) || self.settle(rid)
    }

    /// Records that a request is answered.
    pub(super) fn close(&mut self, rid: u64) {
        self.open.retain(|open| {
            if open.request.rid() == rid {
                self.waits = self.waits.max(open.waits);
            }
            open.request.rid() != rid
        });
        self.answered = self.answered.max(rid);
    }

    /// Records that the answer to a request was no error.
    pub(super) fn accept(&mut self, rid: u64) {
        self.unanswered_secret.take_if(|secret| *secret == rid);
    }

    /// Whether an earlier request is open. The server replies in the order of the requests (§11), but a later
    /// reply may arrive first over another connection.
    pub(super) fn is_behind(&self, rid: u64) -> bool {
        self.open.iter().any(|open| open.request.rid() < rid)
    }

    /// Whether the server holds a request. It replies in the order of the requests (§11), so it holds a
    /// request that is later than the last one it answered.
    pub(super) fn is_held(&self) -> bool {
        self.open.iter().any(|open| open.request.rid() > self.answered)
    }

    /// How many open requests have an answer that is worth waiting for.
    pub(super) fn unsettled(&self) -> usize {
        self.open.iter().filter(|open| !self.is_settled(open)).count()
    }

    /// The lost request to send again: the first one, if no earlier request is open. A lost request whose
    /// answer can say nothing new is dropped.
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

    /// Whether the request was lost and its answer is not worth waiting for. If the node that answered it is
    /// gone, no answer comes.
    fn is_settled(&self, open: &Open) -> bool {
        (open.was_repeated || open.unknown > 0) && self.tells_nothing(open)
    }

    /// Whether the answer to this request can say nothing new. If a later request was answered, this one has
    /// reached the server, because it replies in the order of the requests (§11). Once the login is done, the
    /// only news is the bound JID, in the answer to a bind or to a later request.
    fn tells_nothing(&self, open: &Open) -> bool {
        let may_tell_jid = !self.is_bound && open.request.stage() == Stage::Bind;
        self.is_logged_in && open.request.rid() < self.answered && !may_tell_jid
    }

    /// Whether the session was lost together with its server, so that no running server has seen a secret.
    /// When a node was killed, ejabberd answers every request of its sessions with `internal-server-error`.
    /// If only the request with the secret gets this answer, the error may be about the login. But ejabberd
    /// refuses a login by a `<failure/>`, so once the secret is answered without a failure, the error is not
    /// about the login.
    pub(super) fn is_gone(&self, error: &Error, server: Server) -> bool {
        let is_not_refused = self.unanswered_secret.is_none() && server == Server::Ejabberd;
        let may_be_gone = self.losses > 0 || !self.open.is_empty() || is_not_refused;
        (self.session.is_some() && is_unknown(error)) || (has_failed(error) && may_be_gone)
    }

    /// Whether the creation was lost in a way that says nothing about a secret in it. Either a proxy lost the
    /// server (502), or the server should be ejabberd, which refuses a login by a `<failure/>` and keeps the
    /// connection open.
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

    /// Marks the request to be repeated, once. Returns whether it may be.
    fn repeat(&mut self, rid: u64) -> bool {
        let Some(open) = self.repeatable(rid).filter(|open| !open.was_repeated) else { return false };
        open.was_repeated = true;
        open.lose(Duration::ZERO);
        self.losses += 1;
        true
    }

    /// Marks the request to be repeated although the server does not know the session: another node of a
    /// cluster may not know a session that was only just created. Returns whether it may be repeated.
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

    /// Closes the request if its answer is not worth waiting for. Returns whether it did.
    fn settle(&mut self, rid: u64) -> bool {
        let settled = self.open.iter().position(|open| open.request.rid() == rid && self.is_settled(open));
        settled.map(|at| self.open.remove(at)).is_some()
    }
}

impl Open {
    /// Marks the request to be sent again after this pause.
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

/// Whether the server says that it failed. ejabberd says so for a session on a node that was killed.
pub(crate) fn has_failed(error: &Error) -> bool {
    *error.kind() == ErrorKind::Terminated
        && error.condition() == Some(&Condition::Bosh(BoshCondition::InternalServerError))
}

#[cfg(test)]
mod tests;
