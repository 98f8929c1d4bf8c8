//! Why the command failed, and how it reports that.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use prebind::Retry;
use prebind::binding::{Field, Value};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value as Json;

use crate::exit::Exit;
use crate::json::json;
use crate::printable::printable;

pub(crate) enum Failure {
    /// A password, a file or a session cannot be read. The text has cause and remedy.
    Input(String),
    /// The library's error.
    Prebind(prebind::Error),
    /// Standard output could not be written.
    Output(io::Error),
}

/// What is reported about an error.
struct Report {
    details: Vec<(&'static str, Json)>,
    message: String,
}

impl Failure {
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::Input(format!("cannot read {}: {error}", path.display()))
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Input(_) => Exit::Input,
            Self::Prebind(error) => Exit::from(error.kind()),
            Self::Output(_) => Exit::Output,
        }
    }

    /// Reports the failure on stderr, as text and, with --json, also as JSON.
    pub(crate) fn report(&self, json: bool) {
        let report = match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            Self::Output(error) => {
                Report::own("Output", Retry::FreshSession, format!("cannot write the result: {error}"))
            }
            Self::Input(message) => Report::own("Input", Retry::AfterConfigChange, message.clone()),
            Self::Prebind(error) => Report::of(error),
        };
        let mut text = report.to_text();
        if json {
            let json = serde_json::to_string(&HashMap::from([("error", report)])).expect("strings are JSON");
            text.push_str(&json);
            text.push('\n');
        }
        // If standard error is closed, nothing can be reported.
        anstream::stderr().lock().write_all(text.as_bytes()).unwrap_or_default();
    }
}

impl Report {
    /// An error of the command itself, which belongs to no stage of the exchange.
    fn own(kind: &str, retry: Retry, message: String) -> Self {
        let details = [
            ("kind", kind.into()),
            ("stage", Json::Null),
            ("condition", Json::Null),
            ("retry", retry.as_str().into()),
        ];
        Self { details: details.into(), message }
    }

    /// An error of the library, with the fields that all its errors have. The message already has the
    /// server's words and the details of the kind.
    fn of(error: &prebind::Error) -> Self {
        let is_detail = |field: &Field, value: &Value| match field.name {
            "message" | "text" => false,
            "retry_after" => !matches!(value, Value::Nothing),
            _ => field.kinds.is_empty(),
        };
        let details = error.to_named().filter(|(field, value)| is_detail(field, value));
        Self {
            details: details.map(|(field, value)| (field.name, json(value))).collect(),
            message: error.to_string(),
        }
    }

    fn to_text(&self) -> String {
        const ERROR: Style = AnsiColor::Red.on_default().bold();
        const DETAILS: Style = Style::new().dimmed();
        // Only words are shown here. Numbers are for programs.
        let words = self.details.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let details: Vec<_> = words.map(|(name, word)| format!("{name}={}", printable(word))).collect();
        let message = printable(&self.message);
        format!("{ERROR}error:{ERROR:#} {message}\n       {DETAILS}{}{DETAILS:#}\n", details.join(" "))
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        self.details.iter().try_for_each(|(name, value)| fields.serialize_entry(name, value))?;
        fields.serialize_entry("message", &self.message)?;
        fields.end()
    }
}

impl From<prebind::Error> for Failure {
    fn from(error: prebind::Error) -> Self {
        Self::Prebind(error)
    }
}
