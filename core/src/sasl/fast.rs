//! The token that replaces the password from the second login on (XEP-0484), and HT-SHA-256-NONE
//! (draft-schmaus-kitten-sasl-ht), its mechanism: each side proves that it knows the token, and never sends it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::mechanism::{Authenticated, Input, Mechanism, Output, early_success, unexpected_challenge};
use super::scram::ScramHash;
use crate::error::{Check, Error, Result};
use crate::random::is_uuid;
use crate::secret::Secret;
use crate::text;
use crate::wire::sasl2::TOKEN_MECHANISM;

/// The longest token, which is longer than servers issue.
const MAX_LENGTH: usize = 4096;

/// A token that a server issued for later logins of one account (XEP-0484). Anyone holding the token can log
/// in until it expires, so store it per account and protect it like a password.
///
/// A server replaces the token from time to time. So after each call, store the value of
/// [`Session::fast_token`](crate::Session::fast_token), and delete the stored token if that is `None`.
///
/// `Debug` hides the token. [`to_text`](Self::to_text) and [`from_text`](Self::from_text) convert it for
/// storage.
#[derive(Clone, PartialEq, Eq)]
pub struct FastToken {
    token: Secret,
    expiry: Option<String>,
    user_agent: String,
}

/// The form in which a token is stored.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    mechanism: Cow<'a, str>,
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expiry: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_agent: Cow<'a, str>,
}

impl FastToken {
    /// A token that the server issued to the user agent with this ID. Returns `None` if it is not valid.
    pub(crate) fn issued(token: &str, expiry: Option<&str>, user_agent: &str) -> Option<Self> {
        let fits = |text: &str| (1..=MAX_LENGTH).contains(&text.len()) && text::is_xml_text(text);
        let is_sound = fits(token) && expiry.is_none_or(fits) && is_uuid(user_agent);
        is_sound.then(|| Self {
            token: token.into(),
            expiry: expiry.map(str::to_owned),
            user_agent: user_agent.to_owned(),
        })
    }

    /// Reads a token that [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    /// `Config` if the text is anything else.
    pub fn from_text(text: &str) -> Result<Self> {
        // A character takes at most six bytes when it is escaped.
        let text = Some(text).filter(|text| text.len() <= 3 * 6 * MAX_LENGTH);
        let record: Option<Record<'_>> = text.and_then(|text| serde_json::from_str(text).ok());
        record
            .filter(|record| record.mechanism == TOKEN_MECHANISM)
            .and_then(|record| Self::issued(&record.token, record.expiry.as_deref(), &record.user_agent))
            .ok_or_else(|| Error::config("fast_token", "is not what `fast_token` of an earlier session returned: forget it and log in by other credentials"))
    }

    /// The whole token as one line of text, for storage. The text holds the secret.
    ///
    /// # Panics
    /// Never, because strings can always be written as JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let record = Record {
            mechanism: TOKEN_MECHANISM.into(),
            token: self.token.expose().into(),
            expiry: self.expiry().map(Cow::from),
            user_agent: self.user_agent().into(),
        };
        serde_json::to_string(&record).expect("strings are JSON")
    }

    /// When the token expires, as the server wrote it: a time such as `2026-12-13T11:30:35Z` (XEP-0082).
    #[must_use]
    pub fn expiry(&self) -> Option<&str> {
        self.expiry.as_deref()
    }

    pub(crate) fn secret(&self) -> &str {
        self.token.expose()
    }

    /// The ID of the user agent that the token was issued to. No other user agent may use it.
    pub(crate) fn user_agent(&self) -> &str {
        &self.user_agent
    }
}

impl fmt::Debug for FastToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastToken").field("expiry", &self.expiry).finish_non_exhaustive()
    }
}

/// One login with a token.
pub(super) struct HashedToken<'a> {
    authcid: &'a str,
    token: &'a FastToken,
}

impl<'a> HashedToken<'a> {
    pub(super) fn new(authcid: &'a str, token: &'a FastToken) -> Self {
        Self { authcid, token }
    }

