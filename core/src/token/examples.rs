//! Every message about keys and tokens.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{Algorithm, Issuer, Key, Verifier};
use crate::error::Error;
use crate::jid::Jid;

/// What the shared cases refuse, and what an issuer does.
pub(crate) fn examples() -> Vec<Error> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/tokens.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let refused = file["keys_refused"].as_array().unwrap();
    let mut errors: Vec<Option<Error>> =
        refused.iter().map(|row| Key::read(row["key"].as_str().unwrap()).err()).collect();
    let key = |name: &str| Key::read(file["keys"][name].as_str().unwrap()).unwrap().remove(0);
    let secret = key("hs256");
    errors.push(Key::from_secret(Algorithm::Es256, [0; 32]).err());
    errors.push(Key::from_pem(file["keys"]["two-in-pem"].as_str().unwrap()).err());
    errors.push(Key::from_jwk(&"x".repeat(200_000)).err());
    let many = Value::from(vec![serde_json::json!({"kty": "oct", "k": "A".repeat(43)}); 33]);
    errors.push(Key::read(&format!("{{\"keys\":{many}}}")).err());
    errors.push(Key::generate(Algorithm::Rs256, None).err());
    errors.push(secret.for_ejabberd("alice@example.org").err());
    errors.push(key("eddsa-jwk").for_prosody("example.org").err());
    errors.push("RS512".parse::<Algorithm>().err());
    errors.push(Verifier::new([]).err());
    errors.push(Issuer::new([]).err());
    errors.push(Issuer::new([key("rs256-spki")]).err());
    let issuer = Issuer::new([secret]).unwrap();
    errors.push(issuer.clone().with_lifetime(Duration::ZERO).err());
    errors.push(issuer.clone().with_claims("[]").err());
    errors.push(issuer.clone().with_claims("{\"exp\": null}").err());
    let long = issuer.with_claims(&format!("{{\"x\": \"{}\"}}", "x".repeat(1000))).unwrap();
    for jid in ["example.org", "alice@example.org"] {
        errors.push(long.issue(&Jid::new(jid).unwrap(), SystemTime::UNIX_EPOCH).err());
    }
    errors.into_iter().flatten().collect()
}
