//! What a token costs to issue and to verify: `cargo bench -p prebind --bench tokens`. Issuing has to take less than
//! 0.1 ms with HS256 and less than 0.5 ms with ES256.

#![allow(clippy::unwrap_used, reason = "nobody else runs it")]

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use divan::Bencher;
use prebind::Jid;
use prebind::token::{Issuer, Key, Verifier};
use serde_json::Value;

fn main() {
    divan::main();
}

/// Private keys of `tests/vectors/tokens.json`.
const KEYS: [&str; 6] = ["hs256", "hs384", "hs512", "es256-jwk", "eddsa-jwk", "rs256-jwk"];

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/tokens.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    file["keys"][name].as_str().unwrap().to_owned()
}

fn key(name: &str) -> Key {
    Key::from_jwk(&text(name)).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

#[divan::bench(args = KEYS)]
fn issue(bencher: Bencher, name: &str) {
    let (issuer, alice) = (Issuer::new([key(name)]).unwrap(), Jid::new("alice@example.org").unwrap());
    bencher.bench(|| issuer.issue(&alice, now()).unwrap());
}

#[divan::bench(args = KEYS)]
fn verify(bencher: Bencher, name: &str) {
    let (key, alice) = (key(name), Jid::new("alice@example.org").unwrap());
    let token = Issuer::new([key.clone()]).unwrap().issue(&alice, now()).unwrap();
    let verifier = Verifier::new([key]).unwrap();
    bencher.bench(|| verifier.verify(token.expose(), now()).unwrap());
}

/// As a binding does for each call that is given the key's text.
#[divan::bench(args = KEYS)]
fn read_key(bencher: Bencher, name: &str) {
    let text = text(name);
    bencher.bench(|| Key::from_jwk(&text).unwrap());
}
