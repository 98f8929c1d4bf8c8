//! Options and credentials by name, for languages that hand over names and values: a binding
//! converts each argument to a [`Value`], and what may be given, and how, is decided here.

mod value;

use crate::account::Credentials;
use crate::config::{ClientCertificate, Config, Floor, IpFamily};
use crate::error::{Error, Result};
use crate::fast::FastToken;
use crate::sasl::ScramHash;
use crate::secret::Secret;
use value::Given;
pub use value::Value;

type Set = fn(&mut Config, &Given) -> Result<()>;

const OPTIONS: &[(&str, Set)] = &[
    ("lang", |config, given| given.optional(Given::text).map(|lang| config.lang = lang)),
    ("wait", |config, given| given.count().map(|seconds| config.wait = seconds)),
    ("hold", |config, given| given.count().map(|requests| config.hold = requests)),
    ("route", |config, given| given.optional(Given::text).map(|route| config.route = route)),
    ("resource", |config, given| given.optional(Given::text).map(|resource| config.resource = resource)),
    ("floor", |config, given| Floor::from_name(&given.text()?).map(|floor| config.floor = floor)),
    ("digest_md5", |config, given| given.flag().map(|may| config.digest_md5 = may)),
    ("allow_cleartext", |config, given| given.flag().map(|may| config.allow_cleartext = may)),
    ("fast", |config, given| given.flag().map(|may| config.fast = may)),
    ("iterations", |config, given| {
        let [least, most] = given.pair("must be the least and the most, two whole numbers")?;
        config.iterations = least.count()?..=most.count()?;
        Ok(())
    }),
    ("scram_cache", |config, given| given.count().map(|users| config.scram_cache = users)),
    ("headers", |config, given| {
        let headers = given.fields("must be names and their values")?;
        config.headers =
            headers.iter().map(|(name, value)| Ok((name.clone(), value.secret()?))).collect::<Result<_>>()?;
        Ok(())
    }),
    ("ca", |config, given| given.optional(Given::bytes).map(|pem| config.ca = pem)),
    ("client_certificate", |config, given| {
        config.client_certificate = given.optional(certificate)?;
        Ok(())
    }),
    ("proxy", |config, given| given.optional(Given::secret).map(|proxy| config.proxy = proxy)),
    ("ip_family", |config, given| {
        config.ip_family = match given.text()?.as_str() {
            "any" => IpFamily::Any,
            "ipv4" => IpFamily::Ipv4,
            "ipv6" => IpFamily::Ipv6,
            _ => return Err(given.refused("is one of any, ipv4, ipv6")),
        };
        Ok(())
    }),
    ("deadline", |config, given| given.seconds().map(|time| config.deadline = time)),
    ("resolve_timeout", |config, given| given.seconds().map(|time| config.resolve_timeout = time)),
    ("connect_timeout", |config, given| given.seconds().map(|time| config.connect_timeout = time)),
    ("request_timeout", |config, given| given.seconds().map(|time| config.request_timeout = time)),
    ("fail_fast_after", |config, given| given.count().map(|calls| config.fail_fast_after = calls)),
    ("fail_fast_for", |config, given| given.seconds().map(|time| config.fail_fast_for = time)),
    ("max_reply", |config, given| given.count().map(|bytes| config.max_reply = bytes)),
    ("learn", |config, given| given.flag().map(|may| config.learn = may)),
    ("relearn_after", |config, given| given.seconds().map(|time| config.relearn_after = time)),
    ("profile", |config, given| given.optional(Given::text).map(|profile| config.profile = profile)),
];

