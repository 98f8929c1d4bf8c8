//! Deriving a key keeps a processor fully busy, for as long as the server demands. So no more derivations run
//! at once than there are processors, and each one checks the deadline and asks its caller while it runs.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use super::give_up;
use super::process::PerProcess;
use super::slots::Slots;
use crate::error::{Error, ErrorKind, Phase, Result, Retry, Stage};
use crate::sasl::{Pace, Turn};

/// One slot for each processor. Each process has its own slots: the threads of a parent that held or awaited
/// a slot do not exist in a forked child.
static PROCESSORS: PerProcess<Arc<Slots>> = PerProcess::new();

/// The pace of one call's derivations.
#[derive(Debug)]
pub(super) struct Turns {
    started: Instant,
    until: Instant,
    /// When the caller was last asked whether to go on, in milliseconds after the start.
    asked: AtomicU64,
}

impl Turns {
    /// Allows derivations until this moment.
    pub(super) fn new(until: Instant) -> Self {
        Self { started: Instant::now(), until, asked: AtomicU64::new(0) }
    }
}

impl Pace for Turns {
    fn begin(&self) -> Result<Turn> {
        match processors().take(self.until) {
            Some(slot) => Ok(Turn(Box::new(slot))),
            None if give_up::is_stopped() => Err(given_up()),
            None => Err(too_late()),
        }
    }

    fn go_on(&self) -> Result<()> {
        let now = Instant::now();
        if now >= self.until {
            return Err(too_late());
        }
        let elapsed = u64::try_from((now - self.started).as_millis()).unwrap_or(u64::MAX);
        let slice = u64::try_from(give_up::SLICE.as_millis()).unwrap_or(u64::MAX);
        if elapsed.saturating_sub(self.asked.load(Relaxed)) < slice {
            return Ok(());
        }
        self.asked.store(elapsed, Relaxed);
        give_up::ask().map_err(|_| given_up())
    }
}

/// The slots of this process.
fn processors() -> Arc<Slots> {
    let most = || thread::available_parallelism().map_or(1, NonZero::get);
    Arc::clone(&PROCESSORS.get(|| Slots::new(most())))
}

fn given_up() -> Error {
    give_up::given_up(Phase::Derive, Stage::Authenticate)
}

pub(super) fn too_late() -> Error {
    let message = "deriving the key of the password took too long: raise `deadline`, have the server ask for fewer \
                   iterations, or log in with fewer threads at once";
    Error::new(ErrorKind::Timeout { phase: Phase::Derive }, Stage::Authenticate, Retry::Later, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_more_run_at_once_than_there_are_processors() {
        // No other test in this process derives keys, so all slots are free.
        let turns = Turns::new(Instant::now() + Duration::from_secs(60));
        let most = thread::available_parallelism().unwrap().get();
        let mut held: Vec<Turn> = (0..most).map(|_| turns.begin().unwrap()).collect();
        let late = Turns::new(Instant::now());
        let error = late.begin().map(drop).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Derive });
        held.pop();
        drop(late.begin().unwrap());
    }
}
