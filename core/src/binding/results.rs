//! Every field of a [`Session`] and of an [`Error`], once: its name, what it holds, and how it is read.

use std::time::Duration;

use serde::Serialize;

use super::language::{Language, camel_case};
use crate::error::{Check, Error, ErrorKind, Phase, Retry, Stage};
use crate::named::Value;
use crate::session::Session;
use crate::wire::cookies::Cookie;

use FieldType::{Choice, Count, Records, Seconds, Text, Texts};

/// A field of a [`Session`] or an [`Error`], as data. More may be said of it in the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Field {
    /// Its name, the same in every language but for the case style.
    pub name: &'static str,
    /// The values it holds.
    #[serde(flatten)]
    pub holds: FieldType,
    /// Whether it may be [`Value::Nothing`].
    #[serde(rename = "optional")]
    pub is_optional: bool,
    /// Whether a language hides it where it shows the whole object: anyone who knows it has the session.
    #[serde(rename = "secret")]
    pub is_secret: bool,
    /// The [kinds](ErrorKind::NAMES) of error that have it. Empty if all of them have it, or for a session's field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub kinds: &'static [&'static str],
    /// What it is, in one sentence of Markdown.
    pub about: &'static str,
}

/// The values that a [`Field`] holds. Types may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FieldType {
    /// Any text.
    Text,
    /// One of several texts.
    Choice {
        /// These.
        values: &'static [&'static str],
    },
    /// A whole number.
    Count,
    /// A whole number of seconds.
    Seconds,
    /// A list of texts.
    Texts,
    /// A list of lists, each of texts that have these names.
    Records {
        /// The names, in their order.
        fields: &'static [&'static str],
    },
}

/// How a field of `T` is read.
struct Row<T> {
    field: Field,
    value: fn(&T) -> Value,
}

/// Rows: name, type and further properties of a field, how it is read, and what it is.
macro_rules! rows {
    ($($name:ident: $holds:expr $(, $property:ident $(($kinds:expr))?)* => $value:expr, $about:literal;)+) => {
        &[$(Row {
            field: Field::new(stringify!($name), $holds, $about)$(.$property($($kinds)?))*,
            value: $value,
        }),+]
    };
}

static SESSION: &[Row<Session>] = rows! {
    jid: Text => |it| text(it.jid()),
        "The full JID that the server bound.";
    sid: Text, secret => |it| text(it.sid()),
        "The session ID.";
    rid: Count, secret => |it| count(it.rid()),
        "The request ID to send next: what Strophe's and Converse's `attach` take.";
    inactivity: Seconds, optional => |it| or_nothing(it.inactivity(), seconds),
        "How long the server keeps the session without a request: the browser must attach within this time.";
    wait: Seconds => |it| seconds(it.wait()),
        "How long the server may hold a request.";
    hold: Count => |it| count(it.hold()),
        "How many requests the server may hold.";
    requests: Count, optional => |it| or_nothing(it.requests(), count),
        "How many requests may be open at once; nothing if the server did not say.";
    mechanism: Text => |it| text(it.mechanism()),
        "The SASL mechanism that was used.";
    round_trips: Count => |it| count(it.round_trips()),
        "How many times an answer was waited for, one after the other.";
    cookies: Records { fields: &["name", "value", "path"] }, secret =>
        |it| Value::List(it.cookies().iter().map(cookie).collect()),
        "The cookies that a load balancer in front of the server set; a browser that connects through it must send \
         them too.";
    fast_token: Text, optional, secret =>
        |it| or_nothing(it.fast_token(), |token| token.to_text().into()),
        "The token to log in with next time, to be kept like a password; if there is none, delete the one you kept.";
};

