//! Measures, in one run on one machine, how long it takes to open a session: this library from
//! Rust and from every binding, the same bytes replayed on kept sockets (the floor), and peers;
//! against real Prosody and ejabberd, over http and https, through paths with a delay, on which opening
//! a connection takes a round trip as well.
//!
//! ```text
//! cargo run --release -p bench
//! cargo run --release -p bench -- --calls 200 --delay 0 --peer 'php run.php URL N'
//! ```
//!
//! What is measured is written after each server and login. What fails is told, the rest goes on, and the
//! exit code tells in the end; whether goals are missed tells it only with `--check`, since a busy machine
//! misses some.
//!
//! Who is measured takes turns, a few calls each, so that whatever else the machine does hits all
//! alike. Each runs in a process of its own, a driver; a new binding is an entry in [`participants`] and a
//! script in `drivers/`. A peer given by path is a driver too: it finds what it needs in `PREBIND_URL`,
//! `PREBIND_JID`, `PREBIND_PASSWORD` and `PREBIND_CA`, opens a session for each line it reads from stdin,
//! and answers with a line of JSON, `{"seconds": 0.0123, "sessions": [["SID", NEXT_RID]], "round_trips": 5}`
//! or `{"errors": ["what happened"]}`; `driver::Answer` has what else it may say.

mod args;
mod cpu;
mod drive;
mod driver;
mod http;
mod participants;
mod plot;
mod record;
mod replay;
mod report;
mod scenario;
mod scram;
mod stats;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        None => report::run(&cli.options),
        Some(Command::Drive(drive)) => drive.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
