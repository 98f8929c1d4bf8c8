//! What each outcome is answered with.

use std::fmt;
use std::time::Duration;

use serde_json::json;

use crate::error::Error;
use crate::secret::Secret;
use crate::text;

/// For as long as a cache can be told, one year (RFC 8246).
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// Why a request got no session. [`as_str`](Self::as_str) is the `kind` in the answer. Reasons may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Neither GET nor POST.
    Method,
    /// Nobody is signed in.
    NotLoggedIn,
    /// No page of the site asks.
    CrossOrigin,
    /// No script asks, but an image, a prefetch or a navigation.
    Destination,
    /// The page has a name that no page may have.
    Page,
    /// The page is that of another user.
    OtherUser,
    /// The user has no chat.
    NoChat,
    /// The user's sign-in at an identity provider has expired, and the site cannot renew it.
    SignInAgain,
    /// The user has opened too many sessions, and may open the next after this time.
    RateLimit {
        /// How long.
        wait: Duration,
    },
}

impl Refusal {
    /// The name of every refusal.
    pub const NAMES: [&str; 9] = [
        "Method",
        "NotLoggedIn",
        "CrossOrigin",
        "Destination",
        "Page",
        "OtherUser",
        "NoChat",
        "SignInAgain",
        "RateLimit",
    ];

    /// The refusal of a user who has to wait so many seconds.
    #[must_use]
    pub fn too_often(seconds: u64) -> Self {
        Self::RateLimit { wait: Duration::from_secs(seconds) }
    }

    /// Its name, which no kind of error has.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "Method",
            Self::NotLoggedIn => "NotLoggedIn",
            Self::CrossOrigin => "CrossOrigin",
            Self::Destination => "Destination",
            Self::Page => "Page",
            Self::OtherUser => "OtherUser",
            Self::NoChat => "NoChat",
            Self::SignInAgain => "SignInAgain",
            Self::RateLimit { .. } => "RateLimit",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Page => 400,
            Self::NotLoggedIn | Self::SignInAgain => 401,
            Self::CrossOrigin | Self::Destination | Self::OtherUser | Self::NoChat => 403,
            Self::Method => 405,
            Self::RateLimit { .. } => 429,
        }
    }
}

text::shown!(Refusal);

/// What the browser, or a [chat server](crate::extauth::Endpoint), is answered. `Debug` shows only the status: the body
/// may be a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Secret,
}

impl Answer {
    /// A session, as [`Session::to_json`](crate::Session::to_json) or `to_json_with` gives it.
    #[must_use]
    pub fn granted(session: &str) -> Self {
        Self::json(200, session.to_owned(), None)
    }

    /// No session, for a reason that is the browser's or the user's.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        let (retry, wait) = match refusal {
            Refusal::RateLimit { wait } => ("later", Some(wait)),
            _ => ("no", None),
        };
        let mut answer = Self::without_session(refusal.status(), refusal.as_str(), retry, wait);
        if refusal == Refusal::Method {
            answer.headers.push(("Allow", "GET, POST".to_owned()));
        }
        answer
    }

    /// No session, because the chat server or its settings have failed.
    #[must_use]
    pub fn failed(error: &Error) -> Self {
        Self::failed_as(error.kind().as_str(), error.retry().as_str(), error.retry_after())
    }

    /// The same, of an error in the terms of another language.
    #[must_use]
    pub fn failed_as(kind: &str, retry: &str, retry_after: Option<Duration>) -> Self {
        Self::without_session(503, kind, retry, retry_after)
    }

    /// No session, because the site's own code or its cache has failed.
    #[must_use]
    pub fn broken() -> Self {
        Self::failed_as("Internal", "no", None)
    }

    /// The answer to a chat server.
    pub(crate) fn to_server(status: u16, headers: Vec<(&'static str, String)>, body: &str) -> Self {
        Self { status, headers, body: body.into() }
    }

    /// `kind` and `retry` are the browser's business, and nothing else is.
    fn without_session(status: u16, kind: &str, retry: &str, retry_after: Option<Duration>) -> Self {
        Self::json(status, json!({ "kind": kind, "retry": retry }).to_string(), retry_after)
    }

    fn json(status: u16, body: String, retry_after: Option<Duration>) -> Self {
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            // `private` is for caches that do not know `no-store`, such as Django's own.
            ("Cache-Control", "no-store, private".to_owned()),
            ("Vary", "Cookie".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ];
        if let Some(wait) = retry_after {
            // Rounded up, so that no browser comes too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.push(("Retry-After", seconds.to_string()));
        }
        Self { status, headers, body: body.into() }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// All headers. They replace what the framework has set by itself.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// JSON; for some chat servers plain text.
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.expose()
    }

    /// The headers of the page's script. Browsers may keep it under the address of its own version only, since
    /// the address of another version will have another content.
    ///
    /// It is `private` because the answer may carry the session cookie of a site that renews it.
    #[must_use]
    pub fn script_headers(is_own_version: bool) -> [(&'static str, &'static str); 3] {
        [
            ("Content-Type", "text/javascript; charset=utf-8"),
            ("Cache-Control", if is_own_version { IMMUTABLE } else { "no-cache" }),
            ("X-Content-Type-Options", "nosniff"),
        ]
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}
