//! Where most calls do not reach the server, calls fail at once for a while: a page must not wait for a
//! chat that is down. Then one call probes whether the server is back. The processes of a web site may share what
//! they know, so that each need not wait for the server in vain.

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

/// The same where one call probes for all processes of the host: their pauses would end one after another.
const MAX_PAUSE_OF_HOST: Duration = Duration::from_secs(15);

/// More outcomes than a window needs.
const MAX_OUTCOMES: usize = 1024;

#[derive(Debug)]
pub(super) struct FailFast {
    /// The least number of failures; none is ever enough if this is 0.
    after: usize,
    /// The first pause.
    pause: Duration,
    longest_pause: Duration,
    /// A call that timed out began this long ago at most, so what succeeded before says nothing of it.
    window: Duration,
    /// What this process knows, where it shares nothing.
    state: Mutex<State>,
    /// Where the processes of this host share what they know.
    host: Option<Arc<Host>>,
}

/// All times are those of a clock that all processes read, see [`now`].
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    /// When the latest calls ended, and whether they did not reach the server.
    outcomes: VecDeque<(Duration, bool)>,
    off: Option<Off>,
}

/// While no call is admitted but one that probes.
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
    /// Shows the other processes of the host that the probe goes on. A process that dies lets go of it.
    probe: Option<Lock>,
}

/// What a call says of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It answered, in whatever way.
    Reached,
    /// It could not be reached, or not in time.
    Unreached,
    /// Nothing: the caller gave up, or the call never got so far.
    Unknown,
}

impl Outcome {
    pub(super) fn of<T>(result: &Result<T>) -> Self {
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
        // What other processes know must not stop a client that does not want to be stopped.
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

    /// Admits a call: any while the server is reached, else one at a time that probes.
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

    /// Takes note of what became of a call.
    pub(super) fn record(&self, Admitted { is_probe, probe }: Admitted, outcome: Outcome) {
        self.known(|state| match (outcome, &mut state.off) {
            (Outcome::Reached, Some(_)) => *state = State::default(),
            (Outcome::Unknown, Some(off)) if is_probe => off.probing_since = None,
            (Outcome::Unreached, Some(off)) if is_probe => {
                off.failures += 1;
                off.wait((off.pause * 2).min(self.longest_pause));
            }
            // The calls that were under way when the first of them failed tell nothing new.
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
        // Only now: the next call that gets the lock finds what came of this probe.
        drop(probe);
    }

    /// Reads or changes what is known, which the other processes of the host may share.
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
    /// How many calls failed, if those are `after` or more and half or more of the latest calls: of the
    /// last `window` of time, or of twice `after` calls where these are more.
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

    /// Forgets the calls that [`failures`](Self::failures) does not look at any more.
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

    /// Waits for this long, and up to half of it longer, so that not all clients come back at once.
    fn wait(&mut self, pause: Duration) {
        self.pause = pause;
        self.until = now() + pause.mul_f64(1.0 + random::fraction() / 2.0);
        self.probing_since = None;
    }

    /// Whether it is time to probe.
    fn is_over(&self) -> bool {
        now() >= self.until
    }

    /// Whether a call may probe now. A probe that never told is not waited for for ever, and not at all if its
    /// process let go of the lock.
    fn may_probe(&self, window: Duration, has_lock: bool) -> bool {
        let is_recent = |since| now().saturating_sub(since) < window * 2;
        self.is_over() && (has_lock || !self.probing_since.is_some_and(is_recent))
    }

    /// What a call is told that comes too early; while another one probes, in a moment.
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

/// In whole seconds, as `Retry-After` has it: one at least.
fn in_seconds(time: Duration) -> Duration {
    let started = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs((time.as_secs() + started).max(1))
}

/// The clock does not begin at zero, so that there is a time before the machine was started.
const BEFORE: Duration = Duration::from_secs(24 * 3600);

/// The time on the machine, from [`BEFORE`] it was started on: the processes that run on it read the same clock.
#[cfg(unix)]
fn now() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    BEFORE + Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}

/// The time since this process first asked: where nothing is shared, the clock need not be.
#[cfg(not(unix))]
fn now() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEFORE + START.elapsed()
}

#[cfg(test)]
mod tests;
