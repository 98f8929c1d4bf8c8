//! The options that say who logs in, and with which credentials.

use clap::{Args, ValueEnum};
use prebind::{Credentials, Jid};

use crate::failure::Failure;
use crate::printable::printable;
use crate::secret::SecretSource;

/// The credentials of the account.
#[derive(Args)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct CredentialOptions {
    #[command(flatten)]
    source: SecretSource,
    /// What kind of secret it is, or that there is none
    #[arg(long, value_enum, value_name = "KIND", default_value_t = Auth::Password)]
    auth: Auth,
    /// Use this SASL mechanism; the secret is its initial response, before base64
    #[arg(long, value_name = "NAME", conflicts_with = "auth")]
    mechanism: Option<String>,
    /// The user name to log in with, if it differs from the one in the JID
    #[arg(long, value_name = "NAME")]
    authcid: Option<String>,
    /// The identity to act as, for an administrator who may act for others
    #[arg(long, value_name = "IDENTITY")]
    authzid: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// A password, by the strongest mechanism
    Password,
    /// A token that the server accepts as a password (JWT), or a password that is sent as it is, by PLAIN
    Plain,
    /// No account: the JID is only a domain
    Anonymous,
    /// No secret: the client certificate of --client-cert proves the identity
    External,
    /// An OAuth 2.0 token, by OAUTHBEARER
    Oauthbearer,
    /// An OAuth 2.0 token, by X-OAUTH2 (ejabberd)
    #[value(name = "x-oauth2")]
    XOAuth2,
}

impl CredentialOptions {
    /// The error if a secret is given that is not needed.
    pub(crate) fn conflict(&self) -> Option<&'static str> {
        let needs_none = self.mechanism.is_none() && matches!(self.auth, Auth::Anonymous | Auth::External);
        let message = "--auth anonymous and --auth external take no password";
        (needs_none && self.source.is_given()).then_some(message)
    }

    /// Reads the secret, if one is needed.
    ///
    /// # Errors
    /// `Input` if it cannot be read.
    pub(crate) fn read(&self, jid: &Jid) -> Result<Credentials, Failure> {
        let credentials = match (&self.mechanism, self.auth) {
            (Some(mechanism), _) => Credentials::raw(mechanism, self.secret("Initial response", jid)?),
            (None, Auth::Password) => Credentials::password(self.secret("Password", jid)?),
            (None, Auth::Plain) => Credentials::plain(self.secret("Token", jid)?),
            (None, Auth::Oauthbearer) => Credentials::oauthbearer(self.secret("Token", jid)?),
            (None, Auth::XOAuth2) => Credentials::x_oauth2(self.secret("Token", jid)?),
            (None, Auth::Anonymous) => Credentials::anonymous(),
            (None, Auth::External) => Credentials::external(),
        };
        let credentials = match &self.authcid {
            Some(authcid) => credentials.authcid(authcid),
            None => credentials,
        };
        Ok(match &self.authzid {
            Some(authzid) => credentials.authzid(authzid),
            None => credentials,
        })
    }

    fn secret(&self, what: &str, jid: &Jid) -> Result<prebind::Secret, Failure> {
        self.source.read(&format!("{what} for {}: ", printable(&jid.bare().to_string())))
    }
}
