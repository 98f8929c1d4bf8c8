//! What another language gives for an option.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

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

/// A value and the option it is for.
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) value: Value,
}

impl Given {
    pub(super) fn refused(&self, problem: &'static str) -> Error {
        Error::config(self.name, problem)
    }

    pub(super) fn optional<T>(&self, convert: fn(&Self) -> Result<T>) -> Result<Option<T>> {
        match self.value {
            Value::Nothing => Ok(None),
            _ => convert(self).map(Some),
        }
    }

    pub(super) fn flag(&self) -> Result<bool> {
        match self.value {
            Value::Flag(flag) => Ok(flag),
            _ => Err(self.refused("must be true or false")),
        }
    }

    pub(super) fn count<T: TryFrom<i64>>(&self) -> Result<T> {
        match self.value {
            Value::Whole(number) => T::try_from(number).map_err(|_| self.refused("is out of range")),
            _ => Err(self.refused("must be a whole number")),
        }
    }

    pub(super) fn seconds(&self) -> Result<Duration> {
        match self.value {
            Value::Whole(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
            Value::Decimal(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            _ => None,
        }
        .ok_or_else(|| self.refused("must be a number of seconds, not below zero"))
    }

    pub(super) fn text(&self) -> Result<String> {
        self.secret().map(|text| text.expose().to_owned())
    }

    pub(super) fn secret(&self) -> Result<Secret> {
        match &self.value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.refused("must be text")),
        }
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        match &self.value {
            Value::Bytes(bytes) => Ok(bytes.to_vec()),
            Value::Text(text) => Ok(text.expose().as_bytes().to_vec()),
            _ => Err(self.refused("must be bytes or text")),
        }
    }

    pub(super) fn pair(&self, problem: &'static str) -> Result<[Self; 2]> {
        match &self.value {
            Value::List(values) => match values.as_slice() {
                [first, second] => Ok([self.part(first), self.part(second)]),
                _ => Err(self.refused(problem)),
            },
            _ => Err(self.refused(problem)),
        }
    }

    pub(super) fn fields(&self, problem: &'static str) -> Result<Vec<(String, Self)>> {
        match &self.value {
            Value::Map(fields) => {
                Ok(fields.iter().map(|(name, value)| (name.clone(), self.part(value))).collect())
            }
            _ => Err(self.refused(problem)),
        }
    }

    /// The values with these names, of which none may be missing and which no other may join.
    pub(super) fn named<const N: usize>(&self, names: [&str; N]) -> Result<[Self; N]> {
        let problem =
            || Error::config(self.name, format!("must have {}, and nothing else", names.join(", ")));
        let Value::Map(fields) = &self.value else { return Err(problem()) };
        let find =
            |wanted: &&str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| self.part(value));
        let found: Option<Vec<_>> = names.iter().map(find).collect();
        found
            .filter(|_| fields.len() == N)
            .and_then(|found| <[_; N]>::try_from(found).ok())
            .ok_or_else(problem)
    }

    fn part(&self, value: &Value) -> Self {
        Self { name: self.name, value: value.clone() }
    }
}
