//! A body as an operator may see it: what is secret in it is masked.

use crate::xml::Element;

/// Attributes that give a session away. Servers repeat the SID as `authid`.
const SECRET_ATTRIBUTES: [&str; 3] = ["sid", "rid", "authid"];

/// SASL data: messages hold passwords, tokens or what helps to guess them.
const SECRET_ELEMENTS: [&str; 5] = ["auth", "challenge", "response", "success", "token"];

/// The body with `***` for every secret; what cannot be read as XML is not shown at all.
pub(crate) fn masked(body: &[u8]) -> String {
    match Element::parse(body) {
        Ok(mut root) => {
            root.mask(&SECRET_ATTRIBUTES, &SECRET_ELEMENTS);
            root.to_string()
        }
        Err(_) => format!("({} bytes that are not XML)", body.len()),
    }
}
