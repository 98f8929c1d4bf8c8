//! What goes to stdout.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::Style;
use prebind::Session;

use crate::failure::Failure;
use crate::printable::printable;

const LABEL: Style = Style::new().dimmed();

/// A session for a person to read.
pub(crate) fn summary(session: &Session) -> String {
    let attach_within = session
        .inactivity()
        .map_or("unknown, the server does not say".to_owned(), |time| format!("{} s", time.as_secs()));
    let requests = session.requests().map_or("unknown".to_owned(), |requests| requests.to_string());
    let mut rows = vec![
        ("jid", session.jid().to_string()),
        ("sid", session.sid().to_owned()),
        ("rid", session.rid().to_string()),
        ("attach within", attach_within),
        ("wait", format!("{} s", session.wait().as_secs())),
        ("hold", session.hold().to_string()),
        ("requests", requests),
        ("mechanism", session.mechanism().to_owned()),
        ("round trips", session.round_trips().to_string()),
    ];
    let cookies = session.cookies().iter();
    rows.extend(cookies.map(|cookie| ("cookie", format!("{}={}", cookie.name, cookie.value()))));

    let mut text = String::new();
    for (label, value) in rows {
        writeln!(text, "{LABEL}{label:<13}{LABEL:#}  {}", printable(&value)).expect("memory takes it");
    }
    text
}

/// Writes text to stdout, without its colours if that is no terminal.
///
/// # Errors
/// `Output`.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)
}

/// Writes a line to stdout as it is.
///
/// # Errors
/// `Output`.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(Failure::Output)
}
