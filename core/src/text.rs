//! Enums whose values have a text of their own.

/// `Display` by the enum's `as_str`.
macro_rules! shown {
    ($enum:ty) => {
        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

/// `Display` and `FromStr` by the enum's `as_str` and `ALL`. Where there is no such value, the error names the field.
macro_rules! parsed {
    ($enum:ty, $field:literal) => {
        $crate::text::shown!($enum);

        impl std::str::FromStr for $enum {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                Self::ALL.iter().find(|value| value.as_str() == text).copied().ok_or_else(|| {
                    let texts: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    $crate::Error::config($field, format!("is one of {}", texts.join(", ")))
                })
            }
        }
    };
}

pub(crate) use {parsed, shown};
