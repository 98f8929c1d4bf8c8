//! Locks that are only waited for a moment. At a fork one may be held by a thread that the child does not have, so
//! waiting for it must end.

use std::sync::{TryLockError, TryLockResult};
use std::thread;

/// The lock that is tried; `None` if it could not be had.
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
