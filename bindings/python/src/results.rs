//! Converts the core's values for Python.

use prebind::binding::{Field, FieldType, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

/// The keyword arguments of `prebind.Session` or of an exception.
pub(crate) fn fields(
    py: Python<'_>,
    named: impl Iterator<Item = (Field, Value)>,
) -> PyResult<Bound<'_, PyDict>> {
    let fields = PyDict::new(py);
    for (field, value) in named {
        let value = converted(py, value)?;
        let value = match value.cast_into::<PyTuple>() {
            Ok(texts) if field.holds == FieldType::Texts => texts.to_list().into_any(),
            Ok(records) => records.into_any(),
            Err(other) => other.into_inner(),
        };
        fields.set_item(field.name, value)?;
    }
    Ok(fields)
}

fn converted(py: Python<'_>, given: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match given {
        Value::Nothing => py.None().into_bound(py),
        Value::Flag(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        Value::Whole(number) => number.into_pyobject(py)?.into_any(),
        Value::Decimal(number) => number.into_pyobject(py)?.into_any(),
        Value::Text(text) => PyString::new(py, text.expose()).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
        Value::List(values) => {
            let values: Vec<_> =
                values.into_iter().map(|value| converted(py, value)).collect::<PyResult<_>>()?;
            PyTuple::new(py, values)?.into_any()
        }
        Value::Map(values) => named(py, values)?.into_any(),
    })
}

/// Values with their names.
pub(crate) fn named(py: Python<'_>, values: Vec<(String, Value)>) -> PyResult<Bound<'_, PyDict>> {
    let fields = PyDict::new(py);
    for (name, value) in values {
        fields.set_item(name, converted(py, value)?)?;
    }
    Ok(fields)
}
