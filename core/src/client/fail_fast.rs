//! After repeated failures to reach the server, calls fail at once for a while: a page must not
//! wait for a chat that is down.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Phase, Result, Retry, Stage};

/// Lock-free, since a lock could be held at a fork.
#[derive(Debug)]
pub(super) struct FailFast {
    after: u32,
    pause: Duration,
    epoch: Instant,
    failures: AtomicU32,
    /// Milliseconds after `epoch`.
    until: AtomicU64,
}

impl FailFast {
    pub(super) fn new(after: u32, pause: Duration) -> Self {
        let epoch = Instant::now();
        Self { after, pause, epoch, failures: AtomicU32::new(0), until: AtomicU64::new(0) }
    }

    pub(super) fn check(&self, stage: Stage, host: &str) -> Result<()> {
        if self.after == 0 || self.now() >= self.until.load(Relaxed) {
            return Ok(());
        }
        let failures = self.failures.load(Relaxed);
        Err(Error::new(
            ErrorKind::Timeout { phase: Phase::FailFast },
            stage,
            Retry::Later,
            format!(
                "{host} was not reached in the last {failures} calls: not tried again for a moment (fail_fast_for)"
            ),
        ))
    }

    pub(super) fn record(&self, error: Option<&Error>) {
        let is_unreachable = error.is_some_and(|error| {
            matches!(error.kind(), ErrorKind::Connect { .. } | ErrorKind::Timeout { .. })
        });
        if !is_unreachable {
            self.failures.store(0, Relaxed);
        } else if self.failures.fetch_add(1, Relaxed) + 1 >= self.after {
            let pause = u64::try_from(self.pause.as_millis()).unwrap_or(u64::MAX);
            self.until.store(self.now().saturating_add(pause), Relaxed);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable() -> Error {
        let kind = ErrorKind::Connect { phase: Phase::Tcp };
        Error::new(kind, Stage::Create, Retry::FreshSession, String::new())
    }

    #[test]
    fn fails_fast_after_failures_in_a_row() {
        let fail_fast = FailFast::new(2, Duration::from_secs(60));
        fail_fast.record(Some(&unreachable()));
        fail_fast.record(None);
        fail_fast.record(Some(&unreachable()));
        assert!(fail_fast.check(Stage::Create, "host").is_ok(), "one success resets the count");

        fail_fast.record(Some(&unreachable()));
        let error = fail_fast.check(Stage::Create, "host").unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::FailFast });
        assert_eq!(error.retry(), Retry::Later);
    }

    #[test]
    fn recovers_after_a_while() {
        let pause = Duration::from_millis(40);
        let fail_fast = FailFast::new(1, pause);
        let start = Instant::now();
        fail_fast.record(Some(&unreachable()));
        while fail_fast.check(Stage::Create, "host").is_err() {
            assert!(start.elapsed() < 100 * pause, "only for a while");
        }
        // It counts in whole milliseconds.
        assert!(start.elapsed() + Duration::from_millis(1) >= pause);
    }

    #[test]
    fn zero_switches_it_off() {
        let fail_fast = FailFast::new(0, Duration::from_secs(60));
        for _ in 0..10 {
            fail_fast.record(Some(&unreachable()));
        }
        assert!(fail_fast.check(Stage::Create, "host").is_ok());
    }
}
