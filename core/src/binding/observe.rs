//! What happens in a call, for languages with a log of their own.

use std::fmt::{Debug, Write as _};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher};

/// Something that happened: no secret is in it. Fields may be added.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LogEvent<'a> {
    /// `ERROR`, `WARN`, `INFO` (the outcome of a call), `DEBUG` (each step) or `TRACE` (what was
    /// sent and received).
    pub level: &'static str,
    /// `prebind`, or a part of it: `prebind::wire` for what was sent and received.
    pub target: &'static str,
    /// What happened, and the details, in one line.
    pub message: &'a str,
}

/// Runs `call`, and then tells `observer` what happened in it, from `level` on.
///
/// For languages with a log of their own. Rust programs subscribe to the [`tracing`] events, which
/// is what these are; their subscribers see nothing of `call`. The observer is told on this thread, and not before
/// the call is over: so it may do whatever it likes, such as make calls of its own, write to a socket, or let
/// another task of an event loop run on this thread.
pub fn with_log<T>(level: Level, observer: impl Fn(LogEvent<'_>), call: impl FnOnce() -> T) -> T {
    LazyLock::force(&SECOND);
    let heard = Arc::<Mutex<Vec<Heard>>>::default();
    let observing = Observing { level, heard: Arc::clone(&heard), about: Mutex::default() };
    let result = tracing::subscriber::with_default(observing, || catch_unwind(AssertUnwindSafe(call)));
    for Heard { level, target, message } in mem::take(&mut *locked(&heard)) {
        observer(LogEvent { level, target, message: &message });
    }
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// While a process has one dispatcher, `tracing` asks only the thread that first reaches a line whether anyone listens
/// to it, and believes that for all threads. This second dispatcher, which wants nothing, prevents that.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

/// Runs `act`, of which the observer of this thread's call is not told.
pub(super) fn unobserved<T>(act: impl FnOnce() -> T) -> T {
    if dispatcher::get_default(Dispatch::is::<Observing>) {
        dispatcher::with_default(&Dispatch::none(), act)
    } else {
        act()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is told later.
struct Heard {
    level: &'static str,
    target: &'static str,
    message: String,
}

struct Observing {
    level: Level,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// What the call is about.
    about: Mutex<Line>,
}

impl Subscriber for Observing {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("prebind") && (metadata.is_span() || *metadata.level() <= self.level)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::default();
        span.record(&mut line);
        *locked(&self.about) = line;
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = locked(&self.about).clone();
        event.record(&mut line);
        let metadata = event.metadata();
        let (level, target) = (metadata.level().as_str(), metadata.target());
        locked(&self.heard).push(Heard { level, target, message: line.0 });
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A message, then fields.
#[derive(Clone, Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            name => write!(self.0, " {name}={value:?}").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn told(level: Level, call: impl FnOnce()) -> Vec<String> {
        let told = RefCell::<Vec<String>>::default();
        let observer = |it: LogEvent<'_>| {
            told.borrow_mut().push(format!("{} {}: {}", it.level, it.target, it.message));
        };
        with_log(level, observer, call);
        told.into_inner()
    }

    #[test]
    fn an_observer_is_told_what_is_ours_and_important_enough() {
        let told = told(Level::INFO, || {
            let span = tracing::debug_span!(target: "prebind::client", "call", host = "h");
            let _span = span.entered();
            tracing::info!(target: "prebind::client", count = 3, "opened");
            tracing::warn!(target: "prebind", "odd");
            tracing::debug!(target: "prebind::client", "a step");
            tracing::info!(target: "another", "not ours");
        });
        assert_eq!(told, ["INFO prebind::client: opened host=\"h\" count=3", "WARN prebind: odd host=\"h\""]);
    }

    #[test]
    fn an_observer_may_make_calls_that_are_observed() {
        let inner = RefCell::<Vec<String>>::default();
        let observer = |_: LogEvent<'_>| {
            let call = || tracing::info!(target: "prebind", "inner");
            inner.borrow_mut().extend(told(Level::INFO, call));
        };
        with_log(Level::INFO, observer, || tracing::info!(target: "prebind", "outer"));
        assert_eq!(inner.into_inner(), ["INFO prebind: inner"]);
    }

    #[test]
    fn what_is_done_beside_the_call_is_not_told() {
        let told = told(Level::INFO, || {
            unobserved(|| tracing::info!(target: "prebind", "beside"));
            tracing::info!(target: "prebind", "ours");
        });
        assert_eq!(told, ["INFO prebind: ours"]);
    }

    #[test]
    fn a_call_that_panics_is_told_all_the_same() {
        let told = RefCell::<Vec<String>>::default();
        let observer = |it: LogEvent<'_>| told.borrow_mut().push(it.message.to_owned());
        let call = || {
            tracing::info!(target: "prebind", "before");
            resume_unwind(Box::new("on purpose"));
        };
        assert!(catch_unwind(AssertUnwindSafe(|| with_log(Level::INFO, observer, call))).is_err());
        assert_eq!(told.into_inner(), ["before"]);
    }
}
