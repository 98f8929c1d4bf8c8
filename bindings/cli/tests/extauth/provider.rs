//! The tokens of an identity provider.

use std::time::SystemTime;

use faults::{Reply, Server};
use prebind::Jid;
use prebind::token::{Algorithm, Issuer, Key};

use crate::support::{NEW, Program, jwk, signed};

const ISSUER: &str = "https://id.example.org";

/// A key pair of the provider.
fn key(id: &str) -> Key {
    Key::from_jwk(Key::generate(Algorithm::Es256, Some(id)).expect("there are random numbers").expose())
        .expect("it is a key")
}

/// What the provider publishes.
fn published(keys: &[&str]) -> Reply {
    Reply::new(200, format!("{{\"keys\":[{}]}}", keys.join(","))).header("Content-Type", "application/json")
}

fn public(key: &Key) -> String {
    key.verifying_jwk().expose().to_owned()
}

/// A token of the provider for alice.
fn token(key: &Key, audience: &str) -> String {
    let issuer = Issuer::new([key.clone()]).expect("it signs").with_audience(audience);
    let issuer = issuer.with_claims(&format!("{{\"iss\":\"{ISSUER}\"}}")).expect("it is a claim");
    let alice = Jid::new("alice@elsewhere.example").expect("it is one");
    issuer.issue(&alice, SystemTime::now()).expect("it is short").expose().to_owned()
}

fn program(provider: &Server) -> Program {
    let rules = ["--issuer", ISSUER, "--audience", "chat", "--claim", "sub", "--domain", "localhost"];
    Program::start(["--jwks", &provider.url].into_iter().chain(rules))
}

#[test]
fn tokens_of_the_provider_for_the_chat_log_in() {
    let (own, other) = (key("own"), key("other"));
    // A secret that everybody can read signs nothing.
    let provider = faults::script(vec![published(&[&public(&own), &jwk(NEW), "{\"kty\":\"new\"}"])]);
    let mut program = program(&provider);
    for _ in 0..3 {
        assert!(program.accepts(&token(&own, "chat")));
    }
    assert!(!program.accepts(&token(&own, "shop")), "it is for another application of the provider");
    assert!(!program.accepts(&token(&other, "chat")));
    let claims = serde_json::json!({ "sub": "alice", "iss": ISSUER, "aud": "chat", "exp": crate::support::now() + 60 });
    assert!(!program.accepts(&signed(NEW, &claims)));
    assert!(!program.ask(&format!("auth:bob:localhost:{}", token(&own, "chat"))));
    let requests = provider.requests();
    assert!(requests.len() == 1 && requests[0].method == "GET", "{requests:?}");
    program.end().well();
}

#[test]
fn a_new_key_of_the_provider_is_fetched() {
    let (old, new) = (key("old"), key("new"));
    let both = published(&[&public(&old), &public(&new)]);
    let provider = faults::script(vec![published(&[&public(&old)]), both]);
    let mut program = program(&provider);
    assert!(program.accepts(&token(&old, "chat")));
    assert!(program.comes_to(|program| program.accepts(&token(&new, "chat"))));
    assert!(program.accepts(&token(&old, "chat")));
    assert_eq!(provider.requests().len(), 2);
    program.end().well();
}

#[test]
fn a_provider_that_is_away_is_asked_again() {
    let own = key("own");
    let provider = faults::script(vec![Reply::new(500, ""), published(&[&public(&own)])]);
    let mut program = program(&provider);
    assert!(!program.accepts(&token(&own, "chat")));
    assert!(program.comes_to(|program| program.accepts(&token(&own, "chat"))));
    let log = program.end().well();
    assert!(log.contains("the keys of the identity provider: the status is 500"), "{log}");
}
