//! The state machine: it has every transition, and no I/O, no clock and no randomness.
//!
//! ```text
//!          create                   auth                  success, proven           bound
//!   start ────────▶ Unauthenticated ─────▶ Authenticating ──────────────▶ Authenticated ─────▶ Done
//!                    ▲  poll     │          ▲  respond │   │               ▲ restart │
//!                    ├───────────┘          └──────────┘   │               │ bind    │
//!                    │                       challenge     │               │ session │
//!                    └─────────────────────────────────────┤               │ poll    │
//!                                  token refused           │               └─────────┘
//!                                                          ▼
//!                                              Ended (an earlier answer may say why)
//! ```
//!
//! An error leads from each [`State`] to a [`Failure`]. This file has the transitions in the order of the
//! graph: how an exchange begins, what a reply changes, what is sent next, and the two ends.
//!
//! The graph shows the classic exchange. With SASL2 (XEP-0388) the stream is not restarted, and the resource
//! is bound with the login (XEP-0386).
//!
//! The [`Plan`] decides what is sent when, and what is sent together. It may send the login with the
//! creation, or a bind before the login is done. Therefore the [session](Bosh) and the [stream](Stream) have
//! their own fields beside the state.
//!
//! - Lost requests are sent again.
//! - If an answer is awaited while no request is open, an empty request is sent, so that the server can
//!   answer it (XEP-0206 §3).
//! - A plan may send a request ahead of its turn. Its RID leaves room for the requests that come before it.
//! - At most two requests are open at once, and none when a session is handed over: the answer would not go
//!   to the browser.
//!
//! # The way of a password
//!
//! A password passes these files on its way into a request, and comes back to `sasl/credentials.rs` once:
//!
//! 1. `sasl/credentials.rs` takes the password, and `account.rs` adds the JID.
//! 2. `plan.rs` decides when the login is sent, and `choice.rs` by which mechanism.
//! 3. This file gets the mechanism from `sasl/credentials.rs`, and resumes it with each message of the
//!    server.
//! 4. `sasl/scram.rs` computes the proof. It prepares the password by `sasl/prepare.rs`, and looks up its
//!    keys in `sasl/scram/cache.rs`.
//! 5. `login.rs` puts the proof into an element, and `bosh.rs` puts that into a request.
//!
//! # Which file may import which
//!
//! `account`, `sasl` and `wire` are below all of these files, and the client is above them. In this list,
//! each file may import from the files before it: `learned`, `no_mechanism`, `choice`, `plan`, `bosh`,
//! `explaining`, `login`, this file.

// May import from `account`, `session` and the layers above, in the order of `core/tests/layers`.

mod bosh;
mod choice;
#[cfg(test)]
mod examples;
mod explaining;
mod learned;
mod login;
mod no_mechanism;
mod plan;

use std::fmt;
use std::mem;

use crate::account::Account;
use crate::config::Config;
use crate::error::{Condition, Error, ErrorKind, Result, Retry, SaslCondition, Secrets, Stage};
use crate::jid::{Jid, Likeness};
use crate::random::Random;
use crate::sasl::{Authenticated, Beginning, FastToken, Input, Means, Message, Offer, Pace, ScramCache};
use crate::secret::Secret;
use crate::session::Session;
use crate::wire::bind;
use crate::wire::body::{Body, Frame, Received};
use crate::wire::reply::Reply;
use crate::wire::request::Request;
use crate::wire::sasl2::{Inline, Success, TokenUse};
use crate::wire::server::Server;
use crate::wire::stanza::{self, Features, Incoming};

use bosh::Bosh;
#[cfg(feature = "client")]
pub(crate) use bosh::has_failed;
pub(crate) use bosh::is_unknown;
use choice::{Uses, Way};
#[cfg(test)]
pub(crate) use examples::examples;
use explaining::{Explaining, NEXT_STEP, no_progress};
pub use learned::Learned;
#[cfg(feature = "client")]
pub(crate) use learned::is_scram;
use login::Login;
pub use plan::Plan;
use plan::{Milestone, PlanStep, PlannedBody};

/// After this many replies, an exchange with a server that makes no progress ends.
const MAX_REPLIES: u32 = 24;

/// The expectation that fails if the server holds a request although the exchange is complete. It may have
/// answered two requests at once by chance, which does not speak against the plan.
pub(crate) const EACH_ANSWERED: &str = "an answer to each request";

/// The expectation that fails if another kind of server answers than the plan was made for.
pub(crate) const SAME_SERVER: &str = "the kind of server that was here before";

