//! Which request may open a session.

use std::fmt;

use url::{Url, form_urlencoded};

use super::answer::Refusal;

/// The types that come first in the `Accept` of a script. Images, style sheets and navigations have others.
const ACCEPTED_BY_SCRIPTS: [&str; 4] = ["", "*/*", "application/json", "text/xml"];

/// The longest name of a page.
const MAX_PAGE: usize = 64;

/// What the browser asked the site's endpoint, as the site's web framework sees it.
///
/// `Debug` shows only the method: addresses may hold tokens.
pub struct Request {
    method: String,
    scheme: String,
    host: String,
    port: Option<u16>,
    headers: Vec<(&'static str, String)>,
    query: Query,
}

/// The parameters that the page's script sends.
#[derive(Default)]
struct Query {
    page: String,
    jid: Option<String>,
    unreached: String,
}

impl Request {
    /// The headers that matter; a binding need not pass on any other.
    pub const HEADERS: [&str; 10] = [
        "Accept",
        "Forwarded",
        "Origin",
        "Purpose",
        "Referer",
        "Sec-Fetch-Dest",
        "Sec-Fetch-Mode",
        "Sec-Fetch-Site",
        "Sec-Purpose",
        "X-Forwarded-For",
    ];

    /// `scheme` and `host` are the ones that the framework believes, with whatever proxy it trusts; `host` has
    /// the port if the framework was told one. `port` is where the web server accepted the connection.
    pub fn new<N: AsRef<str>, V: Into<String>>(
        method: &str,
        scheme: &str,
        host: &str,
        port: Option<u16>,
        headers: impl IntoIterator<Item = (N, V)>,
        query: &str,
    ) -> Self {
        let known = |name: &str| Self::HEADERS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let headers =
            headers.into_iter().filter_map(|(name, value)| Some((known(name.as_ref())?, value.into())));
        Self {
            method: method.to_owned(),
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port,
            headers: headers.collect(),
            query: Query::new(query),
        }
    }

    /// Why the request gets no session for any user; `None` if it may have one.
    #[must_use]
    pub fn refusal(&self, is_signed_in: bool) -> Option<Refusal> {
        if !matches!(self.method.as_str(), "GET" | "POST") {
            Some(Refusal::Method)
        } else if !is_signed_in {
            Some(Refusal::NotLoggedIn)
        } else if !self.is_from_our_page() {
            Some(Refusal::CrossOrigin)
        } else if !self.is_from_a_script() {
            Some(Refusal::Destination)
        } else if !is_page_name(&self.query.page) {
            Some(Refusal::Page)
        } else {
            None
        }
    }

    /// Why the user with this bare JID gets no session; no JID, or an empty one, is a user without chat.
    ///
    /// A page says in `?jid=` whose it is, because it may be older than the login, or from a cache.
    #[must_use]
    pub fn refusal_of(&self, jid: Option<&str>) -> Option<Refusal> {
        let jid = jid.unwrap_or_default();
        if self.query.jid.as_deref().is_some_and(|claimed| claimed != jid) {
            Some(Refusal::OtherUser)
        } else if jid.is_empty() {
            Some(Refusal::NoChat)
        } else {
            None
        }
    }

    /// The JID to log in with: the page's name is the resource, if it has one.
    ///
    /// A page whose session was lost thereby gets its JID again, and ends what the server may still have of the
    /// lost session. Converse.js goes on with the old JID in what it had yet to send, and some servers end a
    /// session for another session's JID.
    #[must_use]
    pub fn full_jid(&self, jid: &str) -> String {
        match self.query.page.as_str() {
            "" => jid.to_owned(),
            page => format!("{jid}/{page}"),
        }
    }

