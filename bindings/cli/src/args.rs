//! The command line as a whole.

use std::env;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::extauth::{self, Extauth};
use crate::help::{STYLES, examples, with_exit_codes};
use crate::jid::Jid;
use crate::key::Key;
use crate::login::Login;
use crate::reporting::Reporting;
use crate::scram_keys::ScramKeys;
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
    Key(Key),
    ScramKeys(ScramKeys),
    Extauth(Box<Extauth>),
    /// Print a completion script for a shell
    #[command(after_help = examples(&["prebind completions bash > /etc/bash_completion.d/prebind"]))]
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    pub(crate) fn reporting(&self) -> Reporting {
        match self {
            Self::Login(login) => login.reporting,
            Self::Terminate(terminate) => terminate.reporting,
            Self::Jid(_)
            | Self::Key(_)
            | Self::ScramKeys(_)
            | Self::Extauth(_)
            | Self::Completions { .. } => Reporting::default(),
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// The message of clap: a usage error, or the text of `--help` and `--version`.
pub(crate) fn parse() -> Result<Command, clap::Error> {
    let parsed =
        Cli::try_parse().map(|cli| cli.command).map_err(|error| match env::args().nth(1).as_deref() {
            _ if !is_about_a_secret(&error) => error,
            Some("extauth") => wrong("extauth", extauth::NEVER_AN_ARGUMENT),
            Some("scram-keys") => wrong("scram-keys", secret::NEVER_AN_ARGUMENT),
            _ => wrong("login", secret::NEVER_AN_ARGUMENT),
        });
    let conflict = match &parsed {
        Ok(Command::Login(login)) => login.conflict().map(|message| wrong("login", message)),
        Ok(Command::Extauth(extauth)) => extauth.conflict().map(|message| wrong("extauth", message)),
        _ => None,
    };
    conflict.map_or(parsed, Err)
}

/// A usage error that clap cannot find by itself.
fn wrong(subcommand: &str, message: &str) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    match command.find_subcommand_mut(subcommand) {
        Some(found) => found.error(ErrorKind::ArgumentConflict, message),
        None => command.error(ErrorKind::ArgumentConflict, message),
    }
}

/// The completion script for a shell.
pub(crate) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "prebind", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Whether the user tried to give a secret as an argument: by an option that sounds right, or after the JID.
/// clap's own message would repeat the secret.
fn is_about_a_secret(error: &clap::Error) -> bool {
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(unknown)) if error.kind() == ErrorKind::UnknownArgument => unknown,
        _ => return false,
    };
    !unknown.starts_with('-')
        || ["--password", "--token", "--secret", "--site-secret", "-p"].contains(&unknown.as_str())
}

#[cfg(test)]
mod tests {
    use prebind::Config;
    use prebind::binding::Language;

    use super::*;

    /// A message must not name an option that does not exist.
    #[test]
    fn every_option_that_messages_may_name_is_there() {
        let command = Cli::command();
        let login = command.find_subcommand("login").unwrap();
        let is_there = |name: &str| login.get_arguments().any(|argument| argument.get_long() == Some(name));
        let options = Config::options().map(|option| option.name);
        let names = options.chain(["iterations.least", "iterations.most", "token", "anonymous", "external"]);
        // A command that makes one call does not need these, so its messages never name them.
        let absent = [
            "accounts",
            "iterations",
            "scram_cache",
            "max_calls",
            "workers",
            "max_host_calls",
            "fail_fast_after",
            "fail_fast_for",
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
