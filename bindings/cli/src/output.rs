//! What goes to stdout.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::Style;
use prebind::Session;

use crate::failure::Failure;

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

/// Text from elsewhere without what a terminal would obey: control characters, and those that
/// change the direction of writing.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
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

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn terminals_are_not_commanded() {
        assert_eq!(printable("tab\there \u{1b}[31m \u{9b}2J"), r"tab\there \u{1b}[31m \u{9b}2J");
        assert_eq!(printable("alice\u{202e}@example.org"), r"alice\u{202e}@example.org");
        assert_eq!(printable("Ælfrič ☕"), "Ælfrič ☕");
    }
}
