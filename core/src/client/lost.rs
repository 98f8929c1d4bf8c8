//! Why there is no reply, and what mends it, in an operator's words: nothing of what a library says
//! about itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::obstacle::{Obstacle, Obstructed};
use super::phase::{self, Spoken};
use super::{cancel, tls_error};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase, Retry, Source, Stage, address, shortened};

use Retry::{AfterConfigChange, FreshSession, Later};

/// Why there is no reply.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) error: Error,
    /// The connection broke while the reply was awaited: the server may or may not have seen the
    /// request.
    pub(super) is_broken: bool,
    /// What arrived of the reply's body.
    pub(super) partial: Vec<u8>,
}

impl Lost {
    /// What this thread's request failed with.
    pub(super) fn new(error: ureq::Error, stage: Stage, config: &Config) -> Self {
        let phase = phase::current();
        if cancel::is_stopped() {
            return Self::whole(given_up(phase, stage));
        }
        let attempt = Attempt { config, phase, stage };
        match error {
            error if is_timeout(&error) => Self::whole(attempt.timeout()),
            ureq::Error::Io(error) => attempt.broken(&error).caused_by(source(error)),
            ureq::Error::Protocol(_) | ureq::Error::Http(_) => Self::whole(attempt.not_http()),
            ureq::Error::LargeResponseHeader(..) => Self::whole(attempt.large_header()),
            ureq::Error::ConnectProxyFailed(said) => Self::whole(attempt.proxy_refused(&said)),
            ureq::Error::HostNotFound => attempt.broken(&Obstacle::NoUsableAddress.into()),
            ureq::Error::Tls(_) => Self::whole(attempt.no_tls()),
            _ => attempt.broken(&io::ErrorKind::Other.into()),
        }
    }

    /// What this thread's request came to when prebind itself failed.
    pub(super) fn by_defect(stage: Stage) -> Self {
        Self::whole(super::defect(stage))
    }

    fn caused_by(self, source: Option<Source>) -> Self {
        match source {
            Some(source) => Self { error: self.error.caused_by(source), ..self },
            None => self,
        }
    }

    fn whole(error: Error) -> Self {
        Self { error, is_broken: false, partial: Vec::new() }
    }
}

/// What the name service, TLS or the system said.
fn source(error: io::Error) -> Option<Source> {
    if error.get_ref().is_none() {
        return Some(Arc::new(error));
    }
    // Anything else may repeat what the server said.
    match error.into_inner()?.downcast::<Obstructed>() {
        Ok(obstructed) => obstructed.into_source().map(|source| source as Source),
        Err(other) => other.downcast::<rustls::Error>().ok().map(|error| Arc::new(*error) as Source),
    }
}

pub(super) fn is_timeout(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(error) => matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock),
        _ => false,
    }
}

pub(super) fn given_up(phase: Phase, stage: Stage) -> Error {
    let message = "the caller gave up waiting for the server";
    Error::new(ErrorKind::Connect { phase }, stage, FreshSession, message)
}

/// A request that failed.
struct Attempt<'a> {
    config: &'a Config,
    phase: Phase,
    stage: Stage,
}

