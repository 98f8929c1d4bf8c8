//! The values that another language passes.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The value of an option, an argument or a field, as another language passes it. `Debug` shows only the
/// type. The enum is exhaustive on purpose, because a binding has to convert every type.
#[derive(Clone)]
pub enum Value {
    /// `None`, `nil` or `null`.
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

/// The time for this number of seconds, if it is valid.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    match value {
        Value::Whole(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        Value::Decimal(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        _ => None,
    }
}
