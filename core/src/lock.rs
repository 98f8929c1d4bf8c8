//! Waits for a lock only a moment. After a fork, a lock may be held by a thread that does not exist in the
//! child, so waiting for it must end.

use std::sync::{TryLockError, TryLockResult};
use std::thread;

/// Tries to take the lock. Returns `None` if it is not free in time.
pub(crate) fn patiently<G>(mut attempt: impl FnMut() -> TryLockResult<G>) -> Option<G> {
    for _ in 0..64 {
        match attempt() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => thread::yield_now(),
        }
    }
    None
}
