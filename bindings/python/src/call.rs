//! Makes calls interruptible, and raises their errors.

use std::cell::RefCell;
use std::rc::Rc;

use prebind::Error;
use prebind::binding::{LogEvent, contained};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::results::fields;

// These are looked up once, because the lookup is a good part of the cost of a call here.
static WANTED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static EMIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Makes a call while other threads run, and then logs what happened. If a signal handler raises, or a log
/// handler raises something that is no `Exception`, such as `KeyboardInterrupt`, this raises the same. `undo`
/// then gets the result of the call, if it succeeded.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> prebind::Result<T> + Send,
    undo: impl FnOnce(T) + Send,
) -> PyResult<T> {
    let wanted: Option<String> = WANTED.import(py, "prebind._log", "wanted")?.call0()?.extract()?;
    let (result, told, raised) = py.detach(|| {
        let raised = Rc::new(RefCell::new(None));
        let handler = Rc::clone(&raised);
        let check =
            move |py: Python<'_>| py.check_signals().map_err(|error| handler.replace(Some(error))).is_ok();
        // While the interpreter shuts down, nothing can interrupt the call.
        let keep_going = move || Python::try_attach(&check).unwrap_or(true);
        let call = || prebind::binding::interruptible(keep_going, || contained(call));
        let told = RefCell::new(Vec::new());
        let observer = |it: LogEvent<'_>| {
            told.borrow_mut().push((it.target, it.level, it.message.to_owned()));
        };
        let result = match wanted.and_then(|level| level.parse().ok()) {
            Some(level) => prebind::binding::with_log(level, observer, call),
            None => call(),
        };
        (result, told.into_inner(), raised.take())
    });
    // Logging waits until the call has ended: a handler may call prebind itself, or let other greenlets run
    // with gevent.
    let logged = told.into_iter().try_for_each(|line| log(py, line));
    match (raised.map_or(logged, Err), result) {
        (Ok(()), result) => result.map_err(raise),
        (Err(raised), Ok(value)) => {
            py.detach(|| undo(value));
            Err(raised)
        }
        (Err(raised), Err(_)) => Err(raised),
    }
}

/// Logs a line. If a handler raises an `Exception`, the call is not disturbed. Anything else, such as
/// `KeyboardInterrupt`, goes to the caller.
fn log(py: Python<'_>, line: (&'static str, &'static str, String)) -> PyResult<()> {
    let emit = || EMIT.import(py, "prebind._log", "emit")?.call1(line).map(drop);
    match emit() {
        Err(error) if error.is_instance_of::<PyException>(py) => error.write_unraisable(py, None),
        emitted => return emitted,
    }
    Ok(())
}

/// The exception for an error.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes it by value")]
pub(crate) fn raise(error: Error) -> PyErr {
    Python::attach(|py| exception(py, &error).map_or_else(|failure| failure, PyErr::from_value))
}

fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("prebind.errors")?.getattr(format!("{}Error", error.kind().as_str()))?;
    let details = error.to_named().filter(|(field, _)| !matches!(field.name, "kind" | "message"));
    class.call((error.to_string(),), Some(&fields(py, details)?))
}
