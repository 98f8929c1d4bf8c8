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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_never_released_is_done_without() {
        let lock = RwLock::new(1);
        assert_eq!(write(&lock, |value| std::mem::replace(value, 2)), Some(1));
        assert_eq!(read(&lock, |value| *value), Some(2));
        let reading = lock.read().unwrap();
        assert_eq!(read(&lock, |value| *value), Some(2), "many may read at once");
        assert_eq!(write(&lock, |value| *value), None);
        drop(reading);
        let _writing = lock.write().unwrap();
        assert_eq!(read(&lock, |value| *value), None);
    }

    #[test]
    fn a_panic_of_another_thread_takes_nothing_away() {
        let lock = RwLock::new(1);
        let panic = || thread::scope(|scope| scope.spawn(|| write(&lock, |_| panic!("on purpose"))).join());
        assert!(panic().is_err());
        assert_eq!((write(&lock, |value| *value), read(&lock, |value| *value)), (Some(1), Some(1)));
    }
}
