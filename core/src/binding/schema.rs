//! What a binding can check itself against.

use super::results::Field;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::named::Parameter;
use crate::sasl::Credentials;
use crate::session::{Extra, Session};

/// What a binding offers, as JSON: `options` and `credentials`, each a list of [`Parameter`]s, `session` and `error`,
/// each a list of [`Field`]s, `errors`, the names of all kinds of error, and `extras`, those of all [`Extra`]s.
///
/// A parameter has `name`, `type` with that type's limits, `optional`, `default` (options only) and `about`; a field
/// has `name`, `type`, `optional`, `secret`, `about` and, if not all errors have it, `kinds`. Bindings hand this text
/// on, and their tests compare it with what they offer and document.
#[must_use]
pub fn schema_json() -> String {
    serde_json::json!({
        "options": Config::options().collect::<Vec<Parameter>>(),
        "credentials": Credentials::arguments().collect::<Vec<Parameter>>(),
        "session": Session::fields().collect::<Vec<Field>>(),
        "error": Error::fields().collect::<Vec<Field>>(),
        "errors": ErrorKind::NAMES,
        "extras": Extra::NAMES,
    })
    .to_string()
}
