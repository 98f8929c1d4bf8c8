//! The blocking driver: it moves requests and replies between the state machine and a server, within one
//! deadline.

// May import from `negotiation` and the layers above, in the order of `core/tests/layers`.

mod accounts;
mod api;
#[cfg(test)]
mod examples;
mod exchange;
mod fail_fast;
mod flights;
mod give_up;
mod headers;
#[cfg_attr(not(unix), path = "client/host/alone.rs")]
mod host;
mod issued;
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
use crate::wire::server::Server;

use accounts::AccountMaker;
#[cfg(test)]
pub(crate) use examples::examples;
use fail_fast::{FailFast, Outcome};
pub(crate) use give_up::interruptible;
use host::{Full, Host, Place};
use issued::Issued;
use lost::{Lost, defect};
use memory::Memory;
use net::Http;
use open::Opener;
use post::Service;
use process::PerProcess;
use recent::Recent;
use rotation::Rotation;
use slots::{Slot, Slots};

/// Opens a session with a password, with a client that the process keeps for this URL.
///
/// # Errors
/// Any [`ErrorKind`]; see [`Error`].
pub fn prebind(url: &str, jid: &str, password: impl Into<Secret>) -> Result<Session> {
    let account = Account::new(jid, Credentials::password(password))?;
    Client::shared(Config::new(url)?)?.prebind(&account)
}

/// A client of one chat service. It holds the configuration, the open connections, and what it has learned of
/// the server.
///
/// It is cheap to clone and to share between threads; keep it for the life of the process. You may make it
/// before a fork and use it after.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    opener: Opener,
    limits: PerProcess<Limits>,
}

/// Decides whether a call may start: how many calls run at once, and whether the server is reached at all.
struct Limits {
    fail_fast: FailFast,
    slots: Arc<Slots>,
    host: Option<Arc<Host>>,
}

impl Client {
    /// Makes a client. It sends nothing yet.
    ///
    /// # Errors
    /// `Config` if an option has a value that cannot work.
    pub fn new(mut config: Config) -> Result<Self> {
        let http = Arc::new(Http::new(&config)?);
        let scram_cache = ScramCache::new(config.scram_cache)?;
        let memory = Memory::new(&config);
        let accounts = config.accounts.as_ref();
        let accounts = accounts.map(|accounts| AccountMaker::new(&config, accounts)).transpose()?;
        // The memory has read the profile. Clearing it lets `shared` find this client by its configuration.
        config.profile = None;
        let service = Service { config, http };
        let (rotation, issued) = (Rotation::new(), Issued::default());
        let opener = Opener { service, scram_cache, memory, rotation, issued, accounts };
        Ok(Self(Arc::new(Inner { opener, limits: PerProcess::new() })))
    }

    /// Returns the client that the process keeps for this configuration, and makes it if there is none. It is
    /// for callers that cannot keep a client themselves. The [`profile`](Config::with_profile) counts only if
    /// the client is made by this call. A process keeps the clients of the 1,024 URLs that were used last.
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
    /// Any [`ErrorKind`]. No session is left behind on the server, except one that the server had not
    /// confirmed before the deadline: that one expires after the server's `inactivity` time.
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

    /// What this client has learned of the server, for [`Config::with_profile`] of another client. It is a
    /// short text without secrets, and it changes only when the client learns something new. Keep it if your
    /// processes are short-lived or many.
    #[must_use]
    pub fn profile(&self) -> String {
        self.0.opener.memory.profile()
    }

    /// Ends a session (XEP-0124 §13) that no browser has attached to yet.
    ///
    /// # Errors
    /// `Terminated` with `item-not-found` if the server does not know the session or does not expect this
    /// RID; the kinds of a failed connection.
    pub fn terminate(&self, session: &Session) -> Result<()> {
        self.end(&terminate::of(session)?)
    }

