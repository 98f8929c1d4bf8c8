//! Examples of every message about an offer that no shared case produces.

use super::choice::{Uses, Way};
use crate::account::Account;
use crate::config::{Config, PasswordMechanism};
use crate::error::Error;
use crate::sasl::{Credentials, FastToken, ScramHash, XOAuth2Issuer};
use crate::token::{Algorithm, Issuer, Key};
use crate::wire::sasl2::Offer;
use crate::wire::stanza::Features;

const HTTP: &str = "http://chat.example.org/http-bind";
const HTTPS: &str = "https://chat.example.org/http-bind";

/// The errors for offers that do not fit the credentials.
pub(crate) fn examples() -> Vec<Error> {
    let offer = |mechanisms: &[&str]| {
        let mechanisms = mechanisms.iter().map(|name| (*name).to_owned()).collect();
        Features { mechanisms, ..Features::default() }
    };
    let mut errors = Vec::new();
    let mut choose =
        |url: &str, weakest_mechanism, credentials: Credentials, features: &Features, expects_scram| {
            let config = Config { weakest_mechanism, ..Config::new(url).unwrap() };
            let account = Account::new("alice@example.org", credentials).unwrap();
            errors.push(
                Way::choose(&config, &account, features, Uses::Sasl2AndToken, expects_scram).unwrap_err(),
            );
        };
    choose(HTTPS, PasswordMechanism::Plain, Credentials::password("secret"), &offer(&["PLAIN"]), true);
    let mut of = |url: &str, weakest_mechanism, credentials, features: &Features| {
        choose(url, weakest_mechanism, credentials, features, false);
    };
    let password = || Credentials::password("secret");
    let (plain, scram) = (PasswordMechanism::Plain, PasswordMechanism::ScramSha256);
    for (url, weakest_mechanism, offered) in [
        (HTTP, plain, "PLAIN"),
        (HTTP, plain, "DIGEST-MD5"),
        (HTTPS, plain, "DIGEST-MD5"),
        (HTTPS, scram, "PLAIN"),
        (HTTPS, scram, "DIGEST-MD5"),
        (HTTPS, plain, "GSSAPI"),
        (HTTPS, plain, "ANONYMOUS"),
        (HTTPS, plain, "OAUTHBEARER"),
        (HTTPS, plain, "SCRAM-SHA-1-PLUS"),
    ] {
        of(url, weakest_mechanism, password(), &offer(&[offered]));
    }
    of(HTTPS, scram, Credentials::plain("secret"), &offer(&["PLAIN"]));
    let issuer = XOAuth2Issuer::new("https://chat.example.org/api", "svc@example.org", "secret").unwrap();
    of(HTTPS, plain, Credentials::x_oauth2_issuer(issuer), &offer(&["GSSAPI"]));
    for url in [HTTP, HTTPS] {
        of(url, plain, password(), &offer(&[]));
        of(url, plain, password(), &Features { starttls: true, ..offer(&[]) });
    }
    of(HTTPS, plain, password(), &Features { has_iq_auth: true, ..offer(&[]) });
    let sasl2 = Features {
        sasl2: Some(Offer { mechanisms: vec!["PLAIN".to_owned()], bind: true, ..Offer::default() }),
        ..offer(&[])
    };
    of(HTTPS, plain, password(), &sasl2);
    of(HTTPS, plain, password().authzid("bob"), &sasl2);
    let token = FastToken::issued("token", None, "d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap();
    let keys = Credentials::scram_salted_password(ScramHash::Sha256, "salt", 4096, vec![1; 32]);
    for credentials in [
        Credentials::plain("secret"),
        Credentials::jwt(Issuer::new([Key::from_secret(Algorithm::Hs256, [7; 32]).unwrap()]).unwrap()),
        keys,
        Credentials::oauthbearer("secret"),
        Credentials::x_oauth2("secret"),
        Credentials::anonymous(),
        Credentials::external(),
        Credentials::raw("X-OWN", "secret"),
        Credentials::fast(token),
    ] {
        of(HTTPS, plain, credentials, &offer(&["GSSAPI"]));
    }
    errors
}
