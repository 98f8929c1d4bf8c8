//! PHP's values as the core takes them, and what the core gives as PHP takes it.

use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::error::Result;
use ext_php_rs::prelude::*;
use ext_php_rs::types::{ZendHashTable, Zval};
use prebind::binding::Value;
use prebind::{Condition, Error, ErrorKind};

/// An array with names.
pub(crate) fn array(fields: &[(&str, &dyn IntoZvalDyn)]) -> Result<Zval> {
    let mut array = ZendHashTable::new();
    fields.iter().try_for_each(|(name, value)| array.insert(*name, value.as_zval(false)?))?;
    array.into_zval(false)
}

/// The value, or what to make an exception of.
pub(crate) fn answer(result: prebind::Result<impl IntoZval>) -> PhpResult<Zval> {
    Ok(result.map_or_else(|error| details(&error), |value| vec![value].into_zval(false))?)
}

fn details(error: &Error) -> Result<Zval> {
    let specific = match error.kind() {
        ErrorKind::Config { field } => array(&[("field", field)]),
        ErrorKind::Connect { phase } | ErrorKind::Timeout { phase } => array(&[("phase", &phase.as_str())]),
        ErrorKind::Http { status, location } => array(&[("status", status), ("location", location)]),
        ErrorKind::Protocol { expected } => array(&[("expected", expected)]),
        ErrorKind::Mechanism { offered, allowed } => array(&[("offered", offered), ("allowed", allowed)]),
        ErrorKind::ServerUnverified { check } => array(&[("check", &check.as_str())]),
        ErrorKind::Terminated | ErrorKind::Auth | ErrorKind::Bind | ErrorKind::Internal => array(&[]),
    };
    array(&[
        ("kind", &error.kind().as_str()),
        ("message", &error.to_string()),
        ("stage", &error.stage().as_str()),
        ("condition", &error.condition().map(Condition::as_str)),
        ("text", &error.text()),
        ("retry", &error.retry().as_str()),
        ("retryAfter", &error.retry_after().and_then(|time| i64::try_from(time.as_secs()).ok())),
        ("specific", &specific?),
    ])
}

/// What is in an array or, without a call of PHP's, in a `Prebind\Native\Hidden`.
pub(crate) fn content(given: &Zval) -> Option<&ZendHashTable> {
    let hidden = given.object().and_then(|it| it.get_properties().ok()?.values().next());
    hidden.map_or(given, Zval::dereference).array()
}

/// The same values, with their names.
pub(crate) fn named(given: &Zval) -> Vec<(String, Value)> {
    let fields = content(given).into_iter().flatten();
    fields.map(|(name, value)| (name.to_string(), converted(value.dereference()))).collect()
}

fn converted(given: &Zval) -> Value {
    let number = || given.long().map(Value::from).or_else(|| given.double().map(Value::from));
    if let Some(scalar) = given.bool().map(Value::from).or_else(number) {
        scalar
    } else if let Some(text) = given.zend_str() {
        // A key need not be UTF-8. What is not, and no key either, the core refuses.
        text.as_str().map_or_else(|_| text.as_bytes().to_vec().into(), |text| text.to_owned().into())
    } else if given.array().is_some_and(|values| !values.is_empty() && values.has_sequential_keys()) {
        Value::List(named(given).into_iter().map(|(_, value)| value).collect())
    } else {
        given.array().map_or(Value::Nothing, |_| Value::Map(named(given)))
    }
}
