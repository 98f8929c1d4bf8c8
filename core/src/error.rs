//! Errors as a caller needs them: the kind, the stage of the exchange, the condition that the server named,
//! what a retry may do, and a message with the cause and the remedy.

// May import from `text`, `secret`, `lock` and the layers above, in the order of `core/tests/layers`.

mod condition;
#[cfg(test)]
#[cfg_attr(
    not(feature = "client"),
    allow(dead_code, unused_imports, reason = "only the client produces every message")
)]
mod examples;
mod names;
mod vocabulary;
mod words;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::text;
pub use condition::{
    BoshCondition, Condition, SaslCondition, ScramCondition, StanzaCondition, StreamCondition,
};
pub use names::{Check, Phase, Retry, Stage};
pub(crate) use vocabulary::{is_condition, is_mechanism};
use words::{HIDDEN, presentable_condition};
pub(crate) use words::{Secrets, address, presentable, shortened};

/// A result with prebind's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why no session could be opened.
///
/// `Display` gives the cause and the remedy, and calls options by their names in the process's
/// [`Language`](crate::binding::Language). Neither `Display` nor `Debug` ever shows a password, a token, a
/// SID or a RID.
///
/// [`source`](StdError::source) is the error of the operating system, the name service or TLS, if one of them
/// is the cause. It never holds a server's words. The message does not repeat the source, so a report of the
/// whole chain says nothing twice. The type of the source may change in any release.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    stage: Stage,
    condition: Option<Condition>,
    text: Option<String>,
    is_text_withheld: bool,
    is_condition_withheld: bool,
    retry: Retry,
    retry_after: Option<Duration>,
    words: Words,
    /// The parts of the words that came from the server.
    quoted: Vec<String>,
    attempt: Attempt,
    source: Option<Source>,
}

/// The error of another library or of the system.
pub(crate) type Source = Arc<dyn StdError + Send + Sync>;

/// What the failed exchange had done.
#[derive(Default)]
struct Attempt {
    is_secret_out: bool,
    is_in_sasl2: bool,
    #[cfg(feature = "client")]
    is_of_another_server: bool,
}

/// The placeholder for the domain of the JID in a remedy.
const DOMAIN: &str = "{domain}";

/// The message: cause and remedy. Names of options are in backticks.
enum Words {
    /// The whole message.
    Whole(String),
    /// The words around the condition and the text that the server gave.
    Refusal { what: &'static str, remedy: Cow<'static, str> },
}

/// The kind of an error. The enum is exhaustive on purpose: a `match` without a wildcard no longer compiles
/// when a kind is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// A URL, JID, resource or option is wrong. Nothing was sent.
    Config {
        /// The name of the wrong option in [`Config`](crate::Config) or [`Account`](crate::Account).
        field: &'static str,
    },
    /// No connection could be opened (DNS, TCP, TLS or proxy), or it broke.
    Connect {
        /// Where it failed.
        phase: Phase,
    },
    /// The call timed out, or the client fails fast after repeated failures to connect.
    Timeout {
        /// What was being waited for.
        phase: Phase,
    },
    /// The answer is not BOSH: it has another status, or it is a web page or a redirect.
    Http {
        /// The HTTP status.
        status: u16,
        /// Where a redirect leads: scheme, host and path, without the query. prebind never follows redirects.
        location: Option<String>,
    },
    /// The answer is not XML, or it breaks the rules of XMPP, XEP-0124 or XEP-0206.
    Protocol {
        /// What was expected instead.
        expected: &'static str,
    },
    /// The server ended the session; see [`Error::condition`].
    Terminated,
    /// There is no SASL mechanism that both sides accept.
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
    /// The server refused to bind a resource, or bound somebody else's JID.
    Bind,
    /// prebind has a defect, which was caught at its edge.
    Internal,
}

macro_rules! kinds {
    ($($kind:ident)+) => {
        impl ErrorKind {
            /// The name of every kind.
            pub const NAMES: &[&str] = &[$(stringify!($kind)),+];

            /// The name of the kind, for example `Auth`. It is the same in every language.
            #[must_use]
            pub fn as_str(&self) -> &'static str {
                match self { $(Self::$kind { .. } => stringify!($kind),)+ }
            }
        }
    };
}

text::shown!(ErrorKind);

kinds! { Config Connect Timeout Http Protocol Terminated Mechanism Auth ServerUnverified Bind Internal }

impl Error {
    /// The kind, with its details.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The stage of the exchange.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// The condition that the server named, if it named one.
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

