//! One request and its reply, by `ureq`.

use std::fmt;
use std::io::Read as _;
use std::mem;
use std::process;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustls::ClientConfig;
use ureq::http::header::{
    CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Proxy, Timeout};

use super::lanes::{Lane, MAX_AGE};
use super::lost::{Lost, is_timeout};
use super::process::Process;
use super::{cancel, patience, phase, tls};
use crate::config::Config;
use crate::error::{Error, Phase};
use crate::secret::Secret;
use crate::wire::body;
use crate::wire::cookies::with_age;
use crate::wire::reply::{Reply, retry_after};
use crate::wire::request::Request;

const MAX_HEADERS: usize = 16 * 1024;

/// The most that common servers take.
const MAX_HEADER: usize = 8 * 1024;

/// The most of all headers together: writing them takes time, and common servers take less.
const MAX_HEAD: usize = 64 * 1024;

/// About as long as the head of a request, without the configured headers.
const USUAL_HEAD: usize = 200;

pub(super) struct Http {
    settings: Settings,
    process: RwLock<Arc<Process>>,
}

pub(super) struct Settings {
    pub(super) url: String,
    headers: HeaderMap,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) config: Config,
    pub(super) agent: ureq::config::Config,
    /// The length of the head of a request.
    head: usize,
}

