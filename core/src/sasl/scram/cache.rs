//! Keeps the keys of users who logged in before, so that they need not be derived again from the password.

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

/// A key, or the salted password that keys are derived from.
pub(super) type Key = Zeroizing<Vec<u8>>;

/// The two keys that are derived from a password (RFC 5802 §3).
#[derive(Clone)]
pub(in crate::sasl) struct Keys {
    pub(in crate::sasl) client: Key,
    pub(in crate::sasl) server: Key,
}

/// A cache of the SCRAM keys (RFC 5802 §3) of the users who logged in last.
///
/// Deriving a key from a password takes time on purpose. The result stays the same as long as the server
/// keeps salt and iteration count, and RFC 5802 §5.1 lets a client store it.
///
/// The cache keeps the newest client key and server key of each user after a login that succeeded. They are
/// wiped when a login with them fails, when newer entries push them out, or when the last clone is dropped.
///
/// The cache keeps neither passwords nor names. An entry is found by a hash of the user. It also holds a hash
/// of the password, salt and iteration count that its keys were derived from, and is used only if they match.
/// Both hashes are keyed with random bytes that never leave the cache. Someone who can read the process's
/// memory can log in with the keys, but could also read the passwords that pass through.
///
/// A cache is cheap to clone and to share between threads, and clones share their entries. No lock is held
/// while a key is derived.
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

/// Everything that the keys depend on.
pub(super) struct Derivation<'a> {
    pub(super) mechanism: &'a str,
    pub(super) user: &'a str,
    pub(super) domain: &'a str,
    pub(super) password: &'a str,
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
}

impl ScramCache {
    /// An empty cache with room for this many users. With 0 it keeps nothing.
    ///
    /// # Errors
    /// `Internal` if the operating system has no random numbers.
    pub fn new(capacity: usize) -> Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        random::fill(secret.as_mut_slice())?;
        // The size is limited when an entry is added: a bounded `LruCache` would allocate all its memory at
        // once.
        Ok(Self(Arc::new(Inner { capacity, secret, entries: Mutex::new(LruCache::unbounded()) })))
    }

    /// The keys from the cache, or else the keys that `derive` makes from the password.
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

    /// A keyed digest, so that nobody can guess passwords by comparing digests. Each part has its length in
    /// front, so that the parts cannot run into each other.
    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.secret.as_slice()).expect("any key will do");
        for part in parts {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The entries. Returns `None` if their lock is not free in time; then nothing is found and nothing is
    /// kept.
    fn entries(&self) -> Option<MutexGuard<'_, LruCache<Digest, Entry>>> {
        patiently(|| self.0.entries.try_lock())
    }
}

/// Keys in use by one login. They are kept if the login succeeds.
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

    /// Keeps the keys, because the login succeeded.
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
