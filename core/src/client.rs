//! The blocking driver: moves requests and replies between the state machine and a server, within
//! one deadline.

mod cancel;
mod connector;
mod exchange;
mod fail_fast;
mod http;
mod lanes;
mod memory;
mod open;
mod patience;
mod phase;
mod process;
mod resolver;
mod tcp;
mod terminate;
mod tls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, RwLock};
use std::time::Instant;

use crate::account::{Account, Credentials};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result, Retry, Stage};
use crate::reply::Reply;
use crate::request::Request;
use crate::sasl::ScramCache;
use crate::secret::Secret;
use crate::session::Session;
use crate::trace;

pub use cancel::interruptible;
use fail_fast::FailFast;
use http::{Http, Lost};
use lanes::Lane;
use memory::Memory;

/// Opens a session with a password, on a client that the process keeps for that URL.
///
/// # Errors
/// Any [`ErrorKind`]; see [`Error`].
pub fn prebind(url: &str, jid: &str, password: impl Into<Secret>) -> Result<Session> {
    let account = Account::new(jid, Credentials::password(password))?;
    Client::shared(Config::new(url)?)?.prebind(&account)
}

/// One chat service: its address, its trust, its deadlines, the connections to it and what it
/// proved to be.
///
/// Cheap to clone, to share between threads and to keep for the life of the process; safe to make
/// before a fork and to use after it.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    http: Arc<Http>,
    fail_fast: FailFast,
    scram_cache: ScramCache,
    memory: Memory,
}

impl Client {
    /// Prepares a client; nothing is sent.
    ///
    /// # Errors
    /// `Config` if an option has a value that cannot work.
    pub fn new(mut config: Config) -> Result<Self> {
        config.check()?;
        let http = Arc::new(Http::new(&config)?);
        let fail_fast = FailFast::new(config.fail_fast_after, config.fail_fast_for);
        let scram_cache = ScramCache::new(config.scram_cache)?;
        let memory = Memory::new(&config);
        // What is known from now on is the memory's.
        config.profile = None;
        Ok(Self(Arc::new(Inner { config, http, fail_fast, scram_cache, memory })))
    }

    /// The client that the process keeps for this configuration: for callers that cannot keep one
    /// themselves. Its [`profile`](Config::profile) is for a client that is not there yet.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn shared(mut config: Config) -> Result<Self> {
        let profile = config.profile.take();
        let kept = |clients: &Vec<Self>| clients.iter().find(|client| client.0.config == config).cloned();
        if let Some(client) = patience::read(&SHARED, kept).flatten() {
            return Ok(client);
        }
        let client = Self::new(Config { profile, ..config })?;
        patience::write(&SHARED, |clients| {
            if clients.len() == MAX_SHARED {
                clients.clear();
            }
            clients.push(client.clone());
        });
        Ok(client)
    }

    /// Opens an authenticated session.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; no session is left behind on the server, but for one that the server had not
    /// answered for in time: that ends by itself, after the server's inactivity time.
    pub fn prebind(&self, account: &Account) -> Result<Session> {
        let host = self.0.config.url.host();
        let _span = tracing::info_span!("prebind", host, jid = %account.jid()).entered();
        self.guarded(Stage::Create, |until| self.0.open(account, until))
            .inspect(|session| {
                let (mechanism, round_trips) = (session.mechanism(), session.round_trips());
                tracing::info!(mechanism, round_trips, "session opened");
            })
            .inspect_err(
                |error| tracing::warn!(kind = error.kind().name(), stage = %error.stage(), "{error}"),
            )
    }

    /// What this client learned of the server, for [`Config::profile`] of another: a short text
    /// without anything secret, which stays the same while nothing new is learned. Worth keeping
    /// where processes are short-lived or many.
    #[must_use]
    pub fn profile(&self) -> String {
        self.0.memory.profile()
    }

    /// Ends a session (XEP-0124 §13) that no browser has attached to yet.
    ///
    /// # Errors
    /// `Terminated` with `item-not-found` if the server does not know the session, or not with
    /// this RID; the kinds of a failed connection.
    pub fn terminate(&self, session: &Session) -> Result<()> {
        self.end(&terminate::of(session)?)
    }

    /// Ends a session by its SID and the RID to send next.
    ///
    /// # Errors
    /// As [`terminate`](Self::terminate), and `Config` if the SID cannot be one.
    pub fn terminate_by(&self, sid: &str, rid: u64) -> Result<()> {
        self.end(&terminate::request(sid, rid, None)?)
    }

    fn end(&self, request: &Request) -> Result<()> {
        let _span = tracing::info_span!("terminate", host = self.0.config.url.host()).entered();
        self.guarded(Stage::Terminate, |until| {
            let reply = self.0.post(request, None, until).map_err(|lost| lost.error)?;
            terminate::verify(&reply, &self.0.config)
        })
    }

    /// Runs a call under the deadline, the fail-fast rule and a net for panics.
    fn guarded<T>(&self, stage: Stage, call: impl FnOnce(Instant) -> Result<T>) -> Result<T> {
        if cancel::is_stopped() {
            return Err(http::given_up(phase::current(), stage));
        }
        let until = Instant::now() + self.0.config.deadline;
        self.0.fail_fast.check(stage, self.0.config.url.host())?;
        let result = catch_unwind(AssertUnwindSafe(|| call(until))).unwrap_or_else(|_| Err(defect(stage)));
        // Giving up says nothing about the server.
        if !cancel::is_stopped() {
            self.0.fail_fast.record(result.as_ref().err());
        }
        result
    }
}

impl Inner {
    fn post(&self, request: &Request, lane: Option<Lane>, until: Instant) -> Result<Reply, Lost> {
        let stage = request.stage();
        tracing::trace!(target: "prebind::wire", %stage, body = %trace::masked(request.body().as_bytes()), "sent");
        let start = Instant::now();
        let reply = self.http.post(request, lane, until);
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        match &reply {
            Ok(reply) => {
                tracing::trace!(target: "prebind::wire", %stage, body = %trace::masked(&reply.body), "received");
                tracing::debug!(%stage, milliseconds, status = reply.status, bytes = reply.body.len(), "answered");
            }
            Err(lost) => tracing::debug!(%stage, milliseconds, "{}", lost.error),
        }
        reply
    }
}

/// The clients of [`Client::shared`].
static SHARED: RwLock<Vec<Client>> = RwLock::new(Vec::new());

/// Configurations are few; a caller that makes them up must not fill the memory.
const MAX_SHARED: usize = 64;

fn defect(stage: Stage) -> Error {
    Error::new(
        ErrorKind::Internal,
        stage,
        Retry::No,
        "a defect in prebind itself: report it with what its log says".to_owned(),
    )
}
