//! The core's rules for a site's endpoint, with plain text in and out.

use std::collections::HashMap;
use std::time::Duration;

use prebind::binding::doctor::{self, Check};
use prebind::binding::{Content, Given, Shape};
use prebind::web::{self, Answer, Page, Refusal};

use crate::{Cookie, Result};

/// A browser's request to a site's endpoint for sessions.
#[derive(uniffi::Object)]
pub struct WebRequest(web::Request);

#[uniffi::export]
impl WebRequest {
    /// `scheme` and `host` are the values of the web framework, which knows the proxies to trust. `host`
    /// includes the port if the framework knows one. `port` is where the web server accepted the connection.
    /// Of the `headers`, only those of [`web_headers`] are needed.
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

    /// The answer if the user with this bare JID gets no session. No JID means a user without chat.
    #[must_use]
    pub fn refusal_of(&self, jid: Option<String>) -> Option<WebAnswer> {
        self.0.refusal_of(Some(&jid.unwrap_or_default())).map(refused)
    }

    /// The JID to log in with.
    #[must_use]
    pub fn full_jid(&self, jid: &str) -> String {
        self.0.full_jid(jid)
    }

    /// What to log if the browser did not reach the chat server in the page's last session. It names the
    /// address, and the site's setting for it.
    #[must_use]
    pub fn complaint(&self, bosh_url: &str, setting: &str) -> Option<String> {
        self.0.complaint(bosh_url, setting)
    }

    /// The `Set-Cookie` headers that go with a session, one for each of its cookies. They lead the browser to
    /// the server that has the session. There are none if the browser reaches the BOSH endpoint at another
    /// host than the site.
    #[must_use]
    pub fn cookies(&self, bosh_url: &str, cookies: Vec<Cookie>) -> Vec<String> {
        let cookie = |it: Cookie| prebind::Cookie::new(it.name, it.value, it.path);
        self.0.cookies(bosh_url, &cookies.into_iter().map(cookie).collect::<Vec<_>>())
    }
}

/// How long a login of a web site may take, if the site does not set `deadline`.
#[uniffi::export]
#[must_use]
pub fn web_deadline() -> Duration {
    web::DEADLINE
}

/// The headers of a request that are needed.
#[uniffi::export]
#[must_use]
pub fn web_headers() -> Vec<String> {
    web::Request::HEADERS.map(String::from).into()
}

/// The answer to the browser, or to a chat server. Its text shows only the status, because the body may be a session.
#[derive(uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct WebAnswer {
    /// The HTTP status.
    pub status: u16,
    /// All headers. They replace the headers that the framework sets by itself.
    pub headers: HashMap<String, String>,
    /// JSON; for some chat servers plain text.
    pub body: String,
}

crate::shown!(WebAnswer: Debug Display => |it: &WebAnswer| it.status.to_string());

pub(crate) fn told(answer: &Answer) -> WebAnswer {
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

/// The answer to a user who has opened too many sessions, and has to wait this long.
#[uniffi::export]
#[must_use]
pub fn web_rate_limited(wait: Duration) -> WebAnswer {
    refused(Refusal::RateLimit { wait })
}

/// The answer to a user who has to sign in at the identity provider again.
#[uniffi::export]
#[must_use]
pub fn web_sign_in_again() -> WebAnswer {
    refused(Refusal::SignInAgain)
}

/// The answer if a prebind error was thrown.
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

/// The values for the elements at the end of a page.
#[derive(uniffi::Record)]
pub struct WebPage {
    /// The user's bare JID. It is empty if nobody is signed in, and for a user without chat.
    pub jid: String,
    /// The path where the site answers requests for a session.
    pub endpoint: String,
    /// The URL of the BOSH endpoint, as the browser reaches it.
    pub bosh_url: String,
    /// The address of the page's script.
    pub script: String,
    /// The address of the folder `dist` of Converse.js, with a final `/`. It is empty if the pages load
    /// Converse.js, or another client, themselves.
    pub assets: String,
    /// The nonce of the page's Content-Security-Policy. It is empty if there is none.
    pub nonce: String,
    /// More settings of Converse.js: a JSON object, or an empty text.
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

    /// The names of settings that a site must not set. The page ignores them.
    ///
    /// # Errors
    /// `Config` if the settings are no JSON object.
    pub fn reserved(&self) -> Result<Vec<String>> {
        Ok(self.page().reserved()?)
    }
}

/// What is wrong with these names of extra values in a session's answer. `called` is the caller's name for
/// them.
#[uniffi::export]
#[must_use]
pub fn web_extras(called: &str, names: Vec<String>) -> Option<String> {
    let text = |name: String| Shape { class: String::new(), content: Content::Text(name.into()) };
    let names = Content::List(names.into_iter().map(text).collect());
    Given::Extras.complaint(called, &Shape { class: String::new(), content: names })
}

/// What to print about a check of the doctor.
#[derive(uniffi::Record)]
pub struct WebFinding {
    /// `ok`, `not tried`, `warning` or `error`.
    pub grade: String,
    /// One line, or more lines with the details of an error.
    pub line: String,
}

/// The names of the doctor's checks, in their order.
#[uniffi::export]
#[must_use]
pub fn web_checks() -> Vec<String> {
    Check::ALL.map(|check| check.to_string()).into()
}

/// How a check of the doctor went, and what to print about it. Nothing if the check has no such outcome.
/// `words` are the values in its text.
#[uniffi::export]
#[must_use]
#[expect(clippy::implicit_hasher, reason = "UniFFI knows only one kind of map")]
pub fn web_doctor(
    check: &str,
    outcome: &str,
    words: HashMap<String, String>,
    took: Option<Duration>,
) -> Option<WebFinding> {
    let finding = doctor::found(check.parse().ok()?, outcome, words, took)?;
    Some(WebFinding { grade: finding.grade.to_string(), line: finding.line })
}

/// What to print about a check that was not tried because a check that it needs has failed.
#[uniffi::export]
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "UniFFI passes an owned list")]
pub fn web_unmet(check: &str, wrong: Vec<String>) -> Option<String> {
    let wrong: Vec<Check> = wrong.iter().filter_map(|check| check.parse().ok()).collect();
    doctor::unmet(check.parse().ok()?, &wrong)
}

/// The positions of the first two JIDs that belong to the same account.
#[uniffi::export]
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "UniFFI passes an owned list")]
pub fn web_sharing(jids: Vec<String>) -> Option<Vec<u32>> {
    let (one, other) = web::sharing(jids.iter().map(String::as_str))?;
    Some([one, other].iter().filter_map(|at| u32::try_from(*at).ok()).collect())
}
