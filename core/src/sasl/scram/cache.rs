//! Keys of users who logged in before, so that a password need not be derived again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use hmac::{Hmac, KeyInit, Mac};
use lru::LruCache;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::lock::patiently;
use crate::random;

/// A key, or the salted password that keys are made of.
pub(super) type Key = Zeroizing<Vec<u8>>;

/// What a password comes down to (RFC 5802 §3).
#[derive(Clone)]
pub(in crate::sasl) struct Keys {
    pub(in crate::sasl) client: Key,
    pub(in crate::sasl) server: Key,
}

/// The SCRAM keys (RFC 5802 §3) of the users who logged in last, as many as it has room for.
///
/// Deriving a key from a password is meant to cost time, and gives the same for as long as the
/// server keeps salt and iteration count (RFC 5802 §5.1 lets a client keep it). Of each user the
/// newest client key and server key are kept, from a login that succeeded until one with them
/// fails, others push them out, or the last clone is dropped; then they are wiped. Neither
/// passwords nor names are kept: an entry is found by a hash of the user, and good only for who
/// knows the password, salt and iteration count it was derived from, of which it holds another
/// hash. Both hashes are keyed with random bytes that never leave the cache. Who can read the
/// process's memory can log in with what is kept, as he could with the passwords that pass through.
///
/// Cheap to clone and to share between threads; a clone has the same entries. No lock is held while
/// a key is derived.
#[derive(Clone)]
pub struct ScramCache(Arc<Inner>);

struct Inner {
    capacity: usize,
    secret: Zeroizing<[u8; 32]>,
    entries: Mutex<LruCache<Digest, Entry>>,
}

type Digest = [u8; 32];

struct Entry {
    proof: Digest,
    keys: Arc<Keys>,
}

/// Everything that keys depend on.
pub(super) struct Derivation<'a> {
    pub(super) mechanism: &'a str,
    pub(super) user: &'a str,
    pub(super) domain: &'a str,
    pub(super) password: &'a str,
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
}

impl ScramCache {
    /// An empty cache with room for so many users; with none, it keeps nothing.
    ///
    /// # Errors
    /// `Internal` if the operating system has no random numbers.
    pub fn new(capacity: usize) -> Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        random::fill(secret.as_mut_slice())?;
        // Bounded where an entry is added: a bound of its own would be allocated at once.
        Ok(Self(Arc::new(Inner { capacity, secret, entries: Mutex::new(LruCache::unbounded()) })))
    }

    /// Keys that are kept, or else what `derive` makes of the password.
    pub(super) fn lease(
        &self,
        derivation: &Derivation<'_>,
        derive: impl FnOnce() -> Result<Keys>,
    ) -> Result<Lease> {
        let Derivation { mechanism, user, domain, password, salt, iterations } = derivation;
        let user = self.digest(&[mechanism.as_bytes(), user.as_bytes(), domain.as_bytes()]);
        let proof = self.digest(&[&user, password.as_bytes(), salt, &iterations.to_be_bytes()]);
        let kept = self.entries().and_then(|mut entries| {
            let entry = entries.get(&user)?;
            bool::from(entry.proof.ct_eq(&proof)).then(|| Arc::clone(&entry.keys))
        });
        let is_kept = kept.is_some();
        tracing::debug!(mechanism, is_kept, "keys of the password");
        let keys = kept.map_or_else(|| derive().map(Arc::new), Ok)?;
        Ok(Lease { keys, cache: self.clone(), user, proof, is_kept, is_good: false })
    }

    /// Keyed, so that nobody who sees a digest can try passwords; each part with its length, so that
    /// none runs into the next.
    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.secret.as_slice()).expect("any key will do");
        for part in parts {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The entries; `None` if their lock could not be had: then nothing is found, and nothing is kept.
    fn entries(&self) -> Option<MutexGuard<'_, LruCache<Digest, Entry>>> {
        patiently(|| self.0.entries.try_lock())
    }
}

/// Keys in use by one login, on whose end it depends whether they are kept.
pub(super) struct Lease {
    keys: Arc<Keys>,
    cache: ScramCache,
    user: Digest,
    proof: Digest,
    is_kept: bool,
    is_good: bool,
}

impl Lease {
    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys)
    }

    /// The login succeeded.
    pub(super) fn keep(mut self) {
        self.is_good = true;
        let capacity = self.cache.0.capacity;
        if self.is_kept || capacity == 0 {
            return;
        }
        if let Some(mut entries) = self.cache.entries() {
            entries.put(self.user, Entry { proof: self.proof, keys: Arc::clone(&self.keys) });
            if entries.len() > capacity {
                entries.pop_lru();
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_good || !self.is_kept {
            return;
        }
        if let Some(mut entries) = self.cache.entries()
            && entries.peek(&self.user).is_some_and(|entry| entry.proof.ct_eq(&self.proof).into())
        {
            entries.pop(&self.user);
        }
    }
}

impl fmt::Debug for ScramCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramCache").field("capacity", &self.0.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
