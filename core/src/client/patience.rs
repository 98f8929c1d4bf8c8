//! Reads and changes a value under a lock, and waits only a moment for that lock.

use std::sync::RwLock;

use crate::lock::patiently;

/// Reads the value. Returns `None` if the lock was not free in time.
pub(super) fn read<T, R>(lock: &RwLock<T>, read: impl FnOnce(&T) -> R) -> Option<R> {
    patiently(|| lock.try_read()).map(|value| read(&value))
}

/// Changes the value. Returns `None`, and changes nothing, if the lock was not free in time.
pub(super) fn write<T, R>(lock: &RwLock<T>, change: impl FnOnce(&mut T) -> R) -> Option<R> {
    patiently(|| lock.try_write()).map(|mut value| change(&mut value))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_lock_that_is_never_released_is_not_waited_for_long() {
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
    fn a_panic_of_another_thread_does_not_poison_the_lock() {
        let lock = RwLock::new(1);
        let panic = || thread::scope(|scope| scope.spawn(|| write(&lock, |_| panic!("on purpose"))).join());
        assert!(panic().is_err());
        assert_eq!((write(&lock, |value| *value), read(&lock, |value| *value)), (Some(1), Some(1)));
    }
}
