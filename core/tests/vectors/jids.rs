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
                assert_eq!(jid.local(), case["local"].as_str(), "{name}");
                assert_eq!(jid.domain(), case["domain"].as_str().unwrap(), "{name}");
                assert_eq!(jid.resource(), case["resource"].as_str(), "{name}");
                assert_eq!(jid.to_string(), case["jid"].as_str().unwrap(), "{name}");
            }
            Err(error) => assert_eq!(case["valid"], false, "{name}: {error}"),
        }
    }
}
