//! The cookies of one exchange. A load balancer may need them to find the same server again.

use cookie::Cookie as Parsed;
#[cfg(feature = "client")]
use cookie::time::OffsetDateTime;

use crate::config::BoshUrl;
use crate::secret::Secret;

/// The most cookies to keep: more than any load balancer sets, and still cheap.
const MAX_COOKIES: usize = 16;
const MAX_LENGTH: usize = 1024;

/// A cookie that a load balancer in front of the server set during the exchange. If the browser reaches the
/// server through the same load balancer, it must send the cookie too. Fields may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Secret,
    /// The path that the cookie is for. It is empty if the load balancer gave none.
    pub path: String,
}

impl Cookie {
    /// Makes a cookie again from its stored parts.
    #[must_use]
    pub fn new(name: String, value: impl Into<Secret>, path: String) -> Self {
        Self { name, value: value.into(), path }
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.expose()
    }
}

/// The cookies that were set so far for the URL of the exchange, with the newest value of each.
#[derive(Debug, Default)]
pub(crate) struct Cookies(Vec<Cookie>);

impl Cookies {
    /// Takes one `Set-Cookie` header of a reply from `url`. Like browsers do (RFC 6265 §5.3), this ignores a
    /// cookie that cannot be read or is for other requests.
    pub(crate) fn set(&mut self, header: &str, url: &BoshUrl) {
        let Some(parsed) = Some(header)
            .filter(|header| header.len() <= MAX_LENGTH)
            .and_then(|header| Parsed::parse(header).ok())
        else {
            return;
        };
        if parsed.name().is_empty() || !is_for(&parsed, url) {
            return;
        }
        let path = parsed.path().unwrap_or_default().to_owned();
        let known = self.0.iter().position(|stored| stored.name == parsed.name() && stored.path == path);
        if parsed.max_age().is_some_and(|age| !age.is_positive()) {
            known.map(|at| self.0.remove(at));
            return;
        }
        let cookie = Cookie::new(parsed.name().to_owned(), parsed.value(), path);
        match known {
            Some(at) => self.0[at] = cookie,
            None if self.0.len() < MAX_COOKIES => self.0.push(cookie),
            None => {}
        }
        // Cookies with longer paths come first, then older ones (RFC 6265 §5.4).
        self.0.sort_by_key(|stored| std::cmp::Reverse(stored.path.len()));
    }

    /// The `Cookie` header, if there are cookies to send.
    pub(crate) fn header(&self) -> Option<String> {
        header(self.0.iter())
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Cookie::value)
    }

    pub(crate) fn into_vec(self) -> Vec<Cookie> {
        self.0
    }
}