    /// Ends a session, given its SID and the RID to send next.
    ///
    /// # Errors
    /// As [`terminate`](Self::terminate), and `Config` if the SID is not valid.
    pub fn terminate_by(&self, sid: &str, rid: u64) -> Result<()> {
        self.end(&terminate::request(sid, rid, None)?)
    }

    /// Whether the last session was opened at ejabberd.
    pub(crate) fn is_ejabberd(&self) -> bool {
        self.0.opener.memory.server() == Server::Ejabberd
    }

    /// The HTTP status that answers a body of so many bytes, which is no BOSH.
    ///
    /// # Errors
    /// The kinds of a failed connection.
    pub(crate) fn status_of_filler(&self, bytes: usize) -> Result<u16> {
        self.guarded(Stage::Terminate, |until| {
            let reply = self.0.opener.service.ask(&Request::filler(bytes), None, until);
            reply.map(|reply| reply.status).map_err(|lost| lost.error)
        })
    }

    fn end(&self, request: &Request) -> Result<()> {
        let _span = tracing::info_span!("terminate", host = self.config().url.host()).entered();
        self.guarded(Stage::Terminate, |until| {
            let ask = || {
                let reply = self.0.opener.service.ask(request, None, until)?;
                Ok(terminate::verify(request, &reply, self.config()))
            };
            match exchange::ended(until, ask) {
                // A request that was lost may be repeated (XEP-0124 §14.3). The first copy may have ended the
                // session, so a session that is unknown by now has ended as well.
                Err(Lost { is_broken: true, .. }) => match ask().map_err(|lost| lost.error)? {
                    Err(error) if is_unknown(&error) => Ok(()),
                    ended => ended,
                },
                ended => ended.map_err(|lost| lost.error)?,
            }
        })
    }

    /// Runs a call within the deadline, the fail-fast rule and the limits of calls, and turns a panic into an
    /// error.
    fn guarded<T>(&self, stage: Stage, call: impl FnOnce(Instant) -> Result<T>) -> Result<T> {
        if give_up::is_stopped() {
            return Err(give_up::given_up(Phase::Queue, stage));
        }
        let until = Instant::now() + self.config().deadline;
        let (limits, host) = (self.limits(), self.config().url.host());
        limits.fail_fast.check(stage, host)?;
        // Only logins are limited: ending a session takes load off the server.
        let is_login = stage == Stage::Create;
        let _place = is_login.then(|| self.place(&limits)).transpose()?;
        let _slot = is_login.then(|| self.slot(&limits)).transpose()?;
        let admitted = limits.fail_fast.admit(stage, host)?;
        let result = catch_unwind(AssertUnwindSafe(|| call(until))).unwrap_or_else(|_| Err(defect(stage)));
        // A caller that gave up says nothing about the server.
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

    /// Takes one of the places that the processes of this host share. It never waits: a worker that waits
    /// serves no page.
    fn place(&self, limits: &Limits) -> Result<Option<Place>> {
        let full = |Full { most }| no_place(most, self.config().url.host());
        limits.host.as_ref().map(|host| host.place().map_err(full)).transpose()
    }

    /// Waits for a slot for at most half of the deadline, which leaves the other half for the call.
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

/// The clients of [`Client::shared`], by URL.
static SHARED: RwLock<Option<Shared>> = RwLock::new(None);

type Shared = Recent<String, Vec<Client>>;

/// A site with many tenants may have many URLs, but a caller that makes URLs up must not fill the memory.
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

/// A short pause is enough: asking again costs next to nothing, and a healthy server ends a call in less than
/// a second.
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

/// Runs `call`, and turns a panic in it into an error of the kind `Internal`.
///
/// Use it at the edge of a binding, because many languages cannot catch a Rust panic as an error. The calls
/// of a [`Client`] already contain their own panics, and end the session that they had opened.
///
/// # Errors
/// Those of `call`, and `Internal` after a panic.
pub fn contained<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(defect(Stage::Configure)))
}
