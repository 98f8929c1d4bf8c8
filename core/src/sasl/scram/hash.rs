//! The hashes SCRAM is defined for, and what it computes with them (RFC 5802 §2.2).

use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::text;

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

text::shown!(ScramHash);

impl FromStr for ScramHash {
    type Err = Error;

    /// The hash of that name, alone (`SHA-256`) or in its mechanism's (`SCRAM-SHA-256`).
    fn from_str(name: &str) -> Result<Self> {
        let bare = name.strip_prefix("SCRAM-").unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|hash| hash.as_str().strip_prefix("SCRAM-") == Some(bare))
            .ok_or_else(|| Error::config("hash", "is one of SHA-1, SHA-256, SHA-512"))
    }
}

impl ScramHash {
    /// Every hash.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The mechanism's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    pub(crate) fn from_mechanism(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.as_str() == name)
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

    /// `Hi` (RFC 5802 §2.2), which is PBKDF2 (RFC 8018 §5.2) of one block.
    ///
    /// # Errors
    /// What `go_on` says, which is asked after each slice.
    pub(super) fn salted_password(
        self,
        password: &str,
        salt: &[u8],
        iterations: u32,
        mut go_on: impl FnMut() -> Result<()>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        // About a tenth of a millisecond.
        const SLICE: u32 = 128;
        with_hash!(self, H => {
            let keyed = Hmac::<H>::new_from_slice(password.as_bytes()).expect("HMAC takes keys of any length");
            let mut block = keyed.clone().chain_update(salt).chain_update(1_u32.to_be_bytes());
            let mut round = Zeroizing::new([0; 64]);
            let mut salted = Zeroizing::new(vec![0; self.output_length()]);
            for iteration in 1..=iterations {
                let code = block.finalize().into_bytes();
                let round = &mut round[..code.len()];
                round.copy_from_slice(&code);
                salted.iter_mut().zip(round.iter()).for_each(|(sum, byte)| *sum ^= byte);
                block = keyed.clone().chain_update(&round);
                if iteration % SLICE == 0 {
                    go_on()?;
                }
            }
            Ok(salted)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Retry, Stage};

    #[test]
    fn a_salted_password_is_that_of_pbkdf2() {
        for iterations in [1, 2, 127, 128, 129, 4096] {
            for hash in ScramHash::ALL {
                let ours = hash.salted_password("pencil", b"salt", iterations, || Ok(())).unwrap();
                let mut theirs = vec![0; hash.output_length()];
                with_hash!(hash, H => pbkdf2::pbkdf2_hmac::<H>(b"pencil", b"salt", iterations, &mut theirs));
                assert_eq!(*ours, theirs, "{hash:?}, {iterations}");
            }
        }
    }

    #[test]
    fn a_derivation_stops_when_it_is_told_to() {
        let mut asked = 0;
        let stop = || Error::new(ErrorKind::Internal, Stage::Authenticate, Retry::No, String::new());
        let result = ScramHash::Sha512.salted_password("pencil", b"salt", u32::MAX, || {
            asked += 1;
            if asked < 3 { Ok(()) } else { Err(stop()) }
        });
        assert!(result.is_err() && asked == 3);
    }
}
