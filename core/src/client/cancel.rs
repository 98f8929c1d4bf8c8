//! Giving up: while a call waits for the server it asks, every now and then, whether to go on.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{NextTimeout, time};

use super::phase;
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

/// Runs `call`. While a [`Client`](crate::Client) waits in it, on this thread, it asks `keep_going`
/// about twenty times a second. After the first no it ends what it has begun on the server, which
/// takes some 250 ms at most, and fails with `Connect`; further calls in `call` fail at once.
///
/// For languages whose interpreter has to see to its signals.
pub fn interruptible<T>(keep_going: impl Fn() -> bool + 'static, call: impl FnOnce() -> T) -> T {
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

/// Asks. No lock may be held: whoever is asked may make calls of its own.
///
/// # Errors
/// If the answer is no. Not `Interrupted`, which the standard library would try again.
pub(super) fn ask() -> Result<(), Error> {
    let asked = ASKED.with_borrow(Clone::clone);
    if asked.is_none_or(|keep_going| keep_going()) {
        return Ok(());
    }
    ASKED.set(None);
    STOPPED_AT.set(Some(Instant::now()));
    Err(Error::Io(io::ErrorKind::ConnectionAborted.into()))
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
