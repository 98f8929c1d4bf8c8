//! A map of bounded size. When it is full, it drops the entry that was not used for the longest time.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug)]
pub(super) struct Recent<K, V> {
    most: usize,
    entries: HashMap<K, (AtomicU64, V)>,
    /// Counts the uses, so that each entry can hold the time of its last use.
    clock: AtomicU64,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, entries: HashMap::new(), clock: AtomicU64::new(0) }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (used, value) = self.entries.get(key)?;
        used.store(self.clock.fetch_add(1, Relaxed), Relaxed);
        Some(value)
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        if !self.entries.contains_key(&key) && self.entries.len() >= self.most {
            let oldest = self.entries.iter().min_by_key(|(_, (used, _))| used.load(Relaxed));
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.entries.remove(&key);
            }
        }
        let used = self.clock.fetch_add(1, Relaxed).into();
        self.entries.insert(key, (used, value));
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key).map(|(_, value)| value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_entry_is_dropped_first() {
        let mut recent = Recent::new(3);
        for key in ["a", "b", "c"] {
            recent.put(key, key.len());
        }
        assert!(recent.get("a").is_some());
        recent.put("c", 7);
        recent.put("d", 8);
        let known = ["a", "b", "c", "d"].map(|key| recent.get(key).copied());
        assert_eq!(known, [Some(1), None, Some(7), Some(8)]);
        assert_eq!((recent.remove("c"), recent.remove("c")), (Some(7), None));
        assert_eq!(recent.values().sum::<usize>(), 9);
    }
}
