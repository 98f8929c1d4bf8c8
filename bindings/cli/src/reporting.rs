//! The options that say what to show.

use clap::Args;

/// How to report what happened.
#[derive(Args, Clone, Copy, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Reporting {
    /// Print the session as one line of JSON, {"jid","sid","rid"}, and errors as JSON too, on stderr
    #[arg(long)]
    pub(crate) json: bool,
    /// Show each request and answer on stderr, with times and sizes; secrets are masked
    #[arg(long)]
    pub(crate) trace: bool,
}
