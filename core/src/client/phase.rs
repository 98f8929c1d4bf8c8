//! What the request of this thread is doing, so that a timeout can tell, and what its answer begins
//! with, so that a wrong port can be told. A request is sent and answered on one thread.

use std::cell::Cell;

use crate::error::Phase;

/// What the answer to a plain http request begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    /// Nothing came.
    Nothing,
    /// A record of TLS (RFC 8446 §5.1), such as an alert.
    Tls,
    /// An XML stream (RFC 6120 §4.2).
    Xmpp,
    /// HTTP.
    Http,
    /// Anything else.
    Other,
}

thread_local! {
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Dns) };
    static SPOKEN: Cell<Spoken> = const { Cell::new(Spoken::Nothing) };
}

/// Notes that a request goes out.
pub(super) fn asked() {
    SPOKEN.set(Spoken::Nothing);
}

/// Notes what comes back.
pub(super) fn answered(bytes: &[u8]) {
    if SPOKEN.get() == Spoken::Nothing {
        SPOKEN.set(match bytes {
            [] => Spoken::Nothing,
            [0x14..=0x17, 3, ..] => Spoken::Tls,
            bytes if bytes.starts_with(b"<?xml") || bytes.starts_with(b"<stream:") => Spoken::Xmpp,
            bytes if bytes.starts_with(b"HTTP/") => Spoken::Http,
            _ => Spoken::Other,
        });
    }
}

pub(super) fn spoken() -> Spoken {
    SPOKEN.get()
}

/// What this thread's request was doing, and what its answer began with, until other requests were made on it.
pub(super) struct Kept(Phase, Spoken);

/// Keeps it until this is dropped.
pub(super) fn kept() -> Kept {
    Kept(PHASE.get(), SPOKEN.get())
}

impl Drop for Kept {
    fn drop(&mut self) {
        PHASE.set(self.0);
        SPOKEN.set(self.1);
    }
}

pub(super) fn enter(phase: Phase) {
    PHASE.set(phase);
}

pub(super) fn current() -> Phase {
    PHASE.get()
}
