//! Users of a site who are one in the chat.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::jid::Jid;

/// Where the first two of these JIDs stand that belong to one account, on some server at least: JIDs ignore case, and
/// a server that prepares them by the older RFC 6122 takes `strauß` and `strauss` for one. What is no JID has no
/// account.
///
/// ```
/// use prebind::web::sharing;
///
/// assert_eq!(sharing(["alice@example.org", "bob@example.org", "Alice@example.org"]), Some((0, 2)));
/// assert_eq!(sharing(["alice@example.org", "bob@example.org", ""]), None);
/// ```
pub fn sharing<'a>(jids: impl IntoIterator<Item = &'a str>) -> Option<(usize, usize)> {
    let mut seen = HashMap::new();
    jids.into_iter().enumerate().find_map(|(at, jid)| match seen.entry(Jid::new(jid).ok()?.account()) {
        Entry::Occupied(first) => Some((*first.get(), at)),
        Entry::Vacant(free) => {
            free.insert(at);
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_take_some_names_for_one() {
        let shared = |one: &str, other: &str| sharing(["a@x.example", one, "b@x.example", other]);
        for (one, other) in [
            ("strauß@x.example", "Strauss@x.example"),
            ("γιώργος@x.example", "ΓΙΏΡΓΟΣ@x.example"),
            ("alice@X.example", "alice@x.example/web"),
            ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ] {
            assert_eq!(shared(one, other), Some((1, 3)), "{one} {other}");
        }
        for (one, other) in [
            ("alice@x.example", "alice@y.example"),
            ("alice\\20b@x.example", "aliceb@x.example"),
            ("", ""),
            ("a b@x.example", "a b@x.example"),
        ] {
            assert_eq!(shared(one, other), None, "{one} {other}");
        }
    }
}
