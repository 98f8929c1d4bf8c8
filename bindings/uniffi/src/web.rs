//! The core's rules for a site's endpoint, with plain text in and out.

use std::collections::HashMap;
use std::time::Duration;

use prebind::binding::doctor::{self, Check};
use prebind::binding::{Content, Given, Shape};
use prebind::web::{self, Answer, Page, Refusal};

use crate::{Cookie, Result};

/// What the browser asked a site's endpoint for sessions.
#[derive(uniffi::Object)]
pub struct WebRequest(web::Request);

#[uniffi::export]
impl WebRequest {
    /// `scheme` and `host` are the ones that the web framework believes, with whatever proxy it trusts; `host`
    /// has the port if the framework was told one. `port` is where the web server accepted the connection.
    /// `headers` need only have those of [`web_headers`].
    #[uniffi::constructor]
    #[must_use]
    pub fn new(
        method: &str,
        scheme: &str,
        host: &str,
        port: Option<u16>,
        headers: HashMap<String, String>,
        query: &str,
    ) -> Self {
        Self(web::Request::new(method, scheme, host, port, headers, query))
    }

    /// The answer to a request that gets no session for any user.
    #[must_use]
    pub fn refusal(&self, is_signed_in: bool) -> Option<WebAnswer> {
        self.0.refusal(is_signed_in).map(refused)
    }

    /// The answer if the user with this bare JID gets no session; no JID is a user without chat.
    #[must_use]
    pub fn refusal_of(&self, jid: Option<String>) -> Option<WebAnswer> {
        self.0.refusal_of(Some(&jid.unwrap_or_default())).map(refused)
    }

    /// The JID to log in with.
    #[must_use]
    pub fn full_jid(&self, jid: &str) -> String {
        self.0.full_jid(jid)
    }

    /// What to log if the browser did not reach the chat server in the page's last session: at which address,
    /// and what the site calls the setting that has it.
    #[must_use]
    pub fn complaint(&self, bosh_url: &str, setting: &str) -> Option<String> {
        self.0.complaint(bosh_url, setting)
    }

    /// The `Set-Cookie` headers, one for each of a session's cookies, that go with the session: they lead the
    /// browser to the server that has it. There are none if the browser reaches the BOSH endpoint at another host
    /// than the site's.
    #[must_use]
    pub fn cookies(&self, bosh_url: &str, cookies: Vec<Cookie>) -> Vec<String> {
        let cookie = |it: Cookie| prebind::Cookie::new(it.name, it.value, it.path);
        self.0.cookies(bosh_url, &cookies.into_iter().map(cookie).collect::<Vec<_>>())
    }
}

/// How long a login of a web site may take, where the site does not set `deadline`.
#[uniffi::export]
#[must_use]
pub fn web_deadline() -> Duration {
    web::DEADLINE
}

/// The headers of a request that matter.
#[uniffi::export]
#[must_use]
pub fn web_headers() -> Vec<String> {
    web::Request::HEADERS.map(String::from).into()
}

/// What the browser is answered. As text it shows only the status: the body may be a session.
#[derive(uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct WebAnswer {
    /// The HTTP status.
    pub status: u16,
    /// All headers. They replace what the framework has set by itself.
    pub headers: HashMap<String, String>,
    /// JSON.
    pub body: String,
}

crate::shown!(WebAnswer: Debug Display => |it: &WebAnswer| it.status.to_string());

fn told(answer: &Answer) -> WebAnswer {
    let headers = answer.headers().iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    WebAnswer { status: answer.status(), headers: headers.collect(), body: answer.body().to_owned() }
}

fn refused(refusal: Refusal) -> WebAnswer {
    told(&Answer::refused(refusal))
}

/// The answer with a session, which is given as JSON.
#[uniffi::export]
#[must_use]
pub fn web_granted(session: &str) -> WebAnswer {
    told(&Answer::granted(session))
}

/// The answer to a user who has opened too many sessions, and has to wait so long.
#[uniffi::export]
#[must_use]
pub fn web_rate_limited(wait: Duration) -> WebAnswer {
    refused(Refusal::RateLimit { wait })
}

/// The answer if an error of this library's was thrown.
#[uniffi::export]
#[must_use]
pub fn web_failed(kind: &str, retry: &str, retry_after: Option<Duration>) -> WebAnswer {
    told(&Answer::failed_as(kind, retry, retry_after))
}

