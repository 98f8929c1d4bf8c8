//! The parts that the help texts of all subcommands have in common.

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use prebind::Config;
use prebind::binding::Value;

use crate::exit;

/// The library's default for an option, as a user would type it.
pub(crate) fn default(option: &str) -> String {
    part_of_default(option, 0)
}

/// One part of a default that has several parts.
pub(crate) fn part_of_default(option: &str, part: usize) -> String {
    let known = Config::options().find(|known| known.name == option);
    let default = match known.and_then(|known| known.default) {
        Some(Value::List(parts)) => parts.get(part).cloned(),
        whole => whole,
    };
    match default {
        Some(Value::Whole(number)) => number.to_string(),
        Some(Value::Text(text)) => text.expose().to_owned(),
        other => panic!("nobody can type {other:?}, the default of {option}"),
    }
}

/// The section of a help text with examples.
pub(crate) fn examples(lines: &[&str]) -> String {
    let mut section = format!("{HEADING}Examples:{HEADING:#}");
    for line in lines {
        section.push_str("\n  ");
        section.push_str(line);
    }
    section
}

/// The last section of a help text, followed by the exit codes.
pub(crate) fn with_exit_codes(section: &str) -> String {
    format!("{section}\n\n{HEADING}Exit codes:{HEADING:#}\n{}", exit::table())
}

const HEADING: Style = AnsiColor::Green.on_default().bold();

/// The colours of usage, help and errors.
pub(crate) const STYLES: Styles = Styles::styled()
    .header(HEADING)
    .usage(HEADING)
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold())
    .valid(AnsiColor::Green.on_default())
    .invalid(AnsiColor::Yellow.on_default());
