//! Strings as SASL wants them: SASLprep (RFC 4013) and `saslname` (RFC 5802 §5.1).

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// A password for SCRAM and DIGEST-MD5, prepared as a stored string.
///
/// Characters younger than SASLprep's tables (Unicode 3.2) have no preparation; such a password is
/// used as it is, as servers do.
pub(crate) fn password(password: &str) -> Result<Secret> {
    let refused = |problem| Err(Error::config("password", problem));
    if password.is_empty() {
        return refused("must not be empty");
    }
    if password.chars().any(stringprep::tables::unassigned_code_point) {
        return Ok(Secret::from(password));
    }
    match stringprep::saslprep(password) {
        Ok(prepared) if prepared.is_empty() => refused("is empty after SASLprep (RFC 4013)"),
        Ok(prepared) => Ok(Secret::from(prepared.as_ref())),
        Err(_) => {
            refused("has a character that SASLprep forbids (RFC 4013 §2.3), for example a control character")
        }
    }
}

/// A user name for SCRAM or DIGEST-MD5. A localpart that PRECIS allows but the older tables of
/// SASLprep do not know is sent as it is: the server compares it with an account's name.
pub(crate) fn username(name: &str) -> Cow<'_, str> {
    stringprep::saslprep(name).unwrap_or(Cow::Borrowed(name))
}

/// A name inside a comma separated message.
pub(crate) fn saslname(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}
