//! Every option and every default, once.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::{Host, Url};

use crate::error::{Error, Result, address, parsed, shortened};
use crate::jid::prepare_resource;
use crate::secret::Secret;
use crate::text;

/// How to reach one chat service, how far to trust it and how long to wait for it.
///
/// ```
/// # use std::time::Duration;
/// let mut config = prebind::Config::new("https://chat.example.org/http-bind")?;
/// config.deadline = Duration::from_secs(3);
/// # Ok::<(), prebind::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is an option by itself")]
pub struct Config {
    /// The BOSH endpoint.
    pub url: BoshUrl,

    /// `xml:lang` of the session: the language of the server's messages. Default `en`.
    pub lang: Option<String>,
    /// Seconds the server may hold a request (XEP-0124 §7.1). The browser lives with it for the
    /// whole session: default 55, below the 60 s after which proxies give up. At least 1.
    pub wait: u16,
    /// Requests the server may hold (XEP-0124 §7.1), 1 or more. Default 1: servers allow no more,
    /// and browser clients expect it.
    pub hold: u8,
    /// `route` of the session request (XEP-0124 §7.1), for example `xmpp:example.org:9999`: where
    /// a connection manager apart from the XMPP server finds it. Default none.
    pub route: Option<String>,
    /// The resource to ask for if the account's JID has none. Default none: the server makes one,
    /// different each time.
    pub resource: Option<String>,

    /// The weakest mechanism that a password may be used with. Default [`PLAIN`](PasswordMechanism::Plain).
    pub weakest_mechanism: PasswordMechanism,
    /// Whether the obsolete DIGEST-MD5 (RFC 6331) may be used with a server that knows no SCRAM.
    /// Default false.
    pub digest_md5: bool,
    /// Whether a password or a token may be sent over plain http to another machine. Default false.
    pub allow_cleartext: bool,
    /// Whether to ask the server for a token that replaces the password in later calls (FAST,
    /// XEP-0484), and to log in by SASL2 (XEP-0388) with Bind 2 (XEP-0386), which that takes. Where
    /// the server offers none of it, nothing changes. Default false: the server has to keep a token for
    /// each account, and the caller a secret, see [`FastToken`](crate::FastToken). Prosody has it
    /// from 13 on. Prosody 0.12 with community modules of that name offers it over BOSH but never
    /// answers: such a login is left for one without SASL2 in the same call, at half of the time that is
    /// left, and later calls do without SASL2 for [`relearn_after`](Self::relearn_after). A password that
    /// was sent by SASL2 is not sent again in the same call, which then fails.
    pub fast_tokens: bool,
    /// The iteration counts a server may ask for in SCRAM. Fewer are too weak (RFC 7677 §4), more
    /// cost too much time. Default 4,096 to 600,000.
    pub iterations: RangeInclusive<u32>,
    /// Of how many users a [`Client`](crate::Client) and its clones keep the SCRAM keys, so that their
    /// passwords need not be derived at each login; see [`ScramCache`](crate::protocol::ScramCache) for what is
    /// kept and for how long. Less than half a KiB each. Default 1,000; 0 keeps none.
    pub scram_cache: usize,

    /// Further HTTP headers for every request, for example an `Authorization` that a reverse
    /// proxy wants.
    pub headers: Vec<(String, Secret)>,
    /// Certificates to trust, in PEM, instead of the operating system's.
    pub ca: Option<Vec<u8>>,
    /// The certificate to present to the server.
    pub client_certificate: Option<ClientCertificate>,
    /// `http://`, `https://` or `socks5://` address of a proxy. Default none; the environment is not asked.
    pub proxy: Option<Secret>,
    /// Which addresses of the host to use. Default [`any`](IpFamily::Any).
    pub ip_family: IpFamily,

