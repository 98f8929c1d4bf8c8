//! Every argument of credentials, once.

use super::nearest::nearest;
use super::tokens;
use crate::error::{Error, Result, address, shortened};
use crate::named::{NamedValue, Parameter, Value, ValueType};
use crate::sasl::{Credentials, FastToken, MAX_SECRET, ScramHash, XOAuth2Issuer};

use ValueType::{Flag, Record, Text};

type Prove = fn(&NamedValue) -> Result<Credentials>;

struct Argument {
    name: &'static str,
    takes: ValueType,
    about: &'static str,
    /// None if the argument only goes with a proof.
    prove: Option<Prove>,
}

/// Rows: name and type of an argument, the proof that it makes, if it makes one, and what it is.
macro_rules! arguments {
    ($($name:ident: $takes:expr $(=> $prove:expr)?, $about:literal;)+) => {
        &[$(Argument {
            name: stringify!($name), takes: $takes, about: $about, prove: arguments!(@ $($prove)?),
        }),+]
    };
    (@) => { None };
    (@ $prove:expr) => { Some($prove) };
}

static ARGUMENTS: &[Argument] = arguments! {
    password: Text => |given| given.secret().map(Credentials::password),
        "A password, for the strongest mechanism that both sides know: SCRAM, or PLAIN.";
    token: Text => |given| given.secret().map(Credentials::plain),
        "What the server takes as a password, such as a JWT or a one-time token; always sent by PLAIN.";
    jwt: tokens::JWT => |given| tokens::issuer(given).map(Credentials::jwt),
        "What signs a JWT for each call, sent by PLAIN: one or more keys, the newest first.";
    oauthbearer: Text => |given| given.secret().map(Credentials::oauthbearer),
        "An OAuth 2.0 token, sent by OAUTHBEARER.";
    x_oauth2: Text => |given| given.secret().map(Credentials::x_oauth2),
        "An OAuth 2.0 token, sent by X-OAUTH2.";
    x_oauth2_issuer: Record { fields: &["url", "jid", "password"], optional_fields: &["lifetime"] } => |given| {
            let ([url, jid, password], [lifetime]) = given.record_with()?;
            let mut issuer = XOAuth2Issuer::new(&url.text()?, &jid.text()?, password.secret()?)?;
            if let Some(lifetime) = lifetime {
                issuer = issuer.with_lifetime(lifetime.seconds()?)?;
            }
            Ok(Credentials::x_oauth2_issuer(issuer))
        },
        "ejabberd's HTTP API, which issues a token for each user, sent by X-OAUTH2; the account that may ask for it is \
         an administrator's.";
    anonymous: Flag => |given| given.flag().map(|_| Credentials::anonymous()),
        "No account; the JID is only a domain.";
    external: Flag => |given| given.flag().map(|_| Credentials::external()),
        "A client certificate, or a header or cookie that the server looks at.";
    mechanism: Text => |given| {
            let [mechanism, response] = given.pair()?;
            Ok(Credentials::raw(mechanism.text()?, response.secret()?))
        },
        "The name of any mechanism that ends after one message.";
    initial_response: Text,
        "The message that goes with `mechanism`.";
    scram_keys: Record { fields: &["hash", "salt", "iterations", "client_key", "server_key"], optional_fields: &[] } => |given| {
            let [hash, salt, iterations, client_key, server_key] = given.record()?;
            let hash = hash.text()?.parse::<ScramHash>()?;
            let (salt, iterations) = (salt.bytes()?, iterations.count()?);
            Ok(Credentials::scram_keys(hash, salt, iterations, client_key.bytes()?, server_key.bytes()?))
        },
        "What a SCRAM store keeps (RFC 5802 §3), instead of the password.";
    scram_salted_password: Record { fields: &["hash", "salt", "iterations", "salted_password"], optional_fields: &[] } => |given| {
            let [hash, salt, iterations, salted] = given.record()?;
            let hash = hash.text()?.parse::<ScramHash>()?;
            let (salt, iterations) = (salt.bytes()?, iterations.count()?);
            Ok(Credentials::scram_salted_password(hash, salt, iterations, salted.bytes()?))
        },
        "The salted password of a SCRAM store (RFC 5802 §3), instead of the password.";
    fast_token: Text,
        "The token of an earlier session, to try before the proof; it may stand alone.";
    authcid: Text,
        "Another user name to log in under than the JID's.";
    authzid: Text,
        "The identity to act as; some servers trust it more than they should.";
    nickname: Text,
        "The name that other people see, for an account that the option `accounts` makes by ejabberd's API.";
};

