//! Says in an operator's words why there is no reply and how to fix it. Nothing of a library's own messages
//! is repeated.

use std::io;
use std::time::Duration;

use url::Url;

use super::give_up;
use super::net::{Cause, Obstacle, Spoken};
use super::trust;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase, Retry, Stage, address, shortened};

use Retry::{AfterConfigChange, FreshSession, Later};

/// Why there is no reply.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) error: Error,
    /// Whether the connection broke while the reply was awaited. The server may or may not have seen the
    /// request.
    pub(super) is_broken: bool,
    /// The part of the reply's body that arrived.
    pub(super) partial: Vec<u8>,
}

impl Lost {
    pub(super) fn new(obstacle: Obstacle, stage: Stage, config: &Config) -> Self {
        let Obstacle { phase, cause, spoken, partial, .. } = obstacle;
        let attempt = Attempt { config, phase, stage, spoken };
        let mut is_broken = false;
        let error = if give_up::is_stopped() {
            give_up::given_up(phase, stage)
        } else {
            attempt.failed(&cause).unwrap_or_else(|| {
                is_broken = true;
                attempt.broken_off()
            })
        };
        let error = match cause.into_source() {
            Some(source) => error.caused_by(source),
            None => error,
        };
        Self { error, is_broken, partial }
    }
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Self { error, is_broken: false, partial: Vec::new() }
    }
}

/// The error for a panic.
pub(super) fn defect(stage: Stage) -> Error {
    Error::new(
        ErrorKind::Internal,
        stage,
        Retry::No,
        "a defect in prebind itself: report it with what the log says",
    )
}

/// A request that failed.
struct Attempt<'a> {
    config: &'a Config,
    phase: Phase,
    stage: Stage,
    spoken: Spoken,
}

