//! The URL of a BOSH endpoint.

use url::{Host, Url};

use crate::error::{Error, Result, address, shortened};

/// The most bytes of a URL. Common servers refuse a longer request line.
const MAX_URL: usize = 8000;

/// The URL of a BOSH endpoint: http or https, with a host, and without user name and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoshUrl(Url);

impl BoshUrl {
    pub(super) fn new(url: &str) -> Result<Self> {
        let refused = |problem: &str| Err(Error::config("url", problem));
        if url.len() > MAX_URL {
            return Err(Error::config("url", format!("has more than {MAX_URL} bytes, which servers refuse")));
        }
        // WHATWG's parser is made for browsers and corrects mistakes that are better refused.
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

    /// The address of an HTTP API, whose commands have paths below it. `None` if it cannot be one.
    pub(super) fn of_api(url: &str) -> Option<Self> {
        Self::new(url).ok().filter(|url| url.0.query().is_none())
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether requests stay on this machine. `localhost` counts, because the driver resolves it only to
    /// loopback addresses (RFC 6761 §6.3).
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

    /// The URL that a `Location` header means, relative to this URL.
    pub(crate) fn join(&self, location: &str) -> Option<Url> {
        self.0.join(location).ok().filter(Url::has_host)
    }

    /// The host, and the port unless it is the default of the scheme.
    pub(crate) fn authority(&self) -> String {
        let port = self.0.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("{}{port}", self.host())
    }

    /// The host, for messages and logs. The path is not shown, because it may hold something secret.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// Where a URL leads, for a message. The query is not shown, because it may hold something secret.
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
    fn a_url_may_be_as_long_as_servers_take() {
        let url = |length: usize| format!("https://chat.example.org/{}", "x".repeat(length - 25));
        assert!(BoshUrl::new(&url(MAX_URL)).is_ok());
        assert_eq!(BoshUrl::new(&url(MAX_URL + 1)).unwrap_err().kind(), &ErrorKind::Config { field: "url" });
    }

    #[test]
    fn only_hosts_on_this_machine_are_loopback() {
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
            let url = BoshUrl::new(&format!("http://{host}/http-bind")).unwrap();
            assert_eq!(url.is_loopback(), is_loopback, "{host}");
            assert_eq!(url.has_ip_host(), host.contains([':', '9', '8']), "{host}");
            assert_eq!((url.host(), url.path()), (host.to_lowercase().as_str(), "/http-bind"));
            assert!(!url.is_https() && url.as_str().starts_with("http://"));
        }
    }
}
