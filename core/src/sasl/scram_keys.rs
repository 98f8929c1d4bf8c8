//! Keys to keep in place of a password.

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::prepare;
use super::scram::{Keys, ScramHash};
use crate::error::{Error, Result};
use crate::random;
use crate::secret::Secret;

/// The SCRAM keys of a password (RFC 5802 §3), derived once, for [`Credentials::scram_keys`](crate::Credentials::scram_keys)
/// in each later login. `Debug` shows none of them.
///
/// Keep the client key like a password: anyone who has it can log in. The chat server keeps the stored key instead, with
/// the same salt and iteration count; from that one nobody can log in.
///
/// ```
/// use prebind::{Credentials, ScramHash, ScramKeys};
///
/// let keys = ScramKeys::derive(ScramHash::Sha256, &"secret".into(), None, 4096)?;
/// let (salt, count) = (keys.salt(), keys.iterations());
/// let credentials = Credentials::scram_keys(keys.hash(), salt, count, keys.client_key(), keys.server_key());
/// # Ok::<(), prebind::Error>(())
/// ```
#[derive(Clone)]
pub struct ScramKeys {
    hash: ScramHash,
    salt: Vec<u8>,
    iterations: u32,
    keys: Keys,
    stored: Vec<u8>,
}

impl ScramKeys {
    /// How many iterations there may be: fewer are too weak (RFC 7677 §4), more take seconds.
    pub const ITERATIONS: RangeInclusive<u32> = 4096..=10_000_000;

    /// The most bytes of a salt.
    pub const LONGEST_SALT: usize = 256;

    /// Derives the keys, with the salt and the iteration count that the server has for the account. Without a salt a new
    /// one is drawn, for an account whose keys you write into the server's store; it is text, which any store can hold.
    ///
    /// # Errors
    /// `Config` if the password, the salt or the count cannot be used; `Internal` if there are no random numbers.
    pub fn derive(hash: ScramHash, password: &Secret, salt: Option<&[u8]>, iterations: u32) -> Result<Self> {
        const FIELD: &str = "scram_keys";
        if !Self::ITERATIONS.contains(&iterations) {
            return Err(Error::config(FIELD, "`iterations` is 4,096 to 10,000,000: take the server's count"));
        }
        let salt = match salt {
            Some(salt) if (1..=Self::LONGEST_SALT).contains(&salt.len()) => salt.to_vec(),
            Some(_) => {
                let most = Self::LONGEST_SALT;
                return Err(Error::config(
                    FIELD,
                    format!("`salt` has 1 to {most} bytes: take the server's salt"),
                ));
            }
            None => {
                let mut bytes = [0; 18];
                random::fill(&mut bytes)?;
                URL_SAFE_NO_PAD.encode(bytes).into_bytes()
            }
        };
        let prepared = prepare::password(password.expose())?;
        let salted = hash.salted_password(prepared.expose(), &salt, iterations, || Ok(()))?;
        let keys = hash.keys_of(&salted);
        let stored = hash.hash(&keys.client);
        Ok(Self { hash, salt, iterations, keys, stored })
    }

    /// The hash function.
    #[must_use]
    pub fn hash(&self) -> ScramHash {
        self.hash
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The iteration count.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// `ClientKey`, by which the site logs in. Copies of it are yours to clear.
    #[must_use]
    pub fn client_key(&self) -> &[u8] {
        &self.keys.client
    }

    /// `ServerKey`, by which the server proves itself. The site and the server have it.
    #[must_use]
    pub fn server_key(&self) -> &[u8] {
        &self.keys.server
    }

    /// `StoredKey`, by which the server verifies logins.
    #[must_use]
    pub fn stored_key(&self) -> &[u8] {
        &self.stored
    }

    /// The client key, in memory that is wiped.
    pub(crate) fn secrets(&self) -> [Zeroizing<Vec<u8>>; 2] {
        [self.keys.client.clone(), self.keys.server.clone()]
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5802 §5 and RFC 7677 §3 give salt, count and password; the keys are those that prove their messages.
    #[test]
    fn keys_are_those_of_the_specifications() {
        let salt = b"A%\xc2G\xe4:\xb1\xe9<m\xffv";
        let keys = ScramKeys::derive(ScramHash::Sha1, &"pencil".into(), Some(salt), 4096).unwrap();
        assert_eq!(hex::encode(keys.client_key()), "e234c47bf6c36696dd6d852b99aaa2ba26555728");
        assert_eq!(hex::encode(keys.stored_key()), "e9d94660c39d65c38fbad91c358f14da0eef2bd6");
        assert_eq!(hex::encode(keys.server_key()), "0fe09258b3ac852ba502cc62ba903eaacdbf7d31");
        assert_eq!((keys.hash(), keys.salt(), keys.iterations()), (ScramHash::Sha1, &salt[..], 4096));
        let shown = format!("{keys:?}");
        assert_eq!(shown, "ScramKeys { hash: Sha1, iterations: 4096, .. }");
    }

    #[test]
    fn a_salt_is_drawn_anew_and_is_text() {
        let salts = [(); 2].map(|()| {
            let keys = ScramKeys::derive(ScramHash::Sha256, &"pencil".into(), None, 4096).unwrap();
            String::from_utf8(keys.salt().to_vec()).unwrap()
        });
        assert!(salts[0] != salts[1] && salts[0].len() == 24, "{salts:?}");
    }

    #[test]
    fn what_makes_no_keys_is_refused() {
        let derive = |password: &str, salt: &[u8], iterations| {
            let keys = ScramKeys::derive(ScramHash::Sha1, &password.into(), Some(salt), iterations);
            keys.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(derive("x", &[1; ScramKeys::LONGEST_SALT], 4096), Ok(()));
        for (password, salt, iterations, told) in [
            ("", &b"s"[..], 4096, "password: must not be empty"),
            ("x", b"", 4096, "scram_keys: `salt` has 1 to 256"),
            ("x", &[1; ScramKeys::LONGEST_SALT + 1], 4096, "scram_keys: `salt` has 1 to 256"),
            ("x", b"s", 4095, "scram_keys: `iterations` is"),
            ("x", b"s", 10_000_001, "scram_keys: `iterations` is"),
        ] {
            let error = derive(password, salt, iterations).unwrap_err();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
