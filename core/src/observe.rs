//! What happens in a call, for languages with a log of their own.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Something that happened: no secret is in it.
#[derive(Debug, Clone, Copy)]
pub struct Happening<'a> {
    /// `ERROR`, `WARN`, `INFO` (the outcome of a call), `DEBUG` (each step) or `TRACE` (what was
    /// sent and received).
    pub level: &'static str,
    /// `prebind`, or a part of it: `prebind::wire` for what was sent and received.
    pub target: &'static str,
    /// What happened, and the details, in one line.
    pub message: &'a str,
}

/// Runs `call`, and tells `observer` what happens in it, from `level` on; on other threads too, where it
/// uses some.
///
/// For languages with a log of their own. Rust programs subscribe to the [`tracing`] events, which
/// is what these are; their subscribers see nothing of `call`.
pub fn observed<T>(
    level: Level,
    observer: impl Fn(Happening<'_>) + Send + Sync + 'static,
    call: impl FnOnce() -> T,
) -> T {
    tracing::subscriber::with_default(Observing { level, observer, about: Mutex::default() }, call)
}

struct Observing<F> {
    level: Level,
    observer: F,
    /// What the call is about.
    about: Mutex<Line>,
}

impl<F> Observing<F> {
    fn about(&self) -> MutexGuard<'_, Line> {
        self.about.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Fn(Happening<'_>) + Send + Sync + 'static> Subscriber for Observing<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("prebind") && (metadata.is_span() || *metadata.level() <= self.level)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::default();
        span.record(&mut line);
        *self.about() = line;
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = self.about().clone();
        event.record(&mut line);
        let metadata = event.metadata();
        let (level, target) = (metadata.level().as_str(), metadata.target());
        (self.observer)(Happening { level, target, message: &line.0 });
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
