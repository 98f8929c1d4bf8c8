//! Measures how long a call takes on a busy machine.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long the watcher sleeps between two looks at the clock.
const TICK: Duration = Duration::from_millis(5);

/// Runs `call`, and returns its result and how long it took, without the time for which the machine held up
/// this process. To measure that time, a thread sleeps in short steps during the call, and counts by how much
/// it oversleeps.
///
/// On an idle machine that is next to nothing, so a call that is slow by itself is still noticed.
pub fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    thread::scope(|scope| {
        // The sender is dropped with this frame, so that the watcher also ends if the call panics.
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

/// How much this thread oversleeps until the other end of the channel is gone.
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
        // On a very busy machine most of the time may be taken off, but not every time.
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
