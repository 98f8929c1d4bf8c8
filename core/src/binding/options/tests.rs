use std::fmt::Write as _;
use std::fs;

use super::super::parameter::{grouped, json};
use super::super::schema::schema_json;
use super::*;

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
fn every_field_is_an_option() {
    macro_rules! fields {
        ($($field:ident)+) => {{
            // Does not compile while a field is missing here.
            let Config { url: _, $($field: _),+ } = config();
            [$(stringify!($field)),+]
        }};
    }
    let fields = fields! {
        lang wait hold route resource weakest_mechanism digest_md5 allow_cleartext fast_tokens iterations scram_cache headers ca
        client_certificate proxy ip_family deadline resolve_timeout connect_timeout request_timeout
        max_calls workers max_host_calls fail_fast_after fail_fast_for max_reply learn relearn_after profile
    };
    let names: Vec<_> = Config::options().map(|option| option.name).collect();
    assert_eq!(names, fields);
}

#[test]
fn the_default_of_an_option_is_the_fields() {
    let mut named = config();
    for option in Config::options() {
        named.set(option.name, option.default.unwrap()).unwrap();
    }
    assert_eq!(named, config());
    named.check().unwrap();
}

/// The limits in the table are those of the field, and both ways to set one know them.
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
            config.check().unwrap();
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
fn fields_beyond_the_limits_are_refused() {
    type Change = fn(&mut Config);
    let changes: [(&str, Change); 9] = [
        ("wait", |config| config.wait = 0),
        ("hold", |config| config.hold = 0),
        ("iterations", |config| config.iterations = 0..=0),
        ("iterations", |config| config.iterations = RangeInclusive::new(2, 1)),
        ("deadline", |config| config.deadline = Duration::ZERO),
        ("deadline", |config| config.deadline = Duration::from_millis(3_600_001)),
        ("deadline", |config| config.deadline = Duration::MAX),
        ("fail_fast_for", |config| config.fail_fast_for = Duration::MAX),
        ("max_reply", |config| config.max_reply = 0),
    ];
    for (field, change) in changes {
        let mut config = config();
        change(&mut config);
        let error = config.check().unwrap_err();
        assert!(error.to_string().starts_with(&format!("{field}: must be ")), "{error}");
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

#[test]
fn the_readme_tells_the_defaults() {
    let readme = file("../README.md");
    let (_, table) = readme.split_once("| field | default | |\n|---|---|---|\n").unwrap();
    let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 5, "{rows:?}");
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let names = cells[1].split(' ').map(|name| name.trim_matches('`'));
        let options = names.map(|name| Config::options().find(|option| option.name == name).unwrap());
        let defaults: Vec<_> = options.map(|option| default_of(&option)).collect();
        assert_eq!(cells[2], defaults.join(", "), "{}", cells[1]);
    }
}

/// What rustdoc shows of a field tells its default.
#[test]
fn the_fields_documentation_tells_the_defaults() {
    let source = file("src/config.rs");
    for option in Config::options() {
        let (above, _) = source.split_once(&format!("    pub {}: ", option.name)).unwrap();
        let lines: Vec<&str> = above.lines().rev().map_while(|line| line.strip_prefix("    /// ")).collect();
        let comment = lines.into_iter().rev().collect::<Vec<_>>().join(" ") + " ";
        let said =
            comment.split_once("Default ").or_else(|| comment.split_once("default ")).map(|(_, said)| {
                let ends = [". ", ", ", "; ", ": "].iter().filter_map(|end| said.find(end));
                // A link leads to the variant.
                let said = &said[..ends.min().unwrap()];
                said.split_once("](").map_or(said, |(name, _)| name.trim_start_matches('['))
            });
        let default = default_of(&option);
        let is_unsaid = default == "none" && said.is_none();
        assert!(is_unsaid || said == Some(&default), "{}: default {default}, but: {comment}", option.name);
    }
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