/// What to do next. It is exhaustive on purpose, because a driver has to handle every variant.
#[derive(Debug)]
#[must_use]
pub enum Step<'a> {
    /// Send these requests, each after its [`Request::pause`], then hand every reply to
    /// [`Negotiation::receive`] and every broken connection to [`Negotiation::lost`].
    Send(Negotiation<'a>, Vec<Request>),
    /// Send nothing until the reply to another open request arrives.
    Wait(Negotiation<'a>),
    /// The session is open, and every request is answered. Give what was learned of the server to [`Plan::shortest`].
    Done(Session, Learned),
}

/// Why an exchange failed, and how to end its session. Fields may be added.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// What happened.
    pub error: Error,
    /// The request that ends the session on the server, if there is one.
    pub terminate: Option<Request>,
}

/// One exchange under way.
pub struct Negotiation<'a> {
    given: Given<'a>,
    plan: Plan,
    /// How many bodies of the plan were sent.
    sent: usize,
    bosh: Bosh,
    /// How many requests were answered.
    replies: u32,
    stream: Stream,
    state: State<'a>,
    told: Told,
    /// The SASL messages that were sent.
    messages: Vec<Message>,
    learned: Learned,
    stage: Stage,
}

/// What an exchange is given at its start.
struct Given<'a> {
    config: &'a Config,
    account: &'a Account,
    random: Random,
    means: Means<'a>,
}

/// How far the login has come.
enum State<'a> {
    /// The login has not begun, or begins again without a token.
    Unauthenticated {
        /// An offer without mechanisms, after which another offer may follow.
        empty_offer: Option<Features>,
        is_token_refused: bool,
    },
    /// A mechanism is under way.
    Authenticating(Login<'a>),
    /// The session ended with this error while a mechanism was under way. The answer to an earlier request
    /// may say why, so it is awaited.
    Ended(Login<'a>, Error),
    /// The server accepted the login, and proved its own identity if the mechanism can do that.
    Authenticated {
        proof: Authenticated,
        /// What was sent with the login, if it was made by SASL2.
        inline: Option<Inline>,
        /// A new token that the server issued.
        token: Option<FastToken>,
    },
}

/// What the server said on its XMPP stream.
#[derive(Default)]
struct Stream {
    is_restarted: bool,
    features: Option<Features>,
    bound: Option<Jid>,
    /// Why the server refused a bind that was sent before the login was done.
    refusal: Option<Error>,
    is_session_open: bool,
}

/// Which secrets of the account the server was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// The first message of the login held a secret, or a proof of one.
    AtOnce,
    /// The answer to a challenge held a proof.
    OnDemand,
}

impl<'a> Negotiation<'a> {
    /// Begins an exchange, and returns the requests to send first. The keys of a password are looked up in
    /// `scram_cache` before they are derived, and stored there once the login succeeds.
    ///
    /// # Errors
    /// `Config` if an option has a value that no exchange can be made with.
    pub fn start(
        config: &'a Config,
        account: &'a Account,
        plan: Plan,
        random: Random,
        scram_cache: Option<&'a ScramCache>,
    ) -> Result<(Self, Vec<Request>)> {
        Self::start_at_pace(config, account, plan, random, scram_cache, None)
    }

    /// As [`start`](Self::start), and `pace` controls the derivation of keys.
    pub(crate) fn start_at_pace(
        config: &'a Config,
        account: &'a Account,
        plan: Plan,
        random: Random,
        cache: Option<&'a ScramCache>,
        pace: Option<&'a (dyn Pace + Sync)>,
    ) -> Result<(Self, Vec<Request>)> {
        let means = Means { iterations: &config.iterations, cache, pace };
        let mut negotiation = Self {
            bosh: Bosh::new(random.rid),
            given: Given { config, account, random, means },
            plan,
            sent: 0,
            replies: 0,
            stream: Stream::default(),
            state: State::default(),
            told: Told::Nothing,
            messages: Vec::new(),
            learned: Learned::default(),
            stage: Stage::Create,
        };
        let requests = negotiation.due_bodies()?;
        Ok((negotiation, requests))
    }

