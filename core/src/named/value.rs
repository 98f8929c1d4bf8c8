//! What another language gives for an option.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use super::parameter::ValueType;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The value of an option or argument, as another language has it. `Debug` names the sort only.
#[derive(Clone)]
pub enum Value {
    /// None, nil, null.
    Nothing,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Decimal(f64),
    /// Text.
    Text(Secret),
    /// Bytes.
    Bytes(Zeroizing<Vec<u8>>),
    /// Several values.
    List(Vec<Value>),
    /// Values that have names.
    Map(Vec<(String, Value)>),
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Decimal(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Flag(_) => "Flag",
            Self::Whole(_) => "Whole",
            Self::Decimal(_) => "Decimal",
            Self::Text(_) => "Text",
            Self::Bytes(_) => "Bytes",
            Self::List(_) => "List",
            Self::Map(_) => "Map",
        })
    }
}

/// The time that a number of seconds stands for, if there is such a time.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    match value {
        Value::Whole(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        Value::Decimal(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        _ => None,
    }
}

/// A value, the parameter it is for, and what that takes.
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) takes: &'static ValueType,
    pub(super) value: Value,
}

impl Given {
    pub(super) fn refused(&self) -> Error {
        Error::config(self.name, format!("must be {}", self.takes))
    }

    pub(super) fn flag(&self) -> Result<bool> {
        match self.value {
            Value::Flag(flag) => Ok(flag),
            _ => Err(self.refused()),
        }
    }

    pub(super) fn count<T: TryFrom<i64>>(&self) -> Result<T> {
        match self.value {
            Value::Whole(number) => T::try_from(number).map_err(|_| self.refused()),
            _ => Err(self.refused()),
        }
    }

    pub(super) fn seconds(&self) -> Result<Duration> {
        seconds(&self.value).ok_or_else(|| self.refused())
    }

    pub(super) fn text(&self) -> Result<String> {
        self.secret().map(|text| text.expose().to_owned())
    }

    pub(super) fn secret(&self) -> Result<Secret> {
        match &self.value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.refused()),
        }
    }

    pub(super) fn one_of<T: Copy>(&self, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
        let wanted = self.text()?;
        all.iter().copied().find(|each| name(*each) == wanted).ok_or_else(|| self.refused())
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        match &self.value {
            Value::Bytes(bytes) => Ok(bytes.to_vec()),
            Value::Text(text) => Ok(text.expose().as_bytes().to_vec()),
            _ => Err(self.refused()),
        }
    }

    pub(super) fn pair(&self) -> Result<[Self; 2]> {
        match &self.value {
            Value::List(values) => match values.as_slice() {
                [first, second] => Ok([self.part(first), self.part(second)]),
                _ => Err(self.refused()),
            },
            _ => Err(self.refused()),
        }
    }

    pub(super) fn fields(&self) -> Result<Vec<(String, Self)>> {
        match &self.value {
            Value::Map(fields) => {
                Ok(fields.iter().map(|(name, value)| (name.clone(), self.part(value))).collect())
            }
            _ => Err(self.refused()),
        }
    }

    /// The fields of a record, in the order of its type. None may be missing, and no other may join.
    pub(super) fn record<const N: usize>(&self) -> Result<[Self; N]> {
        let (Value::Map(given), ValueType::Record { fields }) = (&self.value, self.takes) else {
            return Err(self.refused());
        };
        let find =
            |wanted: &&str| given.iter().find(|(name, _)| name == wanted).map(|(_, value)| self.part(value));
        let found: Option<Vec<_>> = fields.iter().map(find).collect();
        found
            .filter(|_| given.len() == N)
            .and_then(|found| <[_; N]>::try_from(found).ok())
            .ok_or_else(|| self.refused())
    }

    fn part(&self, value: &Value) -> Self {
        Self { name: self.name, takes: self.takes, value: value.clone() }
    }
}