impl Credentials {
    /// The arguments that [`from_named`](Self::from_named) takes, as data.
    pub fn arguments() -> impl Iterator<Item = Parameter> {
        ARGUMENTS.iter().map(|argument| Parameter {
            name: argument.name,
            takes: argument.takes,
            is_optional: true,
            default: None,
            about: argument.about,
        })
    }

    /// The credentials that named arguments stand for: exactly one proof, and `authcid`, `authzid` and
    /// `nickname` if wanted. A `fast_token` ([`FastToken::to_text`]) goes with a proof or is one itself.
    /// Arguments without a value, or with the flag false, count as absent.
    ///
    /// The proofs are `password`, `token` ([`plain`](Self::plain)), `oauthbearer`, `x_oauth2`,
    /// the flags `anonymous` and `external`, `mechanism` together with `initial_response`
    /// ([`raw`](Self::raw)), and the maps `jwt` ([`jwt`](Self::jwt): `keys`, one or a list, each as
    /// [`Key::read`](crate::token::Key::read) takes it; if wanted `algorithm`, with which a key may be the secret itself, `lifetime` in seconds,
    /// `audience`, and further `claims` as a map), `x_oauth2_issuer` ([`x_oauth2_issuer`](Self::x_oauth2_issuer): `url`,
    /// `jid`, `password`; if wanted `lifetime` in seconds), `scram_keys` (`hash`, `salt`, `iterations`, `client_key`,
    /// `server_key`) and `scram_salted_password` (`hash`, `salt`, `iterations`, `salted_password`).
    ///
    /// # Errors
    /// `Config` with the argument's name, or `credentials` if there is no proof, more than one, or
    /// an argument of another name.
    pub fn from_named(arguments: impl IntoIterator<Item = (String, Value)>) -> Result<Self> {
        let is_given = |value: &Value| !matches!(value, Value::Nothing | Value::Flag(false));
        let mut given: Vec<_> = arguments.into_iter().filter(|(_, value)| is_given(value)).collect();
        for (name, value) in &given {
            // Before it is copied.
            if let (Some(argument), Value::Text(text)) = (argument(name), value)
                && text.expose().len() > MAX_SECRET
            {
                return Err(Error::config(argument.name, format!("has more than {MAX_SECRET} bytes")));
            }
        }
        let mut take = |name: &str| {
            let at = given.iter().position(|(given, _)| given == name)?;
            Some(given.swap_remove(at).1)
        };
        let raw = [take("mechanism"), take("initial_response")];
        let [fast_token, beside @ ..] =
            ["fast_token", "authcid", "authzid", "nickname"].map(|name| Some((argument(name)?, take(name)?)));
        if raw.iter().any(Option::is_some) {
            let parts = raw.map(|part| part.unwrap_or(Value::from(String::new())));
            given.push(("mechanism".to_owned(), Value::List(parts.into())));
        }
        let mut proofs: Vec<Result<Self>> = Vec::new();
        for (name, value) in given {
            let Some((argument, prove)) = argument(&name).and_then(|it| Some((it, it.prove?))) else {
                return Err(meant_by(&name).unwrap_or_else(one_is_needed));
            };
            proofs.push(prove(&argument.given(value)));
        }
        let fast_token = fast_token
            .map(|(argument, value)| FastToken::from_text(argument.given(value).secret()?.expose()))
            .transpose()?;
        let mut credentials = match (<[_; 1]>::try_from(proofs), fast_token) {
            (Ok([credentials]), None) => credentials?,
            (Ok([credentials]), Some(token)) => credentials?.fast_token(token),
            (Err(proofs), Some(token)) if proofs.is_empty() => Self::fast(token),
            (Err(_), _) => return Err(one_is_needed()),
        };
        for (given, set) in beside.into_iter().zip([Self::authcid, Self::authzid, Self::nickname]) {
            if let Some((argument, value)) = given {
                credentials = set(credentials, argument.given(value).text()?);
            }
        }
        Ok(credentials)
    }
}

