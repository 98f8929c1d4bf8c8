use std::fmt::Write as _;
use std::fs;

use super::super::schema::schema_json;
use super::*;
use crate::named::{grouped, json};

mod declarations;

fn config() -> Config {
    Config::new("https://chat.example.org/http-bind").unwrap()
}

fn text(text: &str) -> Value {
    text.to_owned().into()
}

fn pair(first: i64, second: i64) -> Value {
    Value::List(vec![first.into(), second.into()])
}

#[test]
fn the_default_of_an_option_is_the_fields() {
    let mut named = config();
    for option in Config::options() {
        named.set(option.name, option.default.unwrap()).unwrap();
    }
    assert_eq!(named, config());
}

#[test]
fn limits_hold_at_both_ends() {
    for option in Config::options() {
        let inside: &[Value] = &match option.takes {
            ValueType::Count { least, most } => vec![i64::from(least).into(), i64::from(most).into()],
            ValueType::Range { least, most } => vec![pair(least.into(), most.into())],
            ValueType::Seconds { zero: true, most } => vec![0.into(), i64::from(most).into()],
            ValueType::Seconds { zero: false, most } => vec![1e-9.into(), i64::from(most).into()],
            ValueType::Choice { values } => values.iter().map(|name| text(name)).collect(),
            _ => continue,
        };
        let outside: &[Value] = &match option.takes {
            ValueType::Count { least, most } => {
                vec![(i64::from(least) - 1).into(), (i64::from(most) + 1).into()]
            }
            ValueType::Range { least, most } => vec![
                pair(i64::from(least) - 1, most.into()),
                pair(least.into(), i64::from(most) + 1),
                pair(most.into(), least.into()),
            ],
            ValueType::Seconds { zero: true, most } => vec![(-1e-9).into(), (f64::from(most) + 1e-9).into()],
            ValueType::Seconds { most, .. } => vec![0.into(), (f64::from(most) + 1e-9).into()],
            _ => vec![text("")],
        };
        let name = option.name;
        for value in inside {
            let mut config = config();
            config.set(name, value.clone()).unwrap();
            let row = OPTIONS.iter().find(|row| row.name == name).unwrap();
            assert_eq!(json(&(row.value)(&config)), json(value), "{name}");
        }
        for value in outside {
            let error = config().set(name, value.clone()).unwrap_err();
            assert_eq!(error.to_string(), format!("{name}: must be {}", option.takes));
        }
    }
}

#[test]
fn an_option_of_another_type_is_refused_by_its_name() {
    for option in Config::options() {
        for value in [Value::Map(vec![(String::new(), Value::Nothing)]), f64::NAN.into()] {
            let error = config().set(option.name, value).unwrap_err();
            assert_eq!(error.to_string(), format!("{}: must be {}", option.name, option.takes));
        }
        assert_eq!(config().set(option.name, Value::Nothing).is_ok(), option.is_optional, "{}", option.name);
    }
    let refused = |name: &str| config().set(name, 3.into()).unwrap_err().to_string();
    assert_eq!(refused("deadlin"), "options: `deadlin` is none of them; did you mean `deadline`?");
    let listed = refused("colour");
    assert!(listed.starts_with("options: `colour` is none of them; there are only lang, "), "{listed}");
}

#[test]
fn options_have_the_forms_other_languages_have() {
    let mut config = config();
    config.set("deadline", 0.5.into()).unwrap();
    config.set("iterations", pair(5000, 6000)).unwrap();
    config.set("headers", Value::Map(vec![("X-Site".to_owned(), text("shop"))])).unwrap();
    config.set("lang", Value::Nothing).unwrap();
    config.set("ca", b"PEM".to_vec().into()).unwrap();
    assert_eq!((config.deadline.as_millis(), config.iterations), (500, 5000..=6000));
    assert_eq!(config.headers, [("X-Site".to_owned(), "shop".into())]);
    assert_eq!((config.lang, config.ca), (None, Some(b"PEM".to_vec())));
}

#[test]
fn each_is_described_in_one_sentence() {
    for parameter in Config::options().chain(crate::Credentials::arguments()) {
        let (name, about) = (parameter.name, parameter.about);
        assert!(about.ends_with('.') && !about.contains(". "), "{name}: {about}");
    }
}

#[test]
fn the_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_str(&schema_json()).unwrap();
    let wait = serde_json::json!({
        "name": "wait", "type": "count", "least": 1, "most": 65535, "optional": false, "default": 55,
        "about": Config::options().nth(1).unwrap().about,
    });
    assert_eq!(schema["options"][1], wait);
    assert_eq!(schema["credentials"][0]["name"], "password");
    assert_eq!(schema["credentials"][0].get("default"), None);
    let sid = serde_json::json!({
        "name": "sid", "type": "text", "optional": false, "secret": true, "about": "The session ID.",
    });
    assert_eq!(schema["session"][1], sid);
    let status = serde_json::json!({
        "name": "status", "type": "count", "optional": false, "secret": false, "kinds": ["Http"],
        "about": "The HTTP status.",
    });
    assert!(schema["error"].as_array().unwrap().contains(&status));
    assert_eq!(schema["errors"][0], "Config");
}

fn file(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// In words.
fn default_of(option: &Parameter) -> String {
    let words = in_words(option.default.as_ref().unwrap());
    if matches!(option.takes, ValueType::Seconds { .. }) { format!("{words} s") } else { words }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Nothing => "none".to_owned(),
        Value::Flag(flag) => flag.to_string(),
        Value::Whole(number) => grouped(u32::try_from(*number).unwrap()),
        Value::Text(text) => format!("`{}`", text.expose()),
        Value::List(values) => values.iter().map(in_words).collect::<Vec<_>>().join(" to "),
        Value::Map(fields) if fields.is_empty() => "none".to_owned(),
        other => panic!("no words for a {other:?}"),
    }
}