    /// Takes the reply to one of the open requests.
    ///
    /// # Errors
    /// [`Failure`]. Send its `terminate`, so that no session is left behind.
    pub fn receive(mut self, reply: &Reply) -> Result<Step<'a>, Failure> {
        let advance = self.advance(reply);
        self.step(advance)
    }

    /// Records that the connection broke before the reply to the request with this RID arrived.
    ///
    /// # Errors
    /// [`Failure`] with this `error` if the request was repeated before, or if it creates a session and must
    /// not be repeated. Send the failure's `terminate`.
    pub fn lost(mut self, rid: u64, error: Error) -> Result<Step<'a>, Failure> {
        let advance = match self.take_end() {
            Some(end) => Err(end),
            None if self.bosh.lost(rid) => self.next(),
            None => Err(error),
        };
        self.step(advance)
    }

    /// As [`lost`](Self::lost), after this part of the reply's body arrived.
    #[cfg(feature = "client")]
    pub(crate) fn lost_after(mut self, partial: &[u8], rid: u64, error: Error) -> Result<Step<'a>, Failure> {
        self.bosh.note_stray(partial, self.given.config);
        self.lost(rid, error)
    }

    /// Gives up the exchange for a reason outside of it.
    #[must_use]
    pub fn abandon(mut self, error: Error) -> Failure {
        self.fail(error)
    }

    /// As [`abandon`](Self::abandon), after only this part of a reply's body arrived.
    #[cfg(feature = "client")]
    pub(crate) fn abandon_after(mut self, partial: &[u8], error: Error) -> Failure {
        self.bosh.note_stray(partial, self.given.config);
        self.fail(error)
    }

    /// The stage that the exchange has reached.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The kind of server, as far as it is known.
    #[cfg(feature = "client")]
    pub(crate) fn server(&self) -> Server {
        self.learned.server()
    }

    /// The request that ends the session, if there is one.
    #[cfg(feature = "client")]
    pub(crate) fn ending(&self) -> Option<Request> {
        self.bosh.ending()
    }

    fn step(mut self, advance: Result<Advance>) -> Result<Step<'a>, Failure> {
        match advance {
            Ok(Advance::Send(requests)) if requests.is_empty() => Ok(Step::Wait(self)),
            Ok(Advance::Send(requests)) => Ok(Step::Send(self, requests)),
            Ok(Advance::Done(session)) => Ok(Step::Done(*session, self.learned)),
            Err(error) => Err(self.fail(error)),
        }
    }
}

/// What follows from a reply.
enum Advance {
    /// The requests to send. There may be none while another request is open.
    Send(Vec<Request>),
    Done(Box<Session>),
}

