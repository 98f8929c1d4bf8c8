//! The shell command `prebind`: opens and ends XMPP-over-BOSH sessions from a terminal or a script.
//!
//! [`args`] is the command line; [`connection`], [`negotiation`] and [`credentials`] are its groups
//! of options and what they become in the library; [`login`] and [`terminate`] are the commands;
//! [`failure`] and [`exit`] say how they end.

#![forbid(unsafe_code)]

mod args;
mod connection;
mod credentials;
mod exit;
mod failure;
mod jid;
mod login;
mod negotiation;
mod output;
mod profile;
mod secret;
mod terminate;
mod trace;

use std::process::ExitCode;

use args::Command;
use exit::Exit;
use failure::Failure;
use prebind::Language;

fn main() -> ExitCode {
    Language::CommandLine.speak();
    let command = args::parse().unwrap_or_else(|error| error.exit());
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

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Login(login) => login.run(),
        Command::Terminate(terminate) => terminate.run(),
        Command::Jid(jid) => jid.run(),
        Command::Completions { shell } => output::print(&args::completions(shell)),
    }
}
