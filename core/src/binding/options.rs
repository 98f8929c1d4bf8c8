//! The options of [`Config`] by name.

use super::nearest::nearest;
use crate::config::{Config, OPTIONS};
use crate::error::{Error, Result, address, shortened};
use crate::named::{NamedValue, Parameter, Value, ValueType};

pub(super) fn is_name(name: &str) -> bool {
    OPTIONS.iter().any(|row| row.name == name)
}

/// Whether one line of text can say it, which may be seen by many: no secret, and nothing that programs
/// keep for each other.
pub(super) fn is_setting(name: &str) -> bool {
    let is_line = |takes| {
        use ValueType::{Certificate, Choice, Count, Flag, Headers, Pem, Range, Record, Seconds, Text};
        match takes {
            Flag | Count { .. } | Range { .. } | Seconds { .. } | Choice { .. } | Text => true,
            Pem | Certificate | Headers | Record { .. } => false,
        }
    };
    let row = OPTIONS.iter().find(|row| row.name == name && name != "profile");
    row.is_some_and(|row| !row.is_secret && is_line(row.takes))
}

impl Config {
    /// The options that [`from_named`](Self::from_named) takes, as data: each but the URL.
    ///
    /// ```
    /// let wait = prebind::Config::options().find(|option| option.name == "wait").unwrap();
    /// assert_eq!(wait.takes.to_string(), "a whole number from 1 to 65,535");
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "there is a URL that is one")]
    pub fn options() -> impl Iterator<Item = Parameter> {
        let defaults = Self::new("https://localhost/").expect("the URL is one");
        OPTIONS.iter().map(move |row| Parameter {
            name: row.name,
            takes: row.takes,
            is_optional: row.is_optional,
            default: Some((row.value)(&defaults)),
            about: row.about,
        })
    }

    /// The configuration for the BOSH endpoint at `url` with these options, and the defaults for others.
    ///
    /// Times are numbers of seconds, `iterations` a list of the least and the most, `headers` a
    /// map, `client_certificate` a list of certificate and key, certificates bytes or text,
    /// `ip_family` one of `any`, `ipv4` and `ipv6`.
    ///
    /// # Errors
    /// As [`new`](Self::new); `Config` with the option's name if the value is of another type or cannot be used, or
    /// with `options` if there is no option of that name.
    pub fn from_named(url: &str, options: impl IntoIterator<Item = (String, Value)>) -> Result<Self> {
        let mut config = Self::new(url)?;
        options.into_iter().try_for_each(|(name, value)| config.set(&name, value))?;
        Ok(config)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<()> {
        let Some(row) = OPTIONS.iter().find(|row| row.name == name) else {
            let known: Vec<_> = OPTIONS.iter().map(|row| row.name).collect();
            let unknown = shortened(&address(name), 40);
            let problem = nearest(name, &known).map_or_else(
                || format!("`{unknown}` is none of them; there are only {}", known.join(", ")),
                |near| format!("`{unknown}` is none of them; did you mean `{near}`?"),
            );
            return Err(Error::config("options", problem));
        };
        (row.set)(self, &NamedValue { name: row.name, takes: &row.takes, value })
    }
}

#[cfg(test)]
mod tests;
