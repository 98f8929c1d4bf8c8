//! Giving up: while a call waits for the server, it asks its caller from time to time whether to go on.
//!
//! The caller's function is the only thing that the client keeps in a thread-local. The function belongs to
//! one thread: an interpreter checks its signals on that thread, and the function cannot be sent to another.
//! Code that waits deep inside `ureq` and `rustls` has no other way to reach it.

use std::cell::RefCell;
use std::io;
use std::mem;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Phase, Retry, Stage};

/// How long a call waits before it asks its caller.
pub(super) const SLICE: Duration = Duration::from_millis(50);

/// How long a call that was given up still waits for the answer that names the session, so that it can end
/// the session.
const LINGER: Duration = Duration::from_millis(100);

thread_local! {
    static CALLER: RefCell<Caller> = const { RefCell::new(Caller { keep_going: None, stopped_at: None }) };
}

/// The caller that waits for the call on this thread.
#[derive(Default)]
struct Caller {
    keep_going: Option<Rc<dyn Fn() -> bool>>,
    stopped_at: Option<Instant>,
}

/// Runs `call`. While a [`Client`](crate::Client) waits on this thread inside `call`, it asks `keep_going`.
/// After the first `false` it ends the session that it has begun on the server, and fails.
pub(crate) fn interruptible<T>(keep_going: impl Fn() -> bool + 'static, call: impl FnOnce() -> T) -> T {
    let caller = Caller { keep_going: Some(Rc::new(keep_going)), stopped_at: None };
    let _outer = Outer(CALLER.replace(caller));
    call()
}

/// The caller that was set before. Dropping this restores it, even after a panic.
struct Outer(Caller);

impl Drop for Outer {
    fn drop(&mut self) {
        CALLER.set(mem::take(&mut self.0));
    }
}

/// Whether the call that runs on this thread has been given up.
pub(super) fn is_stopped() -> bool {
    stopped_at().is_some()
}

fn stopped_at() -> Option<Instant> {
    CALLER.with_borrow(|caller| caller.stopped_at)
}

/// Whether there is a caller to ask.
pub(super) fn is_asked() -> bool {
    CALLER.with_borrow(|caller| caller.keep_going.is_some())
}

/// Asks the caller whether to go on. Hold no lock: the caller's function may call prebind itself, or let
/// another task of an event loop do so. For the same reason this call's state is taken off the thread while
/// the function runs.
///
/// # Errors
/// `ConnectionAborted` if the caller gives up. `Interrupted` would not do: the standard library retries after
/// it.
pub(super) fn ask() -> io::Result<()> {
    let Some(keep_going) = CALLER.with_borrow(|caller| caller.keep_going.clone()) else { return Ok(()) };
    let goes_on = {
        let _outer = Outer(CALLER.take());
        keep_going()
    };
    if goes_on {
        return Ok(());
    }
    CALLER.set(Caller { keep_going: None, stopped_at: Some(Instant::now()) });
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// Runs `wait` until it returns something or this moment has come. If there is a caller, it waits in slices
/// and asks between them. A wait that `lingers` goes on for a short time after the call is given up.
///
/// # Errors
/// Those of `wait`, `TimedOut`, and the error of [`ask`].
pub(super) fn waiting<T, E: From<io::Error>>(
    until: Instant,
    lingers: bool,
    mut wait: impl FnMut(Duration) -> Result<Option<T>, E>,
) -> Result<T, E> {
    loop {
        let until = match stopped_at().filter(|_| lingers) {
            Some(stopped_at) => until.min(stopped_at + LINGER),
            None => until,
        };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        let slice = if is_asked() { left.min(SLICE) } else { left };
        if let Some(found) = wait(slice)? {
            return Ok(found);
        }
        if slice < left
            && let Err(given_up) = ask()
            && !lingers
        {
            return Err(given_up.into());
        }
    }
}

/// Waits for this long. Returns `false` if the caller gave up meanwhile.
pub(super) fn pause(time: Duration) -> bool {
    let sleep = |slice| {
        thread::sleep(slice);
        Ok::<Option<()>, io::Error>(None)
    };
    waiting(Instant::now() + time, false, sleep).is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// The error of a call that was given up.
pub(super) fn given_up(phase: Phase, stage: Stage) -> Error {
    let message = "the caller gave up waiting for the server";
    Error::new(ErrorKind::Connect { phase }, stage, Retry::FreshSession, message)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn in_an_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    /// Waits for something that never comes. Returns how long each slice was and how the wait ended. It
    /// pretends that the last slice, which may be an hour, has passed.
    fn waits(time: Duration, lingers: bool) -> (Vec<Duration>, io::ErrorKind) {
        let mut waits = Vec::new();
        let result: io::Result<()> = waiting(Instant::now() + time, lingers, |slice| {
            waits.push(slice);
            if slice == SLICE { Ok(None) } else { Err(io::ErrorKind::TimedOut.into()) }
        });
        (waits, result.unwrap_err().kind())
    }

    #[test]
    fn without_a_caller_nobody_is_asked() {
        let (waits, ended) = waits(Duration::from_secs(3600), false);
        assert_eq!((waits.len(), ended), (1, io::ErrorKind::TimedOut));
        assert!(waits[0] > Duration::from_secs(3500), "{waits:?}");
        assert!(!is_stopped());
    }

    #[test]
    fn a_wait_is_cut_into_slices_as_long_as_the_answer_is_yes() {
        let asked = Rc::new(Cell::new(0));
        let counter = Rc::clone(&asked);
        let keep_going = move || {
            counter.set(counter.get() + 1);
            true
        };
        interruptible(keep_going, || {
            let mut count = 0;
            let result: io::Result<bool> = waiting(in_an_hour(), false, |slice| {
                assert_eq!(slice, SLICE);
                count += 1;
                Ok((count == 3).then_some(true))
            });
            assert!(result.unwrap() && is_asked() && !is_stopped());
            assert_eq!((count, asked.get()), (3, 2));
            let (last, ended) = waits(SLICE / 2, false);
            assert!(last.len() == 1 && last[0] <= SLICE / 2 && ended == io::ErrorKind::TimedOut);
            assert_eq!(asked.get(), 2, "the last slice is the caller's own timeout");
        });
        assert!(!is_asked());
    }

    #[test]
    fn the_first_no_ends_the_wait_and_only_the_call_it_was_said_in() {
        let inner = || {
            let (waits, ended) = waits(Duration::from_secs(3600), false);
            assert_eq!((waits, ended), (vec![SLICE], io::ErrorKind::ConnectionAborted));
            assert!(is_stopped() && !is_asked());
            ask().unwrap();
        };
        let outer = || {
            interruptible(|| false, inner);
            assert!(!is_stopped() && is_asked());
            ask().unwrap();
        };
        interruptible(|| true, outer);
    }

    #[test]
    fn a_wait_that_lingers_goes_on_for_a_short_time() {
        let (waits, ended) = interruptible(|| false, || waits(Duration::from_secs(3600), true));
        assert_eq!((waits.len(), ended), (2, io::ErrorKind::TimedOut));
        assert!(waits[1] <= LINGER, "{waits:?}");
    }

    #[test]
    fn a_pause_ends_early_only_if_the_caller_gives_up() {
        assert!(pause(Duration::from_millis(1)));
        assert!(!interruptible(|| false, || pause(Duration::from_secs(3600))));
    }
}
