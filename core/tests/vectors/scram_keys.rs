//! `scram-derived.json`: the keys that are derived from passwords.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prebind::binding::{Value, scram_keys};
use prebind::{ErrorKind, ScramKeys, Secret};

use crate::case;

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap()
}

fn given(row: &serde_json::Value) -> Vec<(String, Value)> {
    let names = ["hash", "password", "iterations", "salt"];
    let given = names.iter().filter_map(|name| Some((*name, row.get(*name)?)));
    given.map(|(name, value)| (name.to_owned(), case::named(name, value))).collect()
}

#[test]
fn keys_are_derived_as_the_specifications_say() {
    let file = case::scram_keys();
    for row in file["derived"].as_array().unwrap() {
        let salt = STANDARD.decode(text(&row["salt"])).unwrap();
        let (hash, count) = (text(&row["hash"]).parse().unwrap(), row["iterations"].as_u64().unwrap());
        let password = Secret::from(text(&row["password"]));
        let keys = ScramKeys::derive(hash, &password, Some(&salt), count.try_into().unwrap()).unwrap();
        let by_name = scram_keys(given(row)).unwrap();
        for (name, key) in [
            ("client_key", keys.client_key()),
            ("server_key", keys.server_key()),
            ("stored_key", keys.stored_key()),
        ] {
            assert_eq!(STANDARD.encode(key), text(&row[name]), "{}: {name}", row["name"]);
            let (_, named) = by_name.iter().find(|(named, _)| named == name).unwrap();
            assert!(matches!(named, Value::Bytes(bytes) if ***bytes == *key), "{}: {name}", row["name"]);
        }
    }
}

#[test]
fn what_makes_no_keys_is_refused() {
    for row in case::scram_keys()["refused"].as_array().unwrap() {
        let error = scram_keys(given(row)).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Config { field } if *field == text(&row["field"])),
            "{}: {error}",
            row["name"]
        );
    }
}
