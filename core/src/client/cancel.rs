//! Giving up: while a call waits for the server it asks, every now and then, whether to go on.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{NextTimeout, time};

use super::{outbox, phase};
use crate::error::Phase;

/// How long a call waits before it asks.
pub(super) const SLICE: Duration = Duration::from_millis(50);

/// How long a call that was given up waits for an answer that tells which session is to be ended.
const LINGER: Duration = Duration::from_millis(100);

type KeepGoing = Rc<dyn Fn() -> bool>;

thread_local! {
    static ASKED: RefCell<Option<KeepGoing>> = const { RefCell::new(None) };
    static STOPPED_AT: Cell<Option<Instant>> = const { Cell::new(None) };
    static LINGERS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`. While a [`Client`](crate::Client) waits in it, on this thread, it asks `keep_going`. After the
/// first no it ends what it has begun on the server, and fails.
pub(crate) fn interruptible<T>(keep_going: impl Fn() -> bool + 'static, call: impl FnOnce() -> T) -> T {
    let _outer = Outer(ASKED.replace(Some(Rc::new(keep_going))), STOPPED_AT.take());
    call()
}

/// What was there before, to be restored even after a panic.
struct Outer(Option<KeepGoing>, Option<Instant>);

impl Drop for Outer {
    fn drop(&mut self) {
        ASKED.set(self.0.take());
        STOPPED_AT.set(self.1);
    }
}

/// Whether the call that runs on this thread has been given up.
pub(super) fn is_stopped() -> bool {
    STOPPED_AT.get().is_some()
}

/// Whether somebody is asked.
pub(super) fn is_asked() -> bool {
    ASKED.with_borrow(Option::is_some)
}

/// Runs `exchange`. If it `creates` a session and its request is out, it is not left at once when the call
/// is given up: nobody would know the session that comes of it.
pub(super) fn lingering<T>(creates: bool, exchange: impl FnOnce() -> T) -> T {
    let outer = LINGERS.replace(creates);
    let result = exchange();
    LINGERS.set(outer);
    result
}

fn lingers() -> bool {
    LINGERS.get() && matches!(phase::current(), Phase::Headers | Phase::Body)
}

/// How long an exchange still waits, once the call is given up.
fn rest() -> Option<Duration> {
    let stopped_at = STOPPED_AT.get().filter(|_| lingers())?;
    Some(LINGER.saturating_sub(stopped_at.elapsed()))
}

/// Asks the caller whether to go on. Hold no lock: the caller's function may make calls itself.
///
/// # Errors
/// If the answer is no. Not `Interrupted`, which the standard library would try again.
pub(super) fn ask() -> Result<(), Error> {
    let asked = ASKED.with_borrow(Clone::clone);
    if asked.is_none_or(|keep_going| apart(|| keep_going())) {
        return Ok(());
    }
    ASKED.set(None);
    STOPPED_AT.set(Some(Instant::now()));
    Err(Error::Io(io::ErrorKind::ConnectionAborted.into()))
}

/// Waits for this long, unless the caller gives up. Whether to go on.
pub(super) fn pause(time: Duration) -> bool {
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(SLICE));
        if ask().is_err() {
            return false;
        }
    }
}

/// Runs `act` with nothing of this call on the thread. It may make calls of its own, and even let another task
/// of an event loop go on with one, which may end before or after this one.
fn apart<T>(act: impl FnOnce() -> T) -> T {
    let _state = Apart {
        outer: Outer(ASKED.take(), STOPPED_AT.take()),
        lingers: LINGERS.take(),
        phase: phase::kept(),
        posted: outbox::apart(),
    };
    act()
}

/// What is to be on the thread again, even after a panic.
struct Apart {
    #[expect(dead_code, reason = "it restores itself")]
    outer: Outer,
    lingers: bool,
    #[expect(dead_code, reason = "it restores itself")]
    phase: phase::Kept,
    #[expect(dead_code, reason = "it restores itself")]
    posted: outbox::Outer,
}

impl Drop for Apart {
    fn drop(&mut self) {
        LINGERS.set(self.lingers);
    }
}

/// Waits in slices if there is somebody to ask between them.
pub(super) fn sliced(
    timeout: NextTimeout,
    mut wait: impl FnMut(NextTimeout) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let time::Duration::Exact(granted) = timeout.after else { return wait(timeout) };
    let start = Instant::now();
    loop {
        let left = granted.saturating_sub(start.elapsed());
        let left = rest().map_or(left, |rest| rest.min(left));
        let is_last = left <= SLICE || !is_asked();
        let after = time::Duration::Exact(if is_last { left } else { SLICE });
        match wait(NextTimeout { after, ..timeout }) {
            Err(Error::Timeout(_)) if !is_last => match ask() {
                Err(given_up) if !lingers() => return Err(given_up),
                _ => {}
            },
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use ureq::Timeout;

    use super::*;

    fn timeout(after: Duration) -> NextTimeout {
        NextTimeout { after: after.into(), reason: Timeout::RecvResponse, ..NextTimeout::default() }
    }

    /// How long a wait of so much time waited each time, when nothing came, and how it ended.
    fn waits(time: Duration) -> (Vec<Duration>, Result<bool, Error>) {
        let mut waits = Vec::new();
        let result = sliced(timeout(time), |slice| {
            assert_eq!(slice.reason, Timeout::RecvResponse);
            let time::Duration::Exact(after) = slice.after else { panic!("without an end") };
            waits.push(after);
            Err(Error::Timeout(slice.reason))
        });
        (waits, result)
    }

    #[test]
    fn nobody_is_asked_who_does_not_want_it() {
        let (waits, result) = waits(Duration::from_secs(3600));
        assert_eq!(waits.len(), 1);
        assert!(waits[0] > Duration::from_secs(3500), "{waits:?}");
        assert!(matches!(result, Err(Error::Timeout(_))) && !is_stopped());
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
            let result = sliced(timeout(Duration::from_secs(3600)), |slice| {
                assert_eq!(slice.after, SLICE.into());
                count += 1;
                if count < 3 { Err(Error::Timeout(slice.reason)) } else { Ok(true) }
            });
            assert!(result.unwrap() && is_asked() && !is_stopped());
            assert_eq!((count, asked.get()), (3, 2));
            let (last, result) = waits(SLICE);
            assert!(last.len() == 1 && last[0] <= SLICE && matches!(result, Err(Error::Timeout(_))));
            assert_eq!(asked.get(), 2, "the last slice is the caller's own timeout");
        });
        assert!(!is_asked());
    }

    #[test]
    fn the_first_no_ends_the_wait_and_only_the_call_it_was_said_in() {
        interruptible(
            || true,
            || {
                interruptible(
                    || false,
                    || {
                        let (waits, result) = waits(Duration::from_secs(3600));
                        assert_eq!(waits, [SLICE]);
                        let Err(Error::Io(error)) = result else { panic!("{result:?}") };
                        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
                        assert!(is_stopped() && !is_asked());
                        ask().unwrap();
                    },
                );
                assert!(!is_stopped() && is_asked());
                ask().unwrap();
            },
        );
    }

    #[test]
    fn only_a_creation_that_is_out_is_waited_for_a_little_longer() {
        for (creates, phase, count) in [
            (true, Phase::Headers, 2),
            (true, Phase::Body, 2),
            (true, Phase::Tls, 1),
            (false, Phase::Headers, 1),
        ] {
            phase::enter(phase);
            let call = || lingering(creates, || waits(Duration::from_secs(3600)));
            let (waits, result) = interruptible(|| false, call);
            assert_eq!(waits.len(), count, "{creates}, {phase}");
            assert!(waits[1..].iter().all(|rest| *rest <= LINGER), "{waits:?}");
            assert_eq!(matches!(result, Err(Error::Timeout(_))), count == 2);
        }
        assert!(!lingers(), "what is sent next creates nothing");
    }
}
