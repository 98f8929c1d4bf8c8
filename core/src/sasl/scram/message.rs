//! The server's two SCRAM messages (RFC 5802 §7), read by the grammar and nothing looser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Check, Error, Result};

/// Longer than any server's nonce or salt, short enough not to be a burden.
const MAX_PART: usize = 1024;

/// `r=…,s=…,i=…` and extensions.
pub(super) struct ServerFirst<'a> {
    pub(super) text: &'a str,
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    /// The hash of the offered mechanisms (XEP-0474 since 0.4).
    pub(super) offer_hash: Option<&'a str>,
    /// The same as servers of XEP-0474 0.3 send it.
    pub(super) old_offer_hash: Option<&'a str>,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self> {
        let text = utf8(message)?;
        let mut attributes = text.split(',').map(attribute);
        let mut mandatory = |name| match attributes.next() {
            Some(Ok((found, value))) if found == name => Ok(value),
            Some(Ok(('m', _))) => Err(malformed("it demands an extension (m=)")),
            Some(Err(error)) => Err(error),
            _ => Err(malformed("its first message does not begin with r=, s=, i= in this order")),
        };
        let nonce = mandatory('r')?;
        let salt = mandatory('s')?;
        let iterations = mandatory('i')?;

        let (mut offer_hash, mut old_offer_hash) = (None, None);
        for extension in attributes {
            let (name, value) = extension?;
            let known = match name {
                'r' | 's' | 'i' | 'm' => return Err(malformed("its first message repeats an attribute")),
                'h' => &mut offer_hash,
                'd' => &mut old_offer_hash,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return Err(malformed("its first message repeats an attribute"));
            }
        }
        if nonce.len() > MAX_PART || !nonce.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::unverified(Check::Nonce, "its nonce is too long or not printable"));
        }
        let salt = STANDARD
            .decode(salt)
            .ok()
            .filter(|salt| (1..=MAX_PART).contains(&salt.len()))
            .ok_or_else(|| Error::unverified(Check::Salt, "its salt is empty, too long or not base64"))?;
        Ok(Self { text, nonce, salt, iterations: posit_number(iterations)?, offer_hash, old_offer_hash })
    }
}

/// `v=…` or `e=…`, and extensions.
pub(super) enum ServerFinal<'a> {
    Signature(Vec<u8>),
    Error(&'a str),
}

impl<'a> ServerFinal<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self> {
        let text = utf8(message)?;
        let mut attributes = text.split(',').map(attribute);
        let parsed = match attributes.next() {
            Some(Ok(('e', error))) => Self::Error(error),
            Some(Ok(('v', signature))) => Self::Signature(
                STANDARD
                    .decode(signature)
                    .map_err(|_| Error::unverified(Check::Signature, "its signature is not base64"))?,
            ),
            _ => return Err(Error::unverified(Check::Signature, "it did not send its signature")),
        };
        for extension in attributes {
            if matches!(extension?, ('v' | 'e' | 'm', _)) {
                return Err(malformed("its final message repeats an attribute"));
            }
        }
        Ok(parsed)
    }
}

fn utf8(message: &[u8]) -> Result<&str> {
    std::str::from_utf8(message).map_err(|_| malformed("its message is not UTF-8"))
}

/// One letter, `=`, a value that is not empty.
fn attribute(text: &str) -> Result<(char, &str)> {
    let mut characters = text.chars();
    match (characters.next(), characters.next(), characters.as_str()) {
        (Some(name), Some('='), value) if name.is_ascii_alphabetic() && !value.is_empty() => {
            Ok((name, value))
        }
        // Base64 of nothing is nothing; the salt's own check says it better.
        (Some('s'), Some('='), "") => Ok(('s', "")),
        _ => Err(malformed("its message is not made of attributes like r=…")),
    }
}

/// `posit-number`: no sign, no leading zero.
fn posit_number(text: &str) -> Result<u32> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let refused =
        || Error::unverified(Check::Iterations, "its iteration count is not a number, or beyond all bounds");
    if is_number { text.parse().map_err(|_| refused()) } else { Err(refused()) }
}

fn malformed(problem: &str) -> Error {
    let blame = "the server is broken, or someone is intercepting the connection";
    Error::unverified(Check::Message, format!("{problem}; {blame}"))
}