    /// How long a call may take in all: name lookup, connections, every request and, after a
    /// failure, ending the session. Default 5 s.
    pub deadline: Duration,
    /// How long a name lookup may take. Default 2 s.
    pub resolve_timeout: Duration,
    /// How long TCP and TLS may take to connect. Default 2 s.
    pub connect_timeout: Duration,
    /// How long one request may take. Default 5 s.
    pub request_timeout: Duration,
    /// How many calls may open a session at once, in each process. A call beyond that waits for up to half
    /// of its [`deadline`](Self::deadline), then fails with `Timeout`. Default 32.
    pub max_calls: usize,
    /// How many requests this process of a web site serves at once: 1 for a worker of php-fpm or a sync worker of
    /// gunicorn, 5 for a process of Puma with five threads. The processes with the same parent then count their
    /// calls together, and no more than half of their workers open a session: a call beyond that fails at once
    /// with `Timeout`, so that the other workers serve pages. They also share what
    /// [`fail_fast_after`](Self::fail_fast_after) counts. Processes that have made no call yet do not count.
    ///
    /// This takes a directory below [`std::env::temp_dir`] that only this user may read; it holds no secret.
    /// Where there cannot be one, each process counts its calls alone, and the log says so once. Only on Unix.
    /// Default 0: this is no web site.
    pub workers: u32,
    /// How many calls may open a session at once on this machine, in all processes of this user that set this or
    /// [`workers`](Self::workers) for this URL, instead of half of the workers. Default 0: half of the workers.
    pub max_host_calls: u32,
    /// Calls fail at once for [`fail_fast_for`](Self::fail_fast_for) after this many could not connect or
    /// timed out, if these are at least half of the latest calls; 0 turns this off. Default 3.
    pub fail_fast_after: u32,
    /// How long calls fail at once, until one of them tries the server again. After each failed try the
    /// pause doubles, up to a minute, or to 15 s where one call tries for all [`workers`](Self::workers).
    /// Default 5 s.
    pub fail_fast_for: Duration,
    /// The most bytes of one reply. Default 262,144.
    pub max_reply: usize,

    /// Whether calls take the short cuts that the server is known for, one to four round trips
    /// instead of four or five. If not, each is the exchange that XEP-0206 shows. Default true.
    pub learn: bool,
    /// How long, at most, to stay with the full exchange after a shorter one failed. The first time it is a
    /// 64th of that, and twice as long each further time. Default 600 s.
    pub relearn_after: Duration,
    /// What an earlier client of this URL learned, as [`Client::profile`](crate::Client::profile)
    /// gave it. One that is of no use is left out. Default none.
    pub profile: Option<String>,
}

impl Config {
    /// The defaults, for the BOSH endpoint at `url`.
    ///
    /// # Errors
    /// `Config` if the URL is not http or https, has no host, or holds a user name or password.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self {
            url: BoshUrl::new(url)?,
            lang: Some("en".to_owned()),
            wait: 55,
            hold: 1,
            route: None,
            resource: None,
            weakest_mechanism: PasswordMechanism::Plain,
            digest_md5: false,
            allow_cleartext: false,
            fast_tokens: false,
            iterations: 4096..=600_000,
            scram_cache: 1000,
            headers: Vec::new(),
            ca: None,
            client_certificate: None,
            proxy: None,
            ip_family: IpFamily::Any,
            deadline: Duration::from_secs(5),
            resolve_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            max_calls: 32,
            workers: 0,
            max_host_calls: 0,
            fail_fast_after: 3,
            fail_fast_for: Duration::from_secs(5),
            max_reply: 256 * 1024,
            learn: true,
            relearn_after: Duration::from_secs(600),
            profile: None,
        })
    }

    /// Whether a password or a token may be sent to this URL.
    pub(crate) fn may_send_secrets(&self) -> bool {
        self.allow_cleartext || self.may_send_secrets_early()
    }

    /// The same before the server has offered to take it: [`allow_cleartext`](Self::allow_cleartext)
    /// trusts the network between, not whatever answers at the other end.
    pub(crate) fn may_send_secrets_early(&self) -> bool {
        self.url.is_https() || (self.url.is_loopback() && self.proxy.is_none())
    }

    /// Refuses values that no exchange can be made with.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(resource) = &self.resource {
            prepare_resource(resource)?;
        }
        for (field, value) in [("lang", &self.lang), ("route", &self.route)] {
            let is_allowed =
                |value: &str| (1..=MAX_ATTRIBUTE).contains(&value.len()) && text::is_xml_text(value);
            if !value.as_deref().is_none_or(is_allowed) {
                let problem = format!("has 1 to {MAX_ATTRIBUTE} bytes and no control characters");
                return Err(Error::config(field, problem));
            }
        }
        self.check_limits()
    }
}

