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
//! Besides, challenges are answered, lost requests are sent again ([`losses`]), and where an answer is
//! awaited while no request is open, an empty one is sent for the server to answer into (XEP-0206 §3).
//! A plan may send a request ahead of its turn, with a RID that leaves room for those after it.
//! Two requests at most are open at once, and none when a session is handed over: its answer would not
//! go to the browser.

mod authentication;
mod explaining;
mod login;
mod losses;
mod sending;
mod taking;

use std::collections::VecDeque;
use std::fmt;

use crate::account::Account;
use crate::body::{Created, Frame, Received, stray_sid};
use crate::condition::{Condition, SaslCondition};
use crate::config::Config;
use crate::cookies::Cookies;
use crate::error::{Error, ErrorKind, Result, Retry, Secrets, Stage};
use crate::fast::FastToken;
use crate::jid::Jid;
use crate::learned::Learned;
use crate::plan::Plan;
use crate::random::Random;
use crate::reply::Reply;
use crate::request::Request;
#[cfg(feature = "client")]
use crate::sasl::Pace;
use crate::sasl::{Means, Message, ScramCache};
use crate::sasl2::Inline;
use crate::secret::Secret;
use crate::session::Session;
use crate::stanza::Features;

use login::Login;
#[cfg(feature = "client")]
pub(crate) use losses::has_failed;
pub(crate) use losses::is_unknown;

/// A server that keeps answering beside the point is left after so many replies.
const MAX_REPLIES: u32 = 24;

/// Requests that may be open at once, if the server does not allow fewer. More than two arrive out
/// of order too often, and what is beyond the server's window ends the session.
const MAX_OPEN: u32 = 2;

/// What is expected where the server holds a request although all is said: it may have answered two
/// at once by chance, which says nothing against the plan.
pub(crate) const EACH_ANSWERED: &str = "an answer to each request";

/// What is expected of each reply.
const NEXT_STEP: &str = "the next step of the exchange";

/// What is expected of a server that the plan was made for.
pub(crate) const SAME_SERVER: &str = "the kind of server that was here before";

/// What to do next.
#[derive(Debug)]
#[must_use]
pub enum Step<'a> {
    /// Send these requests, each after its [`Request::pause`], then hand every reply to
    /// [`Negotiation::receive`] and every broken connection to [`Negotiation::lost`].
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
    /// The RIDs before that one which are left for the next bodies of the plan.
    skipped: VecDeque<u64>,
    /// In the order of the RIDs.
    open: Vec<Open>,
    session: Option<(Secret, Created)>,
    features: Option<Features>,
    /// An offer without mechanisms that another may follow.
    empty_offer: Option<Features>,
    login: Login<'a>,
    /// The one that the login was begun by.
    mechanism: Option<String>,
    means: Means<'a>,
    /// What goes with the login, if it is made by SASL2.
    sasl2: Option<Inline>,
    alternative: Alternative,
    is_token_refused: bool,
    told: Told,
    /// The request with the latest secret, until it is answered, and not by an error.
    unanswered_secret: Option<u64>,
    /// How many requests or their answers were lost.
    losses: u32,
    /// The highest RID that was answered.
    answered: u64,
    /// The SASL messages that were sent.
    told_messages: Vec<Message>,
    /// A new one.
    fast_token: Option<FastToken>,
    is_restarted: bool,
    /// Why the bind was refused that went out before the login was done.
    early_refusal: Option<Error>,
    /// How the session ended, as the answer to a request says while the answer to an earlier one is awaited.
    end: Option<Error>,
    jid: Option<Jid>,
    is_session_open: bool,
    stage: Stage,
    replies: u32,
    /// How many times an answer was waited for, one after the other.
    waits: u32,
    learned: Learned,
    cookies: Cookies,
}

/// What of the account's secrets the server was told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// The login began with a secret, or with a proof of one.
    AtOnce,
    /// A challenge was answered.
    OnDemand,
}

