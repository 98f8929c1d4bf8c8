//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::drive::Drive;
use crate::instructions::Negotiate;

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
    #[command(hide = true)]
    Negotiate(Negotiate),
}

#[derive(Args)]
pub(crate) struct Options {
    /// How many calls each makes in each place
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) calls: usize,
    /// How many calls are made over a path with jitter
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) runs: usize,
    /// What a round trip takes, in milliseconds; several may be given
    #[arg(long, value_name = "MS", num_args = 1.., default_values_t = [0, 10, 40])]
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
}

impl Options {
    /// What is measured on the way to the figures; fewer are too few for a percentile.
    pub(crate) fn calls(&self) -> usize {
        if self.quick { 3 } else { self.calls.max(1) }
    }

    pub(crate) fn runs(&self) -> usize {
        if self.quick { 16 } else { self.runs.max(1) }
    }

    pub(crate) fn delays(&self) -> Vec<Duration> {
        let delays = if self.quick { &[0, 10] } else { self.delay.as_slice() };
        delays.iter().copied().map(Duration::from_millis).collect()
    }

    pub(crate) fn jitter(&self) -> Duration {
        Duration::from_millis(self.jitter)
    }
}
