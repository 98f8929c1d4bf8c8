//! Remembers which of a site's keys the server knows while the keys rotate. The server counts a refused token
//! as a wrong password, so each call begins with the key that was accepted last.

use std::sync::RwLock;

use super::patience;
use super::recent::Recent;

/// Domains come from accounts; a caller that makes them up must not fill the memory.
const MAX_DOMAINS: usize = 4096;

/// The domains whose server last accepted the older key instead of the newest.
#[derive(Debug)]
pub(super) struct Rotation(RwLock<Recent<String, ()>>);

impl Rotation {
    pub(super) fn new() -> Self {
        Self(RwLock::new(Recent::new(MAX_DOMAINS)))
    }

    /// The place of the key to begin with, and the place of the other key to try, among this many keys.
    pub(super) fn places(&self, domain: &str, keys: usize) -> (usize, Option<usize>) {
        if keys < 2 {
            return (0, None);
        }
        let is_older = patience::read(&self.0, |older| older.get(domain).is_some()).unwrap_or_default();
        if is_older { (1, Some(0)) } else { (0, Some(1)) }
    }

    /// Remembers that the server accepted the key at this place.
    pub(super) fn accepted(&self, domain: &str, place: usize) {
        let is_older = place == 1;
        let is_known = patience::read(&self.0, |older| older.get(domain).is_some() == is_older);
        if is_known != Some(true) {
            patience::write(&self.0, |older| {
                if is_older {
                    older.put(domain.to_owned(), ());
                } else {
                    older.remove(domain);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_begins_with_the_key_that_was_accepted_last() {
        let rotation = Rotation::new();
        assert_eq!(rotation.places("a", 1), (0, None));
        assert_eq!(rotation.places("a", 2), (0, Some(1)));
        rotation.accepted("a", 1);
        assert_eq!(
            [("a", 3), ("a", 1), ("b", 2)].map(|(domain, keys)| rotation.places(domain, keys)),
            [(1, Some(0)), (0, None), (0, Some(1))]
        );
        rotation.accepted("a", 0);
        assert_eq!(rotation.places("a", 2), (0, Some(1)));
    }
}
