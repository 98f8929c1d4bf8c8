//! The cookies of one exchange: a load balancer may need them to find the same server again.

use cookie::Cookie as Parsed;

use crate::config::BoshUrl;
use crate::session::Cookie;

/// More than any balancer sets, few enough not to be a burden.
const MAX_COOKIES: usize = 16;
const MAX_LENGTH: usize = 1024;

/// What was set so far for the URL of the exchange, the newest value of each name.
#[derive(Debug, Default)]
pub(crate) struct Cookies(Vec<Stored>);

#[derive(Debug)]
struct Stored {
    cookie: Cookie,
    path: String,
}

impl Cookies {
    /// Takes one `Set-Cookie` header of a reply from `url`. What cannot be read or is for other
    /// requests is left out, as browsers do (RFC 6265 §5.3).
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
        let known =
            self.0.iter().position(|stored| stored.cookie.name == parsed.name() && stored.path == path);
        if parsed.max_age().is_some_and(|age| !age.is_positive()) {
            known.map(|at| self.0.remove(at));
            return;
        }
        let cookie = Cookie { name: parsed.name().to_owned(), value: parsed.value().into() };
        match known {
            Some(at) => self.0[at].cookie = cookie,
            None if self.0.len() < MAX_COOKIES => self.0.push(Stored { cookie, path }),
            None => {}
        }
        // Longer paths first, then the older (RFC 6265 §5.4).
        self.0.sort_by_key(|stored| std::cmp::Reverse(stored.path.len()));
    }

    /// The `Cookie` header, if there is anything to send.
    pub(crate) fn header(&self) -> Option<String> {
        header(self.0.iter().map(|stored| &stored.cookie))
    }

    pub(crate) fn into_vec(self) -> Vec<Cookie> {
        self.0.into_iter().map(|stored| stored.cookie).collect()
    }
}

/// The `Cookie` header for these cookies; `None` for none.
pub(crate) fn header<'a>(cookies: impl Iterator<Item = &'a Cookie>) -> Option<String> {
    let pairs: Vec<String> = cookies.map(|cookie| format!("{}={}", cookie.name, cookie.value())).collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

/// Whether a cookie goes with requests to `url` (RFC 6265 §5.1.3, §5.1.4).
fn is_for(cookie: &Parsed<'_>, url: &BoshUrl) -> bool {
    let is_domain = cookie.domain().is_none_or(|domain| {
        let (domain, host) = (domain.to_ascii_lowercase(), url.host());
        host == domain || (!url.has_ip_host() && host.ends_with(&format!(".{domain}")))
    });
    let is_path = cookie.path().filter(|path| path.starts_with('/')).is_none_or(|path| {
        let rest = url.path().strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || path.ends_with('/') || rest.starts_with('/'))
    });
    is_domain && is_path && (url.is_https() || cookie.secure() != Some(true))
}
