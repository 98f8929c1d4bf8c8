//! Keys, however they are written down.

use std::fmt;
use std::sync::Arc;

use super::algorithm::Algorithm;
use super::jwk::{Jwk, JwkSet, not_jwk};
use super::material::Material;
use super::pem;
use crate::error::{Error, Result};

/// The most bytes of a text with keys: a set of 32 RSA keys has half of them.
const MAX_TEXT: usize = 128 * 1024;

/// The most keys at once.
pub(super) const MAX_KEYS: usize = 32;

/// The most bytes of a secret and of a key ID.
const MAX_SECRET: usize = 1024;
const MAX_ID: usize = 128;

/// What signs tokens, or only verifies them: a secret, a private or a public key, with the one algorithm it is for.
///
/// Cheap to clone. `Debug` shows the algorithm and the ID, never the key. A secret is wiped from memory when the last
/// clone is dropped; private keys are held by `ring`, which does not wipe them.
#[derive(Clone)]
pub struct Key {
    id: Option<Arc<str>>,
    algorithm: Algorithm,
    material: Arc<Material>,
}

impl Key {
    /// A secret that signs and verifies by HMAC.
    ///
    /// # Errors
    /// `Config` if the algorithm has key pairs, or the secret is shorter than the
    /// [hash](Algorithm::least_secret) or longer than 1,024 bytes.
    pub fn from_secret(algorithm: Algorithm, secret: impl Into<Vec<u8>>) -> Result<Self> {
        let secret = Material::Secret(secret.into().into());
        if algorithm.least_secret().is_none() {
            return Err(Error::config(
                "key",
                format!("{algorithm} needs a key pair, not a secret: give the private key as PEM or JWK"),
            ));
        }
        Self::new(None, algorithm, secret)
    }

    /// A private or public key in PEM: PKCS#8, PKCS#1, SEC 1 or `SubjectPublicKeyInfo`. RSA signs by RS256, P-256 by
    /// ES256, Ed25519 by `EdDSA`.
    ///
    /// # Errors
    /// `Config` if there is no such key, more than one, or it is encrypted.
    pub fn from_pem(pem: &str) -> Result<Self> {
        one(of_pem(pem)?)
    }

    /// A JSON Web Key (RFC 7517): `oct`, `RSA`, `EC` with P-256 or `OKP` with Ed25519. Its `alg` and `kid` are used;
    /// an `oct` without `alg` is for HS256.
    ///
    /// # Errors
    /// `Config` if it is none of these, or its numbers make no key.
    pub fn from_jwk(jwk: &str) -> Result<Self> {
        check_length(jwk)?;
        of_jwk(&serde_json::from_str(jwk).map_err(|_| not_jwk())?)
    }

    /// The keys of a text such as a file's: a JWK, a JWK set, or one or more keys in PEM. In a set, keys of other
    /// sorts and for other purposes are ignored (RFC 7517 §5).
    ///
    /// # Errors
    /// `Config` if there is no usable key, or more than 32.
    pub fn read(text: &str) -> Result<Vec<Self>> {
        if !text.trim_start().starts_with('{') {
            return of_pem(text);
        }
        check_length(text)?;
        let Ok(set) = serde_json::from_str::<JwkSet>(text) else { return Ok(vec![Self::from_jwk(text)?]) };
        let mut keys = Vec::new();
        let mut problem = not_jwk();
        for key in set.keys {
            match serde_json::from_value(key).map_err(|_| not_jwk()).and_then(|jwk| of_jwk(&jwk)) {
                Ok(key) => keys.push(key),
                Err(error) => problem = error,
            }
        }
        if keys.is_empty() { Err(problem) } else { at_most(keys) }
    }

    /// The same key with this ID: what a token names it by (`kid`).
    ///
    /// # Errors
    /// `Config` if the ID is empty, has more than 128 bytes or a control character.
    pub fn with_id(mut self, id: &str) -> Result<Self> {
        if id.is_empty() || id.len() > MAX_ID || id.contains(char::is_control) {
            return Err(Error::config("key", "its ID (kid) has 1 to 128 bytes and no control character"));
        }
        self.id = Some(id.into());
        Ok(self)
    }

