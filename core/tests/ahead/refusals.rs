//! Logins that ejabberd refuses.

use std::net::SocketAddr;
use std::time::Duration;

use prebind::{Config, Credentials, ErrorKind};
use servers::Server;

use crate::{Account, EJABBERD, EJABBERD_24, alice, config, plain, taught};

/// Where the answers to the restart and to the bind arrive in any order.
fn at_a_distance(server: &Server) -> (faults::Delay, Config) {
    let address = server.http_url.split('/').nth(2).unwrap().parse::<SocketAddr>().unwrap();
    let path = faults::distance(address, Duration::from_millis(5), Duration::from_millis(10));
    let config = config(server, &path.through(&server.http_url));
    (path, config)
}

/// The session ends with the answer to the bind, which may be here before the refusal.
#[test]
fn a_refused_login_is_one_error_and_leaves_nothing() {
    for server in [&*EJABBERD, &*EJABBERD_24] {
        let (_path, config) = at_a_distance(server);
        let client = taught(config, &alice());
        for _ in 0..25 {
            let error = client.prebind(&plain("carol@localhost", "wrong")).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
            assert_eq!(error.condition().unwrap().as_str(), "not-authorized");
        }
        let session = client.prebind(&alice()).unwrap();
        assert!(session.round_trips() <= 3, "{session:?}");
        client.terminate(&session).unwrap();
        assert!(!client.profile().contains("ahead"), "{}", client.profile());
        let token = Account::new("alice@oauth.local", Credentials::x_oauth2("forged")).unwrap();
        for _ in 0..5 {
            assert_eq!(client.prebind(&token).unwrap_err().kind(), &ErrorKind::Auth);
        }
        let left = server.wait_until_empty(Duration::from_secs(60)).unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}
