//! Every option with its default. This is the only place that defines them.

// May import from `jid`, `named`, `random` and the layers above, in the order of `core/tests/layers`.

mod accounts;
mod field;
mod table;
mod types;
mod url;

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::Result;
use crate::named::{NamedValue, Value, ValueType};
use crate::secret::Secret;
pub use accounts::Accounts;
pub(crate) use accounts::Api;
#[cfg(feature = "client")]
pub(crate) use accounts::{Administrator, Way};
use field::{Field, attribute, limits, prepared};
use table::{options, setter};
pub use types::{ClientCertificate, IpFamily, PasswordMechanism};
pub use url::BoshUrl;
#[cfg(feature = "client")]
pub(crate) use url::is_localhost;
pub(crate) use url::place;

options! {
    lang: Option<String> = Some("en".to_owned()), ValueType::Text,
        "The language of the server's messages (`xml:lang` of the session).",
        with_lang by attribute;

    /// XEP-0124 §7.1.
    wait: u16 = 55, ValueType::Count { least: 1, most: 65_535 },
        "How many seconds the server may hold a request; this also applies to the browser, and many \
         proxies cut requests held longer than 60 s.",
        with_wait by limits;

    /// XEP-0124 §7.1. Common servers allow no more than 1.
    hold: u8 = 1, ValueType::Count { least: 1, most: 255 },
        "How many requests the server may hold; browser clients expect 1.",
        with_hold by limits;

    /// XEP-0124 §7.1.
    route: Option<String> = None, ValueType::Text,
        "Where a separate connection manager finds the XMPP server, for example `xmpp:example.org:9999`.",
        with_route by attribute;

    resource: Option<String> = None, ValueType::Text,
        "The resource to ask for if the JID has none; without it the server makes a new one each time, so \
         that tabs do not throw each other out.",
        with_resource by prepared;

    weakest_mechanism: PasswordMechanism = PasswordMechanism::Plain, ValueType::Choice { values: PasswordMechanism::NAMES },
        "The weakest mechanism a password may be used with.",
        with_weakest_mechanism;

    /// RFC 6331 explains why it is obsolete.
    digest_md5: bool = false, ValueType::Flag,
        "Whether to use the obsolete DIGEST-MD5 with a server that has no SCRAM.",
        with_digest_md5;

    allow_cleartext: bool = false, ValueType::Flag,
        "Whether to send a password or token over plain http to another machine.",
        with_allow_cleartext;

    /// This needs SASL2 (XEP-0388) with Bind 2 (XEP-0386) on the server; without them nothing changes. The
    /// server has to keep a token for each account, and you have to keep it as a secret, see
    /// [`FastToken`](crate::FastToken).
    ///
    /// Prosody 0.12 with the community modules of that name offers SASL2 over BOSH but never answers it.
    /// After half of the deadline, the same call logs in without SASL2, and later calls do not use SASL2 for
    /// [`relearn_after`](Self::with_relearn_after). A password that was sent by SASL2 is not sent again in
    /// the same call, so that call fails.
    fast_tokens: bool = false, ValueType::Flag,
        "Whether to log in by SASL2, where the server offers it, and to ask for a token that replaces the password \
         in later calls, `Session.fast_token` (FAST, XEP-0484; Prosody has it from version 13 on).",
        with_fast_tokens;

    /// Fewer iterations are too weak (RFC 7677 §4), and more take too much time.
    iterations: RangeInclusive<u32> = 4096..=600_000, ValueType::Range { least: 1, most: u32::MAX },
        "The fewest and the most SCRAM iterations a server may ask for.",
        with_iterations by limits;

    /// See [`ScramCache`](crate::protocol::ScramCache) for what is kept and for how long. Each user takes
    /// less than half a KiB.
    scram_cache: usize = 1000, ValueType::Count { least: 0, most: u32::MAX },
        "How many users' SCRAM keys, but not passwords, to cache from a login that succeeds until one with them \
         fails, so that they need not be derived at each login; 0 caches none.",
        with_scram_cache by limits;

    accounts: Option<Accounts> = None, Accounts::TAKES,
        "Who makes an account on the chat server for each user who logs in with a token and has none: the JID and \
         password of an administrator, and for ejabberd the `url` of its HTTP API; with a `group`, each user joins that \
         shared roster group.",
        with_accounts;

    /// For example, a reverse proxy may need an `Authorization` header.
    headers: Vec<(String, Secret)> = Vec::new(), ValueType::Headers,
        "HTTP headers to add to every request.",
        with_headers;

    /// The certificates are in PEM.
    ca: Option<Vec<u8>> = None, ValueType::Pem,
        "CA certificates to trust instead of the operating system's.",
        with_ca;

    client_certificate: Option<ClientCertificate> = None, ValueType::Certificate,
        "The client certificate to present to the server, with those that lead to its authority, and its private \
         key.",
        with_client_certificate;

    proxy: Option<Secret> = None, ValueType::Text,
        "The `http://`, `https://` or `socks5://` address of a proxy; environment variables are ignored.",
        with_proxy;

    ip_family: IpFamily = IpFamily::Any, ValueType::Choice { values: IpFamily::NAMES },
        "Which addresses of the host to use.",
        with_ip_family;

    deadline: Duration = Duration::from_secs(5), TIME,
        "How long a call may take in all, including ending the session after a failure.",
        with_deadline by limits;

    resolve_timeout: Duration = Duration::from_secs(2), TIME,
        "How long a name lookup may take.",
        with_resolve_timeout by limits;

    connect_timeout: Duration = Duration::from_secs(2), TIME,
        "How long TCP and TLS may take to connect.",
        with_connect_timeout by limits;

    request_timeout: Duration = Duration::from_secs(5), TIME,
        "How long one request may take.",
        with_request_timeout by limits;

    max_calls: usize = 32, ValueType::Count { least: 1, most: u32::MAX },
        "How many calls may open a session at once in each process; a call beyond that waits for up to half of its \
         `deadline`, then fails.",
        with_max_calls by limits;

    /// Processes that have not made a call yet do not count.
    ///
    /// The processes share a directory below [`std::env::temp_dir`] that only this user may read. It holds no
    /// secret. If it cannot be created, each process counts only its own calls and logs that once. This
    /// option works on Unix only.
    workers: u32 = 0, ValueType::Count { least: 0, most: MANY },
        "How many requests this process of a web site serves at once, 1 for a sync worker of gunicorn or 5 for a \
         process of Puma with five threads; the processes with the same parent then open sessions with no more than \
         half of their workers, beyond which a call fails at once, and share what they know of a server that is \
         away; 0 if this is no web site.",
        with_workers by limits;

    max_host_calls: u32 = 0, ValueType::Count { least: 0, most: MANY },
        "How many calls may open a session at once on this machine, in all processes of this user that set this or \
         `workers` for this URL, instead of half of the workers; 0 for half of the workers.",
        with_max_host_calls by limits;

    fail_fast_after: u32 = 3, ValueType::Count { least: 0, most: u32::MAX },
        "How many calls, and at least half of the latest, must time out or fail to connect before calls fail at \
         once for `fail_fast_for`; 0 turns this off.",
        with_fail_fast_after;

    /// If one call tries for all [`workers`](Self::with_workers), the pause grows to at most 15 s.
    fail_fast_for: Duration = Duration::from_secs(5), ValueType::Seconds { zero: true, most: LONGEST },
        "How long calls fail at once before one of them tries the server again; the pause doubles, up to a \
         minute, while it is not reached.",
        with_fail_fast_for by limits;

    max_reply: usize = 256 * 1024, ValueType::Count { least: 1, most: u32::MAX },
        "The most bytes of one reply.",
        with_max_reply by limits;

    /// If this is off, each call is the full exchange that XEP-0206 shows.
    learn: bool = true, ValueType::Flag,
        "Whether to use the shorter exchange, one to four round trips instead of four or five, once this server has \
         proved to support it.",
        with_learn;

    /// After the first failure it is a 64th of this time, and it doubles each further time.
    relearn_after: Duration = Duration::from_secs(600), TIME,
        "How long, at most, to stay with the full exchange after a shorter one failed again and again.",
        with_relearn_after by limits;

    /// See [`Client::profile`](crate::Client::profile).
    profile: Option<String> = None, ValueType::Text,
        "What an earlier client of this URL learned, as `Client.profile` gave it; an unusable profile is ignored.",
        with_profile;
}