/// What a reply changes.
impl Negotiation<'_> {
    fn advance(&mut self, reply: &Reply) -> Result<Advance> {
        if !self.bosh.is_open(reply.rid) {
            return Err(Error::protocol(self.stage, "a reply to an open request", "another"));
        }
        let config = self.given.config;
        for cookie in &reply.set_cookie {
            self.bosh.cookies.set(cookie, &config.url);
        }
        let in_session = self.bosh.session.is_some();
        let received = reply.read(self.stage, in_session, config);
        if let Some(end) = self.take_end() {
            return Err(self.explained_end(received, end));
        }
        if self.bosh.is_lost(reply, &received) {
            return self.next();
        }
        self.replies += 1;
        if self.replies > MAX_REPLIES {
            return Err(no_progress(self.stage, MAX_REPLIES));
        }
        self.bosh.close(reply.rid);
        let body = match received {
            Ok(Received::Body(body)) => body,
            Ok(Received::Recoverable) => {
                // The server asks for the same request a second time, so it would ask again and again.
                self.bosh.note_stray(&reply.body, config);
                return Err(Error::terminated(self.stage, None, None));
            }
            Err(error) => {
                self.bosh.note_stray(&reply.body, config);
                return Err(error);
            }
            // Another server may know the session, so the failure still ends it.
            Ok(Received::Terminated(error)) if is_unknown(&error) => return Err(error),
            Ok(Received::Terminated(error)) => return self.ended(reply.rid, error),
        };
        let is_ours = |sid| self.bosh.sid().is_none_or(|ours| ours.expose() == sid);
        if !body.sid().is_none_or(is_ours) {
            return Err(Error::protocol(self.stage, "an answer of this session", "one of another"));
        }
        if !in_session {
            self.created(reply, &body)?;
        }
        self.take(&body)?;
        self.bosh.accept(reply.rid);
        if !in_session && self.plan.server.is_some_and(|server| server != body.server()) {
            self.leave_plan()?;
        }
        self.next()
    }

    /// Records the session that the server created.
    fn created(&mut self, reply: &Reply, body: &Body) -> Result<()> {
        let Given { config, account, .. } = self.given;
        let created = body.created(config);
        self.bosh.session = Some(created.inspect_err(|_| self.bosh.note_stray(&reply.body, config))?);
        self.learned = Learned::new(body.server(), &[]);
        if let Some(error) = body.other_domain(account.jid()) {
            return Err(error);
        }
        self.stage = match self.state {
            State::Unauthenticated { .. } => Stage::Features,
            _ => Stage::Authenticate,
        };
        Ok(())
    }

    /// The server ended the session. Its answer to an earlier request may say why.
    fn ended(&mut self, rid: u64, error: Error) -> Result<Advance> {
        // The error may repeat the SID, so it is cleaned before the session is forgotten.
        let error = self.without_secrets(self.explaining().remedied(error));
        let may_be_told_more = matches!(self.state, State::Authenticating(_)) && self.bosh.is_behind(rid);
        if may_be_told_more && let State::Authenticating(login) = mem::take(&mut self.state) {
            self.state = State::Ended(login, error);
            return Ok(Advance::Send(Vec::new()));
        }
        self.bosh.session = None;
        Err(error)
    }

    /// The error that ended the session, once the answer to an earlier request has arrived or is lost.
    fn take_end(&mut self) -> Option<Error> {
        let State::Ended(..) = self.state else { return None };
        let State::Ended(login, end) = mem::take(&mut self.state) else { return None };
        self.state = State::Authenticating(login);
        self.bosh.session = None;
        Some(end)
    }

    /// Why the session ended. The answer to the earlier request explains it if it refuses the login.
    fn explained_end(&mut self, received: Result<Received>, end: Error) -> Error {
        match received {
            Ok(Received::Body(body)) => self.take(&body).err().unwrap_or(end),
            Ok(Received::Terminated(error)) if *error.kind() == ErrorKind::Auth => error,
            Ok(Received::Terminated(_) | Received::Recoverable) | Err(_) => end,
        }
    }

    /// Takes in the payload of a reply.
    fn take(&mut self, body: &Body) -> Result<()> {
        let mut is_begun_anew = false;
        for element in body.payload() {
            let incoming = match stanza::read(element, self.stage) {
                // The bind may be refused because the login is. The refusal counts only if the login is
                // accepted.
                Err(error) if *error.kind() == ErrorKind::Bind && !self.state.is_authenticated() => {
                    self.stream.refusal = Some(error);
                    continue;
                }
                Err(error) if self.goes_on_without_token(&error) => {
                    is_begun_anew = true;
                    continue;
                }
                Err(error) => return Err(self.state.explain(error)),
                Ok(incoming) => incoming,
            };
            match incoming {
                Some(Incoming::Features(features)) => self.offered(features),
                Some(Incoming::Challenge(challenge)) => self.challenged(&challenge)?,
                Some(Incoming::Success(success)) => self.succeeded(success)?,
                Some(Incoming::Bound(jid)) => self.bound(jid)?,
                Some(Incoming::SessionOpened) => self.stream.is_session_open = true,
                None => {}
            }
        }
        if is_begun_anew {
            // This refusal is about the bind that was sent with the token. Another bind will follow.
            self.stream.refusal = None;
        }
        let is_authenticated = self.state.is_authenticated();
        self.stream.refusal.take_if(|_| is_authenticated).map_or(Ok(()), Err)
    }

    fn offered(&mut self, mut features: Features) {
        features.has_none &= self.bosh.session.as_ref().is_some_and(|(_, created)| created.is_secure);
        // A connection manager that starts TLS with the XMPP server for its clients may also pass on the
        // features from before TLS. Servers with their own BOSH sessions make no second offer.
        let is_empty = features.mechanisms.is_empty() && features.sasl2.is_none() && features.starttls;
        if let State::Unauthenticated { empty_offer: empty @ None, .. } = &mut self.state
            && is_empty
            && !self.stream.is_restarted
            && self.learned.server() == Server::Other
        {
            *empty = Some(features);
            return;
        }
        if !self.stream.is_restarted && !self.state.is_authenticated() {
            let learned = Learned::new(self.learned.server(), &features.mechanisms);
            self.learned =
                if self.wants_sasl2() { learned.with_sasl2(features.sasl2.as_ref()) } else { learned };
        }
        if features.session_required {
            // The shorter plans were not made for a server that requires this.
            self.learned = Learned::new(Server::Other, self.learned.mechanisms());
        }
        self.stream.features = Some(features);
    }

    fn challenged(&mut self, challenge: &[u8]) -> Result<()> {
        let login = self.state.listening("no SASL challenge", self.stage)?;
        let offer = self.stream.features.as_ref().map_or(Offer::default(), |features| Offer {
            mechanisms: match &features.sasl2 {
                Some(offer) if login.inline.is_some() => &offer.mechanisms,
                _ => &features.mechanisms,
            },
            channel_bindings: &features.channel_bindings,
        });
        login.resume(Input::Challenge { data: challenge, offer }).map(drop)
    }

    fn succeeded(&mut self, success: Success) -> Result<()> {
        let login = self.state.listening("no SASL success", self.stage)?;
        let inline = login.inline;
        let data = success.additional_data.as_ref().map(|data| data.as_slice());
        let Some(proof) = login.resume(Input::Success(data))? else { return Ok(()) };
        let issued = success.token.filter(|_| inline.is_some());
        let token = issued.and_then(|(token, expiry)| {
            FastToken::issued(token.expose(), expiry.as_deref(), self.given.user_agent())
        });
        self.state = State::Authenticated { proof, inline, token };
        self.bosh.is_logged_in = true;
        let Some(inline) = inline else { return Ok(()) };
        // After SASL2 the server restarts the stream by itself, so the next features belong to the new
        // stream.
        self.stream.restart();
        match success.bound {
            Some(jid) if inline.bind => self.bound(jid?),
            None if inline.bind => {
                Err(Error::protocol(Stage::Bind, "a bound resource in the SASL success", "none"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the login goes on in the same session, without the token that was refused.
    fn goes_on_without_token(&mut self, error: &Error) -> bool {
        let State::Authenticating(login) = &self.state else { return false };
        let is_about_it = *error.kind() == ErrorKind::Auth && login.presents_token();
        if !is_about_it || !self.given.account.credentials().has_more_than_token() {
            return false;
        }
        tracing::debug!("the server refused the token; logging in without it");
        self.state = State::Unauthenticated { empty_offer: None, is_token_refused: true };
        // The creation counts as sent, because the session is open.
        self.go_on_classic(1);
        true
    }

    /// Checks that the bound JID is the account's, because some servers let one user act as another.
    fn bound(&mut self, jid: Jid) -> Result<()> {
        let account = self.given.account;
        match account.jid().compare(&jid) {
            Likeness::Same => {}
            Likeness::Folded if account.credentials().prove_account() => {}
            likeness => return Err(self.explaining().bound_another(&jid, likeness)),
        }
        self.stream.bound = Some(jid);
        self.bosh.is_bound = true;
        Ok(())
    }

    /// Goes on by the classic plan, because this is another server than the plan was made for. It may have
    /// ignored what was sent with the creation, and would then never answer it.
    fn leave_plan(&mut self) -> Result<()> {
        let sent = match &self.state {
            State::Unauthenticated { .. } => 1,
            State::Authenticating(login) if login.is_challenged() => 2,
            State::Authenticated { .. } => return Ok(()),
            State::Authenticating(_) | State::Ended(..) => {
                return Err(Error::new(
                    ErrorKind::Protocol { expected: SAME_SERVER },
                    self.stage,
                    Retry::FreshSession,
                    "another kind of server answers than the last time: try again with a fresh session",
                ));
            }
        };
        // The creation counts as sent, and the login does if the server answers it.
        self.go_on_classic(sent);
        Ok(())
    }

    /// Goes on by the classic plan, with this many of its bodies counted as sent.
    fn go_on_classic(&mut self, sent: usize) {
        self.plan = Plan::classic().expecting_scram(self.plan.expects_scram);
        self.sent = sent;
    }
}

/// What is sent next.
impl Negotiation<'_> {
    /// Decides what to do next.
    fn next(&mut self) -> Result<Advance> {
        let mut requests = self.bosh.due_repeats();
        requests.extend(self.due_bodies()?);
        while let Some(response) = self.respond() {
            requests.push(self.request(&Frame::Plain, self.stage, response.expose(), 0, true));
            requests.extend(self.due_bodies()?);
        }
        if self.is_complete() {
            if self.bosh.is_held() {
                return Err(Error::protocol(self.stage, EACH_ANSWERED, "none to an empty request"));
            }
            if self.bosh.unsettled() == 0
                && let Some(session) = self.completed()
            {
                return Ok(Advance::Done(Box::new(session)));
            }
        }
        if requests.is_empty() && self.bosh.unsettled() == 0 {
            requests.push(self.request(&Frame::Plain, self.stage, "", 0, false));
        }
        Ok(Advance::Send(requests))
    }

    /// Writes the bodies whose turn it is, as many as the server allows to be open.
    fn due_bodies(&mut self) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        while let Some(body) = self.plan.bodies.get(self.sent) {
            let window = self.bosh.window();
            if body.after == Milestone::Unanswered && (self.state.is_authenticated() || body.reach() > window)
            {
                self.go_on_classic(2);
                continue;
            }
            if !self.has_passed(body.after) || self.bosh.unsettled() + body.reach() > window {
                break;
            }
            self.sent += 1;
            requests.extend(self.planned(body)?);
        }
        Ok(requests)
    }

    fn has_passed(&self, milestone: Milestone) -> bool {
        let has_features = self.stream.features.is_some();
        match milestone {
            Milestone::Start => true,
            Milestone::Features => has_features,
            Milestone::Challenged => {
                self.state.is_authenticated() || self.state.login().is_some_and(Login::is_challenged)
            }
            Milestone::Spoken => self.state.has_spoken(),
            Milestone::Unanswered => has_features && self.state.has_spoken(),
            Milestone::Success => self.state.is_authenticated(),
            Milestone::RestartedFeatures => self.stream.is_restarted && has_features,
            Milestone::Bound => self.stream.bound.is_some(),
        }
    }

    /// Writes one body of the plan. Returns `None` if all its steps are skipped.
    fn planned(&mut self, body: &PlannedBody) -> Result<Option<Request>> {
        let Given { config, account, .. } = self.given;
        let mut frame = Frame::Plain;
        let mut payload = Secret::default();
        let mut is_needed = false;
        let mut is_secret = false;
        let mut awaited = self.stage;
        // Names the user who is about to log in (RFC 6120 §4.7.1), because servers offer tokens only to a
        // named user. Without tokens the server need not know it yet, so it is not told.
        let is_told = self.wants_sasl2() && config.may_send_secrets_early();
        let from = is_told.then(|| account.jid().bare().to_string());
        for step in body.steps {
            let inline = self.state.inline();
            let (stage, element) = match step {
                PlanStep::Create => {
                    let domain = account.jid().domain();
                    frame = Frame::Create { config, domain, from: from.as_deref() };
                    (Stage::Create, Secret::default())
                }
                PlanStep::Auth => {
                    let auth = self.begin_login()?;
                    is_secret |= self.told != Told::Nothing;
                    (Stage::Authenticate, auth)
                }
                PlanStep::Respond => match self.respond() {
                    Some(response) => {
                        is_secret = true;
                        (Stage::Authenticate, response)
                    }
                    None => continue,
                },
                PlanStep::Restart(_) if inline.is_some() => continue,
                PlanStep::Restart(version) => {
                    self.stream.restart();
                    let (lang, domain) = (config.lang.as_deref(), account.jid().domain());
                    frame = Frame::Restart { lang, domain, version: *version };
                    (Stage::Restart, Secret::default())
                }
                PlanStep::Bind if !self.state.has_spoken() => {
                    // The plan was not made for this mechanism: it sends another message, so nothing can be
                    // bound yet.
                    self.go_on_classic(2);
                    continue;
                }
                PlanStep::Bind if inline.is_some_and(|inline| inline.bind) => continue,
                PlanStep::Bind => (Stage::Bind, bind::bind(account.resource(config))),
                PlanStep::Poll if self.stream.features.is_some() || self.stream.bound.is_some() => continue,
                PlanStep::Poll => (Stage::Bind, Secret::default()),
                PlanStep::Session if !self.stream.requires_session() => continue,
                PlanStep::Session => (Stage::Session, bind::session()),
            };
            is_needed = true;
            // Until the session is open, the creation is what is waited for.
            if self.bosh.session.is_some() {
                awaited = stage;
            }
            payload = [payload.expose(), element.expose()].concat().into();
        }
        if !is_needed {
            return Ok(None);
        }
        if !self.bosh.is_ahead() {
            self.stage = awaited;
        }
        let request = self.request(&frame, awaited, payload.expose(), body.ahead_of, is_secret);
        Ok(Some(request.after(body.pause)))
    }

    /// Whether to use SASL2 if the server offers it.
    fn wants_sasl2(&self) -> bool {
        self.plan.may_use_sasl2 && self.given.account.uses_sasl2(self.given.config)
    }

    fn begin_login(&mut self) -> Result<Secret> {
        let Given { account, means, .. } = self.given;
        let (way, has_alternative) = match (&self.stream.features, &self.plan.early) {
            (None, Some(way)) => (way.clone(), self.plan.has_sasl),
            (None, None) => (self.way(&Features::default())?, self.plan.has_sasl),
            (Some(offer), _) => (self.way(offer)?, self.way_by(offer, Uses::Sasl).is_ok()),
        };
        let nonce = &self.given.random.nonce;
        let mechanism = account.credentials().mechanism(&way.mechanism, account.jid(), nonce, means)?;
        let mut login = Login::new(mechanism, way.sasl2, has_alternative);
        let (auth, message) = login.begin(self.given.user_agent())?;
        if way.begins == Beginning::Secret {
            self.told = Told::AtOnce;
        }
        self.messages.extend(message);
        self.state = State::Authenticating(login);
        Ok(auth)
    }

    /// How to log in, given this offer.
    fn way(&self, offer: &Features) -> Result<Way> {
        if self.plan.may_use_sasl2 {
            let uses = match self.state {
                State::Unauthenticated { is_token_refused: true, .. } => Uses::Sasl2,
                _ => Uses::Sasl2AndToken,
            };
            return self.way_by(offer, uses);
        }
        self.way_by(offer, Uses::Sasl).or_else(|error| self.way_by(offer, Uses::Sasl2).map_err(|_| error))
    }

    fn way_by(&self, offer: &Features, uses: Uses) -> Result<Way> {
        let Given { config, account, .. } = self.given;
        Way::choose(config, account, offer, uses, self.plan.expects_scram)
    }

    /// The element that answers a challenge. It is returned once.
    fn respond(&mut self) -> Option<Secret> {
        let State::Authenticating(login) = &mut self.state else { return None };
        let (element, message) = login.due_response()?;
        self.told = Told::OnDemand;
        self.messages.push(message);
        Some(element)
    }

    /// Writes a request, and holds it as open.
    fn request(
        &mut self,
        frame: &Frame<'_>,
        stage: Stage,
        payload: &str,
        ahead_of: u64,
        is_secret: bool,
    ) -> Request {
        let request = self.bosh.write(frame, stage, payload, ahead_of);
        let request = if is_secret { request.with_secret() } else { request };
        let request = if self.may_leave_sasl2() { request.may_be_left() } else { request };
        self.bosh.open(request.clone());
        request
    }

    /// Whether a login by SASL2 is under way that a login without SASL2 may replace. That is so if no secret
    /// would be sent a second time. A token does not count, because it is used with SASL2 only.
    fn may_leave_sasl2(&self) -> bool {
        let may_be_told_more = |login: &Login<'_>| match self.told {
            Told::Nothing => true,
            Told::AtOnce => login.presents_token(),
            Told::OnDemand => false,
        };
        self.state.login().is_some_and(|login| login.is_in_sasl2() && may_be_told_more(login))
    }
}

/// The two ends.
impl Negotiation<'_> {
    /// Whether the whole plan is sent, and everything that a session needs is known.
    fn is_complete(&self) -> bool {
        self.sent == self.plan.bodies.len()
            && self.state.is_authenticated()
            && self.stream.bound.is_some()
            && (self.stream.is_session_open || !self.stream.requires_session())
    }

    /// The session, with the proof of the login and the token to keep: a new token, or else the one that the
    /// server accepted.
    fn completed(&mut self) -> Option<Session> {
        let (jid, (sid, created)) = (self.stream.bound.clone()?, self.bosh.session.clone()?);
        let State::Authenticated { proof, inline, token } = mem::take(&mut self.state) else { return None };
        let cookies = mem::take(&mut self.bosh.cookies).into_vec();
        let presented = inline.is_some_and(|inline| inline.token == TokenUse::Presented);
        let accepted = self.given.account.fast_token().filter(|_| presented).cloned();
        let (rid, waits) = (self.bosh.next_rid, self.bosh.waits);
        let session = Session::new(proof, jid, sid, rid, created, waits, cookies);
        Some(session.with_fast_token(token.or(accepted)))
    }

    fn fail(&mut self, error: Error) -> Failure {
        let error = self.without_secrets(self.explaining().remedied(self.explained(error)));
        let error = if self.is_secret_out(&error) { error.after_secret() } else { error };
        let error = if self.state.is_in_sasl2() { error.in_sasl2() } else { error };
        self.stage = Stage::Terminate;
        let stands = self.bosh.session.is_some() && !matches!(self.state, State::Ended(..));
        let terminate = stands.then(|| self.request(&Frame::Terminate, Stage::Terminate, "", 0, false));
        Failure { error, terminate }
    }

    fn explaining(&self) -> Explaining<'_> {
        let Given { config, account, .. } = self.given;
        Explaining { config, account, mechanism: self.state.mechanism() }
    }

    /// Explains the error if the server hid its mechanisms and no second offer came, or if SASL2 may be the
    /// cause.
    fn explained(&self, error: Error) -> Error {
        if self.state.is_in_sasl2() {
            return self.explaining().explained_by_sasl2(error);
        }
        let is_no_offer = match error.kind() {
            ErrorKind::Timeout { .. } | ErrorKind::Connect { .. } => true,
            ErrorKind::Protocol { expected } => *expected == NEXT_STEP,
            _ => false,
        };
        match &self.state {
            State::Unauthenticated { empty_offer: Some(offer), .. }
                if is_no_offer && self.stream.features.is_none() =>
            {
                self.way(offer).err().unwrap_or(error)
            }
            _ => error,
        }
    }

    /// Whether the server may have seen a secret, or a proof of one, before this error, and has not accepted
    /// it.
    fn is_secret_out(&self, error: &Error) -> bool {
        let is_left_unread = matches!(
            error.condition(),
            Some(Condition::Sasl(SaslCondition::EncryptionRequired | SaslCondition::InvalidMechanism))
        );
        match self.told {
            _ if self.state.is_authenticated() || self.bosh.is_gone(error, self.learned.server()) => false,
            Told::Nothing => false,
            Told::AtOnce if self.may_leave_sasl2() => false,
            Told::AtOnce if self.bosh.is_creation_lost(error, self.plan.server) => false,
            Told::AtOnce => !is_left_unread,
            Told::OnDemand => true,
        }
    }

    /// Removes from the error everything that only the client and the server should know.
    fn without_secrets(&self, error: Error) -> Error {
        let Given { config, account, random, .. } = &self.given;
        let mut secrets = Secrets::default();
        let configured = config.headers.iter().map(|(_, value)| value).chain(&config.proxy);
        let known =
            configured.chain(self.bosh.sid()).map(Secret::expose).chain(account.credentials().secrets());
        known.chain([random.user_agent.as_str()]).for_each(|secret| secrets.add(secret.as_bytes()));
        self.bosh.cookies.values().for_each(|value| secrets.add(value.as_bytes()));
        (random.rid..=self.bosh.next_rid).for_each(|rid| secrets.add_rid(rid));
        self.messages.iter().for_each(|message| secrets.add_message(message));
        error.without(&secrets)
    }
}

