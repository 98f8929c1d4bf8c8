//! The blocking driver: moves requests and replies between the state machine and a server, within
//! one deadline.

// May import from `negotiation` and the layers above, in the order of `core/tests/layers`.

#[cfg(test)]
mod examples;
mod exchange;
mod fail_fast;
mod flights;
mod give_up;
mod headers;
#[cfg_attr(not(unix), path = "client/host/alone.rs")]
mod host;
mod lost;
mod memory;
mod net;
mod open;
mod outbox;
mod patience;
mod post;
mod process;
mod recent;
mod rotation;
mod slots;
mod terminate;
mod trust;
mod turns;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase, Result, Retry, Stage, shortened};
use crate::negotiation::is_unknown;
use crate::sasl::{Credentials, ScramCache};
use crate::secret::Secret;
use crate::session::Session;
use crate::wire::request::Request;

#[cfg(test)]
pub(crate) use examples::examples;
use fail_fast::{FailFast, Outcome};
pub(crate) use give_up::interruptible;
use host::{Full, Host, Place};
use lost::{Lost, defect};
use memory::Memory;
use net::Http;
use open::Opener;
use post::Service;
use process::PerProcess;
use recent::Recent;
use rotation::Rotation;
use slots::{Slot, Slots};

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
    opener: Opener,
    limits: PerProcess<Limits>,
}

/// How many calls may be under way, and whether any may.
struct Limits {
    fail_fast: FailFast,
    slots: Arc<Slots>,
    host: Option<Arc<Host>>,
}

impl Client {
    /// Prepares a client; nothing is sent.
    ///
    /// # Errors
    /// `Config` if an option has a value that cannot work.
    pub fn new(mut config: Config) -> Result<Self> {
        config.check()?;
        let http = Arc::new(Http::new(&config)?);
        let scram_cache = ScramCache::new(config.scram_cache)?;
        let memory = Memory::new(&config);
        // What is known from now on is the memory's.
        config.profile = None;
        let opener =
            Opener { service: Service { config, http }, scram_cache, memory, rotation: Rotation::new() };
        Ok(Self(Arc::new(Inner { opener, limits: PerProcess::new() })))
    }

