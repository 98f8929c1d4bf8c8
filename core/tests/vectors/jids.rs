//! The shared addresses: RFC 7622 §3.5, XEP-0106, case folding.

use prebind::Jid;

use crate::case;

#[test]
fn legal_addresses_are_prepared_and_illegal_ones_refused() {
    let file = case::jids();
    let cases = file["parse"].as_array().unwrap();
    assert!(cases.len() >= 23, "the tables of RFC 7622 §3.5 alone are 23");
    for case in cases {
        let (name, input) = (&case["name"], case["input"].as_str().unwrap());
        match Jid::new(input) {
            Ok(jid) => {
                assert_eq!(case["valid"], true, "{name}: {jid} passed");
                let (domain, whole) = (jid.domain(), jid.to_string());
                let parts = [
                    ("local", jid.local()),
                    ("domain", Some(domain)),
                    ("resource", jid.resource()),
                    ("jid", Some(&whole)),
                ];
                // What RFC 7622 and RFC 8265 prepare differently is left open.
                for (part, found) in parts {
                    if let Some(expected) = case.get(part) {
                        assert_eq!(found, expected.as_str(), "{name}: {part}");
                    }
                }
            }
            Err(error) => assert_eq!(case["valid"], false, "{name}: {error}"),
        }
    }
}

#[test]
fn user_names_are_escaped() {
    let file = case::jids();
    for case in file["escape"].as_array().unwrap() {
        let (name, user) = (&case["name"], case["unescaped"].as_str().unwrap());
        match (Jid::from_user(user, "example.com"), case["escaped"].as_str()) {
            // A localpart is folded besides (RFC 7622 §3.3.1).
            (Ok(jid), Some(escaped)) => {
                assert_eq!(jid.local(), Some(escaped.to_lowercase().as_str()), "{name}");
                assert_eq!(jid.to_user(), Some(user.to_lowercase()), "{name}");
            }
            (Err(_), None) => {}
            (Ok(jid), None) => panic!("{name}: {jid} passed"),
            (Err(error), Some(_)) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn two_users_never_share_an_address() {
    let one = Jid::from_user("a/b", "example.com").unwrap();
    let other = Jid::from_user("a\\2Fb", "example.com").unwrap();
    assert_ne!(one, other, "folding the case must not make an escape of what was none");
}
