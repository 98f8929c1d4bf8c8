//! Who logs in, and how they prove it.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::config::Config;
use crate::error::Result;
use crate::jid::Jid;
use crate::sasl::{Credentials, FastToken, Identity};

/// An XMPP account: its address and what proves the right to use it.
#[derive(Debug, Clone)]
pub struct Account {
    jid: Jid,
    credentials: Credentials,
}

impl Account {
    /// An account at `jid`. A resource in it is asked for; without one the server makes one,
    /// different each time, which is what several tabs of one user need.
    ///
    /// # Errors
    /// `Config` if the JID is not legal, has no localpart where the credentials need a user, or a
    /// credential has a character that must not be sent.
    pub fn new(jid: &str, credentials: Credentials) -> Result<Self> {
        let jid = Jid::new(jid)?;
        credentials.check(&jid)?;
        Ok(Self { jid, credentials })
    }

    /// The address to log in as.
    #[must_use]
    pub fn jid(&self) -> &Jid {
        &self.jid
    }

    /// The account with the token of one exchange, where its credentials [issue](Credentials::jwt) tokens: for drivers
    /// of the [`protocol`](crate::protocol). A [`Client`](crate::Client) does this by itself.
    ///
    /// # Errors
    /// `Config` if no token can be issued for this JID.
    pub fn issued(&self, now: SystemTime) -> Result<Cow<'_, Self>> {
        match self.credentials.issuer() {
            Some(_) => self.issued_by(0, now).map(Cow::Owned),
            None => Ok(Cow::Borrowed(self)),
        }
    }

    /// The same, with the token that the issuer's key at this place signs.
    pub(crate) fn issued_by(&self, place: usize, now: SystemTime) -> Result<Self> {
        let credentials = self.credentials.clone().issued(place, &self.jid, now)?;
        Ok(Self { jid: self.jid.clone(), credentials })
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

    /// Whether SASL2 is wanted where it is offered: for a token, or to be given one.
    pub(crate) fn uses_sasl2(&self, config: &Config) -> bool {
        (config.fast_tokens || self.fast_token().is_some()) && self.credentials.may_have_token()
    }

    /// The resource to ask for.
    pub(crate) fn resource<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        self.jid.resource().or(config.resource.as_deref())
    }
}
