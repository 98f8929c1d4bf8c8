//! The hashes SCRAM is defined for, and what it computes with them (RFC 5802 §2.2).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The hash of a SCRAM mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScramHash {
    /// SCRAM-SHA-1 (RFC 5802).
    Sha1,
    /// SCRAM-SHA-256 (RFC 7677).
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

/// Evaluates an expression with `$hash` standing for the hash's type.
macro_rules! with_hash {
    ($value:expr, $hash:ident => $body:expr) => {
        match $value {
            ScramHash::Sha1 => {
                type $hash = Sha1;
                $body
            }
            ScramHash::Sha256 => {
                type $hash = Sha256;
                $body
            }
            ScramHash::Sha512 => {
                type $hash = Sha512;
                $body
            }
        }
    };
}

impl ScramHash {
    /// Every hash.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The mechanism's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The hash of that name, alone (`SHA-256`) or in its mechanism's (`SCRAM-SHA-256`).
    ///
    /// # Errors
    /// `Config` if there is none.
    pub fn from_name(name: &str) -> Result<Self> {
        let is_named = |hash: &Self| hash.name() == name || hash.name().strip_prefix("SCRAM-") == Some(name);
        Self::ALL
            .into_iter()
            .find(is_named)
            .ok_or_else(|| Error::config("hash", "is one of SHA-1, SHA-256, SHA-512"))
    }

    pub(crate) fn from_mechanism(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// How many bytes a key has.
    pub(crate) fn output_length(self) -> usize {
        with_hash!(self, H => <H as Digest>::output_size())
    }

    pub(super) fn hash(self, data: &[u8]) -> Vec<u8> {
        with_hash!(self, H => H::digest(data).to_vec())
    }

    pub(crate) fn hmac(self, key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
        with_hash!(self, H => {
            let mut mac = Hmac::<H>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.update(data);
            Zeroizing::new(mac.finalize().into_bytes().to_vec())
        })
    }

    pub(super) fn salted_password(self, password: &str, salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        let mut output = Zeroizing::new(vec![0; self.output_length()]);
        with_hash!(self, H => pbkdf2::pbkdf2_hmac::<H>(password.as_bytes(), salt, iterations, &mut output));
        output
    }
}