    /// How long to wait before the next call. The server asked for it (`Retry-After`, RFC 9110 §10.2.3), or
    /// it is the time until other calls have ended or until a call may try the server again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The message, with the core's own names of options and functions, in backticks.
    pub(crate) fn words(&self) -> Cow<'_, str> {
        match &self.0.words {
            Words::Whole(words) => Cow::Borrowed(words),
            Words::Refusal { what, remedy } => Cow::Owned(self.refusal(what, remedy)),
        }
    }

    pub(crate) fn new(kind: ErrorKind, stage: Stage, retry: Retry, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            stage,
            condition: None,
            text: None,
            is_text_withheld: false,
            is_condition_withheld: false,
            retry,
            retry_after: None,
            words: Words::Whole(message.into()),
            quoted: Vec::new(),
            attempt: Attempt::default(),
            source: None,
        }))
    }

    pub(crate) fn config(field: &'static str, problem: impl fmt::Display) -> Self {
        let kind = ErrorKind::Config { field };
        Self::new(kind, Stage::Configure, Retry::AfterConfigChange, problem.to_string())
    }

    /// The error for an answer that breaks the protocol. During the creation of the session the remedy names
    /// `url`.
    pub(crate) fn protocol(stage: Stage, expected: &'static str, found: impl fmt::Display) -> Self {
        if stage != Stage::Create {
            return Self::protocol_of_server(stage, expected, found);
        }
        let message =
            format!("expected {expected}, got {found}: check that `url` is the server's BOSH endpoint");
        Self::unreadable(stage, expected, message)
    }

    /// The error for an answer that breaks the protocol, if it certainly comes from a BOSH endpoint.
    pub(crate) fn protocol_of_server(stage: Stage, expected: &'static str, found: impl fmt::Display) -> Self {
        let remedy = "see the logs of the XMPP server and of any proxy in front of it";
        Self::unreadable(stage, expected, format!("expected {expected}, got {found}: {remedy}"))
    }

    /// The error for an answer that breaks the protocol for a known reason.
    pub(crate) fn unreadable(stage: Stage, expected: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol { expected }, stage, Retry::No, message)
    }

    pub(crate) fn unverified(check: Check, problem: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::ServerUnverified { check },
            Stage::Authenticate,
            Retry::No,
            format!("the server did not prove that it is the right one ({check}): {problem}"),
        )
    }

    /// The error if the server refused something or ended the session, with its condition and its words, if
    /// it gave any.
    pub(crate) fn refused(
        kind: ErrorKind,
        stage: Stage,
        condition: Option<Condition>,
        text: Option<&str>,
    ) -> Self {
        let what = match (&kind, stage) {
            (ErrorKind::Auth, _) => "the server refused the login",
            (ErrorKind::Bind, Stage::Session) => "the server refused to start the session",
            (ErrorKind::Bind, _) => "the server refused to bind a resource",
            (_, Stage::Create) => "the server refused to create a session",
            _ => "the server ended the session",
        };
        let condition = condition.and_then(|condition| {
            let name = presentable_condition(condition.as_str())?.to_owned();
            Some(if name == condition.as_str() { condition } else { condition.named(&name) })
        });
        let (retry, remedy) = match (&condition, &kind) {
            (Some(condition), _) => (condition.retry(stage), condition.remedy(stage)),
            (None, ErrorKind::Terminated) => (Retry::FreshSession, "try again with a fresh session"),
            (None, _) => (Retry::No, "see the server's log"),
        };
        let mut error = Self::new(kind, stage, retry, "");
        error.0.condition = condition;
        error.0.text = text.map(presentable).filter(|text| !text.is_empty());
        error.0.words = Words::Refusal { what, remedy: remedy.into() };
        error
    }

    pub(crate) fn terminated(stage: Stage, condition: Option<Condition>, text: Option<&str>) -> Self {
        Self::refused(ErrorKind::Terminated, stage, condition, text)
    }

    /// Replaces the remedy of a refusal by a more precise one.
    pub(crate) fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        if let Words::Refusal { remedy: known, .. } = &mut self.0.words {
            *known = remedy.into();
        }
        self
    }

    pub(crate) fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    pub(crate) fn with_retry_after(mut self, time: Option<Duration>) -> Self {
        self.0.retry_after = time;
        self
    }

    /// Fills in the domain of the JID if the remedy has a placeholder for it.
    pub(crate) fn about(mut self, domain: &str) -> Self {
        if let Words::Refusal { remedy, .. } = &mut self.0.words
            && remedy.contains(DOMAIN)
        {
            *remedy = remedy.replace(DOMAIN, &shortened(domain, 100)).into();
        }
        self
    }

    /// Records that this part of the message came from the server.
    pub(crate) fn quoting(mut self, said: impl Into<String>) -> Self {
        self.0.quoted.push(said.into());
        self
    }

    /// The message of a refusal: what happened, the server's reason and the remedy.
    fn refusal(&self, what: &str, remedy: &str) -> String {
        let reason = match (self.condition(), self.0.is_condition_withheld) {
            (Some(condition), _) => condition.as_str(),
            (None, true) => HIDDEN,
            (None, false) => "without a reason",
        };
        let text = self.text().or(self.0.is_text_withheld.then_some(HIDDEN));
        let said = text.map_or_else(String::new, |text| format!(", \"{}\"", text.replace('`', "'")));
        let remedy = remedy.replace(DOMAIN, "the domain of the JID");
        format!("{what} ({reason}{said}): {remedy}")
    }

    /// Adds the error of another library or of the system. The message must not repeat it.
    pub(crate) fn caused_by(mut self, source: Source) -> Self {
        self.0.source = Some(source);
        self
    }

    /// Marks the error of an exchange that has sent a secret or a proof of one.
    pub(crate) fn after_secret(mut self) -> Self {
        self.0.attempt.is_secret_out = true;
        self
    }

    /// Marks the error of an exchange whose session was lost together with its server, so that no running
    /// server has seen a secret.
    #[cfg(feature = "client")]
    pub(crate) fn of_gone_session(mut self) -> Self {
        self.0.attempt.is_secret_out = false;
        self
    }

    /// Whether the exchange has sent a secret, or a proof of one, that the server may have seen and has not
    /// accepted. The same call must not send it again, because servers count wrong passwords.
    #[cfg(any(feature = "client", test))]
    pub(crate) fn is_secret_out(&self) -> bool {
        self.0.attempt.is_secret_out
    }

    /// Marks the error of a server that was asked before the one that users log in to.
    #[cfg(feature = "client")]
    pub(crate) fn of_another_server(mut self) -> Self {
        self.0.attempt.is_of_another_server = true;
        self
    }

    /// Whether it says nothing of the server that users log in to.
    #[cfg(feature = "client")]
    pub(crate) fn is_of_another_server(&self) -> bool {
        self.0.attempt.is_of_another_server
    }

    /// The same error, with the URL called by the option that holds it.
    #[cfg(feature = "client")]
    pub(crate) fn with_url_of(mut self, option: &str) -> Self {
        if let Words::Whole(words) = &mut self.0.words {
            *words = words.replace("`url`", &format!("the `url` of `{option}`"));
        }
        self
    }

    /// Marks the error of a login by SASL2 that could also be made without it.
    pub(crate) fn in_sasl2(mut self) -> Self {
        self.0.attempt.is_in_sasl2 = true;
        self
    }

    /// Whether a login by SASL2 failed that could also be made without it.
    #[cfg(feature = "client")]
    pub(crate) fn is_in_sasl2(&self) -> bool {
        self.0.attempt.is_in_sasl2
    }

    /// Appends to the remedy.
    pub(crate) fn with_more(mut self, more: &str) -> Self {
        match &mut self.0.words {
            Words::Whole(words) => words.push_str(more),
            Words::Refusal { remedy, .. } => remedy.to_mut().push_str(more),
        }
        self
    }

    /// Hides the server's words that have a piece of a secret in them. Names from specifications stay
    /// visible, even if a password looks like one.
    pub(crate) fn without(mut self, secrets: &Secrets) -> Self {
        let inner = &mut *self.0;
        inner.source.take_if(|source| secrets.are_in(&source.to_string()));
        inner.is_text_withheld |= inner.text.take_if(|text| secrets.are_in(text)).is_some();
        let tells = |name: &str| !is_condition(name) && secrets.are_in(name);
        let condition = inner.condition.take_if(|condition| tells(condition.as_str()));
        inner.is_condition_withheld |= condition.is_some();
        let (mut hidden, kept): (Vec<_>, Vec<_>) =
            inner.quoted.drain(..).partition(|said| secrets.are_repeated_in(said));
        inner.quoted = kept;
        match &mut inner.kind {
            ErrorKind::Http { location, .. } => {
                location.take_if(|location| hidden.contains(location));
            }
            ErrorKind::Mechanism { offered, .. } => {
                hidden.extend(offered.extract_if(.., |name| !is_mechanism(name) && secrets.are_in(name)));
            }
            _ => {}
        }
        for said in hidden {
            match &mut inner.words {
                Words::Whole(words) => *words = words.replace(&said, HIDDEN),
                Words::Refusal { remedy, .. } => *remedy = remedy.replace(&said, HIDDEN).into(),
            }
        }
        self
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&**self.0.source.as_ref()?)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("stage", &self.0.stage)
            .field("condition", &self.0.condition)
            .field("retry", &self.0.retry)
            .field("message", &self.to_string())
            .finish()
    }
}

