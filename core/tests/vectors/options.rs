//! The shared values of options: what is taken, and what is refused by its name.

use prebind::{Client, Config, Error, ErrorKind};
use serde_json::Value;

use crate::case;

#[test]
fn good_values_are_taken() {
    each("good", |name, value, result| {
        result.unwrap_or_else(|error| panic!("{name} = {value}: {error}"));
    });
}

#[test]
fn bad_values_are_refused_by_their_names() {
    let expected = &case::options()["refused"];
    each("bad", |name, value, result| {
        let error = result.map(drop).expect_err(&format!("{name} = {value} is taken"));
        assert!(matches!(error.kind(), ErrorKind::Config { field } if *field == name), "{error:?}");
        crate::compare(expected, &crate::described(error.to_named())).unwrap();
    });
}

#[test]
fn every_option_has_both() {
    let table = case::options();
    for option in Config::options() {
        for list in ["good", "bad"] {
            let values = table["options"][option.name][list].as_array();
            assert!(values.is_some_and(|values| !values.is_empty()), "{}: {list}", option.name);
        }
    }
    assert_eq!(table["options"].as_object().unwrap().len(), Config::options().count());
}

fn each(list: &str, check: impl Fn(&str, &Value, Result<Client, Error>)) {
    let table = case::options();
    for (name, values) in table["options"].as_object().unwrap() {
        for value in values[list].as_array().unwrap() {
            let option = (name.clone(), case::named(name, value));
            let config = Config::from_named(table["url"].as_str().unwrap(), [option]);
            check(name, value, config.and_then(Client::new));
        }
    }
}
