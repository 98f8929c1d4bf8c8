//! Converts Python's values for the core.

use prebind::binding::Value;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDelta, PyDict, PyFloat, PyInt, PyString, PyTuple};

/// Converts names and values. A value of a type that the core does not know is an error.
pub(crate) fn named(given: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Value)>> {
    converted_all(given.iter())
}

/// Converts arguments and skips those that are `None`, which most of them are.
pub(crate) fn given(arguments: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Value)>> {
    converted_all(arguments.iter().filter(|(_, value)| !value.is_none()))
}

fn converted_all<'py>(
    given: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
) -> PyResult<Vec<(String, Value)>> {
    given
        .map(|(name, value)| {
            let name = name.extract::<String>()?;
            let value = converted(&value, &name)?;
            Ok((name, value))
        })
        .collect()
}

fn converted(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Value> {
    Ok(if given.is_none() {
        Value::Nothing
    } else if given.is_instance_of::<PyBool>() {
        given.extract::<bool>()?.into()
    } else if given.is_instance_of::<PyInt>() {
        // No option accepts a number that does not fit into 64 bits, so the core refuses this one.
        given.extract::<i64>().map_or(Value::Decimal(f64::INFINITY), Value::from)
    } else if given.is_instance_of::<PyFloat>() {
        given.extract::<f64>()?.into()
    } else if given.is_instance_of::<PyDelta>() {
        given.call_method0("total_seconds")?.extract::<f64>()?.into()
    } else if given.is_instance_of::<PyString>() {
        given.extract::<String>()?.into()
    } else if given.is_instance_of::<PyBytes>() {
        given.extract::<Vec<u8>>()?.into()
    } else if let Ok(fields) = given.cast::<PyDict>() {
        Value::Map(named(fields)?)
    } else if let Ok(values) = given.cast::<PyTuple>() {
        Value::List(values.iter().map(|value| converted(&value, name)).collect::<PyResult<_>>()?)
    } else {
        return Err(PyTypeError::new_err(format!("{name}: cannot be a {}", given.get_type().name()?)));
    })
}
