//! Looks into a `<body/>` without an XML parser.
//!
//! This is enough for the bodies that prebind writes, and independent of prebind's own parser.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The position of the `rid` in the root tag, and its value if it is a number.
pub(crate) fn rid(body: &str) -> Option<(Range<usize>, Option<u64>)> {
    let root = &body[..body.find('>')?];
    let range = attribute(root, "rid")?;
    let value = root[range.clone()].parse().ok();
    Some((range, value))
}

/// Whether the root tag ends the session.
pub(crate) fn terminates(body: &str) -> bool {
    let root = body.split('>').next().unwrap_or_default();
    attribute(root, "type").is_some_and(|range| &root[range] == "terminate")
}

/// The `id` of the first `<iq/>`.
pub(crate) fn iq_id(body: &str) -> Option<&str> {
    let iq = &body[body.find("<iq")?..];
    let iq = &iq[..iq.find('>')?];
    Some(&iq[attribute(iq, "id")?])
}

/// The resource that a bind request asks for.
pub(crate) fn resource(body: &str) -> Option<&str> {
    let text = body.split_once("<resource>")?.1;
    Some(text.split_once("</resource>")?.0)
}

/// The first message of a SCRAM server in answer to this `<auth/>`, with this many iterations (RFC 5802 §5).
pub(crate) fn challenge(body: &str, iterations: u32) -> Option<String> {
    let auth = &body[body.find("<auth")?..];
    let message = auth.split_once('>')?.1.split_once('<')?.0;
    let message = String::from_utf8(STANDARD.decode(message).ok()?).ok()?;
    let nonce = message.split_once(",r=")?.1;
    Some(STANDARD.encode(format!("r={nonce}faults,s={},i={iterations}", STANDARD.encode("faults"))))
}

fn attribute(tag: &str, name: &str) -> Option<Range<usize>> {
    ['"', '\''].into_iter().find_map(|quote| {
        let mark = format!(" {name}={quote}");
        let start = tag.find(&mark)? + mark.len();
        Some(start..start + tag[start..].find(quote)?)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_challenge_extends_the_clients_nonce() {
        // n,,n=alice,r=abc
        let challenge =
            super::challenge("<body><auth mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWFiYw==</auth>", 4096);
        // r=abcfaults,s=ZmF1bHRz,i=4096
        assert_eq!(challenge.as_deref(), Some("cj1hYmNmYXVsdHMscz1abUYxYkhSeixpPTQwOTY="));
        assert_eq!(super::challenge("<body><auth mechanism='PLAIN'>AGEAYg==</auth></body>", 4096), None);
    }

    #[test]
    fn finds_what_it_is_asked_for() {
        let body = r#"<body sid="rid='1'" rid="42"><iq id='b1'><resource>r</resource></iq></body>"#;
        assert_eq!(super::rid(body), Some((25..27, Some(42))));
        assert_eq!(super::iq_id(body), Some("b1"));
        assert_eq!(super::resource(body), Some("r"));
        assert!(!super::terminates(body));
        assert!(super::terminates("<body type='terminate'/>"));
        assert_eq!(super::rid("<iq rid='1'"), None);
        assert_eq!(super::rid("<body rid='x'/>"), Some((11..12, None)));
    }
}
