//! Where the tokens for X-OAUTH2 come from.

use std::time::Duration;

use crate::config::Api;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Has ejabberd issue a token for each user, by which the user logs in (X-OAUTH2), so that your site knows no chat
/// passwords.
///
/// The client asks for a token when a user logs in, keeps it in memory, and asks for another one shortly before it
/// expires, or if ejabberd refuses it.
///
/// ```
/// use prebind::{Account, Credentials, XOAuth2Issuer};
///
/// let issuer = XOAuth2Issuer::new("https://chat.example.org:5443/api", "svc@example.org", "secret")?;
/// let account = Account::new("alice@example.org", Credentials::x_oauth2_issuer(issuer))?;
/// # Ok::<(), prebind::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XOAuth2Issuer {
    pub(crate) api: Api,
    pub(crate) lifetime: Duration,
}

impl XOAuth2Issuer {
    /// The argument.
    pub(crate) const ARGUMENT: &str = "x_oauth2_issuer";

    /// How long a token is valid unless [`with_lifetime`](Self::with_lifetime) says otherwise.
    pub const LIFETIME: Duration = Duration::from_secs(3600);

    /// ejabberd's API (`mod_http_api`) at `url`, such as `https://chat.example.org:5443/api`, as the account `jid` with
    /// this password. ejabberd's `api_permissions` have to allow it `oauth_issue_token`. **That makes it an
    /// administrator**: this command issues tokens for any user and any scope.
    ///
    /// # Errors
    /// `Config` if the URL or the JID cannot be one.
    pub fn new(url: &str, jid: &str, password: impl Into<Secret>) -> Result<Self> {
        let api = Api::new(Self::ARGUMENT, url, jid, password.into())?;
        Ok(Self { api, lifetime: Self::LIFETIME })
    }

    /// How long a token is valid, in whole seconds; an hour by default.
    ///
    /// # Errors
    /// `Config` if it is less than a second or more than a day.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        if !(Duration::from_secs(1)..=DAY).contains(&lifetime) {
            return Err(Error::config(Self::ARGUMENT, "`lifetime` is 1 second to 1 day: an hour is usual"));
        }
        self.lifetime = Duration::from_secs(lifetime.as_secs());
        Ok(self)
    }
}
