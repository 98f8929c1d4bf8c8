//! The core's events, whose secrets are masked already, on to `prebind._log`.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    /// The least level that has a reader, in Python's numbers.
    static WANTED: Cell<u8> = const { Cell::new(u8::MAX) };
    /// What this thread's call is about.
    static ABOUT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Takes the events of this extension, from now on.
pub(crate) fn install() {
    // Another interpreter of this process may have done so.
    tracing::subscriber::set_global_default(Forwarding).unwrap_or_default();
}

/// Looks, before a call, what of it will be read.
pub(crate) fn listen(py: Python<'_>) -> PyResult<()> {
    WANTED.set(py.import("prebind._log")?.call_method0("wanted")?.extract()?);
    Ok(())
}

struct Forwarding;

impl Subscriber for Forwarding {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_wanted = metadata.is_span() || number(*metadata.level()) >= WANTED.get();
        metadata.target().starts_with("prebind") && is_wanted
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::default();
        span.record(&mut line);
        ABOUT.set(line.0);
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        line.0 += &ABOUT.with_borrow(String::clone);
        let (target, level) = (event.metadata().target(), number(*event.metadata().level()));
        let emit = |py: Python<'_>| {
            let emitted =
                py.import("prebind._log").and_then(|log| log.call_method1("emit", (target, level, line.0)));
            emitted.map_or_else(|error| error.write_unraisable(py, None), drop);
        };
        Python::try_attach(emit);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn number(level: Level) -> u8 {
    match level {
        Level::TRACE => 5,
        Level::DEBUG => 10,
        Level::INFO => 20,
        Level::WARN => 30,
        Level::ERROR => 40,
    }
}

/// An event's message, then its other fields.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            name => write!(self.0, " {name}={value:?}").unwrap_or_default(),
        }
    }
}