impl Attempt<'_> {
    fn error(&self, retry: Retry, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Connect { phase: self.phase }, self.stage, retry, message)
    }

    /// An error that the operator has to fix.
    fn misconfigured(&self, message: impl Into<String>) -> Error {
        self.error(AfterConfigChange, message)
    }

    /// An error that may be gone after a while.
    fn later(&self, message: impl Into<String>) -> Error {
        self.error(Later, message)
    }

    /// `None` if the connection broke while the answer was awaited.
    fn failed(&self, cause: &Cause) -> Option<Error> {
        let (host, option) = self.peer();
        Some(match cause {
            Cause::Timeout => self.timeout(),
            Cause::NotHttp => self.not_http(),
            Cause::LargeHeader => self.large_header(),
            Cause::ProxyLogin => self.misconfigured(format!(
                "the proxy {host} wants a login: give user and password in `proxy`, as in http://user:password@host:3128"
            )),
            Cause::ProxyRefused => {
                let target = shortened(&self.config.url.authority(), 80);
                self.misconfigured(format!(
                    "the proxy {host} does not connect to {target}: allow that host and port there"
                ))
            }
            Cause::Tls(error) => {
                self.misconfigured(trust::message(error, &self.host(), self.config.ca.is_some()))
            }
            Cause::NoSuchHost(_) => self.misconfigured(format!(
                "there is no host {host}: correct {option}, or add the name to DNS or /etc/hosts"
            )),
            Cause::NameService(_) => self.later(format!(
                "the name {host} could not be looked up: this machine's name service fails; check /etc/resolv.conf \
                 and the network, or try again later"
            )),
            Cause::NoUsableAddress => self.misconfigured(format!(
                "{host} has no address that may be used: check `ip_family`; localhost must lead to this machine"
            )),
            Cause::NoThread => self.later(
                "the system lets this process start no more threads: raise its limit (ulimit -u, TasksMax, pids.max)",
            ),
            Cause::Broken(error) => match (self.is_of_system(error), self.phase) {
                (Some(error), _) => error,
                (None, Phase::Dns | Phase::Tcp) => self.no_connection(error),
                (None, Phase::Tls) => self.no_tls(),
                (None, _) if self.is_answered_otherwise() => self.not_http(),
                (None, _) => return None,
            },
        })
    }

    /// The error if this machine refused the connection, whatever the server does.
    fn is_of_system(&self, error: &io::Error) -> Option<Error> {
        /// `ENFILE` and `EMFILE` of every Unix.
        const NO_FILES: [i32; 2] = [23, 24];
        if error.raw_os_error().is_some_and(|code| cfg!(unix) && NO_FILES.contains(&code)) {
            let message = "this process has too many open files or connections: raise its limit (ulimit -n)";
            return Some(self.later(message));
        }
        let (peer, _) = self.peer();
        match error.kind() {
            io::ErrorKind::PermissionDenied => Some(self.misconfigured(format!(
                "this process may not connect to {peer}: allow it in the firewall, sandbox or SELinux of this machine \
                 (httpd_can_network_connect)"
            ))),
            io::ErrorKind::AddrNotAvailable => Some(self.later(format!(
                "this machine has no address or free port to reach {peer} from: see its network"
            ))),
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
        self.later(message)
    }

    fn no_tls(&self) -> Error {
        self.misconfigured(format!(
            "{} closed the connection in the TLS handshake: the port may not speak TLS (then begin `url` with http://), \
             or wants a client certificate (`client_certificate`)",
            self.host()
        ))
    }

    fn is_first(&self) -> bool {
        self.stage == Stage::Create && self.phase == Phase::Headers
    }

    /// Whether the first answer is something other than HTTP.
    fn is_answered_otherwise(&self) -> bool {
        self.is_first() && !matches!(self.spoken, Spoken::Nothing | Spoken::Http)
    }

    /// The error if the server closed or reset a connection while its answer was awaited.
    fn broken_off(&self) -> Error {
        let host = self.host();
        if self.is_first() && self.spoken == Spoken::Nothing && !self.config.url.is_https() {
            return self.later(format!(
                "{host} closed the connection without an answer: if the port expects TLS, begin `url` with https://; \
                 else see the server's log"
            ));
        }
        let message = format!(
            "the connection to {host} broke before the whole answer was there: try again; if it repeats, see the \
             server's log"
        );
        self.error(if self.is_first() { Later } else { FreshSession }, message)
    }

    /// The error if the answer is not HTTP.
    fn not_http(&self) -> Error {
        const EXPECTED: &str = "an HTTP/1.1 response";
        let of_port =
            |message: &str| Error::unreadable(self.stage, EXPECTED, message).with_retry(AfterConfigChange);
        match self.spoken {
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

    /// The host of the URL, in at most 80 characters.
    fn host(&self) -> String {
        shortened(self.config.url.host(), 80)
    }

    /// The address that a connection is opened to, and the option that names it. Behind a proxy it is the
    /// proxy.
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
    use super::*;

    const HTTPS: &str = "https://chat.example.org/http-bind";
    const HTTP: &str = "http://chat.example.org:5280/http-bind";

    fn lost_by(config: &Config, phase: Phase, stage: Stage, cause: impl Into<Cause>) -> Lost {
        Lost::new(Obstacle::new(phase, cause), stage, config)
    }

    fn lost(url: &str, phase: Phase, stage: Stage, cause: impl Into<Cause>) -> Lost {
        lost_by(&Config::new(url).unwrap(), phase, stage, cause)
    }

    fn io(kind: io::ErrorKind) -> Cause {
        io::Error::from(kind).into()
    }

    fn unknown() -> io::Error {
        io::Error::other("failed to lookup address information: Name or service not known")
    }

    #[test]
    fn the_source_is_what_the_system_said() {
        use std::error::Error as _;
        let refused = || io::Error::from_raw_os_error(111);
        let tls = rustls::Error::DecryptError;
        for (phase, cause, source) in [
            (Phase::Dns, Cause::NoSuchHost(unknown()), Some(unknown().to_string())),
            (Phase::Dns, Cause::NoUsableAddress, None),
            (Phase::Tcp, refused().into(), Some(refused().to_string())),
            (Phase::Tls, Cause::Tls(Box::new(tls.clone())), Some(tls.to_string())),
            (Phase::Headers, io(io::ErrorKind::UnexpectedEof), Some("unexpected end of file".to_owned())),
            (Phase::Headers, io::Error::other("what the server said").into(), None),
            (Phase::Headers, io(io::ErrorKind::TimedOut), None),
        ] {
            let error = lost(HTTPS, phase, Stage::Create, cause).error;
            assert_eq!(error.source().map(ToString::to_string), source, "{error}");
            assert!(source.is_none_or(|source| !error.to_string().contains(&source)), "{error}");
        }
        let error = lost(HTTPS, Phase::Tcp, Stage::Create, refused()).error;
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.and_then(io::Error::raw_os_error), Some(111));
    }

    #[test]
    fn a_lost_request_tells_where_it_was_lost_and_why() {
        use io::ErrorKind as Kind;
        for (phase, error, retry, told) in [
            (
                Phase::Dns,
                Cause::NoSuchHost(unknown()),
                AfterConfigChange,
                "there is no host chat.example.org: ",
            ),
            (Phase::Dns, Cause::NameService(unknown()), Later, "name service fails"),
            (Phase::Dns, Cause::NoThread, Later, "ulimit -u"),
            (Phase::Tcp, Cause::NoThread, Later, "ulimit -u"),
            (Phase::Dns, Cause::NoUsableAddress, AfterConfigChange, "`ip_family`"),
            (Phase::Tcp, io(Kind::ConnectionRefused), Later, "chat.example.org refuses the connection"),
            (Phase::Tcp, io(Kind::NetworkUnreachable), Later, "cannot be reached from here"),
            (Phase::Tcp, io(Kind::PermissionDenied), AfterConfigChange, "httpd_can_network_connect"),
            (Phase::Tcp, io(Kind::AddrNotAvailable), Later, "no address or free port"),
            (Phase::Tcp, io(Kind::Other), Later, "no connection to chat.example.org: "),
            (Phase::Tls, io(Kind::UnexpectedEof), AfterConfigChange, "begin `url` with http://"),
            (Phase::Tls, Cause::Tls(Box::new(rustls::Error::DecryptError)), AfterConfigChange, "failed"),
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
            let no_files = io::Error::from_raw_os_error(24);
            assert!(lost(HTTPS, Phase::Tcp, Stage::Create, no_files).error.to_string().contains("ulimit -n"));
        }
    }

    #[test]
    fn a_connection_that_breaks_later_may_have_carried_the_request() {
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
    fn the_protocol_that_answers_instead_of_http_is_named() {
        let config = Config::new(HTTP).unwrap();
        for (spoken, told) in [
            (Spoken::Tls, "begin `url` with https://"),
            (Spoken::Xmpp, "speaks XMPP"),
            (Spoken::Other, "is not HTTP/1.1: check host and port"),
        ] {
            for cause in
                [io(io::ErrorKind::ConnectionReset), io(io::ErrorKind::UnexpectedEof), Cause::NotHttp]
            {
                let obstacle = Obstacle { spoken, ..Obstacle::new(Phase::Headers, cause) };
                let error = Lost::new(obstacle, Stage::Create, &config).error;
                assert!(error.to_string().contains(told), "{error}");
                assert_eq!((error.kind().as_str(), error.retry()), ("Protocol", AfterConfigChange));
            }
        }
        let lost = lost(HTTP, Phase::Headers, Stage::Bind, Cause::LargeHeader);
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
            let lost = lost(HTTPS, phase, Stage::Bind, Cause::Timeout);
            assert_eq!((lost.error.kind(), lost.is_broken), (&ErrorKind::Timeout { phase }, false));
            assert_eq!(lost.error.retry(), Later);
            assert!(lost.error.to_string().contains(told), "{}", lost.error);
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
            (Phase::Dns, Cause::NoSuchHost(unknown()), "no host proxy.example.net: correct `proxy`"),
            (Phase::Tcp, io(io::ErrorKind::ConnectionRefused), "proxy.example.net:3128 refuses"),
            (Phase::Tcp, Cause::ProxyRefused, "proxy.example.net:3128 does not connect to chat.example.org"),
            (Phase::Tcp, Cause::ProxyLogin, "proxy.example.net:3128 wants a login"),
            (Phase::Headers, io(io::ErrorKind::TimedOut), "chat.example.org did not answer"),
        ] {
            let message = lost_by(&config, phase, Stage::Create, error).error.to_string();
            assert!(message.contains(told) && !message.contains("hidden"), "{message}");
        }
    }
}
