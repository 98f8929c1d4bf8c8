//! What a binding can check itself against.

use super::parameter::Parameter;
use crate::config::Config;
use crate::error::ErrorKind;
use crate::sasl::Credentials;
use crate::session::Extra;

/// What a binding offers, as JSON: `options` and `credentials`, each a list of [`Parameter`]s,
/// `errors`, the names of all kinds of error, and `extras`, those of all [`Extra`]s.
///
/// A parameter has `name`, `type` with that type's limits, `optional`, `default` (options only) and
/// `about`. Bindings hand this text on, and their tests compare it with what they offer and document.
#[must_use]
pub fn schema_json() -> String {
    serde_json::json!({
        "options": Config::options().collect::<Vec<Parameter>>(),
        "credentials": Credentials::arguments().collect::<Vec<Parameter>>(),
        "errors": ErrorKind::NAMES,
        "extras": Extra::ALL.map(Extra::as_str),
    })
    .to_string()
}