impl Given<'_> {
    /// The ID of the user agent that tokens are issued to.
    fn user_agent(&self) -> &str {
        self.account.fast_token().map_or(self.random.user_agent.as_str(), FastToken::user_agent)
    }
}

impl Default for State<'_> {
    fn default() -> Self {
        Self::Unauthenticated { empty_offer: None, is_token_refused: false }
    }
}

impl<'a> State<'a> {
    /// The login that has begun and is not done.
    fn login(&self) -> Option<&Login<'a>> {
        match self {
            Self::Authenticating(login) | Self::Ended(login, _) => Some(login),
            Self::Unauthenticated { .. } | Self::Authenticated { .. } => None,
        }
    }

    /// The login that waits for a message of the server.
    fn listening(&mut self, otherwise_expected: &'static str, stage: Stage) -> Result<&mut Login<'a>> {
        match self {
            Self::Authenticating(login) if !login.is_challenged() => Ok(login),
            _ => Err(Error::protocol(stage, otherwise_expected, "one")),
        }
    }

    /// The mechanism of the login.
    fn mechanism(&self) -> Option<&str> {
        match self {
            Self::Authenticated { proof, .. } => Some(proof.mechanism()),
            state => state.login().map(Login::mechanism),
        }
    }

    /// What is sent with the login, if it is made by SASL2.
    fn inline(&self) -> Option<Inline> {
        match self {
            Self::Authenticated { inline, .. } => *inline,
            state => state.login()?.inline,
        }
    }

    fn is_authenticated(&self) -> bool {
        matches!(self, Self::Authenticated { .. })
    }

    /// Whether the client's last SASL message is sent.
    fn has_spoken(&self) -> bool {
        self.is_authenticated() || self.login().is_some_and(Login::has_spoken)
    }

    fn is_in_sasl2(&self) -> bool {
        self.login().is_some_and(Login::is_in_sasl2)
    }

    /// Adds to a failure what the mechanism has learned about it.
    fn explain(&self, error: Error) -> Error {
        match self.login() {
            Some(login) => login.explain(error),
            None => error,
        }
    }
}

impl Stream {
    /// Starts a new stream, which has its own offer.
    fn restart(&mut self) {
        self.is_restarted = true;
        self.features = None;
    }

    /// Whether the server requires the legacy session (RFC 3921 §3).
    fn requires_session(&self) -> bool {
        self.features.as_ref().is_some_and(|features| features.session_required)
    }
}

impl fmt::Debug for Negotiation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation")
            .field("jid", self.given.account.jid())
            .field("stage", &self.stage)
            .field("open", &self.bosh.open.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
