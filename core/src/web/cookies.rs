//! The cookies of a load balancer in front of the chat server, for the browser.

use crate::wire::cookies::Cookie;
use crate::wire::cookies::covers;

use super::request::Request;

impl Request {
    /// The `Set-Cookie` headers, one for each cookie, that go with a session: they lead the browser to the server
    /// that has it. `cookies` are [`Session::cookies`](crate::Session::cookies); `bosh_url` is the BOSH endpoint
    /// as the browser reaches it, an address or a path of the site.
    ///
    /// A site can set cookies for its own host only, whatever the port. Name, value and path are the balancer's,
    /// so that a new cookie of the balancer's replaces this one. Where its path does not lead to `bosh_url`, or it
    /// has none, the path is the one that a browser would take.
    #[must_use]
    pub fn cookies(&self, bosh_url: &str, cookies: &[Cookie]) -> Vec<String> {
        let Some(site) = self.site() else {
            return Vec::new();
        };
        let Some(bosh) =
            site.join(bosh_url).ok().filter(|bosh| !bosh_url.is_empty() && bosh.host() == site.host())
        else {
            return Vec::new();
        };
        // A browser takes no secure cookie from a page of http.
        let secure = if site.scheme() == "https" { "; Secure" } else { "" };
        let set = |cookie: &Cookie| {
            let (name, value) = (&cookie.name, cookie.value());
            let path = match cookie.path.as_str() {
                path if path.starts_with('/') && covers(path, bosh.path()) => path,
                _ => default_path(bosh.path()),
            };
            let is_allowed = is_token(name) && is_value(value) && path.bytes().all(is_octet);
            is_allowed.then(|| format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}"))
        };
        cookies.iter().filter_map(set).collect()
    }
}

/// The path of a cookie that has none (RFC 6265 §5.1.4).
fn default_path(requested: &str) -> &str {
    match requested.rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((path, _)) => path,
    }
}

/// A name as RFC 6265 §4.1.1 has it.
fn is_token(name: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_character)
}

/// A value as RFC 6265 §4.1.1 has it.
fn is_value(value: &str) -> bool {
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    quoted.unwrap_or(value).bytes().all(is_octet)
}

fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}
