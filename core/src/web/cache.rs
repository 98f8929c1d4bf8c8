//! When the site's cache is asked.

use std::sync::atomic::{AtomicU64, Ordering};

/// An answer that takes longer, in milliseconds, counts as none: a login asks the cache several times.
const SLOW: u64 = 500;

/// How long a cache that is away is left alone, in milliseconds. Otherwise each login would wait for it.
const PAUSE: u64 = 10_000;

/// What one process knows of the site's cache, which counts sessions and keeps what was learned of the chat
/// server.
///
/// A cache that fails or is slow is left alone for ten seconds: no session is counted meanwhile, and the logins
/// go on. All times are milliseconds of any clock that only goes forward.
#[derive(Debug)]
pub struct Cache {
    away_since: AtomicU64,
}

impl Cache {
    /// A cache of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { away_since: AtomicU64::new(u64::MAX) }
    }

    /// Whether to ask it.
    #[must_use]
    pub fn is_asked(&self, now: u64) -> bool {
        let pause = now.checked_sub(self.away_since.load(Ordering::Relaxed));
        pause.is_none_or(|pause| pause >= PAUSE)
    }

    /// Notes how the cache answered `question`, and gives the line for the log if it did badly. `failure` is the
    /// class and the place of what the cache raised.
    pub fn answered(&self, asked: u64, now: u64, question: &str, failure: Option<&str>) -> Option<String> {
        let took = now.saturating_sub(asked);
        if failure.is_none() && took <= SLOW {
            return None;
        }
        self.away_since.store(now, Ordering::Relaxed);
        let (tenths, pause) = (took / 100, PAUSE / 1000);
        let complaint = |how| format!("the cache {how} ({question}): it is not asked again for {pause} s");
        Some(match failure {
            Some(place) => complaint("failed".to_owned()) + ": " + place,
            None => complaint(format!("took {}.{} s", tenths / 10, tenths % 10)),
        })
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}
