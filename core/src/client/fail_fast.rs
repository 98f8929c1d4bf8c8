//! Fail fast: when most calls do not reach the server, calls fail at once for a while, because a page must
//! not wait for a chat server that is down. Then one call probes whether the server is back. The processes of
//! a web site can share what they know, so that not every process has to find out by itself.

mod notes;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::host::{Host, Lock};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase, Result, Retry, Stage, shortened};
use crate::random;

/// The longest pause, unless `fail_fast_for` is longer.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause where one call probes for all processes of the host. Separate processes would probe one
/// after another, so this one probe has to come sooner to notice a recovery as early.
const MAX_PAUSE_OF_HOST: Duration = Duration::from_secs(15);

/// The most outcomes to remember, which is more than a window needs.
const MAX_OUTCOMES: usize = 1024;

#[derive(Debug)]
pub(super) struct FailFast {
    /// The number of failures after which calls fail at once; 0 switches fail-fast off.
    after: usize,
    /// The first pause.
    pause: Duration,
    longest_pause: Duration,
    /// How far back calls count. A call that times out began at most this long ago, so older successes say
    /// nothing about the server's state since then.
    window: Duration,
    /// What this process knows, if it shares nothing with others.
    state: Mutex<State>,
    /// The place where the processes of this host share what they know.
    host: Option<Arc<Host>>,
}

/// What is known of the server. All times are read from a clock that all processes share, see [`now`].
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    /// When each of the latest calls ended, and whether it failed to reach the server.
    outcomes: VecDeque<(Duration, bool)>,
    off: Option<Off>,
}

/// The state in which calls fail at once, except one that probes.
#[derive(Debug, PartialEq, Eq)]
struct Off {
    failures: usize,
    pause: Duration,
    until: Duration,
    probing_since: Option<Duration>,
}

/// A call that was admitted.
#[derive(Debug)]
#[must_use]
pub(super) struct Admitted {
    is_probe: bool,
    /// Shows the other processes of the host that the probe is running. The lock is released if the process
    /// dies.
    probe: Option<Lock>,
}

/// What a call says about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server answered, whatever the answer was.
    Reached,
    /// The server could not be reached, or not in time.
    Unreached,
    /// The call says nothing: the caller gave up, or the call ended before it reached the network.
    Unknown,
}

impl Outcome {
    pub(super) fn of<T>(result: &Result<T>) -> Self {
        if result.as_ref().is_err_and(Error::is_of_another_server) {
            return Self::Unknown;
        }
        match result.as_ref().map_err(Error::kind) {
            Err(
                ErrorKind::Timeout { phase: Phase::Derive | Phase::Queue | Phase::FailFast }
                | ErrorKind::Internal,
            ) => Self::Unknown,
            Err(ErrorKind::Connect { .. } | ErrorKind::Timeout { .. }) => Self::Unreached,
            _ => Self::Reached,
        }
    }
}

impl FailFast {
    pub(super) fn new(config: &Config, host: Option<Arc<Host>>) -> Self {
        // A client with fail-fast switched off must not be stopped by what other processes know.
        let host = host.filter(|_| config.fail_fast_after > 0);
        Self {
            after: usize::try_from(config.fail_fast_after).unwrap_or(usize::MAX),
            pause: config.fail_fast_for,
            longest_pause: config.fail_fast_for.max(if host.is_some() {
                MAX_PAUSE_OF_HOST
            } else {
                MAX_PAUSE
            }),
            window: config.deadline,
            state: Mutex::default(),
            host,
        }
    }

    /// Refuses a call that would not be admitted now.
    pub(super) fn check(&self, stage: Stage, host: &str) -> Result<()> {
        self.known(|state| match &state.off {
            Some(off) if !off.may_probe(self.window, false) => Err(off.refusal(stage, host)),
            _ => Ok(()),
        })
    }

    /// Admits a call: any call while the server is reached, otherwise one probe at a time.
    pub(super) fn admit(&self, stage: Stage, host: &str) -> Result<Admitted> {
        self.known(|state| {
            let Some(off) = &mut state.off else { return Ok(Admitted { is_probe: false, probe: None }) };
            let lock = self.host.as_ref().filter(|_| off.is_over()).and_then(|host| host.probe());
            if !off.may_probe(self.window, lock.is_some()) {
                return Err(off.refusal(stage, host));
            }
            off.probing_since = Some(now());
            Ok(Admitted { is_probe: true, probe: lock })
        })
    }

