//! What options and functions are called in the language that the caller uses. A message names them
//! as the core does, in backticks; a binding says once which language it is for.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::{credentials, options};
use crate::error::{Error, ErrorKind, shortened};

/// The longest message, in characters.
const MAX_LENGTH: usize = 500;

/// The language, or the command line, in whose words messages name options and functions. Languages may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Language {
    /// Rust: fields of [`Config`](crate::Config), the default.
    Rust,
    /// The command `prebind`: `--max-iterations`.
    CommandLine,
    /// Python: keyword arguments.
    Python,
    /// Ruby: keyword arguments.
    Ruby,
    /// PHP: named arguments, and settings of `php.ini`.
    Php,
    /// Kotlin and Java: properties in camel case.
    Kotlin,
}

/// The language of this process.
static SPOKEN: AtomicU8 = AtomicU8::new(Rust as u8);

use Language::{CommandLine, Kotlin, Php, Python, Ruby, Rust};

/// Names that do not follow the rule of their language.
static NAMES: &[(&str, Language, &str)] = &[
    // Two ends of a range, which most languages give as one option.
    ("iterations.least", CommandLine, "--min-iterations"),
    ("iterations.most", CommandLine, "--max-iterations"),
    ("headers", CommandLine, "--header"),
    ("client_certificate", CommandLine, "--client-cert"),
    ("learn", CommandLine, "--no-learn"),
    // Two options for one.
    ("ip_family", CommandLine, "--ipv4` or `--ipv6"),
    ("url", CommandLine, "URL"),
    ("jid", CommandLine, "JID"),
    ("sid", CommandLine, "SID"),
    ("token", CommandLine, "--auth plain"),
    ("oauthbearer", CommandLine, "--auth oauthbearer"),
    ("x_oauth2", CommandLine, "--auth x-oauth2"),
    ("anonymous", CommandLine, "--auth anonymous"),
    ("external", CommandLine, "--auth external"),
    // Never arguments, which others could read.
    ("password", CommandLine, "password"),
    ("initial_response", CommandLine, "initial response"),
    ("fast_token", CommandLine, "fast_token"),
    ("jid_from_user", Rust, "Jid::from_user"),
    ("jid_from_user", CommandLine, "prebind jid"),
    ("jid_from_user", Python, "prebind.jid_from_user"),
    ("jid_from_user", Ruby, "Prebind.jid_from_user"),
    ("jid_from_user", Php, "Prebind\\jid_from_user"),
    ("jid_from_user", Kotlin, "jidFromUser"),
];

impl Language {
    pub(crate) const ALL: [Self; 6] = [Rust, CommandLine, Python, Ruby, Php, Kotlin];

    /// Makes this the language of all messages of this process: for bindings, once, when they are
    /// loaded.
    pub fn speak(self) {
        SPOKEN.store(self as u8, Relaxed);
    }

    pub(super) fn spoken() -> Self {
        let spoken = SPOKEN.load(Relaxed);
        Self::ALL.into_iter().find(|language| *language as u8 == spoken).unwrap_or(Rust)
    }

    /// What this language calls an option, argument or function of the core's; `None` if it is none.
    #[must_use]
    pub fn name(self, name: &str) -> Option<String> {
        let exception = NAMES.iter().find(|(known, language, _)| *known == name && *language == self);
        if let Some((_, _, name)) = exception {
            return Some((*name).to_owned());
        }
        let whole = name.split_once('.').map_or(name, |(whole, _)| whole);
        is_name(whole).then(|| match self {
            CommandLine => format!("--{}", whole.replace('_', "-")),
            Kotlin => camel_case(whole),
            Rust | Python | Ruby | Php => whole.to_owned(),
        })
    }

    /// What the settings of this language call an option; `None` if there is no setting for it. PHP has one in
    /// `php.ini` for each option that a line of text can say.
    #[must_use]
    pub fn setting(self, option: &str) -> Option<String> {
        let whole = option.split_once('.').map_or(option, |(whole, _)| whole);
        let has_one = self == Php && (whole == "url" || options::is_setting(whole));
        has_one.then(|| format!("prebind.{whole}"))
    }

