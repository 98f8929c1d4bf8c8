//! Errors as the exceptions of `prebind.errors`.

use prebind::{Condition, Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict as _, PyDict};

/// The exception for an error.
#[expect(clippy::needless_pass_by_value, reason = "so `map_err` hands it over")]
pub(crate) fn raise(error: Error) -> PyErr {
    Python::attach(|py| exception(py, &error).unwrap_or_else(|failure| failure))
}

/// `ConfigError` about an option whose value cannot be converted, unless it is one already.
pub(crate) fn refused(py: Python<'_>, field: &str, problem: PyErr) -> PyErr {
    let value = problem.value(py);
    if value.hasattr("field").unwrap_or_default() {
        return problem;
    }
    let details = [("field", field)].into_py_dict(py);
    let refused = details.and_then(|details| new(py, "Config", format!("{field}: {value}"), &details));
    refused.unwrap_or_else(|failure| failure)
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let details = PyDict::new(py);
    details.set_item("stage", error.stage().as_str())?;
    details.set_item("condition", error.condition().map(Condition::as_str))?;
    details.set_item("text", error.text())?;
    details.set_item("retry", error.retry().as_str())?;
    match error.kind() {
        ErrorKind::Config { field } => details.set_item("field", field)?,
        ErrorKind::Connect { phase } | ErrorKind::Timeout { phase } => {
            details.set_item("phase", phase.as_str())?;
        }
        ErrorKind::Http { status, location } => {
            details.set_item("status", status)?;
            details.set_item("location", location)?;
        }
        ErrorKind::Protocol { expected } => details.set_item("expected", expected)?,
        ErrorKind::Mechanism { offered, allowed } => {
            details.set_item("offered", offered)?;
            details.set_item("allowed", allowed)?;
        }
        ErrorKind::ServerUnverified { check } => details.set_item("check", check.as_str())?,
        ErrorKind::Terminated | ErrorKind::Auth | ErrorKind::Bind | ErrorKind::Internal => {}
    }
    new(py, error.kind().name(), error.to_string(), &details)
}

fn new(py: Python<'_>, kind: &str, message: String, details: &Bound<'_, PyDict>) -> PyResult<PyErr> {
    let class = py.import("prebind.errors")?.getattr(format!("{kind}Error"))?;
    Ok(PyErr::from_value(class.call((message,), Some(details))?))
}
