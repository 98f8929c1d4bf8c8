//! The elements of SASL (RFC 6120 §6). SASL2 has some of them in its own namespace.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::ns::{SASL, SASL2};
use super::xml::Element;
use crate::error::{Condition, Error, ErrorKind, Result, SaslCondition, Stage};
use crate::secret::Secret;

pub(crate) fn auth(mechanism: &str, initial_response: Option<&[u8]>) -> Secret {
    let start = format!("<auth xmlns=\"{SASL}\" mechanism=\"{mechanism}\"");
    match initial_response {
        None => [&start, "/>"].concat().into(),
        // An empty response is written `=` to distinguish it from none (RFC 6120 §6.4.2).
        Some([]) => [&start, ">=</auth>"].concat().into(),
        Some(response) => [&start, ">", &encode(response), "</auth>"].concat().into(),
    }
}

/// The answer to a challenge, in the namespace of SASL or SASL2.
pub(crate) fn response(namespace: &str, response: &[u8]) -> Secret {
    let start = format!("<response xmlns=\"{namespace}\"");
    match response {
        [] => [&start, "/>"].concat().into(),
        response => [&start, ">", &encode(response), "</response>"].concat().into(),
    }
}

pub(super) fn encode(message: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(message))
}

/// The names in the `<mechanism/>` children of this namespace.
pub(super) fn mechanism_names(list: &Element, namespace: &str) -> Vec<String> {
    let mechanisms = list.children.iter().filter(|child| child.is(namespace, "mechanism"));
    let names = mechanisms.map(|child| child.text.trim().to_owned());
    names.filter(|name| is_mechanism_name(name)).collect()
}

/// Whether this can be the name of a mechanism (RFC 4422 §3.1).
pub(crate) fn is_mechanism_name(name: &str) -> bool {
    (1..=20).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// The SASL failure inside the body that ends a session. It says more than the end itself.
pub(super) fn last_words(payload: &[Element]) -> Option<Error> {
    let is_failure = |child: &&Element| child.is(SASL, "failure") || child.is(SASL2, "failure");
    payload.iter().find(is_failure).map(failure)
}

pub(super) fn failure(failure: &Element) -> Error {
    let (mut condition, mut text) = failure.condition_in(SASL);
    if failure.is(SASL2, "failure") {
        // Prosody sends one of its conditions in the wrong namespace.
        condition = condition.or(failure.condition_in(SASL2).0);
        text = failure.child(SASL2, "text").map(|text| text.text.as_str());
    }
    let condition = condition.map(|name| Condition::Sasl(SaslCondition::from(name)));
    Error::refused(ErrorKind::Auth, Stage::Authenticate, condition, text)
}

fn not_base64(data: &str) -> Error {
    let what = if data.contains(char::is_whitespace) {
        "it holds line breaks or spaces"
    } else {
        "it holds other characters"
    };
    let message = format!(
        "the server's SASL message is not base64 (RFC 6120 §6.4): {what}; update the server, or report it to its authors"
    );
    Error::unreadable(Stage::Authenticate, "base64 in a SASL element", message)
}

/// Decodes SASL data: nothing, `=` for empty data, or base64 without white space (RFC 6120 §6.4.2, §13.9.1).
pub(super) fn decode(text: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match text {
        "" => Ok(None),
        "=" => Ok(Some(Zeroizing::default())),
        data => STANDARD.decode(data).map(|data| Some(Zeroizing::new(data))).map_err(|_| not_base64(data)),
    }
}
