//! Tokens, by what the argument `jwt` of credentials takes.

use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::error::{Error, Result, parsed};
use crate::jid::Jid;
use crate::named::{NamedValue, Value, ValueType, json};
use crate::secret::Secret;
use crate::text::named;
use crate::token::{Algorithm, Issuer, Key, Refusal, ServerSide, Verifier};

/// What the argument takes.
pub(super) const JWT: ValueType = ValueType::Record {
    fields: &["keys"],
    optional_fields: &["algorithm", "lifetime", "audience", "claims", "once"],
};

/// A token for an account, by what the argument `jwt` of
/// [`Credentials::from_named`](crate::Credentials::from_named) takes. It is for clients that log in by themselves, such
/// as a page that opens a WebSocket.
///
/// # Errors
/// `Config` if the argument is wrong, or as [`Issuer::issue`].
pub fn issue_token(jid: &str, jwt: Value, now: SystemTime) -> Result<Secret> {
    issuer(&named(jwt))?.issue(&Jid::new(jid)?, now)
}

/// Why the token of an account that logs in is refused, if it is: for the address where a site answers what a chat
/// server asks. `jwt` is what issued it; `lifetime`, `once` and `claims` are ignored, and public keys will do. `now` is in
/// seconds since 1970.
///
/// # Errors
/// `Config` if the argument is wrong.
pub fn refusal_of_token(token: &str, jid: &str, jwt: Value, now: u64) -> Result<Option<Refusal>> {
    // No token is valid later than that, whatever was given.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.min(u32::MAX.into()));
    let verifier = verifier(jwt)?;
    // What is no JID has no token.
    let Ok(jid) = Jid::new(jid) else { return Ok(Some(Refusal::OtherUser)) };
    Ok(verifier.verify_of(&jid, token, now).err())
}

/// A new key as a private JWK, for HS256 unless an algorithm is named. Its ID is random unless one is given.
///
/// # Errors
/// `Config` if there is no such algorithm, or as [`Key::generate`].
pub fn new_key(algorithm: Option<&str>, id: Option<&str>) -> Result<Secret> {
    Key::generate(algorithm.map_or(Ok(Algorithm::default()), str::parse)?, id)
}

named! {
    /// The chat servers that verify tokens with the key of a site.
    ChatServer {
        /// ejabberd, by `auth_method: jwt`.
        Ejabberd = "ejabberd",
        /// Prosody, by the module `mod_auth_prebind`.
        Prosody = "prosody",
    }
}

parsed!(ChatServer, "server");

