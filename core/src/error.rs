//! What can go wrong, as a caller needs to know it: which kind, where in the exchange, which
//! condition the server named, what a retry may do, and one sentence with cause and remedy.

mod names;

use std::error::Error as StdError;
use std::fmt;

use crate::condition::Condition;
pub use names::{Check, Phase, Retry, Stage};

/// A result with this library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why no session could be had.
///
/// Neither its `Display` nor its `Debug` ever holds a password, a token, a SID or a RID.
#[derive(thiserror::Error)]
#[error("{}", .0.message)]
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    stage: Stage,
    condition: Option<Condition>,
    text: Option<String>,
    retry: Retry,
    message: String,
}

/// The kinds of error: flat, and exhaustive on purpose, so that a caller's `match` without a
/// wildcard stops to compile when a kind is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// A bad URL, JID, resource or option; nothing was sent.
    Config {
        /// The option that is wrong, by its name in [`Config`](crate::Config) or
        /// [`Account`](crate::Account).
        field: &'static str,
    },
    /// No connection: DNS, TCP, TLS, proxy; or it broke.
    Connect {
        /// Where it failed.
        phase: Phase,
    },
    /// The time was over, or the client fails fast after repeated failures to connect.
    Timeout {
        /// What was being waited for.
        phase: Phase,
    },
    /// The answer is not BOSH: another status, a web page, a redirect.
    Http {
        /// The HTTP status.
        status: u16,
        /// The host a redirect points to; redirects are never followed.
        location: Option<String>,
    },
    /// The answer is not XML, not allowed in XMPP or not what XEP-0124 and XEP-0206 say.
    Protocol {
        /// What should have come.
        expected: &'static str,
    },
    /// The server ended the session; see [`Error::condition`].
    Terminated,
    /// No SASL mechanism that both sides accept.
    Mechanism {
        /// What the server offers.
        offered: Vec<String>,
        /// What account and configuration allow.
        allowed: Vec<String>,
    },
    /// The server refused the login; see [`Error::condition`].
    Auth,
    /// The server did not prove that it knows the account's secret, or the offer was tampered with.
    ServerUnverified {
        /// Which check failed.
        check: Check,
    },
    /// The server refused to bind a resource, or bound a JID of somebody else.
    Bind,
    /// A defect of this library, caught at its edge.
    Internal,
}

impl ErrorKind {
    /// The kind's bare name, for example `Auth`: the same in every language.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Config { .. } => "Config",
            Self::Connect { .. } => "Connect",
            Self::Timeout { .. } => "Timeout",
            Self::Http { .. } => "Http",
            Self::Protocol { .. } => "Protocol",
            Self::Terminated => "Terminated",
            Self::Mechanism { .. } => "Mechanism",
            Self::Auth => "Auth",
            Self::ServerUnverified { .. } => "ServerUnverified",
            Self::Bind => "Bind",
            Self::Internal => "Internal",
        }
    }
}

impl Error {
    /// Which kind, with what that kind carries.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where in the exchange.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// The condition the server named, if it named one.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        self.0.condition.as_ref()
    }

    /// The server's own words, at most 200 characters, without control characters.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// What a caller may do next.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    pub(crate) fn new(kind: ErrorKind, stage: Stage, retry: Retry, message: String) -> Self {
        Self(Box::new(Inner { kind, stage, condition: None, text: None, retry, message }))
    }

    pub(crate) fn config(field: &'static str, problem: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::Config { field },
            Stage::Configure,
            Retry::AfterConfigChange,
            format!("{field}: {problem}"),
        )
    }

    pub(crate) fn protocol(stage: Stage, expected: &'static str, found: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::Protocol { expected },
            stage,
            Retry::No,
            format!("expected {expected}, got {found}; check that the URL is the server's BOSH endpoint"),
        )
    }

    pub(crate) fn unverified(check: Check, problem: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::ServerUnverified { check },
            Stage::Authenticate,
            Retry::No,
            format!("the server is not to be trusted ({check}): {problem}"),
        )
    }

    /// What the server refused or ended, with the condition and the words it gave for it, if any.
    pub(crate) fn refused(
        kind: ErrorKind,
        stage: Stage,
        condition: Option<Condition>,
        text: Option<&str>,
    ) -> Self {
        let what = match kind {
            ErrorKind::Auth => "the server refused the login",
            ErrorKind::Bind => "the server refused to bind a resource",
            _ => "the server ended the session",
        };
        let (retry, remedy) = match (&condition, &kind) {
            (Some(condition), _) => (condition.retry(), condition.remedy()),
            (None, ErrorKind::Terminated) => (Retry::FreshSession, "try again with a fresh session"),
            (None, _) => (Retry::No, "see the server's log"),
        };
        let text = text.map(presentable).filter(|text| !text.is_empty());
        let reason = condition.as_ref().map_or("without a reason", Condition::as_str);
        let said = text.as_ref().map_or_else(String::new, |text| format!(", \"{text}\""));
        let message = format!("{what} ({}{said}): {remedy}", presentable(reason));
        Self(Box::new(Inner { kind, stage, condition, text, retry, message }))
    }

    pub(crate) fn terminated(stage: Stage, condition: Option<Condition>, text: Option<&str>) -> Self {
        Self::refused(ErrorKind::Terminated, stage, condition, text)
    }

    /// Drops what the server said if it repeats one of `secrets`.
    pub(crate) fn without(mut self, secrets: &[&str]) -> Self {
        let inner = &mut self.0;
        let repeats = |said: &str| secrets.iter().any(|secret| !secret.is_empty() && said.contains(*secret));
        if inner.text.as_deref().is_some_and(repeats)
            || inner.condition.as_ref().is_some_and(|condition| repeats(condition.as_str()))
        {
            inner.text = None;
            inner.condition = None;
            inner.message = format!(
                "{} error in stage {}: the server's words are withheld because they repeat a secret",
                inner.kind.name(),
                inner.stage
            );
        }
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("stage", &self.0.stage)
            .field("condition", &self.0.condition)
            .field("retry", &self.0.retry)
            .field("message", &self.0.message)
            .finish()
    }
}

const _: fn() = || {
    fn portable<T: StdError + Send + Sync + 'static>() {}
    portable::<Error>();
};

/// A server's words, made fit for a log line.
pub(crate) fn presentable(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
