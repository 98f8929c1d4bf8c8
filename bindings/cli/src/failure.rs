//! Why the command failed, and how that is told.

use std::io::{self, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use prebind::{Condition, Retry};
use serde::Serialize;

use crate::exit::Exit;
use crate::printable::printable;

pub(crate) enum Failure {
    /// A password, a file or a session that cannot be read: cause and remedy.
    Input(String),
    /// The library's error.
    Prebind(prebind::Error),
    /// Standard output took no more.
    Output(io::Error),
}

/// The form of an error for programs.
#[derive(Serialize)]
struct Report<'a> {
    kind: &'a str,
    stage: Option<&'a str>,
    condition: Option<&'a str>,
    retry: &'a str,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    message: &'a str,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a Report<'a>,
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

    /// Tells it on stderr: for a person, then for a program if one asked.
    pub(crate) fn report(&self, json: bool) {
        let message = match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            Self::Output(error) => format!("cannot write the result: {error}"),
            Self::Input(message) => message.clone(),
            Self::Prebind(error) => error.to_string(),
        };
        let report = Report { message: &message, ..self.outline() };
        let mut text = report.to_text();
        if json {
            let json = serde_json::to_string(&Envelope { error: &report }).expect("strings are JSON");
            text.push_str(&json);
            text.push('\n');
        }
        // A standard error that is closed is nothing that could be reported.
        anstream::stderr().lock().write_all(text.as_bytes()).unwrap_or_default();
    }

    fn outline(&self) -> Report<'_> {
        match self {
            Self::Prebind(error) => Report {
                kind: error.kind().as_str(),
                stage: Some(error.stage().as_str()),
                condition: error.condition().map(Condition::as_str),
                retry: error.retry().as_str(),
                retry_after: error.retry_after().map(|time| time.as_secs()),
                message: "",
            },
            Self::Input(_) => Report::own("Input", Retry::AfterConfigChange),
            Self::Output(_) => Report::own("Output", Retry::FreshSession),
        }
    }
}

impl Report<'_> {
    /// An error of the command itself, of no stage of the exchange.
    fn own(kind: &'static str, retry: Retry) -> Self {
        Self { kind, stage: None, condition: None, retry: retry.as_str(), retry_after: None, message: "" }
    }

    fn to_text(&self) -> String {
        const ERROR: Style = AnsiColor::Red.on_default().bold();
        const DETAILS: Style = Style::new().dimmed();
        let fields = [
            ("kind", Some(self.kind)),
            ("stage", self.stage),
            ("condition", self.condition),
            ("retry", Some(self.retry)),
        ];
        let details: Vec<String> = fields
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| format!("{name}={}", printable(value))))
            .collect();
        let message = printable(self.message);
        format!("{ERROR}error:{ERROR:#} {message}\n       {DETAILS}{}{DETAILS:#}\n", details.join(" "))
    }
}

impl From<prebind::Error> for Failure {
    fn from(error: prebind::Error) -> Self {
        Self::Prebind(error)
    }
}