impl Config {
    /// The names [`from_named`](Self::from_named) takes: those of the fields, without `url`.
    pub fn options() -> impl Iterator<Item = &'static str> {
        OPTIONS.iter().map(|(name, _)| *name)
    }

    /// The configuration for the BOSH endpoint at `url` with these options, and the defaults for others.
    ///
    /// Times are numbers of seconds, `iterations` a list of the least and the most, `headers` a
    /// map, `client_certificate` a list of certificate and key, certificates bytes or text,
    /// `ip_family` one of `any`, `ipv4` and `ipv6`.
    ///
    /// # Errors
    /// As [`new`](Self::new); `Config` with the option's name, or `options` if there is none of that
    /// name, if the value is of another sort. Whether it can work, [`Client::new`](crate::Client::new)
    /// looks at.
    pub fn from_named(url: &str, options: impl IntoIterator<Item = (String, Value)>) -> Result<Self> {
        let mut config = Self::new(url)?;
        options.into_iter().try_for_each(|(name, value)| config.set(&name, value))?;
        Ok(config)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<()> {
        let Some((name, set)) = OPTIONS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = Self::options().collect();
            return Err(Error::config("options", format!("there are only {}", known.join(", "))));
        };
        set(self, &Given { name, value })
    }
}

type Prove = fn(&Given) -> Result<Credentials>;

const PROOFS: &[(&str, Prove)] = &[
    ("password", |given| given.secret().map(Credentials::password)),
    ("token", |given| given.secret().map(Credentials::plain)),
    ("oauthbearer", |given| given.secret().map(Credentials::oauthbearer)),
    ("x_oauth2", |given| given.secret().map(Credentials::x_oauth2)),
    ("anonymous", |given| given.flag().map(|_| Credentials::anonymous())),
    ("external", |given| given.flag().map(|_| Credentials::external())),
    ("mechanism", |given| {
        let [mechanism, response] = given.pair("must be a name and an initial response")?;
        Ok(Credentials::raw(mechanism.text()?, response.secret()?))
    }),
    ("scram_keys", |given| {
        let [hash, salt, iterations, client_key, server_key] =
            given.named(["hash", "salt", "iterations", "client_key", "server_key"])?;
        let hash = ScramHash::from_name(&hash.text()?)?;
        let (salt, iterations) = (salt.bytes()?, iterations.count()?);
        Ok(Credentials::scram_keys(hash, salt, iterations, client_key.bytes()?, server_key.bytes()?))
    }),
    ("scram_salted_password", |given| {
        let [hash, salt, iterations, salted] =
            given.named(["hash", "salt", "iterations", "salted_password"])?;
        let hash = ScramHash::from_name(&hash.text()?)?;
        Ok(Credentials::scram_salted_password(hash, salt.bytes()?, iterations.count()?, salted.bytes()?))
    }),
];

impl Credentials {
    /// The credentials that named arguments stand for: exactly one proof, and `authcid` and
    /// `authzid` if wanted. A `fast_token` ([`FastToken::to_text`]) goes with a proof or is one itself.
    /// Arguments without a value, or with the flag false, count as absent.
    ///
    /// The proofs are `password`, `token` ([`plain`](Self::plain)), `oauthbearer`, `x_oauth2`,
    /// the flags `anonymous` and `external`, `mechanism` together with `initial_response`
    /// ([`raw`](Self::raw)), and the maps `scram_keys` (`hash`, `salt`, `iterations`, `client_key`,
    /// `server_key`) and `scram_salted_password` (`hash`, `salt`, `iterations`, `salted_password`).
    ///
    /// # Errors
    /// `Config` with the argument's name, or `credentials` if there is no proof, more than one, or
    /// an argument of another name.
    pub fn from_named(arguments: impl IntoIterator<Item = (String, Value)>) -> Result<Self> {
        let is_given = |value: &Value| !matches!(value, Value::Nothing | Value::Flag(false));
        let mut given: Vec<_> = arguments.into_iter().filter(|(_, value)| is_given(value)).collect();
        let mut take = |name: &'static str| {
            let at = given.iter().position(|(given, _)| given == name)?;
            Some(Given { name, value: given.swap_remove(at).1 })
        };
        let identity = [take("authcid"), take("authzid")];
        let fast_token = take("fast_token")
            .map(|given| given.secret().and_then(|text| FastToken::from_text(text.expose())))
            .transpose()?;
        let mut proofs: Vec<Result<Self>> = Vec::new();
        let raw = [take("mechanism"), take("initial_response")];
        if raw.iter().any(Option::is_some) {
            let [mechanism, response] =
                raw.map(|part| part.map_or(Value::from(String::new()), |part| part.value));
            given.push(("mechanism".to_owned(), Value::List(vec![mechanism, response])));
        }
        for (name, value) in given {
            let Some((name, prove)) = PROOFS.iter().find(|(known, _)| *known == name) else {
                return Err(one_is_needed());
            };
            proofs.push(prove(&Given { name, value }));
        }
        let mut credentials = match (<[_; 1]>::try_from(proofs), fast_token) {
            (Ok([credentials]), None) => credentials?,
            (Ok([credentials]), Some(token)) => credentials?.fast_token(token),
            (Err(proofs), Some(token)) if proofs.is_empty() => Self::fast(token),
            (Err(_), _) => return Err(one_is_needed()),
        };
        for (given, set) in identity.into_iter().zip([Self::authcid, Self::authzid]) {
            if let Some(given) = given {
                credentials = set(credentials, given.text()?);
            }
        }
        Ok(credentials)
    }
}

