//! SCRAM-SHA-1 (RFC 5802) with keys that are derived once: what no client can do without.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest as _, Sha1};

use crate::Result;
use crate::target::PASSWORD;

const USER: &str = "alice";

/// The keys, and what they were derived with.
#[derive(Default)]
pub(crate) struct Keys {
    derivation: (String, u32),
    client: Vec<u8>,
    server: Vec<u8>,
}

/// The client's first message, as it stands in `<auth/>`.
pub(crate) fn first(nonce: &str) -> String {
    STANDARD.encode(format!("n,,{}", first_bare(nonce)))
}

/// The client's final message for a challenge, as it stands in `<response/>`.
pub(crate) fn last(nonce: &str, challenge: &str, keys: &mut Keys) -> Result<String> {
    let server_first = String::from_utf8(STANDARD.decode(challenge)?)?;
    let parts: BTreeMap<&str, &str> =
        server_first.split(',').filter_map(|attribute| attribute.split_once('=')).collect();
    let part = |name| parts.get(name).copied().ok_or("a challenge that is none of SCRAM");
    let derivation = (part("s")?.to_owned(), part("i")?.parse()?);
    if keys.derivation != derivation {
        *keys = derive(derivation)?;
    }
    let without_proof = format!("c=biws,r={}", part("r")?);
    let auth_message = format!("{},{server_first},{without_proof}", first_bare(nonce));
    let signature = hmac(&Sha1::digest(&keys.client), auth_message.as_bytes());
    // The server's proof is not looked at, but a client that looks has to compute it.
    std::hint::black_box(hmac(&keys.server, auth_message.as_bytes()));
    let proof: Vec<u8> = keys.client.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
    Ok(STANDARD.encode(format!("{without_proof},p={}", STANDARD.encode(proof))))
}

fn first_bare(nonce: &str) -> String {
    format!("n={USER},r={nonce}")
}

fn derive(derivation: (String, u32)) -> Result<Keys> {
    let mut salted = [0; 20];
    let salt = STANDARD.decode(&derivation.0)?;
    pbkdf2::pbkdf2_hmac::<Sha1>(PASSWORD.as_bytes(), &salt, derivation.1, &mut salted);
    Ok(Keys { derivation, client: hmac(&salted, b"Client Key"), server: hmac(&salted, b"Server Key") })
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("any key will do");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}
