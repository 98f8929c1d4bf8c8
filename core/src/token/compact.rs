//! The form of a token: `header.claims.signature`, each in base64url (RFC 7515 §3.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::secret::Secret;

/// The header of a token to sign.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    pub(super) alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kid: Option<&'a str>,
    pub(super) typ: &'static str,
}

/// What is signed.
pub(super) fn unsigned(head: &Head<'_>, claims: &impl Serialize) -> String {
    encode(head) + "." + &encode(claims)
}

/// The token.
pub(super) fn signed(unsigned: String, signature: &[u8]) -> Secret {
    let mut token = unsigned;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token.into()
}

/// How long so many bytes are in base64url.
pub(super) fn encoded_len(bytes: usize) -> usize {
    (4 * bytes).div_ceil(3)
}

/// Names and texts have no form that JSON lacks.
fn encode(part: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

/// A token whose signature has not been looked at.
pub(super) struct Unverified<'a> {
    pub(super) header: Header,
    /// What is signed.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    claims: &'a str,
}

/// The parts of a header that matter here (RFC 7515 §4.1).
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    pub(super) fn new(token: &'a str) -> Result<Self, Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        // An encrypted token has five parts (RFC 7516 §3.1).
        let (header, claims) =
            signed.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or(Refusal::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Malformed)?;
        // An extension that must be understood (RFC 7515 §4.1.11): none is.
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        Ok(Self { header, signed: signed.as_bytes(), signature: decode(signature)?, claims })
    }

    /// The claims, for one whose signature is right.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, Refusal> {
        serde_json::from_slice(&decode(self.claims)?).map_err(|_| Refusal::Malformed)
    }
}

/// Whether this is a token with an ID of its own (`jti`); its signature is not looked at.
#[cfg(feature = "client")]
pub(crate) fn has_id(token: &str) -> bool {
    let claims = Unverified::new(token).and_then(|token| token.claims());
    claims.is_ok_and(|claims| claims.contains_key("jti"))
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}
