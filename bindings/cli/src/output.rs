//! Writes to stdout.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::Style;
use prebind::Session;
use prebind::binding::{FieldType, Value};
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::json::json;
use crate::printable::printable;

const LABEL: Style = Style::new().dimmed();

/// A session for people to read. It does not show a token for the next login, because that is like a
/// password.
pub(crate) fn summary(session: &Session) -> String {
    let mut text = String::new();
    for (field, value) in session.to_named().filter(|(field, _)| field.name != "fast_token") {
        let label = match field.name {
            "inactivity" => "attach within".to_owned(),
            "cookies" => "cookie".to_owned(),
            name => name.replace('_', " "),
        };
        for value in shown(field.holds, value) {
            writeln!(text, "{LABEL}{label:<13}{LABEL:#}  {}", printable(&value)).expect("memory takes it");
        }
    }
    text
}

/// The texts to show for a value: one for each of several values.
fn shown(holds: FieldType, value: Value) -> Vec<String> {
    match (holds, json(value)) {
        (_, Json::Null) => vec!["unknown, the server does not say".to_owned()],
        (FieldType::Seconds, seconds) => vec![format!("{seconds} s")],
        (FieldType::Records { .. }, Json::Array(cookies)) => cookies.iter().filter_map(cookie).collect(),
        (_, Json::String(text)) => vec![text],
        (_, other) => vec![other.to_string()],
    }
}

fn cookie(fields: &Json) -> Option<String> {
    Some(format!("{}={}", fields[0].as_str()?, fields[1].as_str()?))
}

/// Writes text to stdout, without colours if stdout is no terminal.
///
/// # Errors
/// `Output`.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)
}

/// Writes a line to stdout unchanged.
///
/// # Errors
/// `Output`.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(Failure::Output)
}
