//! Converts Ruby's values for the core.

use magnus::r_hash::ForEach;
use magnus::value::{Qfalse, Qtrue};
use magnus::{Error, Integer, RArray, RHash, RString, Ruby, Symbol, Value, prelude::*};
use prebind::binding;

/// Converts names and values. A value of a type that the core does not know is an error.
pub(crate) fn named(given: RHash) -> Result<Vec<(String, binding::Value)>, Error> {
    let mut fields = Vec::new();
    given.foreach(|name: Value, value: Value| {
        let name = name.to_string();
        let value = converted(value, &name)?;
        fields.push((name, value));
        Ok(ForEach::Continue)
    })?;
    Ok(fields)
}

fn converted(given: Value, name: &str) -> Result<binding::Value, Error> {
    Ok(if given.is_nil() {
        binding::Value::Nothing
    } else if Qtrue::from_value(given).is_some() || Qfalse::from_value(given).is_some() {
        given.to_bool().into()
    } else if let Some(number) = Integer::from_value(given) {
        // No option accepts a number that does not fit into 64 bits, so the core refuses this one.
        number.to_i64().map_or(binding::Value::Decimal(f64::INFINITY), binding::Value::from)
    } else if let Some(text) = RString::from_value(given) {
        textual(text)?
    } else if let Some(symbol) = Symbol::from_value(given) {
        symbol.name()?.into_owned().into()
    } else if let Some(fields) = RHash::from_value(given) {
        binding::Value::Map(named(fields)?)
    } else if let Some(values) = RArray::from_value(given) {
        let values = values.into_iter().map(|value| converted(value, name));
        binding::Value::List(values.collect::<Result<_, _>>()?)
    } else if given.respond_to("to_f", false)? {
        // This is a Float, a Rational, or a time of ActiveSupport.
        given.funcall::<_, _, f64>("to_f", ())?.into()
    } else {
        let problem = format!("{name}: cannot be a {}", given.class());
        return Err(Error::new(Ruby::get_with(given).exception_type_error(), problem));
    })
}

/// Converts a string to text if its encoding allows that, or else to bytes.
fn textual(given: RString) -> Result<binding::Value, Error> {
    let is_binary = given.enc_get() == Ruby::get_with(given).ascii8bit_encindex();
    if let (false, Ok(text)) = (is_binary, given.to_string()) {
        return Ok(text.into());
    }
    let bytes: Vec<u8> = given.funcall("bytes", ())?;
    Ok(String::from_utf8(bytes).map_or_else(|error| error.into_bytes().into(), binding::Value::from))
}
