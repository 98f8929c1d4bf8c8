//! Limits how many things run at the same time: calls to a server, which would answer none in time if there
//! were too many, and key derivations. The one that has waited longest is next.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::give_up;

#[derive(Debug)]
pub(super) struct Slots(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Those that wait, in the order in which they came.
    waiting: VecDeque<Waiter>,
    next_number: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    /// Wakes the waiter when it may be its turn.
    called: Arc<Condvar>,
    /// Whether its caller is being asked whether to go on. The caller may make calls that wait as well, so
    /// this waiter must not hold them up.
    is_away: bool,
}

/// A slot, held until it is dropped.
#[derive(Debug)]
pub(super) struct Slot(Arc<Slots>);

impl Slots {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: most, waiting: VecDeque::new(), next_number: 0 })))
    }

    /// Waits until this moment for a slot. Returns `None` if there was none in time, or if the caller gave
    /// up.
    pub(super) fn take(self: &Arc<Self>, until: Instant) -> Option<Slot> {
        let mut state = self.lock();
        if state.is_turn_of(None) {
            state.free -= 1;
            return Some(Slot(Arc::clone(self)));
        }
        let called = Arc::new(Condvar::new());
        let place = Place { slots: self, number: state.join(&called) };
        loop {
            if state.is_turn_of(Some(place.number)) {
                state.free -= 1;
                drop(state);
                return Some(Slot(Arc::clone(self)));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                return None;
            }
            let slice = if give_up::is_asked() { left.min(give_up::SLICE) } else { left };
            state = called.wait_timeout(state, slice).unwrap_or_else(PoisonError::into_inner).0;
            if give_up::is_asked() && !state.is_turn_of(Some(place.number)) {
                state.set_away(place.number, true);
                drop(state);
                // Asked without the lock, because the caller may make calls itself.
                give_up::ask().ok()?;
                state = self.lock();
                state.set_away(place.number, false);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn join(&mut self, called: &Arc<Condvar>) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.push_back(Waiter { number, called: Arc::clone(called), is_away: false });
        number
    }

    /// The next waiter that can take a slot.
    fn next(&self) -> Option<&Waiter> {
        self.waiting.iter().find(|waiter| !waiter.is_away)
    }

    /// Whether there is a slot for the waiter with this number, or for a newcomer if the number is `None`.
    fn is_turn_of(&self, number: Option<u64>) -> bool {
        self.free > 0 && self.next().map(|waiter| waiter.number) == number
    }

    fn set_away(&mut self, number: u64, is_away: bool) {
        for waiter in self.waiting.iter_mut().filter(|waiter| waiter.number == number) {
            waiter.is_away = is_away;
        }
        self.call_next();
    }

    fn call_next(&self) {
        if self.free > 0
            && let Some(waiter) = self.next()
        {
            waiter.called.notify_one();
        }
    }
}

/// A place in the queue, held until it is dropped.
struct Place<'a> {
    slots: &'a Slots,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        state.waiting.retain(|waiter| waiter.number != self.number);
        state.call_next();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.free += 1;
        state.call_next();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Mutex;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::client::give_up::interruptible;

    fn in_time() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn wait_until(slots: &Slots, count: usize) {
        while slots.lock().waiting.len() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn a_call_waits_until_another_one_ends() {
        let slots = Slots::new(2);
        let [first, second] = [(); 2].map(|()| slots.take(Instant::now()).unwrap());
        assert!(slots.take(Instant::now() + Duration::from_millis(1)).is_none());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| slots.take(in_time()).is_some());
            drop(first);
            assert!(waiting.join().unwrap());
        });
        drop(second);
        assert_eq!(slots.lock().free, 2);
        assert!(slots.lock().waiting.is_empty());
    }

    #[test]
    fn the_first_to_wait_gets_the_first_slot() {
        const CROWD: usize = 100;
        let slots = Slots::new(1);
        let taken = slots.take(Instant::now()).unwrap();
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..CROWD {
                let (slots, order) = (&slots, &order);
                scope.spawn(move || {
                    let _slot = slots.take(in_time()).unwrap();
                    order.lock().unwrap().push(number);
                });
                wait_until(slots, number + 1);
            }
            drop(taken);
            // A newcomer gets no slot while others wait.
            while !slots.lock().waiting.is_empty() {
                assert!(slots.take(Instant::now()).is_none() || slots.lock().waiting.is_empty());
            }
        });
        assert!(order.into_inner().unwrap().is_sorted());
    }

    #[test]
    fn a_waiter_that_leaves_holds_nobody_up() {
        let slots = Slots::new(1);
        let taken = slots.take(Instant::now()).unwrap();
        thread::scope(|scope| {
            let short = scope.spawn(|| slots.take(Instant::now() + Duration::from_millis(20)).is_none());
            wait_until(&slots, 1);
            let long = scope.spawn(|| slots.take(in_time()).is_some());
            assert!(short.join().unwrap());
            drop(taken);
            assert!(long.join().unwrap());
        });
    }

    #[test]
    fn a_caller_that_gives_up_does_not_wait() {
        let slots = Slots::new(1);
        let _taken = slots.take(Instant::now()).unwrap();
        interruptible(|| false, || assert!(slots.take(in_time()).is_none() && give_up::is_stopped()));
        assert!(slots.lock().waiting.is_empty());
    }

    /// A signal handler may log in as well, for example.
    #[test]
    fn a_call_made_while_another_is_asked_gets_its_slot() {
        let slots = Slots::new(1);
        let (taken, inner) = (Cell::new(slots.take(Instant::now())), Arc::clone(&slots));
        let keep_going = move || {
            drop(taken.take());
            inner.take(in_time()).is_some()
        };
        interruptible(keep_going, || assert!(slots.take(in_time()).is_some()));
    }
}