/// What a chat server needs to verify the tokens that the argument `jwt` issues for a domain, by names: the fields of
/// [`ServerSide`], and its `instructions`. Only the newest key is looked at.
///
/// # Errors
/// `Config` if the argument is wrong, or as [`Key::for_ejabberd`] and [`Key::for_prosody`].
pub fn server_side(server: ChatServer, domain: &str, jwt: Value) -> Result<Vec<(String, Value)>> {
    let ([keys], [algorithm, _, _, _, _]) = named(jwt).record_with()?;
    let keys = all_keys(&keys, algorithm)?;
    // It says what is wrong with too few keys or too many.
    Verifier::new(keys.clone())?;
    let newest = &keys[0];
    let side = match server {
        ChatServer::Ejabberd => newest.for_ejabberd(domain)?,
        ChatServer::Prosody => newest.for_prosody(domain)?,
    };
    let instructions = side.instructions();
    let ServerSide { path, file, configuration, reload } = side;
    let fields = [
        ("path", path.into()),
        ("file", Value::Text(file)),
        ("configuration", configuration.into()),
        ("reload", reload.to_owned().into()),
        ("instructions", Value::Text(instructions)),
    ];
    Ok(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

/// What verifies the tokens that the argument `jwt` issues.
pub(super) fn verifier(jwt: Value) -> Result<Verifier> {
    let ([keys], [algorithm, _, audience, _, _]) = named(jwt).record_with()?;
    let verifier = Verifier::new(all_keys(&keys, algorithm)?)?;
    Ok(match audience {
        Some(audience) => verifier.with_audience(audience.text()?),
        None => verifier,
    })
}

fn named(jwt: Value) -> NamedValue {
    NamedValue { name: "jwt", takes: &JWT, value: jwt }
}

/// What the argument `jwt` stands for.
pub(super) fn issuer(given: &NamedValue) -> Result<Issuer> {
    let ([keys], [algorithm, lifetime, audience, claims, once]) = given.record_with()?;
    let mut issuer = Issuer::new(all_keys(&keys, algorithm)?)?;
    if let Some(lifetime) = lifetime {
        issuer = issuer.with_lifetime(lifetime.seconds()?)?;
    }
    if let Some(audience) = audience {
        issuer = issuer.with_audience(audience.text()?);
    }
    if let Some(once) = once
        && once.flag()?
    {
        issuer = issuer.with_ids();
    }
    match claims.map(|claims| claims.value) {
        None => Ok(issuer),
        Some(claims @ Value::Map(_)) => issuer.with_claims(&json(&claims).to_string()),
        Some(_) => Err(given.refused()),
    }
}

/// The keys of all texts.
fn all_keys(keys: &NamedValue, algorithm: Option<NamedValue>) -> Result<Vec<Key>> {
    let algorithm = algorithm.map(|algorithm| algorithm.text()?.parse()).transpose()?;
    let mut all = Vec::new();
    for key in keys.each() {
        let bytes = Zeroizing::new(key.bytes()?);
        all.extend(read_keys(&bytes, algorithm)?);
    }
    Ok(all)
}

/// The keys that a text holds, or the one that the bytes are themselves.
fn read_keys(bytes: &[u8], algorithm: Option<Algorithm>) -> Result<Vec<Key>> {
    let text = str::from_utf8(bytes).ok();
    let written = text.filter(|text| text.trim_start().starts_with('{') || text.contains("-----BEGIN "));
    match (written, algorithm) {
        // A secret's; a JWK or PEM has its own.
        (Some(text), None | Some(Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512)) => Key::read(text),
        (Some(text), Some(algorithm)) => {
            let keys = Key::read(text)?;
            let is_fitting = keys.iter().all(|key| key.algorithm() == algorithm);
            if is_fitting {
                Ok(keys)
            } else {
                Err(Error::config(
                    "jwt",
                    format!("a key is not for {algorithm}: leave `algorithm` out of `jwt`"),
                ))
            }
        }
        (None, Some(algorithm)) => Ok(vec![Key::from_secret(algorithm, bytes)?]),
        (None, None) => Err(Error::config(
            "jwt",
            "a key is neither a JWK nor PEM: if it is the secret itself, name its algorithm, such as HS256",
        )),
    }
}

#[cfg(test)]
mod tests {

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::account::Account;
    use crate::sasl::Credentials;

    fn text(text: &str) -> Value {
        text.to_owned().into()
    }

    /// A secret of 32 bytes.
    const JWK: &str = r#"{"kty":"oct","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    const SECRET: &str = "a secret that has 32 bytes, or more";

    /// The claims of a token that named arguments have issued, and its header, or why there is none.
    fn jwt(given: &[(&str, Value)]) -> Result<[serde_json::Value; 2]> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let given = Value::Map(given);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        let alone = issue_token("alice@example.org/phone", given.clone(), now)?;
        let credentials = Credentials::from_named([("jwt".to_owned(), given)])?;
        let account = Account::new("alice@example.org", credentials)?;
        let token = account.issued(now)?.credentials().secrets().next().unwrap().to_owned();
        let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        let parts =
            [(); 2].map(|()| serde_json::from_slice::<serde_json::Value>(&parts.next().unwrap()).unwrap());
        assert_eq!(alone.expose() == token, parts[1].get("jti").is_none(), "only an ID differs");
        Ok(parts)
    }

    #[test]
    fn what_signs_tokens_is_given_by_name() {
        let list = |keys: &[&str]| Value::List(keys.iter().map(|key| text(key)).collect());
        let [header, claims] = jwt(&[("keys", text(JWK))]).unwrap();
        assert_eq!(header, json!({"alg": "HS256", "kid": "a", "typ": "JWT"}));
        let times = json!({"jid": "alice@example.org", "sub": "alice", "iat": 7, "nbf": 7, "exp": 67});
        assert_eq!(claims, times);
        let more =
            Value::Map(vec![("iss".to_owned(), text("site")), ("n".to_owned(), Value::List(vec![1.into()]))]);
        let given = [
            ("keys", list(&[SECRET, SECRET])),
            ("algorithm", text("HS256")),
            ("lifetime", 5.into()),
            ("audience", text("chat")),
            ("claims", more),
        ];
        let [header, claims] = jwt(&given).unwrap();
        assert_eq!(header, json!({"alg": "HS256", "typ": "JWT"}));
        assert_eq!(
            (&claims["exp"], &claims["aud"], &claims["iss"]),
            (&json!(12), &json!("chat"), &json!("site"))
        );
        assert_eq!(claims["n"], json!([1]));
        for (once, length) in [(true, Some(22)), (false, None)] {
            let [_, claims] = jwt(&[("keys", text(JWK)), ("once", once.into())]).unwrap();
            assert_eq!(claims["jti"].as_str().map(str::len), length);
        }
        let nothing =
            ["algorithm", "lifetime", "audience", "claims", "once"].map(|name| (name, Value::Nothing));
        assert_eq!(jwt(&[&[("keys", text(JWK))][..], &nothing].concat()).unwrap()[1], times);
        assert!(
            jwt(&[("keys", list(&[JWK, SECRET])), ("algorithm", text("HS256"))]).is_ok(),
            "a JWK has its own"
        );
        assert!(jwt(&[("keys", SECRET.as_bytes().to_vec().into()), ("algorithm", text("HS256"))]).is_ok());
    }

    #[test]
    fn what_signs_no_tokens_is_refused() {
        let refused = |given: &[(&str, Value)]| jwt(given).unwrap_err().to_string();
        let with = |name: &'static str, value| [("keys", text(JWK)), (name, value)];
        for (told, start) in [
            (refused(&[]), "jwt: must be named values: keys, and if wanted algorithm, "),
            (refused(&[("keys", Value::Nothing)]), "jwt: must be named values: "),
            (refused(&with("life", 5.into())), "jwt: must be named values: "),
            (refused(&[("keys", 5.into())]), "jwt: must be named values: "),
            (refused(&[("keys", Value::List(Vec::new()))]), "key: tokens are signed by 1 to 32 keys"),
            (refused(&[("keys", Value::Map(Vec::new()))]), "key: tokens are signed by 1 to 32 keys"),
            (refused(&[("keys", text(SECRET))]), "jwt: a key is neither a JWK nor PEM: "),
            (refused(&with("algorithm", text("ES256"))), "jwt: a key is not for ES256: "),
            (refused(&with("algorithm", text("none"))), "algorithm: is one of HS256, "),
            (refused(&with("lifetime", 0.into())), "lifetime: is 1 second to 1 day"),
            (refused(&with("lifetime", text("5"))), "jwt: must be named values: "),
            (refused(&with("audience", 5.into())), "jwt: must be named values: "),
            (refused(&with("once", 1.into())), "jwt: must be named values: "),
            (refused(&with("claims", text("{}"))), "jwt: must be named values: "),
            (
                refused(&with("claims", Value::Map(vec![("exp".to_owned(), 1.into())]))),
                "claims: must not have jid, ",
            ),
        ] {
            assert!(told.starts_with(start), "{told}");
            assert!(!told.contains("secret that") && !told.contains("AAAA"), "{told}");
        }
    }

    #[test]
    fn a_new_key_has_the_algorithm_and_the_id_that_are_asked_for() {
        let made = |algorithm, id| Key::from_jwk(new_key(algorithm, id).unwrap().expose()).unwrap();
        assert_eq!(made(None, Some("2026-11")).id(), Some("2026-11"));
        assert_eq!(made(None, None).algorithm(), Algorithm::Hs256);
        assert_eq!(made(Some("ES256"), None).algorithm(), Algorithm::Es256);
        for (algorithm, start) in
            [("RS256", "algorithm: RSA keys are not made here"), ("x", "algorithm: is one of")]
        {
            let error = new_key(Some(algorithm), None).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn a_chat_server_is_given_the_newest_key() {
        let list = |keys: &[&str]| Value::List(keys.iter().map(|key| text(key)).collect());
        let side = |keys| {
            server_side(ChatServer::Prosody, "example.org", Value::Map(vec![("keys".to_owned(), keys)]))
        };
        let other = JWK.replace("\"a\"", "\"b\"");
        let side_of_both = side(list(&[&other, JWK])).unwrap();
        assert!(
            matches!(&side_of_both[0].1, Value::Text(path) if path.expose() == "/etc/prosody/site-keys/b.jwk")
        );
        assert!(side(list(&[])).unwrap_err().to_string().starts_with("key: "));
        assert!(server_side(ChatServer::Ejabberd, "example.org", Value::Nothing).is_err());
    }

    #[test]
    fn what_issued_a_token_tells_whose_it_is() {
        let jwt = |audience: Value| {
            let given = [("keys", text(SECRET)), ("algorithm", text("HS256")), ("audience", audience)];
            Value::Map(given.map(|(name, value)| (name.to_owned(), value)).into())
        };
        let issued = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        let token = issue_token("alice@example.org", jwt(text("chat")), issued).unwrap();
        for (jid, audience, seconds, refusal) in [
            ("Alice@example.org/phone", text("chat"), 66, None),
            ("alice@example.org", Value::Nothing, 66, Some(Refusal::Audience)),
            ("alice@example.org", text("chat"), 67, Some(Refusal::Expired)),
            ("alice@example.org", text("chat"), u64::MAX, Some(Refusal::Expired)),
            ("alice@example.org", text("mail"), 66, Some(Refusal::Audience)),
            ("bob@example.org", text("chat"), 66, Some(Refusal::OtherUser)),
            ("@", text("chat"), 66, Some(Refusal::OtherUser)),
        ] {
            let found = refusal_of_token(token.expose(), jid, jwt(audience), seconds).unwrap();
            assert_eq!(found, refusal, "{jid}");
        }
        assert!(refusal_of_token(token.expose(), "alice@example.org", Value::Nothing, 7).is_err());
    }
}
