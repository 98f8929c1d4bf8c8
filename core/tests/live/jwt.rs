//! Tokens that the site signs, with an ejabberd that verifies them.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;

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
    const CALLS: usize = 30;
    let server = Server::start(Kind::Ejabberd).unwrap();
    let ((old_jwk, old), (new_jwk, new)) = (secret("A"), secret("Q"));
    server.change_jwt_key(&old_jwk).unwrap();
    let client = Client::new(config(&server, &server.http_url)).unwrap();
    let account = account([new, old]);
    client.prebind(&account).unwrap();
    let is_changed = AtomicBool::new(false);
    thread::scope(|scope| {
        let (done, calls) = mpsc::channel();
        for done in [done.clone(), done] {
            scope.spawn(|| {
                let done = done;
                let mut after_the_change = 0;
                while after_the_change < CALLS {
                    let was_changed = is_changed.load(Relaxed);
                    let session = client.prebind(&account).unwrap();
                    client.terminate(&session).unwrap();
                    done.send(()).unwrap();
                    after_the_change += usize::from(was_changed);
                }
            });
        }
        let before = calls.iter().take(CALLS).count();
        let changed = server.change_jwt_key(&new_jwk);
        is_changed.store(true, Relaxed);
        changed.unwrap();
        assert_eq!(before, CALLS);
        assert!(calls.iter().count() >= 2 * CALLS);
    });
    let later = Client::new(config(&server, &server.http_url)).unwrap();
    assert_eq!(later.prebind(&account).unwrap().round_trips(), 4, "the new key's token was the first");
}