/// Implements `Display` and `FromStr` by the enum's `as_str` and `ALL`. The error for an unknown text names
/// the field.
macro_rules! parsed {
    ($enum:ty, $field:literal) => {
        $crate::text::shown!($enum);

        impl std::str::FromStr for $enum {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::ALL.iter().find(|value| value.as_str() == text).copied().ok_or_else(|| {
                    let texts: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    $crate::error::Error::config($field, format!("is one of {}", texts.join(", ")))
                })
            }
        }
    };
}

pub(crate) use parsed;

parsed!(Stage, "stage");
parsed!(Phase, "phase");
parsed!(Check, "check");
parsed!(Retry, "retry");

const _: fn() = || {
    fn portable<T: StdError + Send + Sync + 'static>() {}
    portable::<Error>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_what_why_and_what_to_do() {
        let refused = |kind, condition, text| Error::refused(kind, Stage::Bind, condition, text);
        let condition = || Some(Condition::Sasl(SaslCondition::NotAuthorized));
        for (error, message, retry) in [
            (
                refused(ErrorKind::Auth, condition(), Some("No\n\u{7} entry ")),
                "the server refused the login (not-authorized, \"No entry\"): \
                 check the user name and the password or token",
                Retry::No,
            ),
            (
                refused(ErrorKind::Bind, None, None),
                "the server refused to bind a resource (without a reason): see the server's log",
                Retry::No,
            ),
            (
                refused(ErrorKind::Terminated, None, Some("\n")),
                "the server ended the session (without a reason): try again with a fresh session",
                Retry::FreshSession,
            ),
            (
                refused(ErrorKind::Terminated, Some(Condition::Bosh(BoshCondition::HostGone)), None)
                    .about("example.org"),
                "the server ended the session (host-gone): the server does not host example.org; correct the \
                 domain of the JID, or add it to the server as a virtual host",
                Retry::AfterConfigChange,
            ),
        ] {
            assert_eq!((error.to_string().as_str(), error.retry()), (message, retry));
        }
    }

    #[test]
    fn a_condition_is_no_longer_than_a_name() {
        let condition = Condition::Stream("x-very-long".repeat(100).as_str().into());
        let error = Error::terminated(Stage::Bind, Some(condition), None);
        assert_eq!(error.condition().unwrap().as_str().len(), 64);
    }

    #[test]
    fn words_with_a_piece_of_a_secret_are_withheld() {
        let mut secrets = Secrets::default();
        secrets.add(b"hidden-one");
        let refused = |name: &str, text| {
            let condition = Some(Condition::Sasl(name.into()));
            Error::refused(ErrorKind::Auth, Stage::Authenticate, condition, Some(text)).without(&secrets)
        };
        for (name, text, shown) in [
            ("not-authorized", "sorry", "(not-authorized, \"sorry\")"),
            ("not-authorized", "not HIDDEN one", "(not-authorized, \"***\")"),
            ("x-hidden-x", "sorry", "(***, \"sorry\")"),
            ("Not A Name", "sorry", "(without a reason, \"sorry\")"),
        ] {
            let error = refused(name, text);
            let all = format!("{error} {error:?} {:?} {:?}", error.text(), error.condition());
            assert!(error.to_string().contains(shown), "{error}");
            assert!(!all.to_lowercase().contains("hidden"), "{all}");
        }
        let location = "https://hiddenone.example.org/".to_owned();
        let kind = ErrorKind::Http { status: 302, location: Some(location.clone()) };
        let message = format!("the server redirects to {location}: use that");
        let error = Error::new(kind, Stage::Create, Retry::No, message).quoting(location).without(&secrets);
        assert_eq!(error.kind(), &ErrorKind::Http { status: 302, location: None });
        assert_eq!(error.to_string(), "the server redirects to ***: use that");
        let offered = vec!["PLAIN".to_owned(), "HIDDEN-ONE".to_owned()];
        let kind = ErrorKind::Mechanism { offered, allowed: Vec::new() };
        let message = "it offers PLAIN, HIDDEN-ONE".to_owned();
        let error = Error::new(kind, Stage::Features, Retry::No, message).without(&secrets);
        assert!(!format!("{error:?}").contains("HIDDEN") && error.to_string() == "it offers PLAIN, ***");
        let broken = Error::new(ErrorKind::Internal, Stage::Features, Retry::No, String::new());
        let broken = broken.caused_by(Arc::new(std::io::Error::other("hidden-one")));
        assert!(broken.source().is_some() && broken.without(&secrets).source().is_none());
        let condition = Some(Condition::Bosh(BoshCondition::SeeOtherUri));
        let refused = Error::refused(ErrorKind::Terminated, Stage::Create, condition, None);
        let error = refused.with_remedy("use hidden-one.org").quoting("hidden-one.org").without(&secrets);
        assert!(error.to_string().ends_with("(see-other-uri): use ***"), "{error}");
    }
}