    /// Records the outcome of a call.
    pub(super) fn record(&self, Admitted { is_probe, probe }: Admitted, outcome: Outcome) {
        self.known(|state| match (outcome, &mut state.off) {
            (Outcome::Reached, Some(_)) => *state = State::default(),
            (Outcome::Unknown, Some(off)) if is_probe => off.probing_since = None,
            (Outcome::Unreached, Some(off)) if is_probe => {
                off.failures += 1;
                off.wait((off.pause * 2).min(self.longest_pause));
            }
            // These calls were under way when fail-fast began, so they say nothing new.
            (Outcome::Unreached | Outcome::Unknown, Some(_)) | (Outcome::Unknown, None) => {}
            (outcome, None) => {
                let (now, is_failure) = (now(), outcome == Outcome::Unreached);
                state.outcomes.push_back((now, is_failure));
                state.forget(self.after, self.window, now);
                if is_failure {
                    let failures = state.failures(self.after, self.window, now);
                    state.off = failures.map(|failures| Off::new(failures, self.pause));
                }
            }
        });
        // Released only now, so that the next call that gets the lock already sees the outcome of this probe.
        drop(probe);
    }

    /// Reads or changes what is known of the server, in the shared notes if there are any.
    fn known<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let notes = self.host.as_ref().and_then(|host| host.notes());
        if let Some(notes) = &notes {
            *state = State::read(&notes.text, now());
        }
        let result = change(&mut state);
        if let Some(notes) = notes {
            notes.write(&state.to_text());
        }
        result
    }
}

impl State {
    /// How many of the latest calls failed, if they are at least `after` and at least half. The latest calls
    /// are those of the last `window` of time, or the last twice `after` calls if these are more.
    fn failures(&self, after: usize, window: Duration, now: Duration) -> Option<usize> {
        let least = after.saturating_mul(2);
        let is_late = |at: &Duration| now.saturating_sub(*at) <= window;
        let latest = self.outcomes.iter().rev().enumerate();
        let latest = latest.take_while(|(place, (at, _))| *place < least || is_late(at));
        let (calls, failures) = latest.fold((0, 0), |(calls, failures), (_, (_, is_failure))| {
            (calls + 1, failures + usize::from(*is_failure))
        });
        (after > 0 && failures >= after && failures * 2 >= calls).then_some(failures)
    }

    /// Drops the calls that [`failures`](Self::failures) no longer looks at.
    fn forget(&mut self, after: usize, window: Duration, now: Duration) {
        let least = after.saturating_mul(2);
        let is_old = |at: Duration| now.saturating_sub(at) > window;
        while let Some((at, _)) = self.outcomes.front().copied()
            && (self.outcomes.len() > MAX_OUTCOMES || (self.outcomes.len() > least && is_old(at)))
        {
            self.outcomes.pop_front();
        }
    }
}

impl Off {
    fn new(failures: usize, pause: Duration) -> Self {
        let mut off = Self { failures, pause, until: now(), probing_since: None };
        off.wait(pause);
        off
    }

    /// Starts a pause of this length and up to half as much again, so that the clients do not all come back
    /// at once.
    fn wait(&mut self, pause: Duration) {
        self.pause = pause;
        self.until = now() + pause.mul_f64(1.0 + random::fraction() / 2.0);
        self.probing_since = None;
    }

    /// Whether it is time to probe.
    fn is_over(&self) -> bool {
        now() >= self.until
    }

    /// Whether a call may probe now. A probe without an outcome blocks others only for a while, and not at
    /// all once its process has released the lock.
    fn may_probe(&self, window: Duration, has_lock: bool) -> bool {
        let is_recent = |since| now().saturating_sub(since) < window * 2;
        self.is_over() && (has_lock || !self.probing_since.is_some_and(is_recent))
    }

    /// The error of a call that comes too early. It names the time until the next probe, or one second while
    /// a probe is running.
    fn refusal(&self, stage: Stage, host: &str) -> Error {
        refusal(self.failures, self.until.saturating_sub(now()), stage, host)
    }
}

pub(super) fn refusal(failures: usize, left: Duration, stage: Stage, host: &str) -> Error {
    let host = shortened(host, 80);
    let message = format!(
        "{failures} of the last calls did not reach {host}, so it is not tried for a while (`fail_fast_for`): see the \
         errors of those calls"
    );
    Error::new(ErrorKind::Timeout { phase: Phase::FailFast }, stage, Retry::Later, message)
        .with_retry_after(Some(in_seconds(left)))
}

/// Rounds up to whole seconds, as `Retry-After` needs them, and to one at least.
fn in_seconds(time: Duration) -> Duration {
    let started = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs((time.as_secs() + started).max(1))
}

/// What the clock shows when the machine starts. It is more than zero, so that a test can go back in time.
const BEFORE: Duration = Duration::from_secs(24 * 3600);

/// The time since the machine was started, plus [`BEFORE`]. All processes of the machine read this same
/// clock.
#[cfg(unix)]
fn now() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    BEFORE + Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}

/// The time since this process first asked, plus [`BEFORE`]. Processes share nothing here, so each may have
/// its own clock.
#[cfg(not(unix))]
fn now() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEFORE + START.elapsed()
}

#[cfg(test)]
mod tests;