impl Argument {
    fn given(&'static self, value: Value) -> NamedValue {
        NamedValue { name: self.name, takes: &self.takes, value }
    }
}

fn argument(name: &str) -> Option<&'static Argument> {
    ARGUMENTS.iter().find(|argument| argument.name == name)
}

pub(super) fn is_name(name: &str) -> bool {
    argument(name).is_some()
}

/// An argument that is mistyped.
fn meant_by(name: &str) -> Option<Error> {
    let known: Vec<_> = ARGUMENTS.iter().map(|argument| argument.name).collect();
    let meant = nearest(name, &known).filter(|meant| *meant != name)?;
    let unknown = shortened(&address(name), 40);
    Some(Error::config("credentials", format!("no argument `{unknown}`; did you mean `{meant}`?")))
}

fn one_is_needed() -> Error {
    let proofs = ARGUMENTS.iter().filter(|argument| argument.prove.is_some());
    let names: Vec<_> = proofs.map(|argument| argument.name).collect();
    Error::config("credentials", format!("one of {} is needed, and only one", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        text.to_owned().into()
    }

    /// A secret of 32 bytes.
    const JWK: &str = r#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;

    const FAST_TOKEN: &str = concat!(
        r#"{"mechanism":"HT-SHA-256-NONE","token":"t","#,
        r#""user_agent":"00000000-0000-4000-8000-000000000000"}"#
    );

    #[test]
    fn exactly_one_proof() {
        let of = |given: &[(&str, Value)]| {
            Credentials::from_named(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())))
        };
        let refusal = |given: &[(&str, Value)]| of(given).unwrap_err().to_string();
        let ignored = [("external", false.into()), ("token", Value::Nothing), ("password", text("a"))];
        assert!(of(&ignored).is_ok());
        for given in [
            &[][..],
            &[("anonymous", false.into())],
            &[("password", text("a")), ("token", text("b"))],
            &[("password", text("a")), ("initial_response", text("b"))],
            &[("password", text("a")), ("token", text("b")), ("fast_token", text(FAST_TOKEN))],
            &[("secret", text("a"))],
            &[("authcid", text("a"))],
        ] {
            assert!(refusal(given).starts_with("credentials: one of password, "), "{given:?}");
        }
        let wanted = "credentials: no argument `pasword`; did you mean `password`?";
        assert_eq!(refusal(&[("pasword", text("a"))]), wanted);
        let keys = Value::Map(vec![("hash".to_owned(), text("SHA-1"))]);
        let wanted = "scram_keys: must be named values: hash, salt, ";
        assert!(refusal(&[("scram_keys", keys)]).starts_with(wanted));
        assert_eq!(refusal(&[("password", 1.into())]), "password: must be text");
    }

    #[test]
    fn a_password_is_no_longer_than_servers_read() {
        for (length, is_taken) in [(MAX_SECRET, true), (MAX_SECRET + 1, false), (2 * MAX_SECRET, false)] {
            let given = [("password".to_owned(), text(&"x".repeat(length)))];
            assert_eq!(Credentials::from_named(given).is_ok(), is_taken, "{length} bytes");
        }
    }

    #[test]
    fn every_argument_is_taken() {
        for argument in Credentials::arguments() {
            let name = argument.name.to_owned();
            let given = match (argument.name, argument.takes) {
                (_, Flag) => vec![(name, true.into())],
                (_, Record { fields, .. }) => {
                    let value = |field: &str| match field {
                        "keys" => text(JWK),
                        "hash" => text("SHA-1"),
                        "iterations" => 4096.into(),
                        "url" => text("https://localhost/api"),
                        "jid" => text("svc@localhost"),
                        _ => text("x"),
                    };
                    let fields = fields.iter().map(|field| ((*field).to_owned(), value(field)));
                    vec![(name, Value::Map(fields.collect()))]
                }
                ("initial_response", _) => vec![("mechanism".to_owned(), text("X")), (name, text("a"))],
                ("fast_token", _) => vec![(name, text(FAST_TOKEN))],
                ("authcid" | "authzid" | "nickname", _) => {
                    vec![("password".to_owned(), text("a")), (name, text("b"))]
                }
                _ => vec![(name, text("a"))],
            };
            assert!(Credentials::from_named(given).is_ok(), "{}", argument.name);
        }
    }
}
