//! Gives arbitrary tokens and keys to what verifies them. Nothing may panic, and no token may be believed that no key
//! signed, or whose claims do not say that it is good.
//!
//! The first byte of the input chooses what the rest is: a token; a change of a good token; a header and claims, with
//! a line break between, that are signed; a text with keys.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::fuzz_target;
use prebind::Jid;
use prebind::token::{Algorithm, Issuer, Key, Verifier};
use serde_json::Value;
use sha2::Sha256;

const SECRET: &[u8; 32] = b"a secret that is for a test only";

/// In seconds since 1970.
const NOW: u64 = 1_700_000_000;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(keys()).expect("there are keys"));

/// A good token for each key.
static GOOD: LazyLock<Vec<String>> = LazyLock::new(|| {
    let alice = Jid::new("alice@localhost").expect("it is one");
    let issued = keys().into_iter().map(|key| {
        let issuer = Issuer::new([key]).expect("the key can sign");
        issuer.issue(&alice, now()).expect("alice has one").expose().to_owned()
    });
    issued.collect()
});

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    match (choice % 4, std::str::from_utf8(rest)) {
        (0, Ok(token)) => {
            assert!(VERIFIER.verify(token, now()).is_err() || GOOD.iter().any(|good| good == token))
        }
        (1, _) => changed(rest),
        (2, _) => signed(rest),
        (3, Ok(text)) => drop(Key::read(text)),
        _ => {}
    }
});

fn keys() -> Vec<Key> {
    let file = include_str!("../../../tests/vectors/tokens.json");
    let file: Value = serde_json::from_str(file).expect("the file is JSON");
    let pairs = ["rs256-jwk", "es256-jwk", "eddsa-jwk"].map(|name| {
        Key::from_jwk(file["keys"][name].as_str().expect("the file has it")).expect("it is a key")
    });
    let secret = Key::from_secret(Algorithm::Hs256, *SECRET).expect("it is long enough");
    pairs.into_iter().chain([secret]).collect()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// A good token with other bytes somewhere.
fn changed(input: &[u8]) {
    let [key, high, low, bytes @ ..] = input else { return };
    let good = &GOOD[usize::from(*key) % GOOD.len()];
    let at = usize::from(u16::from_be_bytes([*high, *low])) % good.len();
    let mut token = good.clone().into_bytes();
    let end = token.len().min(at + bytes.len());
    token.splice(at..end, bytes.iter().copied());
    let Ok(token) = String::from_utf8(token) else { return };
    assert_eq!(VERIFIER.verify(&token, now()).is_ok(), token == *good);
}

/// What somebody says who has the secret.
fn signed(input: &[u8]) {
    let Some(at) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (header, claims) = (&input[..at], &input[at + 1..]);
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length will do");
    mac.update(text.as_bytes());
    let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    let Ok(verified) = VERIFIER.verify(&token, now()) else { return };
    // What no rule needs may be anything.
    let header: Value = serde_json::from_str(&String::from_utf8_lossy(header)).expect("a header is JSON");
    assert!(header["alg"] == "HS256" && header.get("crit").is_none());
    let claims: Value = serde_json::from_slice(claims).expect("claims are JSON");
    assert!(claims["exp"].as_f64().is_some_and(|expires| expires > 1_700_000_000.0));
    assert!(verified.expires >= NOW && verified.jid.local().is_some() && verified.jid.resource().is_none());
    let named: Jid = claims["jid"].as_str().expect("it names a user").parse().expect("it is a JID");
    assert_eq!(named.bare(), verified.jid);
}
