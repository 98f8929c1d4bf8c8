//! The names of all options and arguments.

use super::{credentials, options};

/// Whether an option or an argument has this name.
pub(super) fn is_name(name: &str) -> bool {
    options::is_name(name) || credentials::is_name(name) || matches!(name, "url" | "jid" | "sid")
}

/// Whether a line of a settings file can say this option.
pub(super) fn is_setting(name: &str) -> bool {
    options::is_setting(name)
}
