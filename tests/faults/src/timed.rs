//! How long a call takes on a machine that has other things to do as well.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long the watcher sleeps before it looks at the clock again.
const TICK: Duration = Duration::from_millis(5);

/// Runs `call`, and returns its result and how long it took. The time does not count by which the machine
/// held this process up: a thread sleeps in short steps beside the call, and what it oversleeps is taken off.
///
/// On an idle machine that is next to nothing, so a call that is late by itself is still found out.
pub fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    thread::scope(|scope| {
        // Dropped with this frame, so that a call that panics ends the watcher, too.
        let (is_running, end) = channel::<()>();
        let watcher = scope.spawn(move || lateness(&end));
        let start = Instant::now();
        let result = call();
        let elapsed = start.elapsed();
        drop(is_running);
        let late = watcher.join().unwrap_or_default();
        (result, elapsed.saturating_sub(late))
    })
}

/// By how much this thread oversleeps until the other end of the channel is gone.
fn lateness(end: &Receiver<()>) -> Duration {
    let mut late = Duration::ZERO;
    loop {
        let start = Instant::now();
        let is_over = end.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout);
        late += start.elapsed().saturating_sub(TICK);
        if is_over {
            return late;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_waits_is_not_mistaken_for_a_machine_that_does() {
        let wait = Duration::from_millis(200);
        // A very busy machine may take off most of it, not each time.
        let is_counted = (0..50).any(|_| {
            let (result, took) = timed(|| {
                thread::sleep(wait);
                7
            });
            result == 7 && took > wait / 2
        });
        assert!(is_counted);
    }

    #[test]
    fn a_call_that_panics_ends_the_watcher() {
        let panics = || std::panic::catch_unwind(|| timed(|| std::panic::resume_unwind(Box::new(7))));
        assert!(panics().is_err());
    }
}
