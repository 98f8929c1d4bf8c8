//! The shell command `prebind`: opens and ends XMPP-over-BOSH sessions from a terminal or a script.
//!
//! - [`args`] is the command line.
//! - [`login`], [`terminate`], [`jid`], [`key`], [`scram_keys`] and [`extauth`] are the commands.
//! - [`connection`], [`negotiation`], [`credentials`] and [`reporting`] are groups of options, and turn them
//!   into values of the library.
//! - [`failure`] and [`exit`] say how a command ends.
//! - [`help`] has the common parts of the help texts.
//!
//! Modules do not import each other in a circle; `tests/cli/modules.rs` checks that.

#![forbid(unsafe_code)]

mod args;
mod connection;
mod credentials;
mod exit;
mod extauth;
mod failure;
mod help;
mod jid;
mod json;
mod key;
mod login;
mod negotiation;
mod output;
mod printable;
mod profile;
mod reporting;
mod scram_keys;
mod secret;
mod terminate;
mod trace;

use std::process::ExitCode;

use args::Command;
use exit::Exit;
use failure::Failure;
use prebind::binding::Language;

fn main() -> ExitCode {
    Language::CommandLine.speak();
    let command = match args::parse() {
        Ok(command) => command,
        Err(error) => return refuse(&error),
    };
    let reporting = command.reporting();
    if reporting.trace {
        trace::install();
    }
    match run(command) {
        Ok(()) => Exit::Success.into(),
        Err(failure) => {
            failure.report(reporting.json);
            failure.exit().into()
        }
    }
}

/// Handles a wrong command line. If ejabberd runs the command, it still gets answers until it has no more
/// requests.
fn refuse(error: &clap::Error) -> ExitCode {
    match extauth::stands_in(error) {
        Ok(true) => Exit::Success.into(),
        Ok(false) => error.exit(),
        Err(failure) => {
            failure.report(false);
            failure.exit().into()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Login(login) => login.run(),
        Command::Terminate(terminate) => terminate.run(),
        Command::Jid(jid) => jid.run(),
        Command::Key(key) => key.run(),
        Command::ScramKeys(keys) => keys.run(),
        Command::Extauth(extauth) => extauth.run(),
        Command::Completions { shell } => output::print(&args::completions(shell)),
    }
}
