//! Keys that sign tokens, both good tokens and tokens that a server must refuse.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::KeyPair;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// A key for JSON Web Tokens (RFC 7515), with its algorithm (RFC 7518 §3.1).
pub struct SigningKey {
    /// The algorithm, by its name in the header of a token.
    pub algorithm: &'static str,
    /// The key that a server verifies the tokens with: a JWK (RFC 7517), or a public key in PEM.
    pub file: String,
    secret: Secret,
}

enum Secret {
    Hmac(hmac::Key),
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl SigningKey {
    /// A key for HS256, HS384 or HS512 with these bytes.
    ///
    /// # Panics
    /// If the algorithm is another one.
    #[must_use]
    pub fn hmac(algorithm: &'static str, bytes: &[u8]) -> Self {
        let hash = match algorithm {
            "HS256" => hmac::HMAC_SHA256,
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            other => panic!("{other} is no HMAC"),
        };
        let file = json!({ "kty": "oct", "alg": algorithm, "k": URL_SAFE_NO_PAD.encode(bytes) }).to_string();
        Self { algorithm, file, secret: Secret::Hmac(hmac::Key::new(hash, bytes)) }
    }

    /// A new key of 2048 bits for RS256, made by the command `openssl`.
    ///
    /// # Errors
    /// If the command is not installed.
    pub fn rs256() -> Result<Self> {
        let key = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], &[])?;
        let der = openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &key)?;
        let file = String::from_utf8_lossy(&openssl(&["pkey", "-pubout"], &key)?).into_owned();
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| unusable())?;
        Ok(Self { algorithm: "RS256", file, secret: Secret::Rsa(pair) })
    }

    /// A new key for ES256.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn es256() -> Result<Self> {
        let key = KeyPair::generate()?;
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pair =
            EcdsaKeyPair::from_pkcs8(algorithm, &key.serialize_der(), &random).map_err(|_| unusable())?;
        Ok(Self { algorithm: "ES256", file: key.public_key_pem(), secret: Secret::Ec(pair) })
    }

    /// A token with these claims.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        self.token_of(&json!({ "alg": self.algorithm, "typ": "JWT" }), claims)
    }

    /// A token with this header and these claims, even if the header does not fit the key.
    ///
    /// # Panics
    /// If the system has no random numbers.
    #[must_use]
    pub fn token_of(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.sign(signed.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, ring::error::Unspecified> {
        let random = SystemRandom::new();
        match &self.secret {
            Secret::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Secret::Ec(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

fn unusable() -> Error {
    Error::Io { action: "use a new key", source: std::io::ErrorKind::InvalidData.into() }
}

/// Runs `openssl` with this input and returns its output.
fn openssl(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    let mut command = Command::new("openssl");
    let pipes = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = pipes.spawn().map_err(Error::io("run openssl"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).map_err(Error::io("write to openssl"))?;
    }
    let output = child.wait_with_output().map_err(Error::io("read from openssl"))?;
    if output.status.success() { Ok(output.stdout) } else { Err(unusable()) }
}