/// The answer if the site's own code has failed.
#[uniffi::export]
#[must_use]
pub fn web_broken() -> WebAnswer {
    told(&Answer::broken())
}

/// The headers of the page's script.
#[uniffi::export]
#[must_use]
pub fn web_script_headers(is_own_version: bool) -> HashMap<String, String> {
    Answer::script_headers(is_own_version).map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// What the end of a page is made of.
#[derive(uniffi::Record)]
pub struct WebPage {
    /// The user's bare JID; empty for nobody, and for a user without chat.
    pub jid: String,
    /// Where the site answers requests for a session.
    pub endpoint: String,
    /// The BOSH endpoint as the browser reaches it.
    pub bosh_url: String,
    /// The address of the page's script.
    pub script: String,
    /// The address of Converse.js's `dist`, ending in `/`; empty if the pages load Converse.js, or another
    /// client, themselves.
    pub assets: String,
    /// The nonce of the page's Content-Security-Policy; empty if it has none.
    pub nonce: String,
    /// Further settings of Converse.js: a JSON object, or nothing.
    pub settings: String,
}

impl WebPage {
    fn page(&self) -> Page<'_> {
        Page {
            jid: &self.jid,
            endpoint: &self.endpoint,
            bosh_url: &self.bosh_url,
            script: &self.script,
            assets: &self.assets,
            nonce: &self.nonce,
            settings: &self.settings,
        }
    }
}

#[uniffi::export]
impl WebPage {
    /// The elements at the end of the page, as HTML.
    ///
    /// # Errors
    /// `Config` if the page could not work.
    pub fn html(&self) -> Result<String> {
        Ok(self.page().html()?)
    }

    /// The names among the settings that a site must not set. The page goes without them.
    ///
    /// # Errors
    /// `Config` if the settings are no JSON object.
    pub fn reserved(&self) -> Result<Vec<String>> {
        Ok(self.page().reserved()?)
    }
}

/// What is wrong with these names of what a session's answer has besides; `called` is the caller's name for them.
#[uniffi::export]
#[must_use]
pub fn web_extras(called: &str, names: Vec<String>) -> Option<String> {
    let text = |name: String| Shape { class: String::new(), content: Content::Text(name.into()) };
    let names = Content::List(names.into_iter().map(text).collect());
    Given::Extras.complaint(called, &Shape { class: String::new(), content: names })
}

/// What to print of a check of the doctor's.
#[derive(uniffi::Record)]
pub struct WebFinding {
    /// `ok`, `not tried`, `warning` or `error`.
    pub grade: String,
    /// One line; more for the details of an error.
    pub line: String,
}

/// The names of the doctor's checks, in their order.
#[uniffi::export]
#[must_use]
pub fn web_checks() -> Vec<String> {
    Check::ALL.map(|check| check.to_string()).into()
}

/// How a check of the doctor's went, and what to print of it; nothing if it has no such outcome. `words` are the
/// values in its text.
#[uniffi::export]
#[must_use]
#[expect(clippy::implicit_hasher, reason = "UniFFI knows one sort of map")]
pub fn web_doctor(
    check: &str,
    outcome: &str,
    words: HashMap<String, String>,
    took: Option<Duration>,
) -> Option<WebFinding> {
    let finding = doctor::found(check.parse().ok()?, outcome, words, took)?;
    Some(WebFinding { grade: finding.grade.to_string(), line: finding.line })
}

/// What to print of a check that cannot be tried, since one of those that are wrong is needed for it.
#[uniffi::export]
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "UniFFI hands a list over so")]
pub fn web_unmet(check: &str, wrong: Vec<String>) -> Option<String> {
    let wrong: Vec<Check> = wrong.iter().filter_map(|check| check.parse().ok()).collect();
    doctor::unmet(check.parse().ok()?, &wrong)
}

/// Where the first two of these JIDs stand that belong to one account.
#[uniffi::export]
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "UniFFI hands a list over so")]
pub fn web_sharing(jids: Vec<String>) -> Option<Vec<u32>> {
    let (one, other) = web::sharing(jids.iter().map(String::as_str))?;
    Some([one, other].iter().filter_map(|at| u32::try_from(*at).ok()).collect())
}
