//! Whose token it is.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::compact::{Header, Unverified};
use super::key::{Key, MAX_KEYS};
use super::refusal::Refusal;
use crate::error::{Error, Result};
use crate::jid::Jid;

/// Verifies tokens. Keys may overlap, so that a token of the old key is good while keys rotate.
///
/// A token is verified by the keys whose [ID](Key::id) it names, else by those without an ID; one that names none is
/// verified by each. The algorithm is the key's, whatever the token says.
///
/// `exp` must be there and be a number; from that second on the token has expired. `nbf` and `iat`, where they are,
/// may lie [30 seconds](Self::LEEWAY) ahead, so that the clocks of two machines may differ.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Vec<Key>,
    audience: Option<String>,
    issuer: Option<String>,
    user: User,
}

/// Which claim names the user. More rules may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum User {
    /// This claim has the JID.
    Jid {
        /// The claim's name.
        claim: String,
    },
    /// This claim has the user's name at the site, and the JID is made of it as by [`Jid::from_user`].
    Name {
        /// The claim's name.
        claim: String,
        /// The domain of all users.
        domain: String,
    },
}

impl Default for User {
    /// The claim `jid`.
    fn default() -> Self {
        Self::Jid { claim: "jid".to_owned() }
    }
}

/// What a good token says. More may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The user's bare JID.
    pub jid: Jid,
    /// When the token expires, in seconds since 1970 (UTC), rounded down.
    pub expires: u64,
    /// The claim `jti` (RFC 7519 §4.1.7), by which a token can be told from all others.
    pub id: Option<String>,
}

impl Verifier {
    /// The most bytes of a token.
    pub const LONGEST: usize = 8192;

    /// How far `nbf` and `iat` may lie ahead.
    pub const LEEWAY: Duration = Duration::from_secs(30);

    /// A verifier for tokens that one of these keys signed, with the user's JID in the claim `jid`.
    ///
    /// # Errors
    /// `Config` if there is no key, or more than 32.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self> {
        let keys: Vec<Key> = keys.into_iter().take(MAX_KEYS + 1).collect();
        if !(1..=MAX_KEYS).contains(&keys.len()) {
            return Err(Error::config("key", format!("tokens are verified by 1 to {MAX_KEYS} keys")));
        }
        Ok(Self { keys, audience: None, issuer: None, user: User::default() })
    }

    /// Accepts only tokens with this audience among those of `aud`. Without it, a token that names an audience is
    /// refused, because it is for somebody else (RFC 7519 §4.1.3).
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Accepts only tokens of this issuer (`iss`, RFC 7519 §4.1.1).
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Finds the user by this rule.
    #[must_use]
    pub fn with_user(mut self, user: User) -> Self {
        self.user = user;
        self
    }

    /// Whose token this is, at that time.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Verified, Refusal> {
        if token.len() > Self::LONGEST {
            return Err(Refusal::TooLong);
        }
        let token = Unverified::new(token)?;
        self.check_signature(&token)?;
        let claims = token.claims()?;
        let expires = check_times(&claims, seconds(now))?;
        self.check_parties(&claims)?;
        let id = claims.get("jti").and_then(Value::as_str).map(str::to_owned);
        Ok(Verified { jid: self.user(&claims)?, expires, id })
    }

    /// The same, for a token that this account logs in with. A resource in the JID is ignored.
    ///
    /// # Errors
    /// Why it is refused; [`OtherUser`](Refusal::OtherUser) if it is a good token of somebody else.
    pub fn verify_of(&self, jid: &Jid, token: &str, now: SystemTime) -> Result<Verified, Refusal> {
        let verified = self.verify(token, now)?;
        if verified.jid.account() == jid.account() { Ok(verified) } else { Err(Refusal::OtherUser) }
    }

    fn check_signature(&self, token: &Unverified<'_>) -> Result<(), Refusal> {
        let named = self.named(&token.header);
        if named.is_empty() {
            return Err(Refusal::UnknownKey);
        }
        let mut fitting = named.iter().filter(|key| key.algorithm().as_str() == token.header.alg).peekable();
        if fitting.peek().is_none() {
            return Err(Refusal::Algorithm);
        }
        let is_signed = fitting.any(|key| key.verifies(token.signed, &token.signature));
        if is_signed { Ok(()) } else { Err(Refusal::Signature) }
    }

    /// The keys that may have signed a token with this header.
    fn named(&self, header: &Header) -> Vec<&Key> {
        let Some(id) = header.kid.as_deref() else { return self.keys.iter().collect() };
        let of_id = |id: Option<&str>| self.keys.iter().filter(|key| key.id() == id).collect::<Vec<_>>();
        let named = of_id(Some(id));
        if named.is_empty() { of_id(None) } else { named }
    }

    fn check_parties(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        let is = |value: &Value, wanted: &String| value.as_str() == Some(wanted);
        let is_for_us = match (&self.audience, claims.get("aud")) {
            (Some(audience), Some(Value::Array(all))) => all.iter().any(|one| is(one, audience)),
            (Some(audience), Some(one)) => is(one, audience),
            (wanted, named) => wanted.is_none() && named.is_none(),
        };
        if !is_for_us {
            return Err(Refusal::Audience);
        }
        if let Some(issuer) = &self.issuer {
            claims.get("iss").filter(|value| is(value, issuer)).ok_or(Refusal::Issuer)?;
        }
        Ok(())
    }

    fn user(&self, claims: &Map<String, Value>) -> Result<Jid, Refusal> {
        let text = |claim: &String| claims.get(claim).and_then(Value::as_str).ok_or(Refusal::NoUser);
        let jid = match &self.user {
            User::Jid { claim } => Jid::new(text(claim)?),
            User::Name { claim, domain } => Jid::from_user(text(claim)?, domain),
        };
        let jid = jid.map_err(|_| Refusal::NoUser)?;
        if jid.local().is_some() { Ok(jid.bare()) } else { Err(Refusal::NoUser) }
    }
}

/// When the token expires. Numbers may have fractions (RFC 7519 §2, `NumericDate`).
fn check_times(claims: &Map<String, Value>, now: f64) -> Result<u64, Refusal> {
    let expires = claims.get("exp").and_then(Value::as_f64).ok_or(Refusal::NoExpiry)?;
    if now >= expires {
        return Err(Refusal::Expired);
    }
    for claim in ["nbf", "iat"] {
        if let Some(value) = claims.get(claim) {
            let begins = value.as_f64().ok_or(Refusal::Malformed)?;
            if begins > now + Verifier::LEEWAY.as_secs_f64() {
                return Err(Refusal::NotYetValid);
            }
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, and rounded down"
    )]
    Ok(expires as u64)
}

/// Since 1970.
fn seconds(now: SystemTime) -> f64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
