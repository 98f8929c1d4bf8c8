//! One request and its reply, by `ureq`.

use std::fmt;
use std::io::{self, Read as _};
use std::mem;
use std::process;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use ureq::http::header::{
    CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Proxy};

use super::{cancel, connector, phase, resolver, tls};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase, Retry, Stage};
use crate::reply::Reply;
use crate::request::{self, Request};
use crate::secret::Secret;

/// Below the 5 s after which Apache closes an idle connection: a session creation that meets a
/// closed one must not be repeated.
const MAX_IDLE: Duration = Duration::from_secs(4);

/// Connections kept open, for as many threads.
const MAX_CONNECTIONS: usize = 32;

const MAX_HEADERS: usize = 16 * 1024;

pub(super) struct Http {
    settings: Settings,
    /// The connections, and the process that opened them: they are of no use to another.
    agent: RwLock<(u32, Agent)>,
}

struct Settings {
    url: String,
    host: String,
    headers: HeaderMap,
    proxy: Option<Proxy>,
    tls: Option<Arc<ClientConfig>>,
    config: Config,
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
        let agent = settings.agent();
        Ok(Self { settings, agent: RwLock::new((process::id(), agent)) })
    }

    pub(super) fn post(&self, request: &Request, until: Instant) -> Result<Reply, Lost> {
        let settings = &self.settings;
        let left = until.saturating_duration_since(Instant::now());
        phase::enter(Phase::Dns);
        if left.is_zero() {
            return Err(settings.lost(ureq::Error::Timeout(ureq::Timeout::Global), request.stage()));
        }
        self.exchange(request, left).map_err(|error| settings.lost(error, request.stage()))
    }

    fn exchange(&self, request: &Request, left: Duration) -> Result<Reply, ureq::Error> {
        let config = &self.settings.config;
        let mut post = self
            .agent()
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
        let response = post.send(request.body())?;
        phase::enter(Phase::Body);
        read(response, request.rid(), config.max_reply)
    }

    fn agent(&self) -> Agent {
        let pid = process::id();
        // At a fork the lock may be held by a thread that the child does not have, so waiting for
        // it must end.
        for _ in 0..64 {
            if let Ok(agent) = self.agent.try_read()
                && agent.0 == pid
            {
                return agent.1.clone();
            }
            if let Ok(mut agent) = self.agent.try_write() {
                if agent.0 != pid {
                    let parents = mem::replace(&mut *agent, (pid, self.settings.agent()));
                    // Dropping it would take locks that may never be released in this process.
                    mem::forget(parents);
                }
                return agent.1.clone();
            }
            thread::yield_now();
        }
        self.settings.agent()
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
        Ok(Self {
            url: config.url.as_str().to_owned(),
            host: config.url.host().to_owned(),
            headers: headers(&config.headers)?,
            proxy: proxy.transpose()?,
            tls: needs_tls.then(|| tls::configure(config)).transpose()?,
            config: config.clone(),
        })
    }

    /// A pool of connections with none in it yet.
    fn agent(&self) -> Agent {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(self.proxy.clone())
            .user_agent(concat!("prebind/", env!("CARGO_PKG_VERSION")))
            .accept("")
            .accept_encoding("identity")
            .max_response_header_size(MAX_HEADERS)
            .max_idle_age(MAX_IDLE)
            .max_idle_connections(MAX_CONNECTIONS)
            .max_idle_connections_per_host(MAX_CONNECTIONS)
            .build();
        let resolver = resolver::CachingResolver::new(self.config.ip_family);
        Agent::with_parts(config, connector::chain(tls::TlsConnector(self.tls.clone())), resolver)
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
