//! `tokens.json`: the tokens that are issued, accepted and refused.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prebind::binding;
use prebind::token::{Issuer, Key, Refusal, User, Verifier};
use prebind::{ErrorKind, Jid};
use serde_json::{Value, json};

use crate::case;

#[test]
fn every_token_is_accepted_or_refused_as_it_has_to_be() {
    let file = case::tokens();
    for row in rows(&file, "tokens") {
        let verifier = verifier(&file, row);
        let now = time(row.get("now").unwrap_or(&file["now"]));
        let answer = match row.get("account") {
            Some(account) => verifier.verify_of(&jid(account), text(&row["token"]), now),
            None => verifier.verify(text(&row["token"]), now),
        };
        let told = answer.map_or_else(
            |refusal| json!({"refusal": refusal.as_str()}),
            |verified| {
                let mut told = json!({"jid": verified.jid.to_string(), "expires": verified.expires});
                if let Some(id) = verified.id {
                    told["id"] = id.into();
                }
                told
            },
        );
        assert_eq!(told, row["expect"], "{}", row["name"]);
    }
}

/// There is only one way to write a token: no character may be another one, missing or added.
#[test]
fn a_token_with_one_change_is_refused() {
    let file = case::tokens();
    for name in ["HS256", "RS256, key as jwk", "ES256, key as jwk", "EdDSA, key as jwk"] {
        let row = rows(&file, "tokens").iter().find(|row| row["name"] == name).unwrap();
        let (verifier, now, token) = (verifier(&file, row), time(&file["now"]), text(&row["token"]));
        let is_refused = |token: &str| verifier.verify(token, now).is_err();
        assert!(!is_refused(token), "{name}");
        for at in 0..token.len() {
            let (before, after) = (&token[..at], &token[at + 1..]);
            for other in
                ['A', 'Q', '_', '.', '=', ' '].into_iter().filter(|other| !token[at..].starts_with(*other))
            {
                assert!(is_refused(&format!("{before}{other}{after}")), "{name}: {other} at {at}");
            }
            assert!(is_refused(&format!("{before}{after}")) && is_refused(before), "{name}: without {at}");
        }
        for end in ["A", ".", "=", "\0"] {
            assert!(is_refused(&format!("{token}{end}")), "{name}: {end:?} behind");
        }
    }
}

#[test]
fn every_refusal_has_a_case_and_says_how_to_mend_it() {
    let file = case::tokens();
    let of_case = |row: &Value| row["expect"]["refusal"].as_str().map(str::to_owned);
    let in_cases: BTreeSet<_> = rows(&file, "tokens").iter().filter_map(of_case).collect();
    assert_eq!(in_cases, Refusal::ALL.map(|refusal| refusal.as_str().to_owned()).into());
    let mut reasons = BTreeSet::new();
    for refusal in Refusal::ALL {
        let reason = refusal.reason();
        assert!(reason.contains(": ") && reason.len() < 150, "{reason}");
        assert!(reasons.insert(reason) && refusal.to_string() == refusal.as_str(), "{refusal}");
    }
    assert!(Refusal::TooLong.reason().contains("8,192") && Verifier::LONGEST == 8192);
}

#[test]
fn what_is_issued_is_what_the_claims_are_to_be() {
    let file = case::tokens();
    let now = time(&file["now"]);
    for row in rows(&file, "issued") {
        let (issuer, name) = (issuer(&file, row), &row["name"]);
        let token = issuer.issue(&jid(&row["jid"]), now).unwrap();
        let parts: Vec<&str> = token.expose().split('.').collect();
        let [header, payload, _] = parts[..] else { panic!("{name}: {} parts", parts.len()) };
        assert_eq!(decoded(header), row["header"], "{name}");
        assert_eq!(decoded(payload), row["payload"], "{name}");
        if let Some(expected) = row.get("token") {
            assert_eq!(token.expose(), text(expected), "{name}");
        }
        let verifier = Verifier::new(keys(&file, row)).unwrap();
        let verifier = match row.get("audience") {
            Some(audience) => verifier.with_audience(text(audience)),
            None => verifier,
        };
        let answer = verifier.verify(token.expose(), now).unwrap();
        assert_eq!(answer.jid, jid(&row["jid"]).bare(), "{name}");
        assert_eq!(json!(answer.expires), row["payload"]["exp"], "{name}");
    }
}

#[test]
fn a_text_that_is_no_key_is_refused() {
    for row in rows(&case::tokens(), "keys_refused") {
        let key = text(&row["key"]);
        let error = Key::read(key).map(drop).expect_err(text(&row["name"]));
        assert!(matches!(error.kind(), ErrorKind::Config { field: "key" }), "{}: {error:?}", row["name"]);
    }
}