impl Http {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let settings = Settings::new(config)?;
        let process = RwLock::new(Arc::new(Process::new(&settings)));
        Ok(Self { settings, process })
    }

    /// The reply, and the lane it came by, which is best put back.
    pub(super) fn post(
        &self,
        request: &Request,
        lane: Option<Lane>,
        until: Instant,
    ) -> Result<(Reply, Lane), Lost> {
        let settings = &self.settings;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // The answer before this took it all.
            phase::enter(Phase::Headers);
            return Err(Lost::new(ureq::Error::Timeout(Timeout::Global), request.stage(), &settings.config));
        }
        phase::enter(Phase::Dns);
        let mut partial = Vec::new();
        self.exchange(request, lane, left, &mut partial)
            .map_err(|error| Lost { partial, ..Lost::new(error, request.stage(), &settings.config) })
    }

    /// From now on the server is known to slow down the connections that create sessions.
    pub(super) fn slow_down(&self) {
        self.process().lanes.slow_down();
    }

    /// Whether it is known to do so.
    pub(super) fn is_slow(&self) -> bool {
        self.process().lanes.is_slow_server()
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
                    process.lanes.put(unwanted.0);
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

    /// Puts a lane back for others to use.
    pub(super) fn put(&self, lane: Lane) {
        self.process().lanes.put(lane);
    }

    /// Leaves in `partial` what arrived of a body that could not be read to its end.
    fn exchange(
        &self,
        request: &Request,
        lane: Option<Lane>,
        left: Duration,
        partial: &mut Vec<u8>,
    ) -> Result<(Reply, Lane), ureq::Error> {
        let (config, process) = (&self.settings.config, self.process());
        let creates = !request.is_repeatable();
        let mut lane = lane
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
            .header(CONTENT_TYPE, body::CONTENT_TYPE);
        for (name, value) in &self.settings.headers {
            post = post.header(name, value);
        }
        if let Some(cookie) = request.cookie() {
            post = post.header(COOKIE, cookie);
        }
        let start = Instant::now();
        let reply = cancel::lingering(creates, || {
            let response = post.send(request.body())?;
            phase::enter(Phase::Body);
            read(response, request.rid(), config.max_reply, partial)
        });
        if reply.as_ref().is_err_and(is_timeout)
            && start.elapsed() >= config.deadline / 4
            && let Some(peer) = lane.link.peer()
        {
            process.avoid(peer);
        }
        lane.carried(creates, self.settings.head + request.body().len());
        Ok((reply?, lane))
    }

    pub(super) fn process(&self) -> Arc<Process> {
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
                Error::config(
                    "proxy",
                    "is no address of a proxy; it reads like http://proxy:3128 or socks5://proxy:1080",
                )
            })
        });
        let needs_tls = config.url.is_https()
            || config.proxy.as_ref().is_some_and(|proxy| proxy.expose().starts_with("https:"));
        let (headers, proxy) = (headers(&config.headers)?, proxy.transpose()?);
        let head = headers.iter().map(|(name, value)| length(name, value.as_bytes())).sum::<usize>();
        Ok(Self {
            url: config.url.as_str().to_owned(),
            agent: agent(proxy),
            head: USUAL_HEAD + config.url.as_str().len() + head,
            headers,
            tls: needs_tls.then(|| tls::configure(config)).transpose()?,
            config: config.clone(),
        })
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
        .max_idle_age(MAX_AGE)
        .max_idle_connections(1)
        .build()
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
    if configured.iter().map(|(name, value)| length(name, value.expose())).sum::<usize>() > MAX_HEAD {
        return Err(Error::config(
            "headers",
            format!("have more than {MAX_HEAD} bytes in all, which servers refuse"),
        ));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in configured {
        let parsed = HeaderName::try_from(name.as_str()).ok().filter(|name| !OURS.contains(&name.as_str()));
        let name = parsed.ok_or_else(|| {
            Error::config(
                "headers",
                "has a name that HTTP does not allow, or that prebind sets itself, such as Content-Type",
            )
        })?;
        let mut value = HeaderValue::try_from(value.expose()).map_err(|_| {
            Error::config(
                "headers",
                format!("the value of {name} has a character that HTTP does not allow, such as a line break"),
            )
        })?;
        if value.len() > MAX_HEADER {
            return Err(Error::config(
                "headers",
                format!("the value of {name} is longer than {MAX_HEADER} bytes, which servers refuse"),
            ));
        }
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// Of a header's line.
fn length(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> usize {
    name.as_ref().len() + ": ".len() + value.as_ref().len() + "\r\n".len()
}

fn read(response: Response<Body>, rid: u64, max: usize, partial: &mut Vec<u8>) -> Result<Reply, ureq::Error> {
    let (head, body) = response.into_parts();
    let text =
        |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let now = SystemTime::now();
    let set_cookie = head.headers.get_all(SET_COOKIE).iter();
    let mut reply = Reply {
        rid,
        status: head.status.as_u16(),
        content_type: text(CONTENT_TYPE),
        content_encoding: text(CONTENT_ENCODING),
        location: text(LOCATION),
        retry_after: text(RETRY_AFTER).and_then(|header| retry_after(&header, now)),
        set_cookie: set_cookie
            .filter_map(|value| value.to_str().ok())
            .map(|header| with_age(header, now.into()))
            .collect(),
        body: Vec::new(),
    };
    // One byte more than allowed is enough to know that it is too long.
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    body.into_reader().take(limit).read_to_end(partial)?;
    reply.body = mem::take(partial);
    Ok(reply)
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("host", &self.settings.config.url.host()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_be_as_long_as_servers_take() {
        for (length, is_allowed) in [(MAX_HEADER, true), (MAX_HEADER + 1, false)] {
            let header = ("X-Long".to_owned(), Secret::from("x".repeat(length)));
            assert_eq!(headers(&[header]).is_ok(), is_allowed, "{length}");
        }
        assert_eq!(MAX_HEADER, 8192);
    }

    #[test]
    fn all_headers_may_be_as_long_as_servers_take() {
        let header = |number: usize, length: usize| (format!("X{number}"), Secret::from("x".repeat(length)));
        for (count, length, is_allowed) in
            [(8, 8186, true), (8, 8187, false), (9362, 1, true), (9363, 1, false)]
        {
            let configured: Vec<_> = (0..count).map(|number| header(number % 10, length)).collect();
            assert_eq!(headers(&configured).is_ok(), is_allowed, "{count} of {length}");
        }
        assert_eq!(MAX_HEAD, 65_536);
    }
}
