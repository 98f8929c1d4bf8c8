//! A body as an operator may see it: what is secret in it is masked.

use crate::xml::Element;

/// Attributes that give a session away. Servers repeat the SID as `authid`.
const SECRET_ATTRIBUTES: [&str; 3] = ["sid", "rid", "authid"];

/// Elements whose text may be shown. Any other may hold a password, a token or what helps to guess
/// one: SASL data, and the server's own words, which may repeat what they complain about.
const SHOWN_ELEMENTS: [&str; 3] = ["mechanism", "jid", "resource"];

/// The body with `***` for every secret; what cannot be read as XML is not shown at all.
pub(crate) fn masked(body: &[u8]) -> String {
    match Element::parse(body) {
        Ok(mut root) => {
            root.mask(&SECRET_ATTRIBUTES, &SHOWN_ELEMENTS);
            root.to_string()
        }
        Err(_) => format!("({} bytes that are not XML)", body.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_harmless_is_shown() {
        let body = "<body xmlns='b' sid='SECRET' authid='SECRET' rid='1234567' wait='60'>\
            <failure xmlns='s'><not-authorized/><text>bad password SECRET</text></failure>\
            <success xmlns='s'><x>SECRET</x>SECRET</success><jid>a@b/c</jid></body>";
        let shown = masked(body.as_bytes());
        assert!(!shown.contains("SECRET") && !shown.contains("1234567"), "{shown}");
        assert!(shown.contains("wait=\"60\"") && shown.contains("<not-authorized/>"), "{shown}");
        assert!(shown.contains("<jid>a@b/c</jid>") && shown.contains("<text>***</text>"), "{shown}");
    }

    #[test]
    fn what_is_not_xml_is_not_shown() {
        assert_eq!(masked(b"<body>SECRET"), "(12 bytes that are not XML)");
    }
}
