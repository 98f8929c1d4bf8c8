//! Signs tokens for users.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::compact::{Head, encoded_len, signed, unsigned};
use super::key::{Key, MAX_KEYS};
use crate::error::{Error, Result};
use crate::jid::Jid;
use crate::random;
use crate::secret::Secret;

/// The claims that are always the issuer's own.
const OWN: [&str; 7] = ["jid", "sub", "iat", "nbf", "exp", "aud", "jti"];

/// How many random bytes the ID of a token has: no two tokens get the same one.
const ID_BYTES: usize = 16;

/// Issues a token for each login: a JWT that the chat server takes as the user's password.
///
/// Its claims are `jid` (the bare JID), `sub` (the part before the `@`), `iat`, `nbf`, `exp`, where configured `aud` and
/// `jti`, and those you add. Its header names the key by its [ID](Key::id), if it has one.
#[derive(Debug, Clone)]
pub struct Issuer {
    keys: Vec<Key>,
    lifetime: Duration,
    audience: Option<String>,
    has_ids: bool,
    claims: Map<String, Value>,
}

impl Issuer {
    /// How long a token is valid unless [`with_lifetime`](Self::with_lifetime) says otherwise: a login takes less
    /// than the [deadline](crate::Config::with_deadline), and clocks differ.
    pub const LIFETIME: Duration = Duration::from_secs(60);

    /// The longest that a token can be valid.
    pub const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

    /// The most bytes of a token: what Prosody takes as a password (SASLprep of its `util.sasl.plain`).
    pub const LONGEST: usize = 1023;

    /// An issuer with these keys, the newest first. That one signs; the others are for the time in which a chat
    /// server may not know it yet.
    ///
    /// # Errors
    /// `Config` if there is no key, more than 32, or one is a public key.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self> {
        let keys: Vec<Key> = keys.into_iter().take(MAX_KEYS + 1).collect();
        if !(1..=MAX_KEYS).contains(&keys.len()) {
            return Err(Error::config("key", format!("tokens are signed by 1 to {MAX_KEYS} keys")));
        }
        if !keys.iter().all(Key::can_sign) {
            return Err(is_public());
        }
        Ok(Self { keys, lifetime: Self::LIFETIME, audience: None, has_ids: false, claims: Map::new() })
    }

    /// How long a token is valid, in whole seconds; 60 seconds by default.
    ///
    /// # Errors
    /// `Config` if it is less than a second or more than [a day](Self::LONGEST_LIFETIME).
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self> {
        if !(Duration::from_secs(1)..=Self::LONGEST_LIFETIME).contains(&lifetime) {
            return Err(Error::config("lifetime", "is 1 second to 1 day: a minute is enough for a login"));
        }
        self.lifetime = lifetime;
        Ok(self)
    }

    /// Whom the tokens are for (`aud`, RFC 7519 §4.1.3), so that no other service of the site accepts them.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Gives each token an ID of its own (`jti`, RFC 7519 §4.1.7). By it a site that [verifies](crate::extauth::Endpoint)
    /// its tokens itself knows that one was used before.
    #[must_use]
    pub fn with_ids(mut self) -> Self {
        self.has_ids = true;
        self
    }

    #[cfg(feature = "client")]
    pub(crate) fn has_ids(&self) -> bool {
        self.has_ids
    }

    /// More claims, as a JSON object.
    ///
    /// # Errors
    /// `Config` if it is no JSON object, or has a claim that the issuer sets itself.
    pub fn with_claims(mut self, json: &str) -> Result<Self> {
        check_length(json.len())?;
        let claims: Map<String, Value> = serde_json::from_str(json)
            .map_err(|_| Error::config("claims", "must be named values: write them as a JSON object"))?;
        if OWN.iter().any(|own| claims.contains_key(*own)) {
            let own = OWN.join(", ");
            return Err(Error::config("claims", format!("must not have {own}: each token has its own")));
        }
        self.claims = claims;
        Ok(self)
    }

    /// A token for this account, signed by the newest key at that time.
    ///
    /// # Errors
    /// `Config` if the JID has no user, or the token has more than [1,023 bytes](Self::LONGEST).
    pub fn issue(&self, jid: &Jid, now: SystemTime) -> Result<Secret> {
        self.issue_by(0, jid, now).unwrap_or_else(|| Err(is_public()))
    }

    /// The same, signed by the key at this place, the newest being at 0; `None` if there is no such key.
    pub(crate) fn issue_by(&self, place: usize, jid: &Jid, now: SystemTime) -> Option<Result<Secret>> {
        self.keys.get(place).map(|key| self.signed(key, jid, now))
    }

    /// How many keys there are.
    #[cfg(feature = "client")]
    pub(crate) fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// Whether each key can issue a token for this account.
    ///
    /// # Errors
    /// As [`issue`](Self::issue).
    pub(crate) fn check(&self, jid: &Jid) -> Result<()> {
        /// A time with as many digits as those of this century and the next have.
        const SOME_TIME: u64 = 1 << 32;
        self.keys.iter().try_for_each(|key| {
            let unsigned = self.unsigned(key, jid, SOME_TIME, &[0; ID_BYTES])?;
            check_length(unsigned.len() + 1 + encoded_len(key.signature_length()))
        })
    }

    fn signed(&self, key: &Key, jid: &Jid, now: SystemTime) -> Result<Secret> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut id = [0; ID_BYTES];
        if self.has_ids {
            random::fill(&mut id)?;
        }
        let unsigned = self.unsigned(key, jid, now, &id)?;
        let signature = key.sign(unsigned.as_bytes())?.ok_or_else(is_public)?;
        let token = signed(unsigned, &signature);
        check_length(token.expose().len())?;
        Ok(token)
    }

    /// Header and claims.
    fn unsigned(&self, key: &Key, jid: &Jid, now: u64, id: &[u8]) -> Result<String> {
        let Some(local) = jid.local() else {
            return Err(Error::config("jid", "a token is for a user: give a JID like alice@example.org"));
        };
        let bare = jid.bare().to_string();
        let claims = Claims {
            jid: &bare,
            sub: local,
            iat: now,
            nbf: now,
            exp: now.saturating_add(self.lifetime.as_secs()),
            aud: self.audience.as_deref(),
            jti: self.has_ids.then(|| URL_SAFE_NO_PAD.encode(id)),
            more: &self.claims,
        };
        Ok(unsigned(&Head { alg: key.algorithm().as_str(), kid: key.id(), typ: "JWT" }, &claims))
    }
}

fn check_length(length: usize) -> Result<()> {
    const MOST: usize = Issuer::LONGEST;
    if length > MOST {
        return Err(Error::config(
            "claims",
            format!(
                "the token has {length} bytes, and servers take no more than {MOST}: use fewer claims, or ES256 in place of RS256"
            ),
        ));
    }
    Ok(())
}

/// Absent ones are left out: there is never an `exp` that is null.
#[derive(Serialize)]
struct Claims<'a> {
    jid: &'a str,
    sub: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

fn is_public() -> Error {
    Error::config("key", "is a public key, which only verifies: give the private key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_be_as_long_as_servers_take_it() {
        assert!(check_length(Issuer::LONGEST).is_ok() && check_length(Issuer::LONGEST + 1).is_err());
    }
}