impl Attempt<'_> {
    fn error(&self, retry: Retry, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Connect { phase: self.phase }, self.stage, retry, message)
    }

    fn broken(&self, error: &io::Error) -> Lost {
        if let Some(obstacle) = Obstacle::inside(error) {
            return Lost::whole(self.obstacle(obstacle));
        }
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            let message = tls_error::message(error, &self.host(), self.config.ca.is_some());
            return Lost::whole(self.error(AfterConfigChange, message));
        }
        if let Some(error) = self.is_of_system(error) {
            return Lost::whole(error);
        }
        match self.phase {
            Phase::Dns | Phase::Tcp => Lost::whole(self.no_connection(error)),
            Phase::Tls => Lost::whole(self.no_tls()),
            Phase::Headers | Phase::Body | Phase::Queue | Phase::Derive | Phase::FailFast => {
                self.broken_off()
            }
        }
    }

    fn obstacle(&self, obstacle: Obstacle) -> Error {
        let (host, option) = self.peer();
        match obstacle {
            Obstacle::NoSuchHost => self.error(
                AfterConfigChange,
                format!("there is no host {host}: correct {option}, or add the name to DNS or /etc/hosts"),
            ),
            Obstacle::NameService => self.error(
                Later,
                format!(
                    "the name {host} could not be looked up: this machine's name service fails; check \
                     /etc/resolv.conf and the network, or try again later"
                ),
            ),
            Obstacle::NoUsableAddress => self.error(
                AfterConfigChange,
                format!(
                    "{host} has no address that may be used: check `ip_family`; localhost must lead to this machine"
                ),
            ),
            Obstacle::NoThread => self.error(
                Later,
                "the system lets this process start no more threads: raise its limit (ulimit -u, TasksMax, pids.max)",
            ),
        }
    }

    /// What this machine refused, whatever the server does.
    fn is_of_system(&self, error: &io::Error) -> Option<Error> {
        /// `ENFILE` and `EMFILE` of every Unix.
        const NO_FILES: [i32; 2] = [23, 24];
        if error.raw_os_error().is_some_and(|code| cfg!(unix) && NO_FILES.contains(&code)) {
            let message = "this process has too many open files or connections: raise its limit (ulimit -n)";
            return Some(self.error(Later, message));
        }
        match error.kind() {
            io::ErrorKind::PermissionDenied => Some(self.error(
                AfterConfigChange,
                format!(
                    "this process may not connect to {}: allow it in the firewall, sandbox or SELinux of this machine \
                     (httpd_can_network_connect)",
                    self.peer().0
                ),
            )),
            io::ErrorKind::AddrNotAvailable => Some(self.error(
                Later,
                format!("this machine has no address or free port to reach {} from: see its network", self.peer().0),
            )),
            _ => None,
        }
    }

    fn no_connection(&self, error: &io::Error) -> Error {
        let (peer, option) = self.peer();
        let message = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                format!(
                    "{peer} refuses the connection: check that the server runs, and host and port in {option}"
                )
            }
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => format!(
                "{peer} cannot be reached from here: check the network, firewalls and, if only IPv4 or IPv6 works, \
                 `ip_family`"
            ),
            _ => {
                format!("no connection to {peer}: check that the server runs, and host and port in {option}")
            }
        };
        self.error(Later, message)
    }

    fn no_tls(&self) -> Error {
        let message = format!(
            "{} closed the connection in the TLS handshake: the port may not speak TLS (then begin `url` with http://), \
             or wants a client certificate (`client_certificate`)",
            self.host()
        );
        self.error(AfterConfigChange, message)
    }

    /// The server closed or reset a connection while its answer was awaited.
    fn broken_off(&self) -> Lost {
        let is_other = !matches!(phase::spoken(), Spoken::Nothing | Spoken::Http);
        if is_other && self.stage == Stage::Create && self.phase == Phase::Headers {
            return Lost::whole(self.not_http());
        }
        let host = self.host();
        let is_first = self.stage == Stage::Create && self.phase == Phase::Headers;
        let error = if is_first && phase::spoken() == Spoken::Nothing && !self.config.url.is_https() {
            self.error(
                Later,
                format!(
                    "{host} closed the connection without an answer: if the port expects TLS, begin `url` with \
                     https://; else see the server's log"
                ),
            )
        } else {
            let message = format!(
                "the connection to {host} broke before the whole answer was there: try again; if it repeats, see the \
                 server's log"
            );
            self.error(if is_first { Later } else { FreshSession }, message)
        };
        Lost { is_broken: true, ..Lost::whole(error) }
    }

    /// What came is no HTTP.
    fn not_http(&self) -> Error {
        const EXPECTED: &str = "an HTTP/1.1 response";
        let of_port =
            |message: &str| Error::unreadable(self.stage, EXPECTED, message).with_retry(AfterConfigChange);
        match phase::spoken() {
            Spoken::Tls => of_port("the port expects TLS: begin `url` with https://"),
            Spoken::Xmpp => of_port(
                "the port speaks XMPP and not HTTP: put the port of the server's HTTP into `url`, often 5280, or 5443 \
                 or 5281 for https",
            ),
            Spoken::Nothing | Spoken::Http | Spoken::Other if self.stage == Stage::Create => {
                of_port("the answer is not HTTP/1.1: check host and port in `url`")
            }
            Spoken::Nothing | Spoken::Http | Spoken::Other => {
                Error::protocol(self.stage, EXPECTED, "something else")
            }
        }
    }

    fn large_header(&self) -> Error {
        let message =
            "the header of the answer is larger than 16 KiB: see what the server or a proxy in front adds";
        Error::unreadable(self.stage, "an HTTP/1.1 response", message)
    }

    fn proxy_refused(&self, said: &str) -> Error {
        let (proxy, target) = (self.peer().0, shortened(&self.config.url.authority(), 80));
        let message = if said.contains("407") {
            format!(
                "the proxy {proxy} wants a login: give user and password in `proxy`, as in http://user:password@host:3128"
            )
        } else {
            format!("the proxy {proxy} does not connect to {target}: allow that host and port there")
        };
        self.error(AfterConfigChange, message)
    }

    fn timeout(&self) -> Error {
        let config = self.config;
        let (limit, option) = match self.phase {
            Phase::Dns => (config.resolve_timeout, "resolve_timeout"),
            Phase::Tcp | Phase::Tls => (config.connect_timeout, "connect_timeout"),
            Phase::Headers | Phase::Body | Phase::Queue | Phase::Derive | Phase::FailFast => {
                (config.request_timeout, "request_timeout")
            }
        };
        let (limit, option) =
            if config.deadline <= limit { (config.deadline, "deadline") } else { (limit, option) };
        let (time, (peer, _)) = (seconds(limit), self.peer());
        let message = match self.phase {
            Phase::Dns => format!(
                "looking up {peer} took too long ({time}): check this machine's name service, or raise `{option}`"
            ),
            Phase::Tcp => format!(
                "{peer} did not accept a connection in time ({time}): check that it is up and no firewall drops the \
                 packets, or raise `{option}`"
            ),
            Phase::Tls => format!(
                "the TLS handshake with {peer} took too long ({time}): check that the port speaks TLS, or raise \
                 `{option}`"
            ),
            Phase::Headers | Phase::Queue | Phase::Derive | Phase::FailFast => format!(
                "{peer} did not answer in time ({time}): check that it is not overloaded and that any proxy in front \
                 reaches it, or raise `{option}`"
            ),
            Phase::Body => format!(
                "the answer of {peer} did not end in time ({time}): check the network and any proxy in front, or raise \
                 `{option}`"
            ),
        };
        Error::new(ErrorKind::Timeout { phase: self.phase }, self.stage, Later, message)
    }

    /// The host of the URL.
    fn host(&self) -> String {
        shortened(self.config.url.host(), 80)
    }

    /// Whom a connection is opened to, and the option that says so: the proxy, if there is one.
    fn peer(&self) -> (String, &'static str) {
        let is_connecting = matches!(self.phase, Phase::Dns | Phase::Tcp);
        let proxy = self.config.proxy.as_ref().filter(|_| is_connecting);
        let proxy = proxy.and_then(|proxy| Url::parse(proxy.expose()).ok());
        let with_port = |host: &str, port: Option<u16>| {
            let port = port.filter(|_| self.phase == Phase::Tcp);
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            format!("{}{port}", shortened(&address(host), 80))
        };
        match proxy.as_ref().and_then(|proxy| Some((proxy.host_str()?, proxy.port()))) {
            Some((host, port)) => (with_port(host, port), "`proxy`"),
            None if self.phase == Phase::Tcp => (shortened(&self.config.url.authority(), 90), "`url`"),
            None => (self.host(), "`url`"),
        }
    }
}

