//! Converts between the fields of the configuration and named values, and checks the values.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::types::{ClientCertificate, IpFamily, PasswordMechanism};
use crate::error::{Error, Result};
use crate::jid::prepare_resource;
use crate::named::{NamedValue, Value, ValueType};
use crate::secret::Secret;
use crate::text::is_xml_text;

/// The type of a field of [`Config`].
pub(super) trait Field: Sized {
    /// Whether [`Value::Nothing`] is allowed.
    const IS_OPTIONAL: bool = false;

    /// Whether a value may hold a secret.
    const IS_SECRET: bool = false;

    /// Converts a named value to the field's type.
    fn from_given(given: &NamedValue) -> Result<Self>;

    /// Converts the field's value to a named value.
    fn to_value(&self) -> Value;
}

impl Field for bool {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.flag()
    }

    fn to_value(&self) -> Value {
        (*self).into()
    }
}

macro_rules! counts {
    ($($type:ty)+) => {$(
        impl Field for $type {
            fn from_given(given: &NamedValue) -> Result<Self> {
                given.count()
            }

            fn to_value(&self) -> Value {
                Value::Whole(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )+};
}

counts! { u8 u16 u32 usize }

impl Field for RangeInclusive<u32> {
    fn from_given(given: &NamedValue) -> Result<Self> {
        let [least, most] = given.pair()?;
        Ok(least.count()?..=most.count()?)
    }

    fn to_value(&self) -> Value {
        Value::List(vec![self.start().to_value(), self.end().to_value()])
    }
}

impl Field for Duration {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.seconds()
    }

    fn to_value(&self) -> Value {
        match i64::try_from(self.as_secs()) {
            Ok(seconds) if self.subsec_nanos() == 0 => seconds.into(),
            _ => self.as_secs_f64().into(),
        }
    }
}

impl Field for PasswordMechanism {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.one_of(&Self::ALL, Self::as_str)
    }

    fn to_value(&self) -> Value {
        self.as_str().to_owned().into()
    }
}

impl Field for IpFamily {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.one_of(&Self::ALL, Self::as_str)
    }

    fn to_value(&self) -> Value {
        self.as_str().to_owned().into()
    }
}

impl Field for String {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.text()
    }

    fn to_value(&self) -> Value {
        self.clone().into()
    }
}

impl Field for Secret {
    const IS_SECRET: bool = true;

    fn from_given(given: &NamedValue) -> Result<Self> {
        given.secret()
    }

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Field for Vec<u8> {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.bytes()
    }

    fn to_value(&self) -> Value {
        self.clone().into()
    }
}

impl Field for ClientCertificate {
    const IS_SECRET: bool = true;

    fn from_given(given: &NamedValue) -> Result<Self> {
        let [chain, key] = given.pair()?;
        // Bytes that are not text are no PEM either. That is reported when both are read.
        let key = Secret::from(String::from_utf8_lossy(&key.bytes()?).into_owned());
        Ok(Self { chain: chain.bytes()?, key })
    }

    fn to_value(&self) -> Value {
        Value::List(vec![self.chain.to_value(), self.key.to_value()])
    }
}

impl Field for Vec<(String, Secret)> {
    const IS_SECRET: bool = true;

    fn from_given(given: &NamedValue) -> Result<Self> {
        given.fields()?.into_iter().map(|(name, value)| Ok((name, value.secret()?))).collect()
    }

    fn to_value(&self) -> Value {
        Value::Map(self.iter().map(|(name, value)| (name.clone(), value.to_value())).collect())
    }
}

impl<T: Field> Field for Option<T> {
    const IS_OPTIONAL: bool = true;
    const IS_SECRET: bool = T::IS_SECRET;

    fn from_given(given: &NamedValue) -> Result<Self> {
        match given.value {
            Value::Nothing => Ok(None),
            _ => T::from_given(given).map(Some),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Nothing, T::to_value)
    }
}

/// Refuses a value beyond the limits of its option.
pub(super) fn limits(name: &'static str, takes: &'static ValueType, value: Value) -> Result<()> {
    if takes.fits(&value) { Ok(()) } else { Err(NamedValue { name, takes, value }.refused()) }
}

/// The most bytes of an option that is sent as an attribute with each creation.
const MAX_ATTRIBUTE: usize = 1023;

/// Refuses a text that cannot be the value of an attribute.
pub(super) fn attribute(name: &'static str, _: &ValueType, value: Value) -> Result<()> {
    match value {
        Value::Text(text)
            if !(1..=MAX_ATTRIBUTE).contains(&text.expose().len()) || !is_xml_text(text.expose()) =>
        {
            Err(Error::config(name, format!("has 1 to {MAX_ATTRIBUTE} bytes and no control characters")))
        }
        _ => Ok(()),
    }
}

/// Refuses a text that cannot be the resource of a JID.
pub(super) fn prepared(_: &str, _: &ValueType, value: Value) -> Result<()> {
    match value {
        Value::Text(resource) => prepare_resource(resource.expose()).map(drop),
        _ => Ok(()),
    }
}
