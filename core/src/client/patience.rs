//! Locks that are only waited for a moment. At a fork one may be held by a thread that the child
//! does not have, so waiting for it must end.

use std::sync::{RwLock, TryLockError};
use std::thread;

/// Reads; `None` if it could not be had.
pub(super) fn read<T, R>(lock: &RwLock<T>, read: impl FnOnce(&T) -> R) -> Option<R> {
    let guard = patiently(|| match lock.try_read() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    })?;
    Some(read(&guard))
}

/// Changes; `None` if it could not be had, and nothing is changed.
pub(super) fn write<T, R>(lock: &RwLock<T>, change: impl FnOnce(&mut T) -> R) -> Option<R> {
    let mut guard = patiently(|| match lock.try_write() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    })?;
    Some(change(&mut guard))
}

fn patiently<G>(mut attempt: impl FnMut() -> Option<G>) -> Option<G> {
    for _ in 0..64 {
        if let Some(guard) = attempt() {
            return Some(guard);
        }
        thread::yield_now();
    }
    None
}
