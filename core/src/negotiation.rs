//! The state machine: every transition, no I/O, no clock, no randomness.
//!
//! ```text
//!            create            auth            restart            bind        [session]
//!  start ───────────▶ features ─────▶ challenge* ──────▶ features ─────▶ bound ─────────▶ done
//!            ▲  poll      │              respond            ▲  poll
//!            └────────────┘                                 └────────
//! ```
//!
//! That is the classic exchange; by SASL2 (XEP-0388) a stream is not restarted, and is bound with the
//! login (XEP-0386). What is sent when, and what together, is the [`Plan`]'s business.
//! Besides, challenges are answered, requests lost on the way are repeated once with the same bytes
//! (XEP-0124 §14.3), and where an answer is awaited while no request is open, an empty one is sent
//! for the server to answer into (XEP-0206 §3). Two requests at most are open at once, and none
//! when a session is handed over: its answer would not go to the browser.

mod authentication;
mod login;
mod sending;
mod taking;

use std::fmt;

use crate::account::Account;
use crate::body::{Created, Frame, Received};
use crate::config::Config;
use crate::cookies::Cookies;
use crate::error::{Error, Result, Stage};
use crate::fast::FastToken;
use crate::jid::Jid;
use crate::learned::Learned;
use crate::plan::Plan;
use crate::random::Random;
use crate::reply::Reply;
use crate::request::Request;
use crate::sasl::ScramCache;
use crate::sasl2::Inline;
use crate::secret::Secret;
use crate::session::Session;
use crate::stanza::Features;

use login::Login;

/// A server that keeps answering beside the point is left after so many replies.
const MAX_REPLIES: u32 = 24;

/// Requests that may be open at once, if the server does not allow fewer. More than two arrive out
/// of order too often, and what is beyond the server's window ends the session.
const MAX_OPEN: u32 = 2;

/// What is expected where the server holds a request although all is said: it may have answered two
/// at once by chance, which says nothing against the plan.
pub(crate) const EACH_ANSWERED: &str = "an answer to each request";

/// What to do next.
#[derive(Debug)]
#[must_use]
pub enum Step<'a> {
    /// Send these requests, then hand every reply to [`Negotiation::receive`].
    Send(Negotiation<'a>, Vec<Request>),
    /// Nothing until the reply to another open request is there.
    Wait(Negotiation<'a>),
    /// The session stands, and no request is open. What it taught of the server is for
    /// [`Plan::shortest`].
    Done(Session, Learned),
}

/// Why an exchange failed, and how to leave nothing behind.
#[derive(Debug)]
pub struct Failure {
    /// What happened.
    pub error: Error,
    /// The request that ends the session on the server, where one stands.
    pub terminate: Option<Request>,
}

/// One exchange under way.
pub struct Negotiation<'a> {
    config: &'a Config,
    account: &'a Account,
    random: Random,
    plan: Plan,
    /// How many bodies of the plan were sent.
    sent: usize,
    next_rid: u64,
    open: Vec<Open>,
    session: Option<(Secret, Created)>,
    features: Option<Features>,
    login: Login<'a>,
    scram_cache: Option<&'a ScramCache>,
    /// What goes with the login, if it is made by SASL2.
    sasl2: Option<Inline>,
    is_token_refused: bool,
    /// A new one.
    fast_token: Option<FastToken>,
    is_restarted: bool,
    /// Why the bind was refused that went out before the login was done.
    early_refusal: Option<Error>,
    jid: Option<Jid>,
    is_session_open: bool,
    stage: Stage,
    replies: u32,
    /// How many times an answer was waited for, one after the other.
    waits: u32,
    learned: Learned,
    cookies: Cookies,
}

/// A request that was sent and not answered.
struct Open {
    request: Request,
    was_repeated: bool,
    /// The waits up to its answer.
    waits: u32,
}

impl<'a> Negotiation<'a> {
    /// Begins an exchange: the requests to send first.
    ///
    /// # Errors
    /// `Config` if an option has a value that no exchange can be made with.
    pub fn start(
        config: &'a Config,
        account: &'a Account,
        plan: Plan,
        random: Random,
    ) -> Result<(Self, Vec<Request>)> {
        config.check()?;
        let mut negotiation = Self {
            config,
            account,
            next_rid: random.rid,
            random,
            plan,
            sent: 0,
            open: Vec::new(),
            session: None,
            features: None,
            login: Login::default(),
            scram_cache: None,
            sasl2: None,
            is_token_refused: false,
            fast_token: None,
            is_restarted: false,
            early_refusal: None,
            jid: None,
            is_session_open: false,
            stage: Stage::Create,
            replies: 0,
            waits: 0,
            learned: Learned::default(),
            cookies: Cookies::default(),
        };
        let requests = negotiation.due_bodies()?;
        Ok((negotiation, requests))
    }

    /// Looks for the keys of a password here before it derives them, and leaves them here once the
    /// login succeeds.
    #[must_use]
    pub fn with_scram_cache(self, cache: &'a ScramCache) -> Self {
        Self { scram_cache: Some(cache), ..self }
    }

