//! Describes as data which values can be passed by name.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Serialize, Serializer};

use super::value::{Value, seconds};

/// An option of [`Config`](crate::Config), or an argument of
/// [`Credentials::from_named`](crate::Credentials::from_named). Fields may be added.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Parameter {
    /// The name. Languages differ only in its case style.
    pub name: &'static str,
    /// The values that it accepts.
    #[serde(flatten)]
    pub takes: ValueType,
    /// Whether it also accepts [`Value::Nothing`].
    #[serde(rename = "optional")]
    pub is_optional: bool,
    /// The value if none is given. Arguments of credentials have no default.
    #[serde(serialize_with = "as_json", skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What it does, in one sentence of Markdown.
    pub about: &'static str,
}

/// The values that a [`Parameter`] accepts. Types may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueType {
    /// True or false.
    Flag,
    /// A whole number.
    Count {
        /// The lowest.
        least: u32,
        /// The highest.
        most: u32,
    },
    /// Two whole numbers, of which the second is not below the first.
    Range {
        /// The lowest.
        least: u32,
        /// The highest.
        most: u32,
    },
    /// A number of seconds, whole or not, and not below zero.
    Seconds {
        /// Whether it may be zero.
        zero: bool,
        /// The longest.
        most: u32,
    },
    /// One of several texts.
    Choice {
        /// The texts.
        values: &'static [&'static str],
    },
    /// Any text.
    Text,
    /// Certificates in PEM, as text or as bytes.
    Pem,
    /// A list of two: a certificate, followed by those that lead to its authority, and its private
    /// key. Both are PEM, as text or as bytes.
    Certificate,
    /// Names of HTTP headers and their values, which are text.
    Headers,
    /// Values that have names.
    Record {
        /// The names of the required fields.
        fields: &'static [&'static str],
        /// The names of the optional fields, which may also be [`Value::Nothing`].
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        optional_fields: &'static [&'static str],
    },
}

impl ValueType {
    /// Whether a value of this type is within the type's limits.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        let within = |limits: RangeInclusive<u32>, value: &Value| match value {
            Value::Whole(number) => u32::try_from(*number).is_ok_and(|number| limits.contains(&number)),
            _ => false,
        };
        match (*self, value) {
            (Self::Count { least, most }, value) => within(least..=most, value),
            (Self::Range { least, most }, Value::List(values)) => match values.as_slice() {
                [Value::Whole(first), Value::Whole(last)] => {
                    first <= last && values.iter().all(|value| within(least..=most, value))
                }
                _ => false,
            },
            (Self::Seconds { zero, most }, value) => seconds(value)
                .is_some_and(|time| (zero || !time.is_zero()) && time.as_secs_f64() <= f64::from(most)),
            (Self::Choice { values }, Value::Text(text)) => values.contains(&text.expose()),
            _ => true,
        }
    }
}

/// Shows the values that are accepted, to complete "must be …".
impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("true or false"),
            Self::Count { least, most } => {
                write!(f, "a whole number from {} to {}", grouped(*least), grouped(*most))
            }
            Self::Range { least, most } => write!(
                f,
                "two whole numbers from {} to {}, the lower one first",
                grouped(*least),
                grouped(*most)
            ),
            Self::Seconds { zero: true, most } => {
                write!(f, "a number of seconds from zero to {}", grouped(*most))
            }
            Self::Seconds { zero: false, most } => {
                write!(f, "a number of seconds, more than zero and at most {}", grouped(*most))
            }
            Self::Choice { values } => write!(f, "one of {}", values.join(", ")),
            Self::Text => f.write_str("text"),
            Self::Pem => f.write_str("PEM, as text or bytes"),
            Self::Certificate => f.write_str("a list of a certificate and its private key, both PEM"),
            Self::Headers => f.write_str("names and their values, both text"),
            Self::Record { fields, optional_fields: [] } => {
                write!(f, "named values: {}, and nothing else", fields.join(", "))
            }
            Self::Record { fields, optional_fields } => {
                write!(f, "named values: {}, and if wanted {}", fields.join(", "), optional_fields.join(", "))
            }
        }
    }
}

/// A number with commas, as people read it.
pub(crate) fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn as_json<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(json).serialize(serializer)
}

/// Converts a default to JSON. `Value` itself cannot be serialized because it may be a secret, but a default
/// is not secret.
pub(crate) fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Nothing => serde_json::Value::Null,
        Value::Flag(flag) => (*flag).into(),
        Value::Whole(number) => (*number).into(),
        Value::Decimal(number) => (*number).into(),
        Value::Text(text) => text.expose().into(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into(),
        Value::List(values) => values.iter().map(json).collect(),
        Value::Map(fields) => fields.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_one_of_its_values() {
        let choice = ValueType::Choice { values: &["any", "ipv4"] };
        for (text, fits) in [("any", true), ("ipv4", true), ("ipv5", false), ("", false)] {
            assert_eq!(choice.fits(&Value::Text(text.into())), fits, "{text}");
        }
    }
}
