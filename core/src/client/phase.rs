//! What the request of this thread is doing, so that a timeout can tell. A request is sent and
//! answered on one thread.

use std::cell::Cell;

use crate::error::Phase;

thread_local! {
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Dns) };
}

pub(super) fn enter(phase: Phase) {
    PHASE.set(phase);
}

pub(super) fn current() -> Phase {
    PHASE.get()
}
