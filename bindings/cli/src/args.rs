//! The command line as a whole.

use std::sync::LazyLock;

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use prebind::Config;

use crate::exit;
use crate::jid::Jid;
use crate::login::Login;
use crate::secret;
use crate::terminate::Terminate;

/// Open an authenticated XMPP-over-BOSH session for a browser chat client to attach to
#[derive(Parser)]
#[command(
    name = "prebind",
    version,
    styles = STYLES,
    after_help = examples(EXAMPLES),
    after_long_help = with_exit_codes(&examples(EXAMPLES)),
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &[&str] = &[
    "prebind login https://chat.example.org/http-bind alice@example.org",
    "prebind login --json --password-file secret URL alice@example.org > session.json",
    "prebind terminate --file session.json URL",
];

#[derive(Subcommand)]
pub(crate) enum Command {
    Login(Box<Login>),
    Terminate(Box<Terminate>),
    Jid(Jid),
    /// Print a completion script for a shell
    #[command(after_help = examples(&["prebind completions bash > /etc/bash_completion.d/prebind"]))]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// How to say what happened.
#[derive(Args, Clone, Copy, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Reporting {
    /// Print the session as one line of JSON, {"jid","sid","rid"}; an error as JSON too,
    /// on stderr
    #[arg(long)]
    pub(crate) json: bool,
    /// Show each request and answer on stderr, with times and sizes; secrets are masked
    #[arg(long)]
    pub(crate) trace: bool,
}

impl Command {
    pub(crate) fn reporting(&self) -> Reporting {
        match self {
            Self::Login(login) => login.reporting,
            Self::Terminate(terminate) => terminate.reporting,
            Self::Jid(_) | Self::Completions { .. } => Reporting::default(),
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// Whatever clap has to say: a usage error, or the text of `--help` and `--version`.
pub(crate) fn parse() -> Result<Command, clap::Error> {
    Cli::try_parse().map(|cli| cli.command).map_err(|error| {
        if is_about_a_secret(&error) { usage("login", secret::NEVER_AN_ARGUMENT) } else { error }
    })
}

/// A usage error that clap cannot find by itself.
pub(crate) fn usage(subcommand: &str, message: &str) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    match command.find_subcommand_mut(subcommand) {
        Some(subcommand) => subcommand.error(ErrorKind::ArgumentConflict, message),
        None => command.error(ErrorKind::ArgumentConflict, message),
    }
}

/// The completion script for a shell.
pub(crate) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "prebind", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The library's defaults, for the help to show.
pub(crate) static DEFAULTS: LazyLock<Config> =
    LazyLock::new(|| Config::new("https://localhost").expect("the URL is one"));

/// A help text that ends in a default, as clap writes it.
pub(crate) fn with_default(help: &str, default: impl std::fmt::Display) -> String {
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

/// Whether somebody tried to give a secret as an argument: by an option one might expect, or after
/// the JID. clap's own message would repeat it.
fn is_about_a_secret(error: &clap::Error) -> bool {
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(unknown)) if error.kind() == ErrorKind::UnknownArgument => unknown,
        _ => return false,
    };
    !unknown.starts_with('-') || ["--password", "--token", "--secret", "-p"].contains(&unknown.as_str())
}

const HEADING: Style = AnsiColor::Green.on_default().bold();

const STYLES: Styles = Styles::styled()
    .header(HEADING)
    .usage(HEADING)
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold())
    .valid(AnsiColor::Green.on_default())
    .invalid(AnsiColor::Yellow.on_default());

#[cfg(test)]
mod tests {
    use prebind::Language;

    use super::*;

    /// A message that names an option must not send anybody to one that is not there.
    #[test]
    fn every_option_that_messages_may_name_is_there() {
        let command = Cli::command();
        let login = command.find_subcommand("login").unwrap();
        let is_there = |name: &str| login.get_arguments().any(|argument| argument.get_long() == Some(name));
        let options = Config::options().map(|option| option.name);
        let names = options.chain(["iterations.least", "iterations.most", "token", "anonymous", "external"]);
        // One call of the command has no use for them, so no message of one names them.
        let absent = [
            "iterations",
            "scram_cache",
            "max_calls",
            "workers",
            "max_host_calls",
            "fail_fast_after",
            "fail_fast_for",
            "learn",
        ];
        for name in names.filter(|name| !absent.contains(name)) {
            let called = Language::CommandLine.name(name).unwrap();
            for option in called.split("` or `") {
                let long = option.strip_prefix("--").and_then(|option| option.split(' ').next());
                assert!(long.is_some_and(is_there), "{name} is called {called}");
            }
        }
        let function = Language::CommandLine.name("jid_from_user").unwrap();
        let subcommand = function.strip_prefix("prebind ").unwrap();
        assert!(command.find_subcommand(subcommand).is_some(), "{function}");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