    /// What to log if the browser did not reach the chat server in the page's last session: at which address,
    /// and what the site calls the setting that has it.
    #[must_use]
    pub fn complaint(&self, bosh_url: &str, setting: &str) -> Option<String> {
        let status = &self.query.unreached;
        let is_status = (1..=3).contains(&status.len()) && status.bytes().all(|byte| byte.is_ascii_digit());
        if !is_status {
            return None;
        }
        let complaint = format!(
            "the browser got no answer from the chat server at {bosh_url} (HTTP status {status}): check {setting}, the \
             proxy and connect-src of the page's Content-Security-Policy"
        );
        Some(complaint)
    }

    /// Browsers say it in `Sec-Fetch-Site`; over plain http, and older ones, in `Origin` or `Referer`. A request
    /// with none of them is refused, because a foreign page can leave them out.
    fn is_from_our_page(&self) -> bool {
        match (self.header("Sec-Fetch-Site"), self.header("Origin").or_else(|| self.header("Referer"))) {
            (Some(site), _) => site == "same-origin",
            (None, Some(source)) => self.is_ours(source),
            (None, None) => false,
        }
    }

    fn is_ours(&self, source: &str) -> bool {
        let (Some(page), Some(site)) = (web_address(source), self.site()) else {
            return false;
        };
        page.scheme() == site.scheme() && page.host() == site.host() && self.is_our_port(&page, &site)
    }

    /// A proxy may keep its port to itself. Then any port of the host may ask: the site's cookies, which are
    /// protected here, go to every port, and no page of another origin can read the answer.
    fn is_our_port(&self, page: &Url, site: &Url) -> bool {
        let port = page.port_or_known_default();
        if port == site.port_or_known_default() {
            return true;
        }
        let is_proxied = || self.header("X-Forwarded-For").or_else(|| self.header("Forwarded")).is_some();
        !self.has_port() && (port == self.port || is_proxied())
    }

    /// Whether the host has a port, which `Url` does not tell of the default one.
    fn has_port(&self) -> bool {
        let after_colon = self.host.rsplit_once(':').map(|(_, port)| port);
        after_colon.is_some_and(|port| port.parse::<u16>().is_ok()) && !self.host.ends_with(']')
    }

    pub(super) fn site(&self) -> Option<Url> {
        let site = web_address(&format!("{}://{}", self.scheme, self.host))?;
        (site.path() == "/" && site.query().is_none() && site.fragment().is_none()).then_some(site)
    }

    /// An image, a prefetch or a navigation of our own page would open a session that nothing takes over.
    ///
    /// Browsers say it in `Sec-Fetch-Dest` and `Sec-Fetch-Mode`; over plain http, and older ones, in `Accept`.
    fn is_from_a_script(&self) -> bool {
        let is_absent = |name: &&str| self.header(name).is_none();
        if !["Sec-Purpose", "Purpose"].iter().all(is_absent) {
            return false;
        }
        if ["Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-Mode"].iter().all(is_absent) {
            let first = self.header("Accept").and_then(|types| types.split([',', ';']).next());
            let first = first.unwrap_or_default().trim();
            return ACCEPTED_BY_SCRIPTS.iter().any(|known| first.eq_ignore_ascii_case(known));
        }
        matches!(self.header("Sec-Fetch-Dest"), None | Some("empty"))
            && matches!(self.header("Sec-Fetch-Mode"), None | Some("cors" | "same-origin"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl Query {
    /// The last of several parameters of one name counts, as in most frameworks.
    fn new(query: &str) -> Self {
        let mut known = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "page" => known.page = value.into_owned(),
                "jid" => known.jid = Some(value.into_owned()),
                "unreached" => known.unreached = value.into_owned(),
                _ => {}
            }
        }
        known
    }
}

/// Nothing in it means anything in a JID, in XML or in a log.
fn is_page_name(name: &str) -> bool {
    name.len() <= MAX_PAGE && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// An address of http or https without a user's name, which no browser sends.
fn web_address(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_plain && matches!(url.scheme(), "http" | "https")).then_some(url)
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}
