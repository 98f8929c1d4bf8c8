//! `prebind jid`.

use clap::Args;

use crate::failure::Failure;
use crate::help::examples;
use crate::output;

/// Print the JID of a site's user
///
/// A user name may have characters that a JID must not have, such as the @ of an e-mail address. They are
/// escaped (XEP-0106).
#[derive(Args)]
#[command(after_help = examples(EXAMPLES))]
pub(crate) struct Jid {
    /// The user's name at the site
    name: String,
    /// The domain of the chat accounts
    domain: String,
}

const EXAMPLES: &[&str] = &["prebind jid alice@mail.example chat.example.org"];

impl Jid {
    /// # Errors
    /// `Config` if the name or the domain is not allowed even then.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        output::print_line(&prebind::Jid::from_user(&self.name, &self.domain)?.to_string())
    }
}
