//! Converts the library's values to JSON.

use prebind::binding::Value;
use serde_json::Value as Json;

/// A value as JSON.
pub(crate) fn json(value: Value) -> Json {
    match value {
        Value::Nothing => Json::Null,
        Value::Flag(flag) => flag.into(),
        Value::Whole(number) => number.into(),
        Value::Decimal(number) => number.into(),
        Value::Text(text) => text.expose().into(),
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into(),
        Value::List(values) => values.into_iter().map(json).collect(),
        Value::Map(fields) => fields.into_iter().map(|(name, value)| (name, json(value))).collect(),
    }
}
