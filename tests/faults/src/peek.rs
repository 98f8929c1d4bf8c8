//! Looking into a `<body/>` without an XML parser.
//!
//! Enough for what the library under test writes, and independent of its own parser.

use std::ops::Range;

/// Where the `rid` of the root tag stands, and its value if it is a number.
pub(crate) fn rid(body: &str) -> Option<(Range<usize>, Option<u64>)> {
    let root = &body[..body.find('>')?];
    let range = attribute(root, "rid")?;
    let value = root[range.clone()].parse().ok();
    Some((range, value))
}

/// The root tag ends the session.
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

/// The resource asked for in a bind request.
pub(crate) fn resource(body: &str) -> Option<&str> {
    let text = body.split_once("<resource>")?.1;
    Some(text.split_once("</resource>")?.0)
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
