//! Values that only the process that made them may use: connections, and locks that a thread of the parent
//! process may hold.

use std::fmt;
use std::mem;
use std::process;
use std::sync::{Arc, RwLock};

use super::patience;

/// A value that each process makes for itself when it first needs it.
pub(super) struct PerProcess<T>(RwLock<Made<T>>);

/// The process that made the value last, and the value.
type Made<T> = Option<(u32, Arc<T>)>;

impl<T> PerProcess<T> {
    pub(super) const fn new() -> Self {
        Self(RwLock::new(None))
    }

    /// The value of this process. It is made if there is none yet.
    pub(super) fn get(&self, make: impl Fn() -> T) -> Arc<T> {
        let id = process::id();
        let ours = |made: &Made<T>| match made {
            Some((owner, ours)) if *owner == id => Some(Arc::clone(ours)),
            _ => None,
        };
        if let Some(ours) = patience::read(&self.0, ours).flatten() {
            return ours;
        }
        patience::write(&self.0, |made| {
            ours(made).unwrap_or_else(|| {
                let ours = Arc::new(make());
                // Dropping the parent's value would take locks that may never be released in this process.
                mem::forget(made.replace((id, Arc::clone(&ours))));
                ours
            })
        })
        .unwrap_or_else(|| Arc::new(make()))
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerProcess")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_parent_is_not_used_and_not_dropped() {
        let made = PerProcess::new();
        let parents = made.get(|| 1);
        assert!(Arc::ptr_eq(&made.get(|| 2), &parents), "made once");
        patience::write(&made.0, |made| made.as_mut().unwrap().0 ^= 1).unwrap();
        assert_eq!(*made.get(|| 3), 3);
        assert_eq!(Arc::strong_count(&parents), 2, "the one in the memory of the child stays");
    }
}