/// What a login by SASL2 could be made by instead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alternative {
    None,
    /// The SASL of RFC 6120.
    Sasl,
}

/// A request that was sent and not answered.
struct Open {
    request: Request,
    was_repeated: bool,
    /// How often the server did not know the session.
    unknown: usize,
    /// Whether it is to be sent again as soon as no earlier request is open.
    is_lost: bool,
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
            skipped: VecDeque::new(),
            open: Vec::new(),
            session: None,
            features: None,
            empty_offer: None,
            login: Login::default(),
            mechanism: None,
            means: Means::default(),
            sasl2: None,
            alternative: Alternative::None,
            is_token_refused: false,
            told: Told::Nothing,
            unanswered_secret: None,
            losses: 0,
            answered: 0,
            told_messages: Vec::new(),
            fast_token: None,
            is_restarted: false,
            early_refusal: None,
            end: None,
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
        Self { means: Means { cache: Some(cache), ..self.means }, ..self }
    }

    /// Derives the keys of a password as `pace` says.
    #[cfg(feature = "client")]
    pub(crate) fn at_pace(self, pace: &'a (dyn Pace + Sync)) -> Self {
        Self { means: Means { pace: Some(pace), ..self.means }, ..self }
    }

    /// Takes the reply to one of the open requests.
    ///
    /// # Errors
    /// [`Failure`]; its `terminate` is best sent, so that no session is left behind.
    pub fn receive(mut self, reply: &Reply) -> Result<Step<'a>, Failure> {
        let advance = self.advance(reply);
        self.step(advance)
    }

    fn step(mut self, advance: Result<Advance>) -> Result<Step<'a>, Failure> {
        match advance {
            Ok(Advance::Send(requests)) if requests.is_empty() => Ok(Step::Wait(self)),
            Ok(Advance::Send(requests)) => Ok(Step::Send(self, requests)),
            Ok(Advance::Done(session)) => Ok(Step::Done(*session, self.learned)),
            Err(error) => Err(self.fail(error)),
        }
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

    /// The request that ends the session, if one stands.
    #[cfg(feature = "client")]
    pub(crate) fn ending(&self) -> Option<Request> {
        let (sid, _) = self.session.as_ref()?;
        let (rid, cookie) = (self.next_rid, self.cookies.header());
        Some(Request::new(&Frame::Terminate, Stage::Terminate, rid, Some(sid.expose()), "", cookie))
    }

    /// The same after a reply of which only this much of the body arrived.
    #[cfg(feature = "client")]
    pub(crate) fn abandon_after(mut self, partial: &[u8], error: Error) -> Failure {
        self.note_stray(partial);
        self.fail(error)
    }

    /// Takes note of a session that stands although the answer to its creation is unusable, so that it can
    /// be ended.
    fn note_stray(&mut self, body: &[u8]) {
        if self.session.is_none() {
            self.session = stray_sid(body).map(|sid| (sid, Created::asked(self.config)));
        }
    }

    fn advance(&mut self, reply: &Reply) -> Result<Advance> {
        let Some(at) = self.open.iter().position(|open| open.request.rid() == reply.rid) else {
            return Err(Error::protocol(self.stage, "a reply to an open request", "another"));
        };
        for cookie in &reply.set_cookie {
            self.cookies.set(cookie, &self.config.url);
        }
        let in_session = self.session.is_some();
        let received = reply.read(self.stage, in_session, self.config);
        if let Some(end) = self.end.take() {
            return Err(self.explained_end(received, end));
        }
        let is_repeated = match &received {
            Ok(Received::Recoverable) => self.repeat(reply.rid),
            Ok(Received::Terminated(error)) => is_unknown(error) && self.repeat_unknown(reply.rid),
            Ok(Received::Body(_)) => false,
            // A server that failed over a password has looked at it, and may count it.
            Err(_) if self.open[at].request.holds_secret() => {
                in_session && reply.is_from_gateway() && self.repeat(reply.rid)
            }
            Err(_) => in_session && reply.is_server_failure() && self.repeat(reply.rid),
        };
        if is_repeated {
            return self.next();
        }
        let is_lost = match &received {
            Ok(Received::Terminated(error)) => is_unknown(error),
            Err(_) => reply.is_server_failure(),
            Ok(_) => false,
        };
        if is_lost && self.is_settled(&self.open[at]) {
            self.open.remove(at);
            return self.next();
        }
        self.replies += 1;
        if self.replies > MAX_REPLIES {
            return Err(self.beside_the_point());
        }
        self.waits = self.waits.max(self.open.remove(at).waits);
        self.answered = self.answered.max(reply.rid);
        let body = match received {
            Ok(Received::Body(body)) => body,
            Ok(Received::Recoverable) => {
                // It asks for the same request a second time: that will not end.
                self.note_stray(&reply.body);
                return Err(Error::terminated(self.stage, None, None));
            }
            Err(error) => {
                self.note_stray(&reply.body);
                return Err(error);
            }
            // Another server may know the session, so it is ended all the same.
            Ok(Received::Terminated(error)) if is_unknown(&error) => return Err(error),
            Ok(Received::Terminated(error)) => {
                // Before the SID that the error may repeat is forgotten.
                let error = self.without_secrets(self.remedied(error));
                if self.login.is_begun() && !self.login.is_done() && self.is_behind(reply.rid) {
                    self.end = Some(error);
                    return Ok(Advance::Send(Vec::new()));
                }
                self.session = None;
                return Err(error);
            }
        };
        let is_ours = |sid| self.session.as_ref().is_none_or(|(ours, _)| ours.expose() == sid);
        if !body.sid().is_none_or(is_ours) {
            return Err(Error::protocol(self.stage, "an answer of this session", "one of another"));
        }
        if !in_session {
            let created = body.created(self.config);
            self.session = Some(created.inspect_err(|_| self.note_stray(&reply.body))?);
            self.learned = Learned::new(body.server(), &[]);
            if let Some(error) = body.other_domain(self.account.jid()) {
                return Err(error);
            }
            self.stage = if self.login.is_begun() { Stage::Authenticate } else { Stage::Features };
        }
        self.take(&body)?;
        self.unanswered_secret.take_if(|rid| *rid == reply.rid);
        if !in_session && self.plan.server.is_some_and(|server| server != body.server()) {
            self.leave_plan()?;
        }
        self.next()
    }

    /// Whether an earlier request is open. Replies come in the order of the requests (XEP-0124 §11), but over several
    /// connections the later one may be here first.
    fn is_behind(&self, rid: u64) -> bool {
        self.open.iter().any(|open| open.request.rid() < rid)
    }

    /// Why the session ended: the answer to the earlier request may refuse the login.
    fn explained_end(&mut self, received: Result<Received>, end: Error) -> Error {
        self.session = None;
        match received {
            Ok(Received::Body(body)) => self.take(&body).err().unwrap_or(end),
            Ok(Received::Terminated(error)) if *error.kind() == ErrorKind::Auth => error,
            Ok(Received::Terminated(_) | Received::Recoverable) | Err(_) => end,
        }
    }

    /// Goes on as any server understands it, since this is another one than the plan was made for. It may
    /// have dropped what went with the creation, and would then never answer.
    fn leave_plan(&mut self) -> Result<()> {
        let sent = match &self.login {
            Login::Pending => 1,
            Login::Responding(..) => 2,
            Login::Done(_) => return Ok(()),
            Login::Underway(_) => {
                return Err(Error::new(
                    ErrorKind::Protocol { expected: SAME_SERVER },
                    self.stage,
                    Retry::FreshSession,
                    "another kind of server answers than the last time: try again with a fresh session",
                ));
            }
        };
        // The session stands, and the login may.
        self.go_on_classic(sent);
        Ok(())
    }

    /// Goes on by the classic plan, of which so many bodies count as sent.
    fn go_on_classic(&mut self, sent: usize) {
        self.plan = Plan::classic().expecting_scram(self.plan.expects_scram);
        self.sent = sent;
    }

    /// What follows from what is known now.
    fn next(&mut self) -> Result<Advance> {
        let mut requests = self.due_repeats();
        requests.extend(self.due_bodies()?);
        while let Some(response) = self.due_response() {
            requests.push(self.secret_request(&Frame::Plain, self.stage, response.expose()));
            requests.extend(self.due_bodies()?);
        }
        if self.is_complete() {
            // Replies come in the order of the requests (XEP-0124 §11), so what is later is held.
            if self.open.iter().any(|open| open.request.rid() > self.answered) {
                return Err(Error::protocol(self.stage, EACH_ANSWERED, "none to an empty one"));
            }
            if self.unsettled() == 0
                && let Some(session) = self.completed()
            {
                return Ok(Advance::Done(Box::new(session)));
            }
        }
        if requests.is_empty() && self.unsettled() == 0 {
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
        let error = self.without_secrets(self.remedied(self.explained(error)));
        let error = if self.is_secret_out(&error) { error.after_secret() } else { error };
        let error = if self.is_in_sasl2() { error.in_sasl2() } else { error };
        self.stage = Stage::Terminate;
        let stands = self.session.is_some() && self.end.is_none();
        let terminate = stands.then(|| self.request(&Frame::Terminate, Stage::Terminate, ""));
        Failure { error, terminate }
    }

    /// What a server that hides its mechanisms should be told, where another offer was waited for in vain.
    fn explained(&self, error: Error) -> Error {
        if self.is_in_sasl2() {
            return self.explained_by_sasl2(error);
        }
        let is_no_offer = match error.kind() {
            ErrorKind::Timeout { .. } | ErrorKind::Connect { .. } => true,
            ErrorKind::Protocol { expected } => *expected == NEXT_STEP,
            _ => false,
        };
        let is_in_vain = is_no_offer && self.features.is_none();
        let offer = self.empty_offer.as_ref().filter(|_| is_in_vain && !self.login.is_begun());
        offer.and_then(|offer| self.way(offer).err()).unwrap_or(error)
    }

    /// Whether the server may have looked at a secret, or at a proof of one, before this error, and has not
    /// accepted it.
    fn is_secret_out(&self, error: &Error) -> bool {
        let is_left_unread = matches!(
            error.condition(),
            Some(Condition::Sasl(SaslCondition::EncryptionRequired | SaslCondition::InvalidMechanism))
        );
        match self.told {
            _ if self.login.is_done() || self.is_session_gone(error) => false,
            Told::Nothing => false,
            Told::AtOnce if self.may_leave_sasl2() || self.is_creation_lost(error) => false,
            Told::AtOnce => !is_left_unread,
            Told::OnDemand => true,
        }
    }

    /// The error without what it repeats of anything that only the client and the server should know.
    fn without_secrets(&self, error: Error) -> Error {
        let mut secrets = Secrets::default();
        let (config, credentials) = (self.config, self.account.credentials());
        let configured = config.headers.iter().map(|(_, value)| value).chain(&config.proxy);
        let sid = self.session.as_ref().map(|(sid, _)| sid);
        let known = configured.chain(sid).map(Secret::expose).chain(credentials.secrets());
        known.chain([self.random.user_agent.as_str()]).for_each(|secret| secrets.add(secret.as_bytes()));
        self.cookies.values().for_each(|value| secrets.add(value.as_bytes()));
        (self.random.rid..=self.next_rid).for_each(|rid| secrets.add_rid(rid));
        self.told_messages.iter().for_each(|message| secrets.add_message(message));
        error.without(&secrets)
    }
}

/// What [`Negotiation::advance`] decided.
enum Advance {
    /// Perhaps none, while another request is open.
    Send(Vec<Request>),
    Done(Box<Session>),
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
