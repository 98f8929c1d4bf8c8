//! Examples of every message about a login that no shared case produces.

use super::credentials::Credentials;
use super::fast::FastToken;
use super::mechanism::{Input, Mechanism, Offer};
use super::scram::{Means, ScramHash};
use crate::error::{Error, Stage};
use crate::jid::Jid;

/// The error that a mechanism returns for the last of these challenges.
fn challenged(credentials: &Credentials, name: &str, challenges: &[&[u8]]) -> Option<Error> {
    let jid = Jid::new("alice@example.org").unwrap();
    let means = Means { iterations: &(4096..=600_000), cache: None, pace: None };
    let mut mechanism = match credentials.mechanism(name, &jid, &"nonce".into(), means) {
        Ok(mechanism) => mechanism,
        Err(error) => return Some(error),
    };
    let answers =
        challenges.iter().map(|data| mechanism.resume(Input::Challenge { data, offer: Offer::default() }));
    answers.last()?.err()
}

/// The errors for everything that a server may say during a login.
pub(crate) fn examples() -> Vec<Error> {
    let password = Credentials::password("secret");
    let first: &[u8] = b"r=nonce1,s=c2FsdA==,i=4096";
    let mut errors = Vec::new();
    for challenge in [
        b"r=nonce1,s=c2FsdA==,i=700000".as_slice(),
        b"r=nonce1,s=c2FsdA==,i=1",
        b"r=nonce1,s=c2FsdA==,i=0",
        b"r=nonce1,s=,i=4096",
        b"r=other,s=c2FsdA==,i=4096",
        b"r=nonce1\x01,s=c2FsdA==,i=4096",
        b"m=x,r=nonce1,s=c2FsdA==,i=4096",
        b"s=c2FsdA==,i=4096",
        b"r=nonce1,s=c2FsdA==,i=4096,i=4096",
        b"r=nonce1,s=c2FsdA==,i=4096,h=x",
        b"x",
        b"\xff",
    ] {
        errors.push(challenged(&password, "SCRAM-SHA-1", &[challenge]));
    }
    for proof in [b"v=????".as_slice(), b"v=AAAA", b"v=AAAA,v=AAAA", b"x=1", b"e=other-error"] {
        errors.push(challenged(&password, "SCRAM-SHA-1", &[first, proof]));
    }
    let keys = Credentials::scram_salted_password(ScramHash::Sha1, "salt", 5000, vec![1; 20]);
    errors.push(challenged(&keys, "SCRAM-SHA-1", &[first]));
    for challenge in [
        b"".as_slice(),
        b"nonce=\"a\",qop=auth-conf,algorithm=md5-sess",
        b"nonce=\"a\",algorithm=md5",
        b"nonce",
        b"nonce=\"a",
        b"nonce=a,nonce=b",
        b"\xff",
    ] {
        errors.push(challenged(&password, "DIGEST-MD5", &[challenge]));
    }
    errors.push(challenged(&password, "DIGEST-MD5", &[b"nonce=\"a\",algorithm=md5-sess", b"rspauth=0"]));
    errors.push(challenged(&Credentials::oauthbearer("secret"), "OAUTHBEARER", &[b"x"]));
    errors.push(challenged(&Credentials::oauthbearer("secret"), "PLAIN", &[b"x"]));
    errors.push(challenged(&Credentials::anonymous(), "ANONYMOUS", &[b""]));

    let token = FastToken::issued("token", None, "d4565fa7-4d72-4749-b3d3-740edbf87770").unwrap();
    let mut hashed = super::fast::HashedToken::new("alice", &token);
    errors.extend([Some(b"x".as_slice()), None].map(|proof| hashed.resume(Input::Success(proof)).err()));
    errors.push(Some(Error::protocol(Stage::Authenticate, "no SASL challenge", "one")));
    errors.into_iter().flatten().collect()
}
