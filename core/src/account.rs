//! The account that logs in, and its credentials.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::config::Config;
use crate::error::Result;
use crate::jid::Jid;
use crate::sasl::{Credentials, FastToken, Identity};
#[cfg(feature = "client")]
use crate::secret::Secret;

/// An XMPP account: its JID and its credentials.
#[derive(Debug, Clone)]
pub struct Account {
    jid: Jid,
    credentials: Credentials,
}

impl Account {
    /// An account with this JID. A resource in the JID is requested from the server. Without one the server
    /// makes a new resource each time, which is what a user with several tabs needs.
    ///
    /// # Errors
    /// `Config` if the JID is not valid, if it has no localpart although the credentials need a user, or if
    /// the credentials have a character that must not be sent.
    pub fn new(jid: &str, credentials: Credentials) -> Result<Self> {
        let jid = Jid::new(jid)?;
        credentials.check(&jid)?;
        Ok(Self { jid, credentials })
    }

    /// The JID to log in as.
    #[must_use]
    pub fn jid(&self) -> &Jid {
        &self.jid
    }

    /// The account with a token for one exchange, if its credentials [issue](Credentials::jwt) tokens. It is
    /// for drivers of the [`protocol`](crate::protocol); a [`Client`](crate::Client) does this by itself.
    ///
    /// # Errors
    /// `Config` if no token can be issued for this JID.
    pub fn issued(&self, now: SystemTime) -> Result<Cow<'_, Self>> {
        match self.credentials.issuer() {
            Some(_) => self.issued_by(0, now).map(Cow::Owned),
            None => Ok(Cow::Borrowed(self)),
        }
    }

    /// The account with a token that the issuer's key at this place signs.
    pub(crate) fn issued_by(&self, place: usize, now: SystemTime) -> Result<Self> {
        let credentials = self.credentials.clone().issued(place, &self.jid, now)?;
        Ok(Self { jid: self.jid.clone(), credentials })
    }

    /// The same, with the token that ejabberd issued for it.
    #[cfg(feature = "client")]
    pub(crate) fn with_issued(&self, token: Secret) -> Self {
        Self { jid: self.jid.clone(), credentials: self.credentials.clone().with_issued(token) }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(crate) fn identity(&self) -> Identity<'_> {
        self.credentials.identity(&self.jid)
    }

    /// The token to try first.
    pub(crate) fn fast_token(&self) -> Option<&FastToken> {
        self.credentials.token()
    }

    /// Whether to use SASL2 if the server offers it: to log in with a token, or to get one.
    pub(crate) fn uses_sasl2(&self, config: &Config) -> bool {
        (config.fast_tokens || self.fast_token().is_some()) && self.credentials.may_have_token()
    }

    /// The resource to request.
    pub(crate) fn resource<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        self.jid.resource().or(config.resource.as_deref())
    }
}
