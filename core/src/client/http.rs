//! One request and its reply, by `ureq`.

use std::fmt;
use std::io::{self, Read as _};
use std::mem;
use std::process;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use ureq::http::header::{
    CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Proxy, Timeout};

use super::lanes::{KEPT, Lane};
use super::process::Process;
use super::{cancel, patience, phase, tls};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase, Retry, Stage};
use crate::reply::Reply;
use crate::request::{self, Request};
use crate::secret::Secret;

const MAX_HEADERS: usize = 16 * 1024;

/// The most that common servers take.
const MAX_HEADER: usize = 8 * 1024;

/// About as long as the head of a request, without the configured headers.
const USUAL_HEAD: usize = 200;

pub(super) struct Http {
    settings: Settings,
    process: RwLock<Arc<Process>>,
}

pub(super) struct Settings {
    pub(super) url: String,
    host: String,
    headers: HeaderMap,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) config: Config,
    pub(super) agent: ureq::config::Config,
    /// The length of the head of a request.
    head: usize,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) error: Error,
    /// The connection broke while the reply was awaited: the server may or may not have seen the
    /// request.
    pub(super) is_broken: bool,
}

impl Http {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let settings = Settings::new(config)?;
        let process = RwLock::new(Arc::new(Process::new(&settings)));
        Ok(Self { settings, process })
    }

    pub(super) fn post(&self, request: &Request, lane: Option<Lane>, until: Instant) -> Result<Reply, Lost> {
        let settings = &self.settings;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // The answer before this took it all.
            phase::enter(Phase::Headers);
            return Err(settings.lost(ureq::Error::Timeout(Timeout::Global), request.stage()));
        }
        phase::enter(Phase::Dns);
        self.exchange(request, lane, left).map_err(|error| settings.lost(error, request.stage()))
    }

    /// From now on the server is known to slow down the connections that create sessions.
    pub(super) fn slow_down(&self) {
        self.process().lanes.slow_down();
    }

    /// Begins to open a connection for what follows a creation, on a thread of its own, unless one
    /// is there. The lane goes to the receiver, or to the others if there is none any more.
    pub(super) fn open_ahead(self: &Arc<Self>) -> Option<Receiver<Lane>> {
        let process = self.process();
        if self.settings.config.proxy.is_some() || process.lanes.has_two() {
            return None;
        }
        let (sender, receiver) = channel();
        let http = Arc::clone(self);
        let open = move || match process.open(&http.settings) {
            Ok(lane) => {
                if let Err(unwanted) = sender.send(lane) {
                    process.lanes.put(unwanted.0, false, 0);
                }
            }
            Err(error) => tracing::debug!("no connection could be opened ahead: {error}"),
        };
        thread::Builder::new().name("prebind-ahead".to_owned()).spawn(open).ok()?;
        Some(receiver)
    }

    /// One that nobody uses, even if the server lets it rest.
    pub(super) fn any_lane(&self) -> Option<Lane> {
        self.process().lanes.take_any()
    }

    /// Puts a lane back that was opened ahead and is not needed.
    pub(super) fn keep(&self, lane: Lane) {
        self.process().lanes.put(lane, false, 0);
    }

    fn exchange(&self, request: &Request, lane: Option<Lane>, left: Duration) -> Result<Reply, ureq::Error> {
        let (config, process) = (&self.settings.config, self.process());
        let creates = !request.is_repeatable();
        let lane = lane
            .or_else(|| process.lanes.take(creates))
            .unwrap_or_else(|| process.lane(&self.settings, Arc::default()));
        let mut post = lane
            .agent
            .post(&self.settings.url)
            .config()
            .timeout_global(Some(left.min(config.request_timeout)))
            .timeout_resolve(Some(config.resolve_timeout))
            .timeout_connect(Some(config.connect_timeout))
            .build()
            .header(CONTENT_TYPE, request::CONTENT_TYPE);
        for (name, value) in &self.settings.headers {
            post = post.header(name, value);
        }
        if let Some(cookie) = request.cookie() {
            post = post.header(COOKIE, cookie);
        }
        let reply = cancel::lingering(creates, || {
            let response = post.send(request.body())?;
            phase::enter(Phase::Body);
            read(response, request.rid(), config.max_reply)
        })?;
        process.lanes.put(lane, creates, self.settings.head + request.body().len());
        Ok(reply)
    }

    fn process(&self) -> Arc<Process> {
        let id = process::id();
        if let Some(ours) =
            patience::read(&self.process, |process| (process.id == id).then(|| Arc::clone(process))).flatten()
        {
            return ours;
        }
        patience::write(&self.process, |process| {
            if process.id != id {
                let parents = mem::replace(process, Arc::new(Process::new(&self.settings)));
                // Dropping it would take locks that may never be released in this process.
                mem::forget(parents);
            }
            Arc::clone(process)
        })
        .unwrap_or_else(|| Arc::new(Process::new(&self.settings)))
    }
}