/// The `Cookie` header for these cookies, or `None` if there are none.
pub(crate) fn header<'a>(cookies: impl Iterator<Item = &'a Cookie>) -> Option<String> {
    let pairs: Vec<String> = cookies.map(|cookie| format!("{}={}", cookie.name, cookie.value())).collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

/// Whether a cookie is sent with requests to `url` (RFC 6265 §5.1.3, §5.1.4).
fn is_for(cookie: &Parsed<'_>, url: &BoshUrl) -> bool {
    let is_domain = cookie.domain().is_none_or(|domain| {
        let (domain, host) = (domain.to_ascii_lowercase(), url.host());
        host == domain || (!url.has_ip_host() && host.ends_with(&format!(".{domain}")))
    });
    let is_path =
        cookie.path().filter(|path| path.starts_with('/')).is_none_or(|path| covers(path, url.path()));
    let is_secure = cookie.secure() == Some(true);
    // A name with one of these prefixes promises something about the cookie (RFC 6265bis §4.1.3).
    let name = cookie.name().to_ascii_lowercase();
    let is_of_host = cookie.domain().is_none() && cookie.path() == Some("/");
    let keeps_promise = match () {
        () if name.starts_with("__host-") => is_secure && is_of_host,
        () if name.starts_with("__secure-") => is_secure,
        () => true,
    };
    is_domain && is_path && keeps_promise && (url.is_https() || !is_secure)
}

/// Whether a cookie with this path is sent with requests to the `requested` path (RFC 6265 §5.1.4).
pub(crate) fn covers(path: &str, requested: &str) -> bool {
    let rest = requested.strip_prefix(path);
    rest.is_some_and(|rest| rest.is_empty() || path.ends_with('/') || rest.starts_with('/'))
}

/// Adds `Max-Age=0` to a `Set-Cookie` header whose cookie has expired, because the exchange itself has no
/// clock.
#[cfg(feature = "client")]
pub(crate) fn with_age(header: &str, now: OffsetDateTime) -> String {
    let parsed = Some(header).filter(|header| header.len() <= MAX_LENGTH).map(Parsed::parse);
    let is_over = parsed.and_then(Result::ok).is_some_and(|cookie| {
        cookie.max_age().is_none() && cookie.expires_datetime().is_some_and(|moment| moment <= now)
    });
    if is_over { format!("{header}; Max-Age=0") } else { header.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// The cookies that are sent after these headers.
    fn sent(headers: impl IntoIterator<Item = String>) -> Vec<String> {
        let url = Config::new("https://chat.example.org/http-bind").unwrap().url;
        let mut cookies = Cookies::default();
        headers.into_iter().for_each(|header| cookies.set(&header, &url));
        cookies.header().map_or_else(Vec::new, |header| header.split("; ").map(str::to_owned).collect())
    }

    #[test]
    fn a_limited_number_of_cookies_is_kept_and_they_can_still_change() {
        let first = |count| (0..count).map(|number| format!("c{number}=old"));
        assert_eq!(sent(first(15)).len(), 15);
        assert_eq!(sent(first(16)).len(), 16);
        let kept = sent(first(17).chain(["c0=new".to_owned(), "c16=new".to_owned()]));
        assert_eq!(kept.len(), 16);
        assert_eq!((kept[0].as_str(), kept[15].as_str()), ("c0=new", "c15=old"));
    }

    #[test]
    fn a_cookie_that_is_too_long_is_ignored() {
        for (length, count) in [(1024, 1), (1025, 0)] {
            assert_eq!(sent([format!("a={}", "x".repeat(length - 2))]).len(), count, "{length} bytes");
        }
    }

    #[test]
    fn the_same_name_for_two_paths_is_two_cookies() {
        let both = ["a=1; Path=/", "a=2; Path=/http-bind", "b=3; Path=/"].map(str::to_owned);
        assert_eq!(sent(both.clone()), ["a=2", "a=1", "b=3"]);
        assert_eq!(sent(both.into_iter().chain(["a=; Path=/; Max-Age=0".to_owned()])), ["a=2", "b=3"]);
        assert_eq!(sent(["a=1; Max-Age=1".to_owned(), "a=; Max-Age=-1".to_owned()]), [""; 0]);
    }

    #[test]
    fn a_cookie_for_other_hosts_paths_or_security_is_not_sent() {
        const HTTPS: &str = "https://chat.example.org/bosh/x";
        const HTTP: &str = "http://127.0.0.1/bosh";
        let is_sent = |url: &str, attributes: &str| {
            let mut cookies = Cookies::default();
            cookies.set(&format!("a=1; {attributes}"), &Config::new(url).unwrap().url);
            cookies.header().is_some()
        };
        for (url, attributes, is_ours) in [
            (HTTPS, "Domain=chat.example.org", true),
            (HTTPS, "Domain=Example.org", true),
            (HTTPS, "Domain=ample.org", false),
            (HTTPS, "Domain=www.example.org", false),
            (HTTP, "Domain=127.0.0.1", true),
            (HTTP, "Domain=0.0.1", false),
            (HTTPS, "Path=/bosh", true),
            (HTTPS, "Path=/bosh/", true),
            (HTTPS, "Path=/bosh/x", true),
            (HTTPS, "Path=/bos", false),
            (HTTPS, "Path=/other", false),
            (HTTPS, "Path=relative", true),
            (HTTPS, "Secure", true),
            (HTTP, "Secure", false),
            (HTTP, "HttpOnly", true),
        ] {
            assert_eq!(is_sent(url, attributes), is_ours, "{url}: {attributes}");
        }
    }

    #[test]
    fn a_cookie_must_keep_the_promise_of_its_name() {
        let is_sent = |url: &str, header: &str| {
            let mut cookies = Cookies::default();
            cookies.set(header, &Config::new(url).unwrap().url);
            cookies.header().is_some()
        };
        for (url, header, is_ours) in [
            ("https://a.example/b", "__Host-a=1; Secure; Path=/", true),
            ("https://a.example/b", "__Host-a=1; Secure", false),
            ("https://a.example/b", "__host-a=1; Secure; Path=/; Domain=a.example", false),
            ("https://a.example/b", "__Secure-a=1; Secure", true),
            ("https://a.example/b", "__Secure-a=1", false),
            ("http://127.0.0.1/b", "__Host-a=1; Path=/", false),
        ] {
            assert_eq!(is_sent(url, header), is_ours, "{header}");
        }
    }

    #[cfg(feature = "client")]
    #[test]
    fn an_expired_cookie_is_removed() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let aged = |header: &str| with_age(header, now);
        let before = "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(sent(["a=0".to_owned(), aged(before)]), [""; 0]);
        for kept in ["a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "a=1", &format!("{before}; Max-Age=9")] {
            assert_eq!(sent([aged(kept)]), ["a=1"], "{kept}");
        }
    }

    #[test]
    fn a_cookie_without_a_name_is_ignored() {
        assert_eq!(sent(["=1".to_owned(), "no pair".to_owned(), "a=1".to_owned()]), ["a=1"]);
    }
}
