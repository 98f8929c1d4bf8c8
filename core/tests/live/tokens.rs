//! Tokens that the site signs, with an ejabberd that verifies them.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use prebind::token::{Algorithm, Issuer, Key};
use prebind::{Account, Client, Credentials, ErrorKind};
use servers::{Kind, Server};

use crate::{EJABBERD, config, login};

/// As JWK and as the key itself.
fn secret(id: &str) -> (String, Key) {
    // 32 bytes in base64url.
    let jwk = format!("{{\"kty\":\"oct\",\"kid\":\"{id}\",\"k\":\"{}\"}}", id.repeat(43));
    let key = Key::from_jwk(&jwk).unwrap();
    (jwk, key)
}

fn account(keys: impl IntoIterator<Item = Key>) -> Account {
    Account::new("alice@jwt.local", Credentials::jwt(Issuer::new(keys).unwrap())).unwrap()
}

#[test]
fn a_site_that_signs_tokens_knows_no_passwords() {
    let key = Key::from_secret(Algorithm::Hs256, servers::JWT_KEY).unwrap();
    let client = Client::new(config(&EJABBERD, &EJABBERD.http_url)).unwrap();
    let account = account([key]);
    let round_trips = [(); 2].map(|()| {
        let session = client.prebind(&account).unwrap();
        assert_eq!(
            (session.mechanism(), session.jid().bare().to_string().as_str()),
            ("PLAIN", "alice@jwt.local")
        );
        client.terminate(&session).unwrap();
        session.round_trips()
    });
    assert!(round_trips[0] == 4 && round_trips[1] < 4, "{round_trips:?}");
}

#[test]
fn another_key_is_refused() {
    let (_, other) = secret("A");
    let issuer = Issuer::new([other]).unwrap();
    let config = config(&EJABBERD, &EJABBERD.http_url);
    let error = login(config, "alice@jwt.local", Credentials::jwt(issuer)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth);
    assert!(error.to_string().contains("the server knows the key that signs"), "{error}");
}

/// The site signs with the new key while the server still knows the old one, and the server changes to the new one
/// while logins are under way.
#[test]
fn no_call_fails_while_keys_rotate() {
    const CALLS: usize = 60;
    let server = Server::start(Kind::Ejabberd).unwrap();
    let ((old_jwk, old), (new_jwk, new)) = (secret("A"), secret("Q"));
    server.change_jwt_key(&old_jwk).unwrap();
    let client = Client::new(config(&server, &server.http_url)).unwrap();
    let account = account([new, old]);
    client.prebind(&account).unwrap();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    let session = client.prebind(&account).unwrap();
                    done.fetch_add(1, Relaxed);
                    client.terminate(&session).unwrap();
                }
            });
        }
        while done.load(Relaxed) < CALLS / 2 {
            thread::sleep(Duration::from_millis(5));
        }
        server.change_jwt_key(&new_jwk).unwrap();
        assert!(done.load(Relaxed) < 2 * CALLS, "the keys were to change between two calls");
    });
    assert_eq!(done.load(Relaxed), 2 * CALLS);
    let later = Client::new(config(&server, &server.http_url)).unwrap();
    assert_eq!(later.prebind(&account).unwrap().round_trips(), 4, "the new key's token was the first");
}