/// The most bytes of a URL; common servers take no longer first line of a request.
const MAX_URL: usize = 8000;

/// The most bytes of an option that goes into an attribute of each creation.
const MAX_ATTRIBUTE: usize = 1023;

/// A mechanism that logs in with a password; each is stronger than the one before. Mechanisms may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PasswordMechanism {
    /// PLAIN (RFC 4616): the server learns the password.
    Plain,
    /// DIGEST-MD5 (RFC 2831), where [`Config::digest_md5`] allows it.
    DigestMd5,
    /// SCRAM-SHA-1 (RFC 5802): the server learns nothing and proves itself.
    ScramSha1,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// SCRAM-SHA-512.
    ScramSha512,
}

impl PasswordMechanism {
    /// All of them, weakest first.
    pub const ALL: [Self; 5] =
        [Self::Plain, Self::DigestMd5, Self::ScramSha1, Self::ScramSha256, Self::ScramSha512];

    /// The mechanism's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::DigestMd5 => "DIGEST-MD5",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

parsed!(PasswordMechanism, "weakest_mechanism");

/// Which addresses of a host to use. Exhaustive: there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpFamily {
    /// Both.
    Any,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
}

impl IpFamily {
    /// Every family.
    pub const ALL: [Self; 3] = [Self::Any, Self::Ipv4, Self::Ipv6];

    /// `any`, `ipv4` or `ipv6`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

parsed!(IpFamily, "ip_family");

/// A certificate for the client and its private key, both in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, followed by those that lead to the authority.
    pub chain: Vec<u8>,
    /// The private key: PKCS#8, PKCS#1 or SEC1.
    pub key: Secret,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(***)")
    }
}

/// The address of a BOSH endpoint: http or https, a host, and nothing secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoshUrl(Url);