#[test]
fn a_key_knows_what_it_can_do_and_keeps_it_to_itself() {
    let file = case::tokens();
    for (name, text) in file["keys"].as_object().unwrap() {
        let text = text.as_str().unwrap();
        for key in Key::read(text).unwrap() {
            let is_secret = key.algorithm().least_secret().is_some();
            let is_private = is_secret || text.contains("PRIVATE KEY") || text.contains("\"d\"");
            assert_eq!(key.can_sign(), is_private, "{name}");
            assert_eq!(Issuer::new([key.clone()]).is_ok(), is_private, "{name}");
            let shown = format!("{key:?}{:?}", Verifier::new([key.clone()]).unwrap());
            let letters =
                |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            let secrets = text.split(['"', '\n']).filter(|part| part.len() > 20 && letters(part));
            for secret in secrets {
                assert!(!shown.contains(secret), "{name}: {shown}");
            }
        }
    }
}

#[test]
fn what_verifies_is_written_as_others_write_it() {
    let file = case::tokens();
    let texts = &file["keys"];
    let read = |name: &str| Key::read(text(&texts[name])).unwrap().remove(0);
    for algorithm in ["rs256", "es256", "eddsa"] {
        let key = read(&format!("{algorithm}-jwk"));
        let spki = text(&texts[format!("{algorithm}-spki")]);
        assert_eq!(key.public_pem().as_deref(), Some(spki), "{algorithm}");
        let mut public: Value = serde_json::from_str(key.verifying_jwk().expose()).unwrap();
        assert_eq!(public.as_object_mut().unwrap().remove("alg"), Some(key.algorithm().as_str().into()));
        let expected: Value = serde_json::from_str(text(&texts[format!("{algorithm}-jwk-public")])).unwrap();
        assert_eq!(public, expected, "{algorithm}");
    }
    let secret: Value = serde_json::from_str(read("hs512").verifying_jwk().expose()).unwrap();
    let expected: Value = serde_json::from_str(text(&texts["hs512"])).unwrap();
    assert_eq!(secret, expected);
}

fn verifier(file: &Value, row: &Value) -> Verifier {
    let mut verifier = Verifier::new(keys(file, row)).unwrap();
    if let Some(audience) = row.get("audience") {
        verifier = verifier.with_audience(text(audience));
    }
    if let Some(issuer) = row.get("issuer") {
        verifier = verifier.with_issuer(text(issuer));
    }
    if let Some(user) = row.get("user") {
        let claim = text(&user["claim"]).to_owned();
        verifier = verifier.with_user(match user.get("domain") {
            Some(domain) => User::Name { claim, domain: text(domain).to_owned() },
            None => User::Jid { claim },
        });
    }
    verifier
}

fn issuer(file: &Value, row: &Value) -> Issuer {
    let mut issuer = Issuer::new(keys(file, row)).unwrap();
    if let Some(lifetime) = row.get("lifetime") {
        issuer = issuer.with_lifetime(Duration::from_secs(lifetime.as_u64().unwrap())).unwrap();
    }
    if let Some(audience) = row.get("audience") {
        issuer = issuer.with_audience(text(audience));
    }
    if let Some(claims) = row.get("claims") {
        issuer = issuer.with_claims(&claims.to_string()).unwrap();
    }
    issuer
}

/// All keys of the texts that the row names.
fn keys(file: &Value, row: &Value) -> Vec<Key> {
    let names = row["keys"].as_array().unwrap().iter();
    names.flat_map(|name| Key::read(text(&file["keys"][text(name)])).unwrap()).collect()
}

fn rows<'a>(file: &'a Value, list: &str) -> &'a [Value] {
    let rows = file[list].as_array().unwrap();
    assert!(rows.len() > 10, "only {} of {list}", rows.len());
    rows
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn jid(jid: &Value) -> Jid {
    Jid::new(text(jid)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn time(seconds: &Value) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.as_u64().unwrap())
}

#[test]
fn a_chat_server_gets_what_it_needs_of_the_newest_key() {
    let file = case::tokens();
    for row in file["server_sides"].as_array().unwrap() {
        let texts = row["keys"].as_array().unwrap().iter().map(|name| text(&file["keys"][text(name)]));
        let keys = texts.map(|key| key.to_owned().into()).collect();
        let jwt = binding::Value::Map(vec![("keys".to_owned(), binding::Value::List(keys))]);
        let server = text(&row["server"]).parse().unwrap();
        let (name, expect) = (&row["name"], &row["expect"]);
        match binding::server_side(server, text(&row["domain"]), jwt) {
            Ok(side) => {
                let side = side.into_iter().map(|(name, value)| match value {
                    binding::Value::Text(text) => (name, Value::from(text.expose())),
                    other => panic!("{other:?}"),
                });
                assert_eq!(&Value::Object(side.collect()), expect, "{name}");
            }
            Err(error) => {
                let ErrorKind::Config { field } = error.kind() else { panic!("{name}: {error:?}") };
                assert_eq!(Some(*field), expect["field"].as_str(), "{name}: {error}");
            }
        }
    }
}