    /// The message with the names of this language, and no longer than a message may be.
    pub(crate) fn tell(self, message: &str) -> String {
        let mut told = String::with_capacity(message.len());
        let mut parts = message.split('`');
        told.push_str(parts.next().unwrap_or_default());
        // From here on, what stands between two backticks and what follows them, by turns.
        while let Some(quoted) = parts.next() {
            match self.name(quoted) {
                Some(name) => {
                    let _ = write!(told, "`{name}`");
                    // Once is enough.
                    if let Some(setting) = self.setting(quoted).filter(|setting| !told.contains(setting)) {
                        let _ = write!(told, " (`{setting}` in php.ini)");
                    }
                }
                None => {
                    let _ = write!(told, "`{quoted}`");
                }
            }
            told.push_str(parts.next().unwrap_or_default());
        }
        shortened(&told, MAX_LENGTH)
    }
}

impl Error {
    /// The message, with options and functions called as this language does. `Display` uses the
    /// language of the process.
    #[must_use]
    pub fn told_in(&self, language: Language) -> String {
        let words = self.words();
        match *self.kind() {
            ErrorKind::Config { field } => {
                let field = language.name(field).unwrap_or_else(|| field.to_owned());
                language.tell(&format!("{field}: {words}"))
            }
            _ => language.tell(&words),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told_in(Language::spoken()))
    }
}

/// Whether an option or an argument has this name.
fn is_name(name: &str) -> bool {
    options::is_name(name) || credentials::is_name(name) || matches!(name, "url" | "jid" | "sid")
}

pub(super) fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name.push_str(&initial.to_ascii_uppercase());
        name.push_str(rest);
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_the_names_of_the_language() {
        let message =
            "set `iterations.most` to 7, `max_reply` and `headers`, not `weakest_mechanism` or `X-Other`";
        for (language, told) in [
            (Rust, "set `iterations` to 7, `max_reply` and `headers`, not `weakest_mechanism` or `X-Other`"),
            (
                Python,
                "set `iterations` to 7, `max_reply` and `headers`, not `weakest_mechanism` or `X-Other`",
            ),
            (Ruby, "set `iterations` to 7, `max_reply` and `headers`, not `weakest_mechanism` or `X-Other`"),
            (Kotlin, "set `iterations` to 7, `maxReply` and `headers`, not `weakestMechanism` or `X-Other`"),
            (
                CommandLine,
                "set `--max-iterations` to 7, `--max-reply` and `--header`, not `--weakest-mechanism` or `X-Other`",
            ),
            (
                Php,
                "set `iterations` (`prebind.iterations` in php.ini) to 7, `max_reply` (`prebind.max_reply` in \
                 php.ini) and `headers`, not `weakest_mechanism` (`prebind.weakest_mechanism` in php.ini) or `X-Other`",
            ),
        ] {
            assert_eq!(language.tell(message), told, "{language:?}");
        }
    }

    #[test]
    fn an_option_that_is_wrong_is_called_as_the_language_does() {
        let error = Error::config("max_reply", "must be more, see `fail_fast_for`");
        for (language, told) in [
            (Rust, "max_reply: must be more, see `fail_fast_for`"),
            (CommandLine, "--max-reply: must be more, see `--fail-fast-for`"),
            (Kotlin, "maxReply: must be more, see `failFastFor`"),
        ] {
            assert_eq!(error.told_in(language), told);
        }
    }

    #[test]
    fn every_exception_is_of_something_that_is_there() {
        for (name, language, _) in NAMES {
            let whole = name.split_once('.').map_or(*name, |(whole, _)| whole);
            assert!(is_name(whole) || *name == "jid_from_user", "{name} in {language:?}");
        }
        for language in Language::ALL {
            assert!(language.name("jid_from_user").is_some(), "{language:?}");
            assert_eq!(language.name("Host"), None);
        }
    }

    #[test]
    fn php_has_settings_for_what_a_line_can_say() {
        for (option, setting) in [
            ("url", Some("prebind.url")),
            ("deadline", Some("prebind.deadline")),
            ("iterations.most", Some("prebind.iterations")),
            ("learn", Some("prebind.learn")),
            ("ip_family", Some("prebind.ip_family")),
            ("lang", Some("prebind.lang")),
            // They may hold secrets, which `phpinfo()` would show.
            ("headers", None),
            ("proxy", None),
            ("client_certificate", None),
            ("ca", None),
            ("profile", None),
            ("password", None),
            ("other", None),
        ] {
            assert_eq!(Php.setting(option).as_deref(), setting, "{option}");
            assert_eq!(Python.setting(option), None);
        }
    }

    #[test]
    fn a_message_has_an_end() {
        assert_eq!(Rust.tell(&"x".repeat(900)).chars().count(), MAX_LENGTH);
    }
}
