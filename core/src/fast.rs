//! The token that replaces the password from the second login on (XEP-0484).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::random::is_uuid;
use crate::secret::Secret;
use crate::xml;

/// The mechanism of the tokens that are asked for. Those with channel binding have no use here:
/// BOSH hides the XMPP server's TLS from its clients.
pub(crate) const MECHANISM: &str = "HT-SHA-256-NONE";

/// Longer than any token or its record is.
const MAX_LENGTH: usize = 4096;

/// A token that a server issued for further logins of one account (XEP-0484), to be kept by the
/// caller, per account, as carefully as a password: who has it can log in until it expires.
///
/// A server replaces it from time to time. The rule for a store is therefore to keep, after each
/// call, what [`Session::fast_token`](crate::Session::fast_token) says, and nothing if that is none.
///
/// `Debug` hides it. [`to_text`](Self::to_text) and [`from_text`](Self::from_text) are for the store.
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
    /// What a server sent, to the user agent of that ID; `None` if it cannot be a token.
    pub(crate) fn issued(token: &str, expiry: Option<&str>, user_agent: &str) -> Option<Self> {
        let fits = |text: &str| (1..=MAX_LENGTH).contains(&text.len()) && xml::is_text(text);
        let is_sound = fits(token) && expiry.is_none_or(fits) && is_uuid(user_agent);
        is_sound.then(|| Self {
            token: token.into(),
            expiry: expiry.map(str::to_owned),
            user_agent: user_agent.to_owned(),
        })
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    /// `Config` if it is something else.
    pub fn from_text(text: &str) -> Result<Self> {
        // Escaped, a character takes six bytes at most.
        let text = Some(text).filter(|text| text.len() <= 3 * 6 * MAX_LENGTH);
        let record: Option<Record<'_>> = text.and_then(|text| serde_json::from_str(text).ok());
        record
            .filter(|record| record.mechanism == MECHANISM)
            .and_then(|record| Self::issued(&record.token, record.expiry.as_deref(), &record.user_agent))
            .ok_or_else(|| Error::config("fast_token", "is not what `fast_token` of an earlier session was: forget it and log in by other credentials"))
    }

    /// All of it in one line, for a store. It holds the secret.
    ///
    /// # Panics
    /// Never: strings are always JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let record = Record {
            mechanism: MECHANISM.into(),
            token: self.token.expose().into(),
            expiry: self.expiry().map(Cow::from),
            user_agent: self.user_agent().into(),
        };
        serde_json::to_string(&record).expect("strings are JSON")
    }

    /// When it ceases to be accepted, as the server wrote it: a time such as
    /// `2026-12-13T11:30:35Z` (XEP-0082).
    #[must_use]
    pub fn expiry(&self) -> Option<&str> {
        self.expiry.as_deref()
    }

    pub(crate) fn secret(&self) -> &str {
        self.token.expose()
    }

    /// The ID of the user agent it was issued to; no other may use it.
    pub(crate) fn user_agent(&self) -> &str {
        &self.user_agent
    }
}

impl fmt::Debug for FastToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastToken").field("expiry", &self.expiry).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER_AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

    #[test]
    fn what_is_stored_comes_back() {
        for expiry in [Some("2026-12-13T11:30:35Z"), None] {
            let token = FastToken::issued("secret-token:\"<é>", expiry, USER_AGENT).unwrap();
            let text = token.to_text();
            assert!(!text.contains('\n'));
            assert_eq!(FastToken::from_text(&text).unwrap(), token);
        }
    }

    #[test]
    fn the_longest_comes_back_from_a_store_that_escapes_every_character() {
        let longest = "z".repeat(MAX_LENGTH);
        let token = FastToken::issued(&longest, Some(&longest), USER_AGENT).unwrap();
        let text = token.to_text().replace('z', "\\u007a");
        assert_eq!(FastToken::from_text(&text).unwrap(), token);
    }

    #[test]
    fn what_is_no_token_is_refused() {
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
}