/// Describes an option for those who know it by its name.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) takes: ValueType,
    pub(crate) is_optional: bool,
    pub(crate) is_secret: bool,
    /// What it does, in one sentence of Markdown.
    pub(crate) about: &'static str,
    pub(crate) set: fn(&mut Config, &NamedValue) -> Result<()>,
    pub(crate) value: fn(&Config) -> Value,
}

impl Config {
    /// The BOSH endpoint.
    #[must_use]
    pub fn url(&self) -> &BoshUrl {
        &self.url
    }

    /// The same options for another endpoint.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_url(mut self, url: &str) -> Result<Self> {
        self.url = BoshUrl::new(url)?;
        Ok(self)
    }

    /// Whether a password or a token may be sent to this URL.
    pub(crate) fn may_send_secrets(&self) -> bool {
        self.allow_cleartext || self.may_send_secrets_early()
    }

    /// Whether a password or a token may be sent before the server has offered to accept it.
    /// [`allow_cleartext`](Self::with_allow_cleartext) trusts the network on the way, but not whatever
    /// answers at the other end.
    pub(crate) fn may_send_secrets_early(&self) -> bool {
        self.url.is_https() || (self.url.is_loopback() && self.proxy.is_none())
    }
}

/// The longest time: no page waits longer than an hour, so more is a mistake.
const LONGEST: u32 = 3600;