    /// The client that the process keeps for this configuration: for callers that cannot keep one
    /// themselves. Its [`profile`](Config::profile) is for a client that is not there yet. A process keeps
    /// the clients of the 1,024 URLs used last.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn shared(mut config: Config) -> Result<Self> {
        let profile = config.profile.take();
        let kept = |clients: &[Self]| clients.iter().find(|client| client.config() == &config).cloned();
        let url = config.url.as_str();
        let of_url = |shared: &Option<Shared>| kept(shared.as_ref()?.get(url)?);
        if let Some(client) = patience::read(&SHARED, of_url).flatten() {
            return Ok(client);
        }
        let client = Self::new(Config { profile, ..config.clone() })?;
        patience::write(&SHARED, |shared| {
            let shared = shared.get_or_insert_with(|| Recent::new(MAX_URLS));
            let mut clients = shared.remove(url).unwrap_or_default();
            if clients.len() >= MAX_FOR_URL {
                clients.remove(0);
            }
            clients.push(client.clone());
            shared.put(url.to_owned(), clients);
        });
        Ok(client)
    }

    /// Opens an authenticated session.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; no session is left behind on the server, but for one that the server had not
    /// answered for in time: that ends by itself, after the server's inactivity time.
    pub fn prebind(&self, account: &Account) -> Result<Session> {
        let host = self.config().url.host();
        let _span = tracing::info_span!("prebind", host, jid = %account.jid()).entered();
        self.guarded(Stage::Create, |until| self.0.opener.open(account, until))
            .inspect(|session| {
                let (mechanism, round_trips) = (session.mechanism(), session.round_trips());
                tracing::info!(mechanism, round_trips, "session opened");
            })
            .inspect_err(
                |error| tracing::warn!(kind = error.kind().as_str(), stage = %error.stage(), "{error}"),
            )
    }

    /// What this client learned of the server, for [`Config::profile`] of another: a short text
    /// without anything secret, which stays the same while nothing new is learned. Worth keeping
    /// where processes are short-lived or many.
    #[must_use]
    pub fn profile(&self) -> String {
        self.0.opener.memory.profile()
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
        let _span = tracing::info_span!("terminate", host = self.config().url.host()).entered();
        self.guarded(Stage::Terminate, |until| {
            let ask = || {
                let reply = self.0.opener.service.ask(request, None, until)?;
                Ok(terminate::verify(request, &reply, self.config()))
            };
            match exchange::ended(until, ask) {
                // A lost request may be repeated (XEP-0124 §14.3); it may have ended the session before.
                Err(Lost { is_broken: true, .. }) => match ask().map_err(|lost| lost.error)? {
                    Err(error) if is_unknown(&error) => Ok(()),
                    ended => ended,
                },
                ended => ended.map_err(|lost| lost.error)?,
            }
        })
    }

    /// Runs a call under the deadline, the fail-fast rule, the limit of calls and a net for panics.
    fn guarded<T>(&self, stage: Stage, call: impl FnOnce(Instant) -> Result<T>) -> Result<T> {
        if give_up::is_stopped() {
            return Err(give_up::given_up(Phase::Queue, stage));
        }
        let until = Instant::now() + self.config().deadline;
        let (limits, host) = (self.limits(), self.config().url.host());
        limits.fail_fast.check(stage, host)?;
        // Ending a session takes load off the server.
        let is_login = stage == Stage::Create;
        let _place = is_login.then(|| self.place(&limits)).transpose()?;
        let _slot = is_login.then(|| self.slot(&limits)).transpose()?;
        let admitted = limits.fail_fast.admit(stage, host)?;
        let result = catch_unwind(AssertUnwindSafe(|| call(until))).unwrap_or_else(|_| Err(defect(stage)));
        // Giving up says nothing about the server.
        let outcome = if give_up::is_stopped() { Outcome::Unknown } else { Outcome::of(&result) };
        limits.fail_fast.record(admitted, outcome);
        result
    }

    fn limits(&self) -> Arc<Limits> {
        self.0.limits.get(|| {
            let config = self.config();
            let host = Host::new(config).map(Arc::new);
            let fail_fast = FailFast::new(config, host.clone());
            Limits { fail_fast, slots: Slots::new(config.max_calls), host }
        })
    }

    /// One of the places that the processes of this host share. A worker that waited for one would serve no page.
    fn place(&self, limits: &Limits) -> Result<Option<Place>> {
        let full = |Full { most }| no_place(most, self.config().url.host());
        limits.host.as_ref().map(|host| host.place().map_err(full)).transpose()
    }

    /// Waits for its turn, at most for half of the time: the other half is for the call.
    fn slot(&self, limits: &Limits) -> Result<Slot> {
        limits.slots.take(Instant::now() + self.config().deadline / 2).ok_or_else(|| {
            if give_up::is_stopped() {
                return give_up::given_up(Phase::Queue, Stage::Create);
            }
            no_slot(self.config().max_calls, self.config().url.host())
        })
    }

    fn config(&self) -> &Config {
        &self.0.opener.service.config
    }
}

/// The clients of [`Client::shared`], by their URL.
static SHARED: RwLock<Option<Shared>> = RwLock::new(None);

type Shared = Recent<String, Vec<Client>>;

/// URLs may be as many as there are tenants; a caller that makes them up must not fill the memory.
const MAX_URLS: usize = 1024;

/// The most configurations for one URL.
const MAX_FOR_URL: usize = 64;

fn no_slot(most: usize, host: &str) -> Error {
    let host = shortened(host, 80);
    let message = format!(
        "{most} calls to {host} are under way, and none of them ended in time: try again later, see why the server is \
         slow, or raise `max_calls`"
    );
    Error::new(ErrorKind::Timeout { phase: Phase::Queue }, Stage::Create, Retry::Later, message)
}

/// To ask again costs next to nothing, and a call to a server that is well takes less than a second.
const PLACE_PAUSE: Duration = Duration::from_secs(1);

fn no_place(most: u32, host: &str) -> Error {
    let host = shortened(host, 80);
    let calls = if most == 1 { "a call".to_owned() } else { format!("{most} calls") };
    let message = format!(
        "the processes of this site have {calls} to {host} under way, which is the most that leaves workers free for \
         pages: try again later, see why the server is slow, or raise `max_host_calls`"
    );
    Error::new(ErrorKind::Timeout { phase: Phase::Queue }, Stage::Create, Retry::Later, message)
        .with_retry_after(Some(PLACE_PAUSE))
}

/// Runs `call`. A panic in it is an error of the kind `Internal`.
///
/// For the edge of a binding: in many languages a panic of Rust's is no error that programs catch. The calls of a
/// [`Client`] contain their own, and end the session they had.
///
/// # Errors
/// Those of `call`, and `Internal`.
pub fn contained<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(defect(Stage::Configure)))
}