    /// What a token names it by (`kid`).
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What it signs by.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether it can sign: a public key only verifies.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.material.can_sign()
    }

    /// The signature of a message; `None` if this is a public key.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Option<Vec<u8>>> {
        self.material.sign(self.algorithm, message)
    }

    pub(super) fn material(&self) -> &Material {
        &self.material
    }

    /// How many bytes a signature has.
    pub(super) fn signature_length(&self) -> usize {
        self.material.signature_length(self.algorithm)
    }

    /// Whether the signature of the message is this key's.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.material.verifies(self.algorithm, message, signature)
    }

    fn new(id: Option<&str>, algorithm: Algorithm, material: Material) -> Result<Self> {
        if let (Material::Secret(secret), Some(least)) = (&material, algorithm.least_secret())
            && !(least..=MAX_SECRET).contains(&secret.len())
        {
            let length = secret.len();
            return Err(Error::config(
                "key",
                format!(
                    "{algorithm} needs a secret of {least} to {MAX_SECRET} bytes, this one has {length}: make a random one"
                ),
            ));
        }
        let key = Self { id: None, algorithm, material: Arc::new(material) };
        match id {
            Some(id) => key.with_id(id),
            None => Ok(key),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn of_pem(text: &str) -> Result<Vec<Key>> {
    check_length(text)?;
    let keys =
        pem::read(text)?.into_iter().map(|material| Key::new(None, material.usual_algorithm(), material));
    at_most(keys.collect::<Result<_>>()?)
}

fn of_jwk(jwk: &Jwk) -> Result<Key> {
    let (algorithm, material) = jwk.read()?;
    Key::new(jwk.kid.as_deref(), algorithm, material)
}

fn one(keys: Vec<Key>) -> Result<Key> {
    <[Key; 1]>::try_from(keys).map(|[key]| key).map_err(|keys| {
        Error::config(
            "key",
            format!("there are {} keys where one is expected: give each by itself", keys.len()),
        )
    })
}

fn at_most(keys: Vec<Key>) -> Result<Vec<Key>> {
    if keys.len() > MAX_KEYS {
        return Err(Error::config(
            "key",
            format!("there are more than {MAX_KEYS} keys: remove those that signed no token of today"),
        ));
    }
    Ok(keys)
}

fn check_length(text: &str) -> Result<()> {
    if text.len() > MAX_TEXT {
        return Err(Error::config("key", format!("has more than {MAX_TEXT} bytes: give nothing but keys")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Key {
        Key::from_secret(Algorithm::Hs256, [7; 32]).unwrap()
    }

    #[test]
    fn what_a_key_and_its_name_may_be_is_bounded() {
        assert!(secret().with_id(&"x".repeat(MAX_ID)).is_ok());
        for bad in [String::new(), "x".repeat(MAX_ID + 1), "a\nb".to_owned()] {
            assert!(secret().with_id(&bad).is_err(), "{bad}");
        }
        let jwk = secret().verifying_jwk().expose().to_owned();
        let padded = |length: usize| format!("{jwk}{}", " ".repeat(length - jwk.len()));
        for read in [|text: &str| Key::read(text).map(drop), |text: &str| Key::from_jwk(text).map(drop)] {
            assert!(read(&padded(MAX_TEXT)).is_ok());
            assert!(read(&padded(MAX_TEXT + 1)).is_err());
        }
        let set = |count: usize| format!("{{\"keys\":[{}]}}", vec![jwk.as_str(); count].join(","));
        assert_eq!(Key::read(&set(MAX_KEYS)).unwrap().len(), MAX_KEYS);
        assert!(Key::read(&set(MAX_KEYS + 1)).is_err());
    }

    /// Both forms that OpenSSL writes.
    #[test]
    fn an_encrypted_key_is_told_as_such() {
        for (label, headers) in [
            ("ENCRYPTED PRIVATE KEY", ""),
            ("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"),
        ] {
            let pem = format!("-----BEGIN {label}-----\n{headers}AAAA\n-----END {label}-----\n");
            let error = Key::from_pem(&pem).unwrap_err().to_string();
            assert!(error.contains("openssl pkey"), "{label}: {error}");
        }
    }
}
