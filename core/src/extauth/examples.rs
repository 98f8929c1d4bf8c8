//! Every message about the endpoint that a chat server asks.

use super::Endpoint;
use crate::error::Error;
use crate::token::{Algorithm, Key, Verifier};

/// Settings that are refused.
pub(crate) fn examples() -> Vec<Error> {
    let verifier = Verifier::new([Key::from_secret(Algorithm::Hs256, [0; 32]).unwrap()]).unwrap();
    let endpoint = Endpoint::new(["a-long-random-text".into()], verifier.clone()).unwrap();
    let wrong = [
        Endpoint::new(["short".into()], verifier).err(),
        endpoint.clone().with_addresses(["chat.example.org"]).err(),
        endpoint.with_addresses([""; 0]).err(),
    ];
    wrong.into_iter().flatten().collect()
}
