//! Tokens that users log in with instead of a password.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use serde_json::json;

use crate::error::{Error, Result};

/// The key by which ejabberd verifies the tokens of `jwt.local` (HS256). It need not be secret, because the
/// accounts are worth nothing.
pub const JWT_KEY: &str = "a key for tests, and only for tests";

/// A JSON Web Token in ejabberd's form: `{"jid": …, "exp": …}`.
#[must_use]
pub fn jwt(jid: &str, expires: SystemTime) -> String {
    let seconds = expires.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "HS256", "typ": "JWT" }).to_string());
    let claims = URL_SAFE_NO_PAD.encode(json!({ "jid": jid, "exp": seconds }).to_string());
    let signed = format!("{header}.{claims}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, JWT_KEY.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// The key as a file that ejabberd reads (RFC 7517).
pub(crate) fn jwt_key_file() -> String {
    json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(JWT_KEY) }).to_string()
}

/// The token by which Prosody's `bearer.local` knows a user.
pub(crate) fn bearer(user: &str) -> String {
    format!("bearer-of-{user}")
}

pub(crate) fn in_an_hour() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

/// A random word for a URL that nobody can guess.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Io { action: "read random bytes", source: std::io::ErrorKind::Other.into() })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
