//! SASL (RFC 4422): which mechanism, and the proof that it succeeded.

// May import from `wire` and the layers above, in the order of `core/tests/layers`.

mod choice;
mod digest_md5;
#[cfg(test)]
mod examples;
mod ht;
mod mutual;
mod no_mechanism;
mod pace;
pub(crate) mod prepare;
mod scram;
mod simple;

use zeroize::Zeroizing;

use crate::account::{Account, Proof};
use crate::config::Config;
use crate::error::{Check, Error, Result, Stage};
use crate::fast;
use crate::random::Random;
use crate::wire::stanza::Features;

pub(crate) use choice::{Early, Uses, Way, early};
use digest_md5::DigestMd5;
#[cfg(test)]
pub(crate) use examples::examples;
use ht::HashedToken;
use mutual::{Mutual as _, State};
#[cfg(feature = "client")]
pub(crate) use pace::Turn;
pub(crate) use pace::{Means, Pace};
use scram::Scram;
pub use scram::{ScramCache, ScramHash};
use simple::{OAuthBearer, OneMessage};

/// A message to the server.
pub(crate) type Message = Zeroizing<Vec<u8>>;

/// That the server accepted the login and, where the mechanism lets it, proved itself.
///
/// Only [`Mechanism::finish`] makes one, and no [`Session`](crate::Session) can be made without.
#[derive(Debug)]
pub(crate) struct Authenticated {
    mechanism: String,
}

impl Authenticated {
    pub(crate) fn into_mechanism(self) -> String {
        self.mechanism
    }
}

/// One login under way.
pub(crate) enum Mechanism<'a> {
    OneMessage(OneMessage),
    OAuthBearer(OAuthBearer),
    Scram(Scram<'a>),
    DigestMd5(DigestMd5),
    HashedToken(HashedToken),
}

impl<'a> Mechanism<'a> {
    /// One by its name.
    ///
    /// # Errors
    /// `Config` if the credentials do not fit it.
    pub(crate) fn start(name: &str, config: &Config, account: &'a Account, random: &Random) -> Result<Self> {
        if let Some(hash) = ScramHash::from_mechanism(name) {
            return Ok(Self::Scram(Scram::new(hash, account, config.iterations.clone(), random)));
        }
        if let (fast::MECHANISM, Some(token)) = (name, account.fast_token()) {
            return Ok(Self::HashedToken(HashedToken::new(account.authcid(), token)));
        }
        match (name, &account.credentials().proof) {
            ("DIGEST-MD5", Proof::Password(password)) => {
                Ok(Self::DigestMd5(DigestMd5::new(account, password.clone(), random)))
            }
            ("OAUTHBEARER", Proof::OAuthBearer(token)) => {
                Ok(Self::OAuthBearer(OAuthBearer::new(account, token)))
            }
            _ => OneMessage::new(name, account).map(Self::OneMessage),
        }
    }

    /// Takes note of what the server offered in that kind of SASL (XEP-0474).
    pub(crate) fn offered(&mut self, features: &Features, in_sasl2: bool) {
        if let Self::Scram(mechanism) = self {
            let mechanisms = match &features.sasl2 {
                Some(offer) if in_sasl2 => &offer.mechanisms,
                _ => &features.mechanisms,
            };
            mechanism.offered(scram::Offer::new(mechanisms, &features.channel_bindings));
        }
    }

    /// Whether the client has said all it has to, so that only success or failure can follow.
    pub(crate) fn has_spoken(&mut self) -> bool {
        match self {
            Self::OneMessage(_) | Self::HashedToken(_) => true,
            Self::OAuthBearer(mechanism) => mechanism.status().is_none(),
            Self::Scram(mechanism) => !matches!(mechanism.state(), State::First),
            Self::DigestMd5(mechanism) => matches!(mechanism.state(), State::Verified),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::OneMessage(mechanism) => mechanism.name(),
            Self::OAuthBearer(_) => "OAUTHBEARER",
            Self::Scram(mechanism) => mechanism.name(),
            Self::DigestMd5(_) => "DIGEST-MD5",
            Self::HashedToken(mechanism) => mechanism.name(),
        }
    }

    /// The message that goes with the mechanism's name; `None` where the server speaks first.
    pub(crate) fn initial_response(&self) -> Option<Message> {
        match self {
            Self::OneMessage(mechanism) => Some(mechanism.message()),
            Self::OAuthBearer(mechanism) => Some(mechanism.message()),
            Self::Scram(mechanism) => Some(mechanism.client_first_message()),
            Self::DigestMd5(_) => None,
            Self::HashedToken(mechanism) => Some(mechanism.message()),
        }
    }

    /// Whether the first message holds a secret, or a proof that one is known.
    pub(crate) fn begins_with_secret(&self) -> bool {
        match self {
            Self::OneMessage(mechanism) => mechanism.is_secret(),
            Self::OAuthBearer(_) | Self::HashedToken(_) => true,
            Self::Scram(_) | Self::DigestMd5(_) => false,
        }
    }

    /// The answer to a challenge.
    pub(crate) fn respond(&mut self, challenge: &[u8], means: Means<'_>) -> Result<Message> {
        match self {
            Self::OneMessage(_) | Self::HashedToken(_) => {
                Err(Error::protocol(Stage::Authenticate, "SASL success or failure", "a challenge"))
            }
            Self::OAuthBearer(mechanism) => mechanism.respond(challenge),
            Self::Scram(mechanism) => mechanism.respond(challenge, means),
            Self::DigestMd5(mechanism) => mechanism.respond(challenge, means),
        }
    }

    /// What the server said of the failure inside the mechanism, more than `<failure/>` says.
    pub(crate) fn failure_text(&self) -> Option<&str> {
        match self {
            Self::OAuthBearer(mechanism) => mechanism.status(),
            _ => None,
        }
    }

    /// Ends with the server's success and what it sent with it.
    pub(crate) fn finish(mut self, additional_data: Option<&[u8]>) -> Result<Authenticated> {
        match &mut self {
            Self::OneMessage(_) => {}
            Self::OAuthBearer(mechanism) => mechanism.finish()?,
            Self::Scram(mechanism) => {
                mechanism.finish(additional_data)?;
                mechanism.keep_keys();
            }
            Self::DigestMd5(mechanism) => mechanism.finish(additional_data)?,
            Self::HashedToken(mechanism) => mechanism.finish(additional_data)?,
        }
        Ok(Authenticated { mechanism: self.name().to_owned() })
    }
}

/// Why a success that comes before the server has proven itself is refused.
fn early_success() -> Error {
    Error::unverified(
        Check::Signature,
        "it reported success without proving that it knows the password: check that `url` leads to your server, as someone \
         may be intercepting the connection",
    )
}