    /// Takes the reply to one of the open requests.
    ///
    /// # Errors
    /// [`Failure`]; its `terminate` is best sent, so that no session is left behind.
    pub fn receive(mut self, reply: &Reply) -> Result<Step<'a>, Failure> {
        match self.advance(reply) {
            Ok(Advance::Repeat(request)) => Ok(Step::Send(self, vec![request])),
            Ok(Advance::Send(requests)) if requests.is_empty() => Ok(Step::Wait(self)),
            Ok(Advance::Send(requests)) => Ok(Step::Send(self, requests)),
            Ok(Advance::Done(session)) => Ok(Step::Done(session, self.learned)),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The request to send once more because the connection broke before its reply was there;
    /// `None` if it was repeated before or must not be.
    pub fn repeat(&mut self, rid: u64) -> Option<Request> {
        let open = self.open.iter_mut().find(|open| open.request.rid() == rid)?;
        if open.was_repeated || !open.request.is_repeatable() {
            return None;
        }
        open.was_repeated = true;
        open.waits += 1;
        Some(open.request.clone())
    }

    /// Where the exchange stands.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What the server is known to be so far.
    #[cfg(feature = "client")]
    pub(crate) fn server(&self) -> crate::learned::Server {
        self.learned.server()
    }

    /// Gives the exchange up because of something outside it.
    #[must_use]
    pub fn abandon(mut self, error: Error) -> Failure {
        self.fail(error)
    }

    fn advance(&mut self, reply: &Reply) -> Result<Advance> {
        let Some(at) = self.open.iter().position(|open| open.request.rid() == reply.rid) else {
            return Err(Error::protocol(self.stage, "a reply to an open request", "another"));
        };
        for cookie in &reply.set_cookie {
            self.cookies.set(cookie, &self.config.url);
        }
        self.replies += 1;
        if self.replies > MAX_REPLIES {
            return Err(Error::protocol(
                self.stage,
                "the next step of the exchange",
                "replies beside the point",
            ));
        }
        let in_session = self.session.is_some();
        let received = reply.read(self.stage, in_session, self.config.max_reply);
        let is_repeatable = match &received {
            Ok(Received::Recoverable) => true,
            Ok(_) => false,
            Err(_) => in_session && reply.is_gateway_failure(),
        };
        if is_repeatable && let Some(request) = self.repeat(reply.rid) {
            return Ok(Advance::Repeat(request));
        }
        self.waits = self.waits.max(self.open.remove(at).waits);
        let body = match received? {
            Received::Body(body) => body,
            // It asks for the same request a second time: that will not end.
            Received::Recoverable => return Err(Error::terminated(self.stage, None, None)),
            Received::Terminated(error) => {
                self.session = None;
                return Err(error);
            }
        };
        if !in_session {
            self.session = Some(body.created(self.config)?);
            self.learned = Learned::new(body.server(), &[]);
            self.stage = if self.login.is_begun() { Stage::Authenticate } else { Stage::Features };
        }
        self.take(&body)?;
        self.next(reply.rid)
    }

    /// What follows from what is known now, after the reply to the request with this RID.
    fn next(&mut self, answered: u64) -> Result<Advance> {
        let mut requests = self.due_bodies()?;
        while let Some(response) = self.due_response() {
            requests.push(self.request(&Frame::Plain, self.stage, response.expose()));
            requests.extend(self.due_bodies()?);
        }
        if self.is_complete() {
            // Replies come in the order of the requests (XEP-0124 §11), so what is later is held.
            if self.open.iter().any(|open| open.request.rid() > answered) {
                return Err(Error::protocol(self.stage, EACH_ANSWERED, "none to an empty one"));
            }
            if self.open.is_empty()
                && let Some(session) = self.completed()
            {
                return Ok(Advance::Done(session));
            }
        }
        if requests.is_empty() && self.open.is_empty() {
            requests.push(self.request(&Frame::Plain, self.stage, ""));
        }
        Ok(Advance::Send(requests))
    }

    /// Whether everything is planned, sent and known.
    fn is_complete(&self) -> bool {
        self.sent == self.plan.bodies.len()
            && self.login.is_done()
            && self.jid.is_some()
            && (self.is_session_open || !self.is_session_required())
    }

    /// The session, with the proof of the login.
    fn completed(&mut self) -> Option<Session> {
        let (jid, (sid, created)) = (self.jid.clone()?, self.session.clone()?);
        let authenticated = self.login.take_proof()?;
        let cookies = std::mem::take(&mut self.cookies).into_vec();
        let session = Session::new(authenticated, jid, sid, self.next_rid, created, self.waits, cookies);
        Some(self.with_token(session))
    }

    fn is_session_required(&self) -> bool {
        self.features.as_ref().is_some_and(|features| features.session_required)
    }

    fn fail(&mut self, error: Error) -> Failure {
        let sid = self.session.as_ref().map(|(sid, _)| sid.clone());
        let mut secrets = self.account.credentials().secrets();
        secrets.extend(sid.as_ref().map(Secret::expose));
        let error = error.without(&secrets);
        self.stage = Stage::Terminate;
        let terminate = sid.as_ref().map(|_| self.request(&Frame::Terminate, Stage::Terminate, ""));
        Failure { error, terminate }
    }
}

/// What [`Negotiation::advance`] decided.
enum Advance {
    Repeat(Request),
    /// Perhaps none, while another request is open.
    Send(Vec<Request>),
    Done(Session),
}

impl fmt::Debug for Negotiation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation")
            .field("jid", self.account.jid())
            .field("stage", &self.stage)
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
