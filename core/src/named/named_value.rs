//! A value that another language passed by name.

use std::time::Duration;

use super::parameter::ValueType;
use super::value::{Value, seconds};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A value, with the name and the type of its parameter.
pub(crate) struct NamedValue {
    pub(crate) name: &'static str,
    pub(crate) takes: &'static ValueType,
    pub(crate) value: Value,
}

impl NamedValue {
    pub(crate) fn refused(&self) -> Error {
        Error::config(self.name, format!("must be {}", self.takes))
    }

    pub(crate) fn flag(&self) -> Result<bool> {
        match self.value {
            Value::Flag(flag) => Ok(flag),
            _ => Err(self.refused()),
        }
    }

    pub(crate) fn count<T: TryFrom<i64>>(&self) -> Result<T> {
        match self.value {
            Value::Whole(number) => T::try_from(number).map_err(|_| self.refused()),
            _ => Err(self.refused()),
        }
    }

    pub(crate) fn seconds(&self) -> Result<Duration> {
        seconds(&self.value).ok_or_else(|| self.refused())
    }

    pub(crate) fn text(&self) -> Result<String> {
        self.secret().map(|text| text.expose().to_owned())
    }

    pub(crate) fn secret(&self) -> Result<Secret> {
        match &self.value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.refused()),
        }
    }

    pub(crate) fn one_of<T: Copy>(&self, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
        let wanted = self.text()?;
        all.iter().copied().find(|each| name(*each) == wanted).ok_or_else(|| self.refused())
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        match &self.value {
            Value::Bytes(bytes) => Ok(bytes.to_vec()),
            Value::Text(text) => Ok(text.expose().as_bytes().to_vec()),
            _ => Err(self.refused()),
        }
    }

    pub(crate) fn pair(&self) -> Result<[Self; 2]> {
        match &self.value {
            Value::List(values) => match values.as_slice() {
                [first, second] => Ok([self.part(first), self.part(second)]),
                _ => Err(self.refused()),
            },
            _ => Err(self.refused()),
        }
    }

    pub(crate) fn fields(&self) -> Result<Vec<(String, Self)>> {
        match &self.value {
            Value::Map(fields) => {
                Ok(fields.iter().map(|(name, value)| (name.clone(), self.part(value))).collect())
            }
            _ => Err(self.refused()),
        }
    }

    /// The fields of a record, in the order of its type. None may be missing, and others are refused.
    pub(crate) fn record<const N: usize>(&self) -> Result<[Self; N]> {
        self.record_with::<N, 0>().map(|(fields, [])| fields)
    }

    /// The required fields of a record, and its optional fields.
    pub(crate) fn record_with<const N: usize, const M: usize>(
        &self,
    ) -> Result<([Self; N], [Option<Self>; M])> {
        let (Value::Map(given), ValueType::Record { fields, optional_fields }) = (&self.value, self.takes)
        else {
            return Err(self.refused());
        };
        let is_known = |name: &str| fields.contains(&name) || optional_fields.contains(&name);
        if !given.iter().all(|(name, _)| is_known(name)) {
            return Err(self.refused());
        }
        let find = |wanted: &&str| {
            let (_, value) = given.iter().find(|(name, _)| name == wanted)?;
            (!matches!(value, Value::Nothing)).then(|| self.part(value))
        };
        let found: Option<Vec<_>> = fields.iter().map(find).collect();
        let optional: Vec<_> = optional_fields.iter().map(find).collect();
        let found = found.and_then(|found| <[_; N]>::try_from(found).ok());
        found.zip(<[_; M]>::try_from(optional).ok()).ok_or_else(|| self.refused())
    }

    /// The values of a list, or a single value as a list of one.
    pub(crate) fn each(&self) -> Vec<Self> {
        match &self.value {
            Value::List(values) => values.iter().map(|value| self.part(value)).collect(),
            // PHP has one type for both, and an empty one may be either.
            Value::Map(values) if values.is_empty() => Vec::new(),
            value => vec![self.part(value)],
        }
    }

    fn part(&self, value: &Value) -> Self {
        Self { name: self.name, takes: self.takes, value: value.clone() }
    }
}
