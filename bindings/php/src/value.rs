//! Converts values between PHP and the core.

use ext_php_rs::binary::Binary;
use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::error::Result;
use ext_php_rs::prelude::*;
use ext_php_rs::types::{ZendHashTable, Zval};
use prebind::Error;
use prebind::binding::{Field, Language, Value};

/// An array with names.
pub(crate) fn array(fields: &[(&str, &dyn IntoZvalDyn)]) -> Result<Zval> {
    let mut array = ZendHashTable::new();
    fields.iter().try_for_each(|(name, value)| array.insert(*name, value.as_zval(false)?))?;
    array.into_zval(false)
}

/// The value, or the details of an exception.
pub(crate) fn answer(result: prebind::Result<impl IntoZval>) -> PhpResult<Zval> {
    Ok(result.map_or_else(|error| details(&error), |value| vec![value].into_zval(false))?)
}

/// The details of the exception for an error.
pub(crate) fn details(error: &Error) -> Result<Zval> {
    fields(error.to_named())?.into_zval(false)
}

/// The named arguments of `Prebind\Session` or of an exception.
pub(crate) fn fields(named: impl Iterator<Item = (Field, Value)>) -> Result<ZBox<ZendHashTable>> {
    let mut fields = ZendHashTable::new();
    for (field, value) in named {
        fields.insert(field.name_in(Language::Php).as_str(), given_back(value)?)?;
    }
    Ok(fields)
}

pub(crate) fn given_back(value: Value) -> Result<Zval> {
    match value {
        Value::Nothing => Ok(Zval::new()),
        Value::Flag(flag) => flag.into_zval(false),
        Value::Whole(number) => number.into_zval(false),
        Value::Decimal(number) => number.into_zval(false),
        Value::Text(text) => text.expose().into_zval(false),
        Value::Bytes(bytes) => Binary::from(bytes.to_vec()).into_zval(false),
        Value::List(values) => {
            values.into_iter().map(given_back).collect::<Result<Vec<_>>>()?.into_zval(false)
        }
        Value::Map(values) => {
            let mut map = ZendHashTable::new();
            for (name, value) in values {
                map.insert(name.as_str(), given_back(value)?)?;
            }
            map.into_zval(false)
        }
    }
}

/// A text that may be invalid UTF-8. Replacing bad bytes is safe, because no allowed value has any.
pub(crate) fn text(given: &Zval) -> String {
    given.zend_str().map_or_else(String::new, |text| String::from_utf8_lossy(text.as_bytes()).into_owned())
}

/// The content of an array, or of a `Prebind\Native\Hidden`. It is read without running PHP code.
pub(crate) fn content(given: &Zval) -> Option<&ZendHashTable> {
    let hidden = given.object().and_then(|it| it.get_properties().ok()?.values().next());
    hidden.map_or(given, Zval::dereference).array()
}

/// The values with their names, converted.
pub(crate) fn named(given: &Zval) -> Vec<(String, Value)> {
    let fields = content(given).into_iter().flatten();
    fields.map(|(name, value)| (name.to_string(), converted(value.dereference()))).collect()
}

fn converted(given: &Zval) -> Value {
    let number = || given.long().map(Value::from).or_else(|| given.double().map(Value::from));
    if let Some(scalar) = given.bool().map(Value::from).or_else(number) {
        scalar
    } else if let Some(text) = given.zend_str() {
        // A key need not be UTF-8. The core refuses other texts that are not UTF-8.
        text.as_str().map_or_else(|_| text.as_bytes().to_vec().into(), |text| text.to_owned().into())
    } else if given.array().is_some_and(|values| !values.is_empty() && values.has_sequential_keys()) {
        Value::List(named(given).into_iter().map(|(_, value)| value).collect())
    } else {
        given.array().map_or(Value::Nothing, |_| Value::Map(named(given)))
    }
}
