//! How calls are made, and what they raise.

use std::cell::RefCell;
use std::rc::Rc;

use prebind::{Condition, Error, ErrorKind, Happening};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

// Looked up once: that is a good part of what a call costs here.
static WANTED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static EMIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Makes a call while other threads run. If a signal's handler raises meanwhile, the call is given
/// up, and that raised.
pub(crate) fn heedful<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> prebind::Result<T> + Send,
) -> PyResult<T> {
    let wanted: Option<String> = WANTED.import(py, "prebind._log", "wanted")?.call0()?.extract()?;
    let (result, raised) = py.detach(|| {
        let raised = Rc::new(RefCell::new(None));
        let handler = Rc::clone(&raised);
        let heed =
            move |py: Python<'_>| py.check_signals().map_err(|error| handler.replace(Some(error))).is_ok();
        // While the interpreter shuts down there is nobody to be interrupted by.
        let keep_going = move || Python::try_attach(&heed).unwrap_or(true);
        let call = || prebind::interruptible(keep_going, call);
        let result = match wanted.and_then(|level| level.parse().ok()) {
            Some(level) => prebind::observed(level, log, call),
            None => call(),
        };
        (result, raised.take())
    });
    raised.map_or_else(|| result.map_err(raise), Err)
}

fn log(it: Happening<'_>) {
    let emit = |py: Python<'_>| {
        EMIT.import(py, "prebind._log", "emit")?.call1((it.target, it.level, it.message)).map(drop)
    };
    Python::try_attach(|py| emit(py).unwrap_or_else(|error| error.write_unraisable(py, None)));
}

/// The exception for an error.
#[expect(clippy::needless_pass_by_value, reason = "so `map_err` hands it over")]
pub(crate) fn raise(error: Error) -> PyErr {
    Python::attach(|py| exception(py, &error).map_or_else(|failure| failure, PyErr::from_value))
}

fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("prebind.errors")?.getattr(format!("{}Error", error.kind().name()))?;
    let exception = class.call1((error.to_string(),))?;
    exception.setattr("stage", error.stage().as_str())?;
    exception.setattr("condition", error.condition().map(Condition::as_str))?;
    exception.setattr("text", error.text())?;
    exception.setattr("retry", error.retry().as_str())?;
    match error.kind() {
        ErrorKind::Config { field } => exception.setattr("field", field)?,
        ErrorKind::Connect { phase } | ErrorKind::Timeout { phase } => {
            exception.setattr("phase", phase.as_str())?;
        }
        ErrorKind::Http { status, location } => {
            exception.setattr("status", status)?;
            exception.setattr("location", location)?;
        }
        ErrorKind::Protocol { expected } => exception.setattr("expected", expected)?,
        ErrorKind::Mechanism { offered, allowed } => {
            exception.setattr("offered", offered)?;
            exception.setattr("allowed", allowed)?;
        }
        ErrorKind::ServerUnverified { check } => exception.setattr("check", check.as_str())?,
        ErrorKind::Terminated | ErrorKind::Auth | ErrorKind::Bind | ErrorKind::Internal => {}
    }
    Ok(exception)
}