/// A time as people read it.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use ureq::Timeout;

    use super::*;

    const HTTPS: &str = "https://chat.example.org/http-bind";
    const HTTP: &str = "http://chat.example.org:5280/http-bind";

    fn lost_by(config: &Config, phase: Phase, stage: Stage, error: impl Into<ureq::Error>) -> Lost {
        phase::enter(phase);
        Lost::new(error.into(), stage, config)
    }

    fn lost(url: &str, phase: Phase, stage: Stage, error: impl Into<ureq::Error>) -> Lost {
        lost_by(&Config::new(url).unwrap(), phase, stage, error)
    }

    fn io(kind: io::ErrorKind) -> ureq::Error {
        ureq::Error::Io(kind.into())
    }

    fn obstacle(obstacle: Obstacle) -> ureq::Error {
        ureq::Error::Io(obstacle.into())
    }

    #[test]
    fn the_source_is_what_the_system_said() {
        use std::error::Error as _;
        let lookup = || io::Error::other("failed to lookup address information: Name or service not known");
        for (phase, error, source) in [
            (Phase::Dns, Obstructed::by_lookup(lookup()).into(), Some(lookup().to_string())),
            (Phase::Dns, Obstacle::NoUsableAddress.into(), None),
            (
                Phase::Tcp,
                io::Error::from_raw_os_error(111),
                Some(io::Error::from_raw_os_error(111).to_string()),
            ),
            (
                Phase::Tls,
                io::Error::other(rustls::Error::DecryptError),
                Some(rustls::Error::DecryptError.to_string()),
            ),
            (Phase::Headers, io::ErrorKind::UnexpectedEof.into(), Some("unexpected end of file".to_owned())),
            (Phase::Headers, io::Error::other("what the server said"), None),
            (Phase::Headers, io::ErrorKind::TimedOut.into(), None),
        ] {
            let error = lost(HTTPS, phase, Stage::Create, ureq::Error::Io(error)).error;
            assert_eq!(error.source().map(ToString::to_string), source, "{error}");
            assert!(source.is_none_or(|source| !error.to_string().contains(&source)), "{error}");
        }
        let refused = io::Error::from_raw_os_error(111);
        let error = lost(HTTPS, Phase::Tcp, Stage::Create, ureq::Error::Io(refused)).error;
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.and_then(io::Error::raw_os_error), Some(111));
    }

    #[test]
    fn a_lost_request_tells_where_it_was_lost_and_why() {
        use io::ErrorKind as Kind;
        phase::asked();
        for (phase, error, retry, told) in [
            (
                Phase::Dns,
                obstacle(Obstacle::NoSuchHost),
                AfterConfigChange,
                "there is no host chat.example.org: ",
            ),
            (Phase::Dns, obstacle(Obstacle::NameService), Later, "name service fails"),
            (Phase::Dns, obstacle(Obstacle::NoThread), Later, "ulimit -u"),
            (Phase::Tcp, obstacle(Obstacle::NoThread), Later, "ulimit -u"),
            (Phase::Dns, ureq::Error::HostNotFound, AfterConfigChange, "`ip_family`"),
            (Phase::Tcp, io(Kind::ConnectionRefused), Later, "chat.example.org refuses the connection"),
            (Phase::Tcp, io(Kind::NetworkUnreachable), Later, "cannot be reached from here"),
            (Phase::Tcp, io(Kind::PermissionDenied), AfterConfigChange, "httpd_can_network_connect"),
            (Phase::Tcp, io(Kind::AddrNotAvailable), Later, "no address or free port"),
            (Phase::Tcp, ureq::Error::ConnectionFailed, Later, "no connection to chat.example.org: "),
            (Phase::Tls, io(Kind::UnexpectedEof), AfterConfigChange, "begin `url` with http://"),
            (
                Phase::Tls,
                ureq::Error::Tls("debug text"),
                AfterConfigChange,
                "closed the connection in the TLS",
            ),
            (
                Phase::Tls,
                ureq::Error::Io(io::Error::other(rustls::Error::DecryptError)),
                AfterConfigChange,
                "failed",
            ),
        ] {
            let lost = lost(HTTPS, phase, Stage::Create, error);
            let message = lost.error.to_string();
            assert!(message.contains(told) && !message.contains("debug"), "{message}");
            assert_eq!(
                (lost.error.kind(), lost.is_broken),
                (&ErrorKind::Connect { phase }, false),
                "{message}"
            );
            assert_eq!(lost.error.retry(), retry, "{message}");
        }
        #[cfg(unix)]
        {
            let no_files = ureq::Error::Io(io::Error::from_raw_os_error(24));
            assert!(lost(HTTPS, Phase::Tcp, Stage::Create, no_files).error.to_string().contains("ulimit -n"));
        }
    }

    #[test]
    fn a_connection_that_breaks_later_may_have_carried_the_request() {
        phase::asked();
        for (url, stage, phase, retry, told) in [
            (HTTPS, Stage::Bind, Phase::Headers, FreshSession, "try again"),
            (HTTPS, Stage::Create, Phase::Body, FreshSession, "try again"),
            (HTTPS, Stage::Create, Phase::Headers, Later, "try again"),
            (HTTP, Stage::Bind, Phase::Headers, FreshSession, "try again"),
            (HTTP, Stage::Create, Phase::Headers, Later, "if the port expects TLS"),
        ] {
            let lost = lost(url, phase, stage, io(io::ErrorKind::ConnectionReset));
            assert_eq!((lost.error.kind(), lost.is_broken), (&ErrorKind::Connect { phase }, true));
            assert_eq!((lost.error.stage(), lost.error.retry()), (stage, retry));
            assert!(lost.error.to_string().contains(told), "{}", lost.error);
        }
    }

    #[test]
    fn what_answers_instead_of_http_is_named() {
        for (answer, told) in [
            (&b"\x15\x03\x01\0\x02\x02"[..], "begin `url` with https://"),
            (b"<?xml version='1.0'?><stream:stream>", "speaks XMPP"),
            (b"<stream:stream>", "speaks XMPP"),
            (b"SSH-2.0-OpenSSH", "is not HTTP/1.1: check host and port"),
        ] {
            phase::asked();
            phase::answered(answer);
            for error in [io(io::ErrorKind::ConnectionReset), io(io::ErrorKind::UnexpectedEof)] {
                let lost = lost(HTTP, Phase::Headers, Stage::Create, error);
                assert!(lost.error.to_string().contains(told), "{}", lost.error);
                assert_eq!((lost.error.kind().as_str(), lost.error.retry()), ("Protocol", AfterConfigChange));
            }
        }
        phase::asked();
        let lost = lost(HTTP, Phase::Headers, Stage::Bind, ureq::Error::LargeResponseHeader(9, 8));
        assert_eq!((lost.error.kind().as_str(), lost.is_broken), ("Protocol", false));
    }

    #[test]
    fn a_request_that_took_too_long_tells_what_took_it_and_the_limit() {
        for (phase, told) in [
            (Phase::Dns, "(2 s): check this machine's name service, or raise `resolve_timeout`"),
            (Phase::Tcp, "raise `connect_timeout`"),
            (Phase::Tls, "raise `connect_timeout`"),
            (Phase::Headers, "did not answer in time (5 s): "),
            (Phase::Body, "raise `deadline`"),
        ] {
            for error in [
                ureq::Error::Timeout(Timeout::Global),
                io(io::ErrorKind::TimedOut),
                io(io::ErrorKind::WouldBlock),
            ] {
                let lost = lost(HTTPS, phase, Stage::Bind, error);
                assert_eq!((lost.error.kind(), lost.is_broken), (&ErrorKind::Timeout { phase }, false));
                assert_eq!(lost.error.retry(), Later);
                assert!(lost.error.to_string().contains(told), "{}", lost.error);
            }
        }
        let request_timeout = Duration::from_millis(1500);
        let config = Config { request_timeout, ..Config::new(HTTPS).unwrap() };
        let told =
            lost_by(&config, Phase::Headers, Stage::Bind, io(io::ErrorKind::TimedOut)).error.to_string();
        assert!(told.contains("(1.5 s)") && told.ends_with("raise `request_timeout`"), "{told}");
    }

    #[test]
    fn behind_a_proxy_the_proxy_is_named() {
        let proxy = Some("http://user:hidden@proxy.example.net:3128".into());
        let config = Config { proxy, ..Config::new(HTTPS).unwrap() };
        for (phase, error, told) in [
            (Phase::Dns, obstacle(Obstacle::NoSuchHost), "no host proxy.example.net: correct `proxy`"),
            (Phase::Tcp, io(io::ErrorKind::ConnectionRefused), "proxy.example.net:3128 refuses"),
            (
                Phase::Tcp,
                ureq::Error::ConnectProxyFailed("403 x".to_owned()),
                "does not connect to chat.example.org",
            ),
            (Phase::Tcp, ureq::Error::ConnectProxyFailed("407 x".to_owned()), "wants a login"),
            (Phase::Headers, io(io::ErrorKind::TimedOut), "chat.example.org did not answer"),
        ] {
            let message = lost_by(&config, phase, Stage::Create, error).error.to_string();
            assert!(message.contains(told) && !message.contains("hidden"), "{message}");
        }
    }
}
