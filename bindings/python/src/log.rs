//! The core's events, whose secrets are masked already, on to `prebind._log`.

use std::cell::{Cell, RefCell};
use std::fmt::{Debug, Write as _};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata};

thread_local! {
    /// What of this thread's call has a reader.
    static WANTED: Cell<LevelFilter> = const { Cell::new(LevelFilter::OFF) };
    /// What this thread's call is about.
    static ABOUT: RefCell<Line> = const { RefCell::new(Line(String::new())) };
}

/// Takes the events of this extension, from now on.
pub(crate) fn install() {
    // Another interpreter of this process may have done so.
    tracing::subscriber::set_global_default(Forwarding).unwrap_or_default();
}

/// Looks, before a call, what of it will be read.
pub(crate) fn listen(py: Python<'_>) -> PyResult<()> {
    let wanted: String = py.import("prebind._log")?.call_method0("wanted")?.extract()?;
    WANTED.set(wanted.parse().unwrap_or(LevelFilter::OFF));
    Ok(())
}

struct Forwarding;

impl Subscriber for Forwarding {
    fn enabled(&self, event: &Metadata<'_>) -> bool {
        event.target().starts_with("prebind") && (event.is_span() || *event.level() <= WANTED.get())
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        ABOUT.with_borrow_mut(|about| {
            about.0.clear();
            span.record(about);
        });
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(ABOUT.with_borrow(|about| about.0.clone()));
        event.record(&mut line);
        let arguments = (event.metadata().target(), event.metadata().level().as_str(), line.0);
        let emit = |py: Python<'_>| py.import("prebind._log")?.call_method1("emit", arguments).map(drop);
        Python::try_attach(|py| emit(py).unwrap_or_else(|error| error.write_unraisable(py, None)));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A message, then fields.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            name => write!(self.0, " {name}={value:?}").unwrap_or_default(),
        }
    }
}
