//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::drive::Drive;

/// Measure how long it takes to open a session: this library, its bindings, the floor and peers
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(hide = true)]
    Drive(Drive),
}

#[derive(Args)]
pub(crate) struct Options {
    /// How many calls each makes over each path; without a delay, where they are quick, at least 200
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) calls: usize,
    /// How many calls are made to see how many fail, without jitter and with it
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) runs: usize,
    /// What a round trip takes, in milliseconds; several may be given
    #[arg(long, value_name = "MS", num_args = 1.., default_values_t = [0, 5, 10, 40])]
    pub(crate) delay: Vec<u64>,
    /// By how much more than its delay each way may take, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20)]
    pub(crate) jitter: u64,
    /// Measure this command as well: a driver, in which URL is replaced, and N by the number of calls
    #[arg(long, value_name = "COMMAND")]
    pub(crate) peer: Vec<String>,
    /// Write the results here, as JSON
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    pub(crate) json: PathBuf,
    /// Draw the results here, as SVG
    #[arg(long, value_name = "FILE", default_value = "target/bench.svg")]
    pub(crate) plot: PathBuf,
    /// Make only a few calls, and fail unless all of them succeed in the expected number of round
    /// trips
    #[arg(long)]
    pub(crate) quick: bool,
    /// Fail if a goal is missed
    #[arg(long, conflicts_with = "quick")]
    pub(crate) check: bool,
}

/// What comparing times of a millisecond takes.
const MANY: usize = 200;

impl Options {
    /// Over a path of such a length.
    pub(crate) fn calls(&self, delay: Duration) -> usize {
        match (self.quick, delay.is_zero()) {
            (true, _) => 3,
            (false, true) => self.calls.max(MANY),
            (false, false) => self.calls.max(1),
        }
    }

    /// How many processes make a first call.
    pub(crate) fn processes(&self) -> usize {
        if self.quick { 1 } else { self.calls.div_ceil(3).max(5) }
    }

    /// How many calls follow each other at once, and with pauses.
    pub(crate) fn pace(&self) -> (usize, usize) {
        if self.quick { (10, 2) } else { (MANY, MANY / 5) }
    }

    /// How many calls each of several threads makes, and how often.
    pub(crate) fn threads(&self) -> (usize, usize) {
        if self.quick { (1, 1) } else { (10, 5) }
    }

    pub(crate) fn runs(&self) -> usize {
        if self.quick { 16 } else { self.runs.max(1) }
    }

    pub(crate) fn delays(&self) -> Vec<Duration> {
        let delays = if self.quick { &[10] } else { self.delay.as_slice() };
        delays.iter().copied().map(Duration::from_millis).collect()
    }

    /// What comes on top of the delay in each series.
    pub(crate) fn jitters(&self) -> Vec<Duration> {
        let jitter = Duration::from_millis(self.jitter);
        if self.quick { vec![jitter] } else { vec![Duration::ZERO, jitter] }
    }
}
