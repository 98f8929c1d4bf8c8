//! Giving up: while a call waits for the server it asks, every now and then, whether to go on.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{NextTimeout, time};

/// How long a call waits before it asks.
pub(super) const SLICE: Duration = Duration::from_millis(50);

type KeepGoing = Rc<dyn Fn() -> bool>;

thread_local! {
    static ASKED: RefCell<Option<KeepGoing>> = const { RefCell::new(None) };
    static IS_STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`. While a [`Client`](crate::Client) waits in it, on this thread, it asks `keep_going`
/// about twenty times a second. After the first no it ends what it has begun on the server, which
/// takes some 150 ms at most, and fails with `Connect`; further calls in `call` fail at once.
///
/// For languages whose interpreter has to see to its signals. A TCP connection that is being opened
/// is waited for in any case, for as long as [`Config::connect_timeout`](crate::Config) grants.
pub fn interruptible<T>(keep_going: impl Fn() -> bool + 'static, call: impl FnOnce() -> T) -> T {
    let _outer = Outer(ASKED.replace(Some(Rc::new(keep_going))), IS_STOPPED.replace(false));
    call()
}

/// What was there before, to be restored even after a panic.
struct Outer(Option<KeepGoing>, bool);

impl Drop for Outer {
    fn drop(&mut self) {
        ASKED.set(self.0.take());
        IS_STOPPED.set(self.1);
    }
}

/// Whether the call that runs on this thread has been given up.
pub(super) fn is_stopped() -> bool {
    IS_STOPPED.get()
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
    IS_STOPPED.set(true);
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
        let is_last = left <= SLICE || ASKED.with_borrow(Option::is_none);
        let after = time::Duration::Exact(if is_last { left } else { SLICE });
        match wait(NextTimeout { after, ..timeout }) {
            Err(Error::Timeout(_)) if !is_last => ask()?,
            result => return result,
        }
    }
}
