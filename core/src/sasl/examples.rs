//! Every message about a login that the shared cases do not come to.

use super::digest_md5::DigestMd5;
use super::*;
use crate::account::Credentials;
use crate::config::PasswordMechanism;
use crate::error::Stage;
use crate::fast::FastToken;
use crate::wire::sasl2::Offer;

const HTTP: &str = "http://chat.example.org/http-bind";
const HTTPS: &str = "https://chat.example.org/http-bind";

pub(crate) fn examples() -> Vec<Error> {
    let mut errors = offers();
    errors.extend(challenges());
    errors
}

/// Offers that no credentials fit.
fn offers() -> Vec<Error> {
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
    let keys = Credentials::scram_salted_password(ScramHash::Sha256, "salt", 4096, vec![1; 32]);
    for credentials in [
        Credentials::plain("secret"),
        keys,
        Credentials::oauthbearer("secret"),
        Credentials::x_oauth2("secret"),
        Credentials::anonymous(),
        Credentials::external(),
        Credentials::raw("X-OWN", "secret"),
        Credentials::fast(token()),
    ] {
        of(HTTPS, plain, credentials, &offer(&["GSSAPI"]));
    }
    errors
}

fn token() -> FastToken {
    FastToken::issued("token", None, "d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap()
}

/// What the server says in the course of a login.
fn challenges() -> Vec<Error> {
    let random = Random::fixed(1000, "nonce");
    let config = Config::new(HTTPS).unwrap();
    let account = Account::new("alice@example.org", Credentials::password("secret")).unwrap();
    let mut errors = Vec::new();
    for challenge in [
        "r=nonce1,s=c2FsdA==,i=700000",
        "r=nonce1,s=c2FsdA==,i=1",
        "r=nonce1,s=c2FsdA==,i=0",
        "r=nonce1,s=,i=4096",
        "r=other,s=c2FsdA==,i=4096",
        "r=nonce1\u{1},s=c2FsdA==,i=4096",
        "m=x,r=nonce1,s=c2FsdA==,i=4096",
        "s=c2FsdA==,i=4096",
        "r=nonce1,s=c2FsdA==,i=4096,i=4096",
        "r=nonce1,s=c2FsdA==,i=4096,h=x",
        "x",
    ] {
        let mut scram = Scram::new(ScramHash::Sha1, &account, config.iterations.clone(), &random);
        errors.extend(scram.respond(challenge.as_bytes(), Means::default()).err());
    }
    for proof in ["v=????", "v=AAAA", "v=AAAA,v=AAAA", "x=1", "e=other-error"] {
        let mut scram = Scram::new(ScramHash::Sha1, &account, config.iterations.clone(), &random);
        scram.respond(b"r=nonce1,s=c2FsdA==,i=4096", Means::default()).unwrap();
        errors.extend(scram.respond(proof.as_bytes(), Means::default()).err());
    }
    let keys = Credentials::scram_salted_password(ScramHash::Sha1, "salt", 5000, vec![1; 20]);
    let stored = Account::new("alice@example.org", keys).unwrap();
    let mut scram = Scram::new(ScramHash::Sha1, &stored, config.iterations.clone(), &random);
    errors.extend(scram.respond(b"r=nonce1,s=c2FsdA==,i=4096", Means::default()).err());
    let mut scram = Scram::new(ScramHash::Sha1, &account, config.iterations.clone(), &random);
    errors.extend(scram.respond(b"\xff", Means::default()).err());

    let digest = || DigestMd5::new(&account, "secret".into(), &random);
    for challenge in [
        "",
        "nonce=\"a\",qop=auth-conf,algorithm=md5-sess",
        "nonce=\"a\",algorithm=md5",
        "nonce",
        "nonce=\"a",
        "nonce=a,nonce=b",
    ] {
        errors.extend(digest().respond(challenge.as_bytes(), Means::default()).err());
    }
    errors.extend(digest().respond(b"\xff", Means::default()).err());
    let mut digest = digest();
    digest.respond(b"nonce=\"a\",algorithm=md5-sess", Means::default()).unwrap();
    errors.extend(digest.respond(b"rspauth=0", Means::default()).err());

    let hashed = HashedToken::new("alice", &token());
    errors.extend(hashed.finish(Some(b"x")).err());
    errors.extend(hashed.finish(None).err());
    let bearer = Credentials::oauthbearer("secret");
    let account = Account::new("alice@example.org", bearer).unwrap();
    let mut bearer = OAuthBearer::new(&account, &"secret".into());
    errors.extend(bearer.respond(b"x").err());
    let anonymous = Account::new("example.org", Credentials::anonymous()).unwrap();
    let mut anonymous = Mechanism::start("ANONYMOUS", &config, &anonymous, &random).unwrap();
    errors.extend(anonymous.respond(b"", Means::default()).err());
    errors.extend(Mechanism::start("PLAIN", &config, &account, &random).err());
    errors.push(Error::protocol(Stage::Authenticate, "no SASL challenge", "one"));
    errors
}
