//! Prepares strings for SASL: SASLprep (RFC 4013) and `saslname` (RFC 5802 §5.1).

use std::borrow::Cow;

use stringprep::tables;
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Prepares a password for SCRAM and DIGEST-MD5 as a query (RFC 3454 §7). Characters that are newer than
/// SASLprep's tables (Unicode 3.2) stay as they are, because servers do not change them either. All other
/// characters are prepared.
///
/// With PLAIN the server prepares the password (RFC 4616 §2), and it would refuse the same passwords.
pub(crate) fn password(password: &str) -> Result<Secret> {
    let refused = |problem| Err(Error::config("password", problem));
    if password.is_empty() {
        return refused("must not be empty");
    }
    if password.contains(char::is_control) {
        return refused("has a control character, which SASLprep forbids (RFC 4013 §2.3)");
    }
    // Nearly all passwords are ASCII, which needs no preparation.
    if password.is_ascii() {
        return Ok(Secret::from(password));
    }
    let prepared = Secret::from(normalized(password));
    let characters = prepared.expose();
    if characters.is_empty() {
        return refused("is empty once prepared (RFC 4013): it has only characters that do not count");
    }
    if characters.contains(is_prohibited) {
        return refused("has a character that SASLprep forbids (RFC 4013 §2.3)");
    }
    if is_mixed(characters) {
        return refused("mixes characters written from right to left with others (RFC 3454 §6)");
    }
    Ok(prepared)
}

/// Maps and normalizes (RFC 4013 §2.1 and §2.2). Unassigned characters are not normalized, and they separate
/// their neighbours.
fn normalized(password: &str) -> String {
    let mapped = Secret::from(
        password
            .chars()
            .filter(|c| !tables::commonly_mapped_to_nothing(*c))
            .map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c })
            .collect::<String>(),
    );
    // Reserves room for the whole text, because growing would leave pieces of a secret in freed memory. NFKC
    // turns three bytes into 33 at most.
    let mut normalized = String::with_capacity(mapped.expose().len() * 11);
    for run in mapped.expose().split_inclusive(tables::unassigned_code_point) {
        let last = run.chars().next_back().filter(|c| tables::unassigned_code_point(*c));
        let assigned = &run[..run.len() - last.map_or(0, char::len_utf8)];
        normalized.extend(assigned.nfkc());
        normalized.extend(last);
    }
    normalized
}

/// Whether the character is prohibited (RFC 4013 §2.3).
fn is_prohibited(c: char) -> bool {
    tables::non_ascii_space_character(c)
        || tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
}

/// Whether the text breaks the rules of RFC 3454 §6: text with right-to-left characters must begin and end
/// with one, and must not have left-to-right characters. Unassigned characters have no direction.
fn is_mixed(text: &str) -> bool {
    let mut assigned = text.chars().filter(|c| !tables::unassigned_code_point(*c));
    let (is_rtl, is_ltr) = (tables::bidi_r_or_al, tables::bidi_l);
    let ends = [assigned.clone().next(), assigned.clone().next_back()];
    assigned.clone().any(is_rtl) && (assigned.any(is_ltr) || !ends.into_iter().flatten().all(is_rtl))
}

/// Prepares a user name for SCRAM or DIGEST-MD5. A localpart that PRECIS allows may be unknown to the older
/// tables of SASLprep. It is sent as it is, because the server compares it with an account's name.
pub(crate) fn username(name: &str) -> Cow<'_, str> {
    stringprep::saslprep(name).unwrap_or(Cow::Borrowed(name))
}

/// Escapes a name for a message with commas.
pub(crate) fn saslname(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Option<String> {
        password(text).ok().map(|prepared| prepared.expose().to_owned())
    }

    #[test]
    fn all_but_new_characters_are_prepared() {
        // The first is from Unicode 13. The second is from Unicode 5.2, with a decomposition that Unicode 3.2
        // does not have.
        for young in ["\u{1f972}", "\u{1f130}"] {
            for (text, ours) in [
                ("", ""),
                ("I\u{ad}X", "IX"),
                ("a\u{a0}b", "a b"),
                ("e\u{301}", "é"),
                ("\u{ff57}", "w"),
                ("①", "1"),
                ("ﬁsh", "fish"),
                ("אב", "אב"),
            ] {
                assert_eq!(prepared(&format!("{text}{young}")), Some(format!("{ours}{young}")), "{text}");
                let around = format!("{young}{text}{young}");
                assert_eq!(prepared(&around), Some(format!("{young}{ours}{young}")), "{text}");
                assert!(text.is_empty() || prepared(text).as_deref() == Some(ours), "{text}");
            }
        }
        assert_eq!(
            prepared("e\u{1f972}\u{301}").as_deref(),
            Some("e\u{1f972}\u{301}"),
            "not composed across"
        );
    }

    #[test]
    fn forbidden_characters_are_refused_next_to_new_ones_too() {
        for bad in [
            "\0",
            "\n",
            "\u{7f}",
            "\u{85}",
            "\u{200e}",
            "\u{2ff0}",
            "\u{e000}",
            "\u{fdd0}",
            "\u{fffd}",
            "\u{e0001}",
            "אa",
            "א1",
        ] {
            for young in ["", "\u{1f972}"] {
                assert_eq!(prepared(&format!("pw{bad}{young}")), None, "{bad:?}");
            }
        }
        assert_eq!(prepared("אב1"), None);
        assert_eq!(prepared("\u{ad}"), None, "nothing is left");
        assert_eq!(prepared(""), None);
    }
}