impl BoshUrl {
    fn new(url: &str) -> Result<Self> {
        let refused = |problem: &str| Err(Error::config("url", problem));
        if url.len() > MAX_URL {
            return Err(Error::config("url", format!("has more than {MAX_URL} bytes, which servers refuse")));
        }
        // WHATWG's parser, made for browsers, mends what is better refused.
        let is_mended = url.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\')
            || url.split_once("://").is_none_or(|(_, rest)| rest.starts_with('/'));
        if !url.contains("://") {
            return refused("must begin with https:// or http://, as in https://chat.example.org/http-bind");
        }
        let Some(url) = Url::parse(url).ok().filter(|_| !is_mended) else {
            return refused("is not a URL; it reads like https://chat.example.org/http-bind");
        };
        if matches!(url.scheme(), "ws" | "wss") {
            return refused(
                "must begin with https:// or http://: prebind speaks BOSH, not WebSocket, which has a path of its \
                 own, for example /http-bind or /bosh",
            );
        }
        if !matches!(url.scheme(), "http" | "https") {
            return refused("must begin with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused(
                "must not hold a user name or a password; give them in `headers`, as Authorization",
            );
        }
        if url.fragment().is_some() {
            return refused("must not have a # part");
        }
        Ok(Self(url))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether requests stay on this machine. `localhost` counts, since the driver resolves it to
    /// loopback addresses only (RFC 6761 §6.3).
    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => is_localhost(name),
            None => false,
        }
    }

    pub(crate) fn has_ip_host(&self) -> bool {
        matches!(self.0.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path()
    }

    /// The URL that a `Location` relative to this one means.
    pub(crate) fn join(&self, location: &str) -> Option<Url> {
        self.0.join(location).ok().filter(Url::has_host)
    }

    /// The host and the port, if it is not that of the scheme.
    pub(crate) fn authority(&self) -> String {
        let port = self.0.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("{}{port}", self.host())
    }

    /// The host, for messages and logs: a path may hold something the operator keeps to himself.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// Where a URL leads, as a message may tell it: its query may hold what nobody else should see.
pub(crate) fn place(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let place = format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    shortened(&address(&place), 150)
}

pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn times_are_more_than_zero_and_at_most_an_hour() {
        type Set = fn(&mut Config, Duration);
        let times: [(&str, Set); 5] = [
            ("deadline", |config, time| config.deadline = time),
            ("resolve_timeout", |config, time| config.resolve_timeout = time),
            ("connect_timeout", |config, time| config.connect_timeout = time),
            ("request_timeout", |config, time| config.request_timeout = time),
            ("relearn_after", |config, time| config.relearn_after = time),
        ];
        let (hour, least) = (Duration::from_secs(3600), Duration::from_nanos(1));
        for (field, set) in times {
            for (time, is_allowed) in
                [(Duration::ZERO, false), (least, true), (hour, true), (hour + least, false)]
            {
                let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
                set(&mut config, time);
                let kind = config.check().err().map(|error| error.kind().clone());
                let refusal = ErrorKind::Config { field };
                assert_eq!(kind, (!is_allowed).then_some(refusal), "{field}: {time:?}");
            }
        }
    }

    #[test]
    fn what_goes_into_each_request_has_a_longest_length() {
        type Set = fn(&mut Config, String);
        let url = |length: usize| format!("https://chat.example.org/{}", "x".repeat(length - 25));
        assert!(Config::new(&url(MAX_URL)).is_ok());
        assert_eq!(Config::new(&url(MAX_URL + 1)).unwrap_err().kind(), &ErrorKind::Config { field: "url" });
        let attributes: [(&str, Set); 2] = [
            ("lang", |config, value| config.lang = Some(value)),
            ("route", |config, value| config.route = Some(value)),
        ];
        for (field, set) in attributes {
            for (length, is_allowed) in
                [(0, false), (1, true), (MAX_ATTRIBUTE, true), (MAX_ATTRIBUTE + 1, false)]
            {
                let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
                set(&mut config, "x".repeat(length));
                let kind = config.check().err().map(|error| error.kind().clone());
                assert_eq!(kind, (!is_allowed).then_some(ErrorKind::Config { field }), "{length}");
            }
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_is_loopback() {
        for (host, is_loopback) in [
            ("localhost", true),
            ("LOCALHOST.", true),
            ("chat.localhost", true),
            ("chat.localhost.", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("notlocalhost", false),
            ("localhost.example.org", false),
            ("128.0.0.1", false),
            ("[::2]", false),
        ] {
            let url = Config::new(&format!("http://{host}/http-bind")).unwrap().url;
            assert_eq!(url.is_loopback(), is_loopback, "{host}");
            assert_eq!(url.has_ip_host(), host.contains([':', '9', '8']), "{host}");
            assert_eq!((url.host(), url.path()), (host.to_lowercase().as_str(), "/http-bind"));
            assert!(!url.is_https() && url.as_str().starts_with("http://"));
        }
        let mut config = Config::new("https://chat.example.org/").unwrap();
        assert!(config.url.is_https() && config.may_send_secrets() && config.may_send_secrets_early());
        config.url = Config::new("http://chat.example.org/").unwrap().url;
        assert!(!config.may_send_secrets() && !config.may_send_secrets_early());
        config.allow_cleartext = true;
        assert!(config.may_send_secrets() && !config.may_send_secrets_early());
        config.url = Config::new("http://localhost/").unwrap().url;
        config.allow_cleartext = false;
        assert!(config.may_send_secrets() && config.may_send_secrets_early());
        config.proxy = Some("http://proxy:3128".into());
        assert!(!config.may_send_secrets() && !config.may_send_secrets_early(), "the proxy is elsewhere");
    }
}
