//! Options and credentials by name, for languages that hand over names and values: a binding
//! converts each argument to a [`Value`], and what may be given, and how, is decided here. What
//! there is to give is data ([`Parameter`]), so that a binding can check itself against it.
//!
//! Sessions and errors leave in the same way: a binding makes an object of names and [`Value`]s, and what there is to
//! get is data ([`Field`]).

mod credentials;
mod nearest;
mod options;
mod parameter;
mod results;
mod value;

use crate::account::Credentials;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::session::{Extra, Session};
pub(crate) use nearest::nearest;
pub use parameter::{Parameter, ValueType};
pub use results::{Field, FieldType};
pub use value::Value;

/// Whether an option or an argument has this name.
pub(crate) fn is_name(name: &str) -> bool {
    options::is_name(name) || credentials::is_name(name) || matches!(name, "url" | "jid" | "sid")
}

/// Whether a line of a settings file can say this option.
pub(crate) fn is_setting(name: &str) -> bool {
    options::is_setting(name)
}

/// What a binding offers, as JSON: `options` and `credentials`, each a list of [`Parameter`]s, `session` and `error`,
/// each a list of [`Field`]s, `errors`, the names of all kinds of error, and `extras`, those of all [`Extra`]s.
///
/// A parameter has `name`, `type` with that type's limits, `optional`, `default` (options only) and `about`; a field
/// has `name`, `type`, `optional`, `secret`, `about` and, if not all errors have it, `kinds`. Bindings hand this text
/// on, and their tests compare it with what they offer and document.
#[must_use]
pub fn schema_json() -> String {
    serde_json::json!({
        "options": Config::options().collect::<Vec<_>>(),
        "credentials": Credentials::arguments().collect::<Vec<_>>(),
        "session": Session::fields().collect::<Vec<_>>(),
        "error": Error::fields().collect::<Vec<_>>(),
        "errors": ErrorKind::NAMES,
        "extras": Extra::ALL.map(Extra::as_str),
    })
    .to_string()
}
