//! `prebind terminate`.

use std::io;
use std::path::PathBuf;

use clap::Args;
use prebind::Client;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::connection::{ConnectionOptions, URL_HELP};
use crate::failure::Failure;
use crate::help::{examples, with_exit_codes};
use crate::reporting::Reporting;
use crate::secret;

/// End a session that no browser has attached to yet
///
/// The command reads the session from stdin or a file, as JSON {"sid","rid"}, which `prebind login --json`
/// prints. It is never an argument, because every user of the machine could read that. Success prints
/// nothing.
#[derive(Args)]
#[command(mut_arg("json", |json| json.help("Print an error as JSON too, on stderr")))]
#[command(after_help = examples(EXAMPLES), after_long_help = with_exit_codes(&examples(EXAMPLES)))]
pub(crate) struct Terminate {
    #[arg(help = URL_HELP)]
    url: String,
    /// Read the session from this file instead of stdin
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

const EXAMPLES: &[&str] = &["prebind terminate --file session.json https://chat.example.org/http-bind"];

/// The parts of a session that are needed to end it.
#[derive(Deserialize)]
struct Handle {
    sid: String,
    rid: Rid,
}

/// Scripts and languages without 64-bit integers pass the RID as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rid {
    Number(u64),
    Text(String),
}

impl Terminate {
    /// # Errors
    /// Any. `Terminated` if the server does not know the session.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let client = Client::new(self.connection.config(&self.url)?)?;
        let text = match &self.file {
            Some(path) => secret::read_file(path)?,
            None => secret::read_text(io::stdin().lock())
                .map_err(|error| Failure::Input(format!("cannot read the session from stdin: {error}")))?,
        };
        let (sid, rid) = parse(&text).ok_or_else(|| {
            Failure::Input(
                "the session is not JSON like {\"sid\": …, \"rid\": …}, which `prebind login --json` prints"
                    .to_owned(),
            )
        })?;
        Ok(client.terminate_by(&sid, rid)?)
    }
}

/// Parses the session. The parser's error is dropped, because it would repeat parts of the session.
fn parse(text: &str) -> Option<(Zeroizing<String>, u64)> {
    let Handle { sid, rid } = serde_json::from_str(text).ok()?;
    let rid = match rid {
        Rid::Number(rid) => rid,
        Rid::Text(rid) => rid.parse().ok()?,
    };
    Some((sid.into(), rid))
}
