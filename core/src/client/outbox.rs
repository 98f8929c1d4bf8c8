//! Records which requests of an exchange were sent. Helper threads send some of them, so when an exchange
//! fails, a request may still be waiting to be written. The request that ends the session needs the RID after
//! the last request that can reach the server: ejabberd holds a request whose predecessor is missing, and
//! does not end the session.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The requests of one exchange, shared by all threads that send them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The RIDs of the requests that were written, or are being written.
    out: Vec<u64>,
    /// The RIDs of the requests that are being written.
    writing: Vec<u64>,
    /// The RIDs of the requests that are answered or lost.
    over: Vec<u64>,
    is_closed: bool,
}

impl State {
    fn has_written(&self, rid: u64) -> bool {
        self.out.contains(&rid) && !self.writing.contains(&rid)
    }
}

impl Outbox {
    /// Registers a request that is about to be sent. It counts as answered or lost once the returned value is
    /// dropped.
    pub(super) fn post(self: &Arc<Self>, rid: u64) -> Posted {
        Posted { outbox: Arc::clone(self), rid }
    }

    /// Waits until the request with this RID is written, or is lost. Returns whether it was written.
    pub(super) fn has_written(&self, rid: u64, patience: Duration) -> bool {
        let is_awaited = |state: &mut State| !state.has_written(rid) && !state.over.contains(&rid);
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, is_awaited)
            .unwrap_or_else(PoisonError::into_inner);
        state.has_written(rid)
    }

    /// Stops the requests that were not sent yet, and waits until those being written are done. Returns the
    /// lowest RID that can no longer reach the server.
    pub(super) fn close(&self, until: Instant) -> Option<u64> {
        let mut state = self.lock();
        state.is_closed = true;
        let left = until.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(state, left, |state| !state.writing.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let (first, last) = (*state.out.iter().min()?, *state.out.iter().max()?);
        (first..=last + 1).find(|rid| !state.out.contains(rid))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request of an exchange that is about to be sent or under way.
#[derive(Debug)]
pub(super) struct Posted {
    outbox: Arc<Outbox>,
    rid: u64,
}

impl Posted {
    /// Whether the request may be sent. If so, it counts as being written from now on.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.outbox.lock();
        if state.is_closed {
            return false;
        }
        state.out.push(self.rid);
        state.writing.push(self.rid);
        true
    }

    /// Records that the request is written.
    pub(super) fn written(&self) {
        self.outbox.lock().writing.retain(|rid| *rid != self.rid);
        self.outbox.changed.notify_all();
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        self.outbox.lock().over.push(self.rid);
        // The request may have been lost while it was being written.
        self.written();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    fn in_an_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    /// Sends the request with this RID. Returns whether it was sent.
    fn send(outbox: &Arc<Outbox>, rid: u64) -> bool {
        let posted = outbox.post(rid);
        let leaves = posted.leave();
        posted.written();
        leaves
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
    fn a_request_that_was_not_sent_in_time_is_stopped() {
        let outbox = Arc::default();
        assert!(send(&outbox, 7));
        let late = outbox.post(8);
        assert_eq!(outbox.close(in_an_hour()), Some(8));
        assert!(!late.leave());
    }

    #[test]
    fn a_request_that_is_being_written_is_waited_for() {
        let outbox = Arc::<Outbox>::default();
        for is_lost in [false, true] {
            outbox.lock().is_closed = false;
            let (begun, begins) = channel();
            thread::scope(|scope| {
                let outbox = &outbox;
                let writing = scope.spawn(move || {
                    let posted = outbox.post(7);
                    assert!(posted.leave());
                    begun.send(()).unwrap();
                    while !outbox.lock().is_closed {
                        thread::yield_now();
                    }
                    if !is_lost {
                        posted.written();
                    }
                });
                begins.recv().unwrap();
                assert_eq!(outbox.close(in_an_hour()), Some(8));
                assert!(outbox.lock().writing.is_empty());
                writing.join().unwrap();
            });
        }
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
            // Its connection could not be opened, for example.
            drop(outbox.post(8));
            assert!(!waiting.join().unwrap());
        });
    }
}
