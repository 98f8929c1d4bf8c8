//! PHP's values as the core takes them.

use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::error::Result;
use ext_php_rs::types::{ZendHashTable, Zval};
use prebind::Value;

/// An array with names.
pub(crate) fn array(fields: &[(&str, &dyn IntoZvalDyn)]) -> Result<Zval> {
    let mut array = ZendHashTable::new();
    fields.iter().try_for_each(|(name, value)| array.insert(*name, value.as_zval(false)?))?;
    array.into_zval(false)
}

/// The values of an array, with their names.
pub(crate) fn named(given: &Zval) -> Vec<(String, Value)> {
    let fields = given.array().into_iter().flatten();
    fields.map(|(name, value)| (name.to_string(), converted(value.dereference()))).collect()
}

fn converted(given: &Zval) -> Value {
    if let Some(flag) = given.bool() {
        flag.into()
    } else if let Some(number) = given.long() {
        number.into()
    } else if let Some(number) = given.double() {
        number.into()
    } else if let Some(text) = given.zend_str() {
        // A key need not be UTF-8. What is not, and no key either, the core refuses.
        text.as_str().map_or_else(|_| text.as_bytes().to_vec().into(), |text| text.to_owned().into())
    } else if let Some(values) =
        given.array().filter(|values| !values.is_empty() && values.has_sequential_keys())
    {
        Value::List(values.values().map(|value| converted(value.dereference())).collect())
    } else if given.is_array() {
        Value::Map(named(given))
    } else {
        Value::Nothing
    }
}
