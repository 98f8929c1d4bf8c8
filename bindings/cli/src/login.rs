//! `prebind login`.

use std::path::PathBuf;

use clap::Args;
use prebind::{Account, Client, Jid, Session};

use crate::connection::{ConnectionOptions, URL_HELP};
use crate::credentials::CredentialOptions;
use crate::failure::Failure;
use crate::help::{examples, with_exit_codes};
use crate::negotiation::{NegotiationOptions, ROUND_TRIPS};
use crate::output;
use crate::profile::ProfileFile;
use crate::reporting::Reporting;

/// Open a session and print it
///
/// The command asks for the password on the terminal, or reads it from stdin, a file or the environment; it
/// is never an argument. The session is printed with its SID and RID: anyone who knows them can take it over.
#[derive(Args)]
#[command(after_help = examples(EXAMPLES), after_long_help = with_exit_codes(&examples(EXAMPLES)))]
pub(crate) struct Login {
    #[arg(help = URL_HELP)]
    url: String,
    /// The JID to log in as: user@domain, user@domain/resource, or only a domain
    jid: String,
    #[command(flatten)]
    credentials: CredentialOptions,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    negotiation: NegotiationOptions,
    /// Keep what is learned about the server in this file, so that the next call takes fewer round trips; it
    /// holds nothing secret
    #[arg(long, value_name = "FILE", help_heading = ROUND_TRIPS, conflicts_with = "no_learn")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

const EXAMPLES: &[&str] = &[
    "prebind login https://chat.example.org/http-bind alice@example.org",
    "pass chat/alice | prebind login --json --password-stdin URL alice@example.org",
    "prebind login --auth anonymous --trace URL guests.example.org",
];

impl Login {
    /// The error if the options do not fit together.
    pub(crate) fn conflict(&self) -> Option<&'static str> {
        self.credentials.conflict()
    }

    /// # Errors
    /// Any. No session is left on the server.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let config = self.negotiation.applied(self.connection.config(&self.url)?)?;
        let profile = self.profile.clone().map(ProfileFile::read).transpose()?;
        let config = config.with_profile(profile.as_ref().and_then(ProfileFile::profile));
        // Everything that does not need the password is checked before the command asks for it.
        let client = Client::new(config)?;
        let jid = Jid::new(&self.jid)?;
        let account = Account::new(&self.jid, self.credentials.read(&jid)?)?;

        let session = client.prebind(&account);
        if let Some(file) = profile {
            file.update(&client.profile());
        }
        let session = session?;
        self.print(&session).inspect_err(|_| {
            // The session could not be printed, so nobody else can use or end it. A failure to end it changes
            // nothing.
            client.terminate(&session).unwrap_or_default();
        })
    }

    fn print(&self, session: &Session) -> Result<(), Failure> {
        if self.reporting.json {
            output::print_line(&session.to_json())
        } else {
            output::print(&output::summary(session))
        }
    }
}
