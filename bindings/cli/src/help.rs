//! What the help texts of all subcommands are made of.

use std::fmt::Display;
use std::sync::LazyLock;

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use prebind::Config;

use crate::exit;

/// The library's defaults, for the help to show.
pub(crate) static DEFAULTS: LazyLock<Config> =
    LazyLock::new(|| Config::new("https://localhost").expect("the URL is one"));

/// A help text that ends in a default, as clap writes it.
pub(crate) fn with_default(help: &str, default: impl Display) -> String {
    format!("{help} [default: {default}]")
}

/// The section of a help text that shows how it is done.
pub(crate) fn examples(lines: &[&str]) -> String {
    let mut section = format!("{HEADING}Examples:{HEADING:#}");
    for line in lines {
        section.push_str("\n  ");
        section.push_str(line);
    }
    section
}

/// A closing section, followed by the exit codes.
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