fn one_is_needed() -> Error {
    let names: Vec<_> = PROOFS.iter().map(|(name, _)| *name).collect();
    Error::config("credentials", format!("one of {} is needed, and only one", names.join(", ")))
}

fn certificate(given: &Given) -> Result<ClientCertificate> {
    let [chain, key] = given.pair("must be a certificate and its key, both in PEM")?;
    // What is not text is no PEM, which is found out where both are read.
    let key = Secret::from(String::from_utf8_lossy(&key.bytes()?).into_owned());
    Ok(ClientCertificate { chain: chain.bytes()?, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("https://chat.example.org/http-bind").unwrap()
    }

    fn text(text: &str) -> Value {
        text.to_owned().into()
    }

    fn refusal<T>(result: Result<T>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn an_option_of_another_sort_is_refused_by_its_name() {
        for name in Config::options() {
            for value in [Value::Map(vec![(String::new(), Value::Nothing)]), f64::NAN.into()] {
                let said = refusal(config().set(name, value));
                assert!(said.starts_with(&format!("{name}: ")), "{said}");
            }
        }
        assert!(refusal(config().set("deadlin", 3.into())).starts_with("options: "));
        assert_eq!(refusal(config().set("wait", 70_000.into())), "wait: is out of range");
        assert!(refusal(config().set("deadline", (-1).into())).starts_with("deadline: "));
    }

    #[test]
    fn options_have_the_forms_other_languages_have() {
        let mut config = config();
        config.set("deadline", 0.5.into()).unwrap();
        config.set("iterations", Value::List(vec![5000.into(), 6000.into()])).unwrap();
        config.set("headers", Value::Map(vec![("X-Site".to_owned(), text("shop"))])).unwrap();
        config.set("lang", Value::Nothing).unwrap();
        config.set("ca", b"PEM".to_vec().into()).unwrap();
        assert_eq!((config.deadline.as_millis(), config.iterations), (500, 5000..=6000));
        assert_eq!(config.headers, [("X-Site".to_owned(), "shop".into())]);
        assert_eq!((config.lang, config.ca), (None, Some(b"PEM".to_vec())));
    }

    #[test]
    fn exactly_one_proof() {
        let of = |given: &[(&str, Value)]| {
            Credentials::from_named(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())))
        };
        let ignored = [("external", false.into()), ("token", Value::Nothing), ("password", text("a"))];
        assert!(of(&ignored).is_ok());
        for given in [
            &[][..],
            &[("anonymous", false.into())],
            &[("password", text("a")), ("token", text("b"))],
            &[("password", text("a")), ("initial_response", text("b"))],
            &[("pass", text("a"))],
            &[("authcid", text("a"))],
        ] {
            assert!(refusal(of(given)).starts_with("credentials: one of password, "), "{given:?}");
        }
        let keys = Value::Map(vec![("hash".to_owned(), text("SHA-1"))]);
        assert!(refusal(of(&[("scram_keys", keys)])).starts_with("scram_keys: must have hash, salt, "));
        assert!(refusal(of(&[("password", 1.into())])).starts_with("password: must be text"));
    }
}