/// The most workers: no machine has more workers of one site, so more is a mistake.
const MANY: u32 = 10_000;

/// A time limit. It must not be zero, because nothing can be done in no time.
const TIME: ValueType = ValueType::Seconds { zero: false, most: LONGEST };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    fn config() -> Config {
        Config::new("https://chat.example.org/http-bind").unwrap()
    }

    fn option(error: &Error) -> Option<&'static str> {
        if let ErrorKind::Config { field } = error.kind() { Some(field) } else { None }
    }

    #[test]
    fn times_are_more_than_zero_and_at_most_an_hour() {
        type Set = fn(Config, Duration) -> Result<Config>;
        let times: [(&str, Set); 5] = [
            ("deadline", Config::with_deadline),
            ("resolve_timeout", Config::with_resolve_timeout),
            ("connect_timeout", Config::with_connect_timeout),
            ("request_timeout", Config::with_request_timeout),
            ("relearn_after", Config::with_relearn_after),
        ];
        let (hour, least) = (Duration::from_secs(3600), Duration::from_nanos(1));
        for (name, set) in times {
            for time in [least, hour] {
                assert!(set(config(), time).is_ok(), "{name}: {time:?}");
            }
            for time in [Duration::ZERO, hour + least, Duration::MAX] {
                assert_eq!(option(&set(config(), time).unwrap_err()), Some(name), "{time:?}");
            }
        }
        assert!(config().with_fail_fast_for(Duration::ZERO).is_ok());
    }

    #[test]
    fn a_value_beyond_the_limits_is_refused_where_it_is_set() {
        let beyond = usize::try_from(u32::MAX).unwrap() + 1;
        let refused = [
            ("wait", config().with_wait(0)),
            ("hold", config().with_hold(0)),
            ("iterations", config().with_iterations(0..=0)),
            ("iterations", config().with_iterations(RangeInclusive::new(2, 1))),
            ("scram_cache", config().with_scram_cache(beyond)),
            ("max_calls", config().with_max_calls(0)),
            ("workers", config().with_workers(10_001)),
            ("max_host_calls", config().with_max_host_calls(10_001)),
            ("fail_fast_for", config().with_fail_fast_for(Duration::MAX)),
            ("max_reply", config().with_max_reply(0)),
            ("max_reply", config().with_max_reply(beyond)),
        ];
        for (name, config) in refused {
            let error = config.unwrap_err();
            assert!(error.to_string().starts_with(&format!("{name}: must be ")), "{error}");
        }
        assert_eq!(option(&config().with_resource(Some("\n".to_owned())).unwrap_err()), Some("resource"));
    }

    #[test]
    fn an_attribute_of_the_session_has_1_to_1023_bytes() {
        type Set = fn(Config, Option<String>) -> Result<Config>;
        let attributes: [(&str, Set); 2] = [("lang", Config::with_lang), ("route", Config::with_route)];
        for (name, set) in attributes {
            for text in [None, Some("x".to_owned()), Some("x".repeat(1023))] {
                assert!(set(config(), text).is_ok(), "{name}");
            }
            for text in [String::new(), "x".repeat(1024), "\u{1}".to_owned()] {
                assert_eq!(option(&set(config(), Some(text)).unwrap_err()), Some(name));
            }
        }
    }

    #[test]
    fn secrets_are_sent_only_where_nobody_can_read_them() {
        let of = |url| Config::new(url).unwrap();
        let may = |config: &Config| (config.may_send_secrets(), config.may_send_secrets_early());
        assert_eq!(may(&of("https://chat.example.org/")), (true, true));
        assert_eq!(may(&of("http://chat.example.org/")), (false, false));
        assert_eq!(may(&of("http://chat.example.org/").with_allow_cleartext(true)), (true, false));
        assert_eq!(may(&of("http://localhost/")), (true, true));
        let proxy = Some("http://proxy:3128".into());
        assert_eq!(may(&of("http://localhost/").with_proxy(proxy)), (false, false), "the proxy is elsewhere");
    }
}
