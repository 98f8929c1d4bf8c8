//! The endpoint that a chat server asks, by named settings.

use std::time::{Duration, SystemTime};

use super::tokens;
use crate::error::Result;
use crate::extauth::{Asked, Endpoint, Inquiry};
use crate::named::{NamedValue, Value, ValueType};
use crate::secret::Secret;

/// What the settings have.
const SETTINGS: ValueType = ValueType::Record { fields: &["secret", "jwt"], optional_fields: &["addresses"] };

/// What a chat server asked, by the settings of the site: `secret`, the text that the chat server shows or a list of
/// them while it changes; `jwt`, what issued the tokens, see [`issue_token`](super::issue_token); and `addresses`, the
/// list of addresses and networks from which the chat server asks, by default this machine. `now` is in seconds since
/// 1970.
///
/// # Errors
/// `Config` if a setting is wrong.
pub fn asked(settings: Value, inquiry: &Inquiry<'_>, now: u64) -> Result<Asked> {
    let given = NamedValue { name: "endpoint", takes: &SETTINGS, value: settings };
    let ([secret, jwt], [addresses]) = given.record_with()?;
    let texts = |value: &NamedValue| value.each().iter().map(NamedValue::secret).collect::<Result<Vec<_>>>();
    let endpoint = Endpoint::new(texts(&secret)?, tokens::verifier(jwt.value)?)?;
    let endpoint = match addresses {
        Some(addresses) => endpoint.with_addresses(texts(&addresses)?.iter().map(Secret::expose))?,
        None => endpoint,
    };
    // No token is valid later than that, whatever was given.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.min(u32::MAX.into()));
    Ok(endpoint.ask(inquiry, now))
}
