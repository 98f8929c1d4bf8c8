//! Converts the core's values for Ruby.

use magnus::{Error, IntoValue, RHash, Ruby, Value, prelude::*};
use prebind::binding::Field;

/// The keyword arguments of a `Prebind::Session` or of an error.
pub(crate) fn fields(
    ruby: &Ruby,
    named: impl Iterator<Item = (Field, prebind::binding::Value)>,
) -> Result<RHash, Error> {
    let fields = ruby.hash_new();
    for (field, value) in named {
        fields.aset(ruby.to_symbol(field.name), converted(ruby, value)?)?;
    }
    Ok(fields)
}

fn converted(ruby: &Ruby, given: prebind::binding::Value) -> Result<Value, Error> {
    Ok(match given {
        prebind::binding::Value::Nothing => ruby.qnil().as_value(),
        prebind::binding::Value::Flag(flag) => flag.into_value_with(ruby),
        prebind::binding::Value::Whole(number) => number.into_value_with(ruby),
        prebind::binding::Value::Decimal(number) => number.into_value_with(ruby),
        prebind::binding::Value::Text(text) => ruby.str_new(text.expose()).as_value(),
        prebind::binding::Value::Bytes(bytes) => ruby.str_from_slice(&bytes).as_value(),
        prebind::binding::Value::List(values) => {
            let list = ruby.ary_new_capa(values.len());
            for value in values {
                list.push(converted(ruby, value)?)?;
            }
            list.as_value()
        }
        prebind::binding::Value::Map(values) => {
            let map = ruby.hash_new();
            for (name, value) in values {
                map.aset(name, converted(ruby, value)?)?;
            }
            map.as_value()
        }
    })
}

/// Keyword arguments.
pub(crate) fn named(ruby: &Ruby, values: Vec<(String, prebind::binding::Value)>) -> Result<RHash, Error> {
    let fields = ruby.hash_new();
    for (name, value) in values {
        fields.aset(ruby.to_symbol(name), converted(ruby, value)?)?;
    }
    Ok(fields)
}