    /// Checks the server's proof (§3.2).
    fn verify(&self, proof: &[u8]) -> Result<()> {
        if bool::from(proof.ct_eq(&self.hashed(b"Responder"))) {
            return Ok(());
        }
        Err(Error::unverified(
            Check::Signature,
            "its proof is wrong: it does not know the token that it issued; check that `url` leads to your server, as \
             someone may be intercepting the connection",
        ))
    }

    fn hashed(&self, label: &[u8]) -> Zeroizing<Vec<u8>> {
        ScramHash::Sha256.hmac(self.token.secret().as_bytes(), label)
    }
}

impl Mechanism for HashedToken<'_> {
    fn name(&self) -> &str {
        TOKEN_MECHANISM
    }

    fn resume(&mut self, input: Input<'_>) -> Result<Output> {
        match input {
            // `authcid NUL initiator-hashed-token` (§3.1)
            Input::Nothing => {
                let message = [self.authcid.as_bytes(), b"\0", &self.hashed(b"Initiator")].concat();
                Ok(Output::LastMessage(Zeroizing::new(message)))
            }
            Input::Challenge { .. } => Err(unexpected_challenge()),
            Input::Success(proof) => {
                self.verify(proof.ok_or_else(early_success)?)?;
                Ok(Output::Proof(Authenticated::by(self)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const USER_AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

    #[test]
    fn a_stored_token_can_be_read_back() {
        for expiry in [Some("2026-12-13T11:30:35Z"), None] {
            let token = FastToken::issued("secret-token:\"<é>", expiry, USER_AGENT).unwrap();
            let text = token.to_text();
            assert!(!text.contains('\n'));
            assert_eq!(FastToken::from_text(&text).unwrap(), token);
        }
    }

    #[test]
    fn the_longest_token_survives_a_store_that_escapes_every_character() {
        let longest = "z".repeat(MAX_LENGTH);
        let token = FastToken::issued(&longest, Some(&longest), USER_AGENT).unwrap();
        let text = token.to_text().replace('z', "\\u007a");
        assert_eq!(FastToken::from_text(&text).unwrap(), token);
    }

    #[test]
    fn a_text_that_is_no_token_is_refused() {
        let good = FastToken::issued("hidden", None, USER_AGENT).unwrap().to_text();
        for bad in [
            String::new(),
            "hidden".to_owned(),
            good.replace("SHA-256", "SHA-512"),
            good.replace("hidden", ""),
            good.replace("hidden", "\\u0000"),
            good.replace("hidden", &"x".repeat(5000)),
            good.replace("d4565fa7", "hidden"),
        ] {
            let error = FastToken::from_text(&bad).unwrap_err().to_string();
            assert!(error.starts_with("fast_token: ") && !error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn debug_hides_it() {
        let token = FastToken::issued("hidden", Some("2026"), USER_AGENT).unwrap();
        assert_eq!(format!("{token:?}"), "FastToken { expiry: Some(\"2026\"), .. }");
    }

    /// The values were recorded with Prosody 13.0.1.
    #[test]
    fn both_proofs_match_those_of_a_server() {
        let token = FastToken::issued(
            "secret-token:fast-xkFvDmO0jBMSGm0gW934Fiwo6-VCUZCQLFhJ",
            None,
            "d4565fa7-4d72-4749-b3d3-740edbf87770",
        )
        .unwrap();
        let mut mechanism = HashedToken::new("alice", &token);
        let Ok(Output::LastMessage(message)) = mechanism.resume(Input::Nothing) else { panic!("no message") };
        assert_eq!(STANDARD.encode(message), "YWxpY2UAVkLcwAijTPPi1yfFVAqhrY9jc3vw4o+ytbBtIzAeDn4=");
        let proof = STANDARD.decode("OmODnnWJ2OcIx5/64MJV1Am85ZOx7jf4of5T3vIC+t0=").unwrap();
        for wrong in [None, Some(&b""[..]), Some(&proof[..31]), Some(&[0; 32])] {
            let error = mechanism.resume(Input::Success(wrong)).err().expect("an error");
            assert_eq!(error.kind().as_str(), "ServerUnverified");
        }
        assert!(matches!(mechanism.resume(Input::Success(Some(&proof))), Ok(Output::Proof(_))));
    }
}