static ERROR: &[Row<Error>] = rows! {
    kind: Choice { values: ErrorKind::NAMES } => |it| text(it.kind()),
        "What went wrong: the name of the kind, the same in every language.";
    message: Text => text,
        "The cause and the remedy.";
    stage: Choice { values: Stage::NAMES } => |it| text(&it.stage()),
        "Where in the exchange it went wrong.";
    condition: Text, optional => |it| or_nothing(it.condition(), text),
        "The condition that the server named, for example `not-authorized`.";
    text: Text, optional => |it| or_nothing(it.text(), text),
        "The server's own words, at most 200 characters, without control characters.";
    retry: Choice { values: Retry::NAMES } => |it| text(&it.retry()),
        "What you may do next.";
    retry_after: Seconds, optional => |it| or_nothing(it.retry_after(), seconds),
        "How long to wait before the next call: as the server asked, or until the client may try again.";
    field: Text, of(&["Config"]) => |it| match it.kind() {
            ErrorKind::Config { field } => text(field),
            _ => Value::Nothing,
        },
        "The option or argument that is wrong.";
    phase: Choice { values: Phase::NAMES }, of(&["Connect", "Timeout"]) => |it| match it.kind() {
            ErrorKind::Connect { phase } | ErrorKind::Timeout { phase } => text(phase),
            _ => Value::Nothing,
        },
        "What the connection was doing, or what the call was waiting for.";
    status: Count, of(&["Http"]) => |it| match it.kind() {
            ErrorKind::Http { status, .. } => count(*status),
            _ => Value::Nothing,
        },
        "The HTTP status.";
    location: Text, optional, of(&["Http"]) => |it| match it.kind() {
            ErrorKind::Http { location, .. } => or_nothing(location.as_deref(), text),
            _ => Value::Nothing,
        },
        "Where a redirect leads: scheme, host and path; redirects are never followed.";
    expected: Text, of(&["Protocol"]) => |it| match it.kind() {
            ErrorKind::Protocol { expected } => text(expected),
            _ => Value::Nothing,
        },
        "What should have come.";
    offered: Texts, of(&["Mechanism"]) => |it| match it.kind() {
            ErrorKind::Mechanism { offered, .. } => texts(offered),
            _ => Value::Nothing,
        },
        "The mechanisms that the server offers.";
    allowed: Texts, of(&["Mechanism"]) => |it| match it.kind() {
            ErrorKind::Mechanism { allowed, .. } => texts(allowed),
            _ => Value::Nothing,
        },
        "The mechanisms that credentials and options allow.";
    check: Choice { values: Check::NAMES }, of(&["ServerUnverified"]) => |it| match it.kind() {
            ErrorKind::ServerUnverified { check } => text(check),
            _ => Value::Nothing,
        },
        "Which check failed.";
};

impl Session {
    /// The fields that [`to_named`](Self::to_named) gives, as data. What follows from them, such as
    /// [`last_rid`](Self::last_rid), is not among them.
    pub fn fields() -> impl Iterator<Item = Field> {
        SESSION.iter().map(|row| row.field)
    }

    /// Each field with its value, for languages that make an object of names and values: the mirror of
    /// [`Config::from_named`](crate::Config::from_named).
    pub fn to_named(&self) -> impl Iterator<Item = (Field, Value)> {
        SESSION.iter().map(|row| (row.field, (row.value)(self)))
    }
}

impl Error {
    /// The fields that [`to_named`](Self::to_named) gives, as data: those of every error first, then those of some
    /// [`kinds`](Field::kinds).
    pub fn fields() -> impl Iterator<Item = Field> {
        ERROR.iter().map(|row| row.field)
    }

    /// Each field that an error of this kind has, with its value.
    ///
    /// ```
    /// let error = prebind::Config::new("ftp://localhost/").unwrap_err();
    /// let names: Vec<_> = error.to_named().map(|(field, _)| field.name).collect();
    /// assert_eq!(names, ["kind", "message", "stage", "condition", "text", "retry", "retry_after", "field"]);
    /// ```
    pub fn to_named(&self) -> impl Iterator<Item = (Field, Value)> {
        let kind = self.kind().as_str();
        let rows = ERROR.iter().filter(move |row| row.field.is_of(kind));
        rows.map(|row| (row.field, (row.value)(self)))
    }
}

impl Field {
    /// What this language calls the field.
    #[must_use]
    pub fn name_in(&self, language: Language) -> String {
        match language {
            Language::Php | Language::Kotlin => camel_case(self.name),
            Language::Rust | Language::CommandLine | Language::Python | Language::Ruby => {
                self.name.to_owned()
            }
        }
    }

    /// Whether errors of this kind have it.
    fn is_of(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    const fn new(name: &'static str, holds: FieldType, about: &'static str) -> Self {
        Self { name, holds, is_optional: false, is_secret: false, kinds: &[], about }
    }

    const fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    const fn of(self, kinds: &'static [&'static str]) -> Self {
        Self { kinds, ..self }
    }
}

fn text(it: &(impl ToString + ?Sized)) -> Value {
    Value::from(it.to_string())
}

fn count(it: impl TryInto<i64>) -> Value {
    Value::Whole(it.try_into().unwrap_or(i64::MAX))
}

fn seconds(it: Duration) -> Value {
    count(it.as_secs())
}

fn texts(it: &[String]) -> Value {
    Value::List(it.iter().map(text).collect())
}

fn or_nothing<T>(it: Option<T>, value: impl FnOnce(T) -> Value) -> Value {
    it.map_or(Value::Nothing, value)
}

fn cookie(it: &Cookie) -> Value {
    Value::List([it.name.as_str(), it.value(), it.path.as_str()].map(text).into())
}

#[cfg(test)]
mod tests;