impl Settings {
    fn new(config: &Config) -> Result<Self, Error> {
        let proxy = config.proxy.as_ref().map(|proxy| {
            Proxy::new(proxy.expose()).map_err(|_| {
                Error::config("proxy", "is not an address like http://proxy:3128 or socks5://proxy:1080")
            })
        });
        let needs_tls = config.url.is_https()
            || config.proxy.as_ref().is_some_and(|proxy| proxy.expose().starts_with("https:"));
        let (headers, proxy) = (headers(&config.headers)?, proxy.transpose()?);
        let head = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
        Ok(Self {
            url: config.url.as_str().to_owned(),
            host: config.url.host().to_owned(),
            agent: agent(proxy),
            head: USUAL_HEAD + config.url.as_str().len() + head,
            headers,
            tls: needs_tls.then(|| tls::configure(config)).transpose()?,
            config: config.clone(),
        })
    }

    fn lost(&self, error: ureq::Error, stage: Stage) -> Lost {
        let (host, phase) = (&self.host, phase::current());
        if cancel::is_stopped() {
            return Lost { error: given_up(phase, stage), is_broken: false };
        }
        let error = match error {
            ureq::Error::Timeout(_) => return Lost { error: self.timeout(phase, stage), is_broken: false },
            ureq::Error::Io(error)
                if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) =>
            {
                return Lost { error: self.timeout(phase, stage), is_broken: false };
            }
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) | ureq::Error::Http(_) => {
                let error = Error::protocol(stage, "an HTTP/1.1 response", "something else");
                return Lost { error, is_broken: false };
            }
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Tls(error) => error.to_owned(),
            ureq::Error::ConnectProxyFailed(_) => "the proxy refused to connect".to_owned(),
            ureq::Error::HostNotFound => "no usable address".to_owned(),
            _ => "the connection failed".to_owned(),
        };
        let (retry, remedy) = match phase {
            Phase::Dns => {
                (Retry::FreshSession, "check the host name in the URL and this machine's name service")
            }
            Phase::Tls => (
                Retry::AfterConfigChange,
                "check the server's certificate, its name and the option ca; the port may not speak TLS",
            ),
            Phase::Tcp => {
                (Retry::FreshSession, "check that the server runs and that host and port are right")
            }
            Phase::Headers | Phase::Body | Phase::FailFast => {
                (Retry::FreshSession, "the connection broke before the whole answer was there; try again")
            }
        };
        let message = format!("no connection to {host} ({phase}): {error}; {remedy}");
        let is_broken = matches!(phase, Phase::Headers | Phase::Body);
        Lost { error: Error::new(ErrorKind::Connect { phase }, stage, retry, message), is_broken }
    }

    fn timeout(&self, phase: Phase, stage: Stage) -> Error {
        let doing = match phase {
            Phase::Dns => "looking its name up",
            Phase::Tcp => "connecting",
            Phase::Tls => "the TLS handshake",
            Phase::Headers | Phase::FailFast => "waiting for its answer",
            Phase::Body => "reading its answer",
        };
        let message = format!(
            "{} took too long ({doing}): check that it is up and not overloaded, or grant more time (deadline, \
             resolve_timeout, connect_timeout, request_timeout)",
            self.host
        );
        Error::new(ErrorKind::Timeout { phase }, stage, Retry::FreshSession, message)
    }
}

fn agent(proxy: Option<Proxy>) -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy)
        .user_agent(concat!("prebind/", env!("CARGO_PKG_VERSION")))
        .accept("")
        .accept_encoding("identity")
        .max_response_header_size(MAX_HEADERS)
        .input_buffer_size(2 * MAX_HEADERS)
        .output_buffer_size(2 * MAX_HEADERS)
        .max_idle_age(KEPT)
        .max_idle_connections(1)
        .build()
}

pub(super) fn given_up(phase: Phase, stage: Stage) -> Error {
    let message = "the caller gave up waiting for the server".to_owned();
    Error::new(ErrorKind::Connect { phase }, stage, Retry::FreshSession, message)
}

/// The configured headers, checked; those of the request itself cannot be replaced.
fn headers(configured: &[(String, Secret)]) -> Result<HeaderMap, Error> {
    const OURS: [&str; 8] = [
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "te",
        "transfer-encoding",
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in configured {
        let parsed = HeaderName::try_from(name.as_str()).ok().filter(|name| !OURS.contains(&name.as_str()));
        let name = parsed.ok_or_else(|| {
            Error::config("headers", "has a name that is not allowed or belongs to the request itself")
        })?;
        let mut value = HeaderValue::try_from(value.expose())
            .map_err(|_| Error::config("headers", format!("{name} has a character that is not allowed")))?;
        if value.len() > MAX_HEADER {
            return Err(Error::config(
                "headers",
                format!("{name} is longer than {MAX_HEADER} bytes, which servers refuse"),
            ));
        }
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn read(response: Response<Body>, rid: u64, max: usize) -> Result<Reply, ureq::Error> {
    let (head, body) = response.into_parts();
    let text =
        |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let set_cookie = head.headers.get_all(SET_COOKIE).iter();
    let mut reply = Reply {
        rid,
        status: head.status.as_u16(),
        content_type: text(CONTENT_TYPE),
        content_encoding: text(CONTENT_ENCODING),
        location: text(LOCATION),
        set_cookie: set_cookie.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect(),
        body: Vec::new(),
    };
    // One byte more than allowed is enough to know that it is too long.
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    body.into_reader().take(limit).read_to_end(&mut reply.body)?;
    Ok(reply)
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("host", &self.settings.host).finish_non_exhaustive()
    }
}
