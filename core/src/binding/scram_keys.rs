//! SCRAM keys by name.

use crate::error::Result;
use crate::named::{NamedValue, Value, ValueType};
use crate::sasl::{ScramHash, ScramKeys};

const TAKES: ValueType =
    ValueType::Record { fields: &["hash", "password", "iterations"], optional_fields: &["salt"] };

/// Derives the SCRAM keys of a password, by named values: `hash`, `password`, `iterations` and, if the server has one for
/// the account, its `salt`. What comes back is named as the argument `scram_keys` of
/// [`Credentials::from_named`](crate::Credentials::from_named) takes it, and `stored_key`, which the server keeps.
///
/// # Errors
/// As [`ScramKeys::derive`].
pub fn scram_keys(given: Vec<(String, Value)>) -> Result<Vec<(String, Value)>> {
    let given = NamedValue { name: "scram_keys", takes: &TAKES, value: Value::Map(given) };
    let ([hash, password, iterations], [salt]) = given.record_with()?;
    let hash = hash.text()?.parse::<ScramHash>()?;
    let salt = salt.map(|salt| salt.bytes()).transpose()?;
    let keys = ScramKeys::derive(hash, &password.secret()?, salt.as_deref(), iterations.count()?)?;
    let [client, server] = keys.secrets();
    let fields = [
        ("hash", hash.hash_name().to_owned().into()),
        ("salt", keys.salt().to_vec().into()),
        ("iterations", i64::from(keys.iterations()).into()),
        ("client_key", Value::Bytes(client)),
        ("server_key", Value::Bytes(server)),
        ("stored_key", keys.stored_key().to_vec().into()),
    ];
    Ok(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::sasl::Credentials;

    fn text(text: &str) -> Value {
        text.to_owned().into()
    }

    fn derive(fields: &[(&str, Value)]) -> Result<Vec<(String, Value)>> {
        scram_keys(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn what_comes_back_proves_an_account() {
        let given = [("hash", text("SHA-256")), ("password", text("pencil")), ("iterations", 4096.into())];
        let mut keys = derive(&given).unwrap();
        assert_eq!(keys.pop().unwrap().0, "stored_key");
        assert!(matches!(&keys[0].1, Value::Text(hash) if hash.expose() == "SHA-256"));
        let credentials = Credentials::from_named([("scram_keys".to_owned(), Value::Map(keys))]).unwrap();
        assert!(Account::new("alice@example.org", credentials).is_ok());
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        let all = || vec![("hash", text("SHA-1")), ("password", text("x")), ("iterations", 4096.into())];
        for (name, value, told) in [
            ("hash", text("MD5"), "hash: is one of"),
            ("password", Value::Nothing, "scram_keys: must be named values: hash, password, iterations"),
            ("iterations", text("4096"), "scram_keys: must be named values"),
            ("salt", 5.into(), "scram_keys: must be named values"),
            ("salts", text("s"), "scram_keys: must be named values"),
        ] {
            let mut given = all();
            given.retain(|(other, _)| *other != name);
            given.push((name, value));
            let error = derive(&given).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
