//! Which requests of an exchange went out. Helpers send some of them, so when an exchange fails, a request may still
//! be on its way to the connection. The request that ends the session needs the RID after the last one that the
//! server can get: ejabberd keeps a request whose predecessor is missing, and does not end the session.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;

/// The requests of one exchange, for all threads that send them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The RIDs of the requests that were written, or are being written.
    out: Vec<u64>,
    /// The RIDs of the requests that were written.
    written: Vec<u64>,
    /// The RIDs of the requests that are answered or lost.
    over: Vec<u64>,
    /// How many requests are being written.
    writing: usize,
    is_closed: bool,
}

impl Outbox {
    /// Runs `post`, which sends the request with this RID on this thread.
    pub(super) fn posting<T>(self: &Arc<Self>, rid: u64, post: impl FnOnce() -> T) -> T {
        let posted = Posted { outbox: Arc::clone(self), rid, is_out: false };
        let _outer = Outer(POSTED.replace(Some(posted)));
        post()
    }

    /// Waits until the request with this RID is written, or cannot be any more; whether it is.
    pub(super) fn has_written(&self, rid: u64, patience: Duration) -> bool {
        let is_awaited = |state: &mut State| !state.written.contains(&rid) && !state.over.contains(&rid);
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, is_awaited)
            .unwrap_or_else(PoisonError::into_inner);
        state.written.contains(&rid)
    }

    /// Calls back the requests that did not go out, and waits until those that did are written. Returns the lowest
    /// RID that the server cannot get any more.
    pub(super) fn close(&self, until: Instant) -> Option<u64> {
        let mut state = self.lock();
        state.is_closed = true;
        let left = until.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(state, left, |state| state.writing > 0)
            .unwrap_or_else(PoisonError::into_inner);
        let (first, last) = (*state.out.iter().min()?, *state.out.iter().max()?);
        (first..=last + 1).find(|rid| !state.out.contains(rid))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request that this thread sends.
struct Posted {
    outbox: Arc<Outbox>,
    rid: u64,
    /// Whether a part of it was written.
    is_out: bool,
}

thread_local! {
    static POSTED: RefCell<Option<Posted>> = const { RefCell::new(None) };
}

/// What this thread sent before, to be restored even after a panic.
pub(super) struct Outer(Option<Posted>);

impl Drop for Outer {
    fn drop(&mut self) {
        POSTED.set(self.0.take());
    }
}

/// Until this is dropped, what this thread sends is no request of its exchange.
pub(super) fn apart() -> Outer {
    Outer(POSTED.take())
}

/// Runs `write`, which writes this thread's request.
///
/// # Errors
/// Those of `write`, and one of its own if the request was called back. Then nothing is written.
pub(super) fn writing(write: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let Some(writing) = POSTED.with_borrow_mut(|posted| posted.as_mut().map(Posted::leave)) else {
        return write();
    };
    let _writing = writing?;
    write()
}

impl Posted {
    fn leave(&mut self) -> Result<Writing, Error> {
        let mut state = self.outbox.lock();
        if !self.is_out && state.is_closed {
            return Err(Error::Io(io::ErrorKind::ConnectionAborted.into()));
        }
        self.is_out = true;
        if !state.out.contains(&self.rid) {
            state.out.push(self.rid);
        }
        state.writing += 1;
        drop(state);
        Ok(Writing { outbox: Arc::clone(&self.outbox), rid: self.rid })
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        self.outbox.lock().over.push(self.rid);
        self.outbox.changed.notify_all();
    }
}

struct Writing {
    outbox: Arc<Outbox>,
    rid: u64,
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut state = self.outbox.lock();
        state.writing -= 1;
        state.written.push(self.rid);
        drop(state);
        self.outbox.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    fn in_an_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    /// Sends the request with this RID; whether it went out.
    fn send(outbox: &Arc<Outbox>, rid: u64) -> bool {
        outbox.posting(rid, || writing(|| Ok(()))).is_ok()
    }

    #[test]
    fn the_first_rid_that_did_not_go_out_is_free() {
        for (sent, free) in [
            (&[][..], None),
            (&[7], Some(8)),
            (&[7, 8, 9], Some(10)),
            (&[7, 9, 8], Some(10)),
            (&[7, 9], Some(8)),
            (&[7, 8, 8], Some(9)),
        ] {
            let outbox = Arc::default();
            assert!(sent.iter().all(|rid| send(&outbox, *rid)));
            assert_eq!(outbox.close(in_an_hour()), free, "{sent:?}");
        }
    }

    #[test]
    fn what_did_not_go_out_in_time_is_called_back() {
        let outbox = Arc::default();
        assert!(send(&outbox, 7));
        outbox.posting(8, || {
            assert_eq!(outbox.close(in_an_hour()), Some(8));
            let never = || -> Result<(), Error> { panic!("written") };
            assert!(matches!(writing(never), Err(Error::Io(_))));
            let _apart = apart();
            writing(|| Ok(())).expect("a request of another exchange");
        });
        assert!(writing(|| Ok(())).is_ok(), "the end of the session");
    }

    #[test]
    fn a_request_that_is_being_written_is_waited_for() {
        let (outbox, is_written) = (Arc::<Outbox>::default(), AtomicBool::new(false));
        let (begun, begins) = channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                outbox.posting(7, || {
                    writing(|| Ok(()))?;
                    writing(|| {
                        begun.send(()).unwrap();
                        while !outbox.lock().is_closed {
                            thread::yield_now();
                        }
                        is_written.store(true, Relaxed);
                        Ok(())
                    })
                })
            });
            begins.recv().unwrap();
            assert_eq!(outbox.close(in_an_hour()), Some(8));
            assert!(is_written.load(Relaxed));
        });
    }

    #[test]
    fn a_request_is_waited_for_until_it_is_written_or_over() {
        let outbox = Arc::<Outbox>::default();
        assert!(!outbox.has_written(7, Duration::ZERO), "nobody has begun to send it");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.has_written(7, Duration::from_secs(3600)));
            assert!(send(&outbox, 7));
            assert!(waiting.join().unwrap());
        });
        assert!(outbox.has_written(7, Duration::ZERO), "even after its answer");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.has_written(8, Duration::from_secs(3600)));
            // As where its connection cannot be opened.
            outbox.posting(8, || {});
            assert!(!waiting.join().unwrap());
        });
    }

    #[test]
    fn a_request_that_went_out_in_part_goes_out_as_a_whole() {
        let outbox = Arc::<Outbox>::default();
        outbox.posting(7, || {
            writing(|| Ok(())).unwrap();
            assert_eq!(outbox.close(in_an_hour()), Some(8));
            writing(|| Ok(())).unwrap();
        });
    }
}
