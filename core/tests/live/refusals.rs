//! Every refusal: its kind and condition, and that nothing is left behind.

use std::time::Duration;

use prebind::binding::Language;
use prebind::{Account, Client, Config, Credentials, ErrorKind, PasswordMechanism, Phase, Retry, Stage};
use servers::{Kind, Options, Server};

use crate::{EJABBERD, PROSODY, assert_nobody_left, config, everywhere, login, start};

#[test]
fn a_wrong_password_or_user() {
    for (server, config) in everywhere() {
        for (jid, credentials) in [
            ("carol@localhost", Credentials::password("wrong")),
            ("carol@localhost", Credentials::plain("wrong")),
            ("nobody@localhost", Credentials::password("wrong")),
        ] {
            let error = login(config.clone(), jid, credentials).unwrap_err();
            assert_eq!((error.kind(), error.stage()), (&ErrorKind::Auth, Stage::Authenticate));
            assert_eq!(error.condition().unwrap().as_str(), "not-authorized");
            assert_eq!(error.retry(), Retry::No);
            assert!(!format!("{error} {error:?}").contains("wrong\""));
        }
        let left = server.sessions().unwrap();
        assert!(!left.jids.iter().any(|jid| jid.starts_with("carol@localhost")), "{left:?}");
    }
}

#[test]
fn an_unknown_host() {
    for (server, config) in everywhere() {
        let error = login(config, "alice@nowhere.local", Credentials::password("x")).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (&ErrorKind::Terminated, Stage::Create));
        let condition =
            if server.kind == Kind::Prosody { "improper-addressing" } else { "internal-server-error" };
        assert_eq!(error.condition().unwrap().as_str(), condition);
        assert!(error.to_string().contains("domain"), "{error}");
    }
}

#[test]
fn a_disabled_mechanism() {
    for (server, config) in everywhere() {
        let error = login(config, "alice@onlyscram.local", Credentials::plain("wonder-1")).unwrap_err();
        let expected = ErrorKind::Mechanism {
            offered: vec!["SCRAM-SHA-1".to_owned()],
            allowed: vec!["PLAIN".to_owned()],
        };
        assert_eq!(error.kind(), &expected);
        assert_eq!((error.stage(), error.retry()), (Stage::Features, Retry::AfterConfigChange));
        assert_nobody_left(server, "onlyscram.local");
    }
}

#[test]
fn a_floor_above_what_is_offered() {
    for (_, mut config) in everywhere() {
        config = config.with_weakest_mechanism(PasswordMechanism::ScramSha256);
        let error = login(config, "alice@localhost", Credentials::password("wonder-1")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mechanism { .. }), "{error:?}");
    }
}

/// Prosody derives passwords with 10,000 iterations, ejabberd with 4,096.
#[test]
fn more_iterations_than_are_allowed() {
    for (server, mut config) in everywhere() {
        let count = if server.kind == Kind::Prosody { 10_000 } else { 4096 };
        config = config.with_iterations(1..=count - 1).unwrap();
        let error = login(config, "alice@onlyscram.local", Credentials::password("wonder-1")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mechanism { .. }), "{error:?}");
        assert_eq!((error.stage(), error.retry()), (Stage::Authenticate, Retry::AfterConfigChange));
        for (language, option) in
            [(Language::CommandLine, "`--max-iterations`"), (Language::Python, "`iterations`")]
        {
            let told = error.told_in(language);
            assert!(told.contains(&format!("set {option} to {count}")), "{told}");
        }
        assert_nobody_left(server, "onlyscram.local");
    }
}

#[test]
fn mechanisms_hidden_on_plain_http() {
    let options = Options { mechanisms_on_http: false, ..Options::default() };
    let server = Server::start_with(Kind::Prosody, options).unwrap();
    let http = config(&server, &server.http_url);
    let error = login(http, "alice@localhost", Credentials::password("wonder-1")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mechanism { .. }), "{error:?}");
    assert!(error.to_string().contains("consider_bosh_secure"), "{error}");
    let https = config(&server, &server.https_url);
    login(https, "alice@localhost", Credentials::password("wonder-1")).unwrap();
}

#[test]
fn a_resource_that_is_refused() {
    for (server, config) in everywhere() {
        let client = Client::new(config).unwrap();
        let account = Account::new("bob@refuse.local/taken", Credentials::password("builder-1")).unwrap();
        let first = client.prebind(&account).unwrap();
        let error = client.prebind(&account).unwrap_err();
        assert_eq!((error.kind(), error.stage()), (&ErrorKind::Bind, Stage::Bind));
        assert_eq!(error.condition().unwrap().as_str(), "conflict");
        assert_eq!(
            server.sessions().unwrap().jids.iter().filter(|jid| jid.contains("refuse.local")).count(),
            1
        );
        client.terminate(&first).unwrap();
        assert_nobody_left(server, "refuse.local");
    }
}

#[test]
fn a_session_that_another_one_replaced_is_gone() {
    for (server, config) in everywhere() {
        let client = Client::new(config).unwrap();
        let account = Account::new("bob@localhost/same", Credentials::password("builder-1")).unwrap();
        let first = client.prebind(&account).unwrap();
        let second = client.prebind(&account).unwrap();
        let error = client.terminate(&first).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Terminated, "{}: {error:?}", server.kind);
        client.terminate(&second).unwrap();
    }
}

#[test]
fn a_certificate_of_somebody_else() {
    for server in [&*PROSODY, &*EJABBERD] {
        let config = Config::new(&server.https_url).unwrap();
        let error = login(config, "alice@localhost", Credentials::password("wonder-1")).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Tls }, "{error:?}");
    }
}

/// On servers of its own, so that every stream is of this test, those not yet logged in included.
#[test]
fn nothing_is_left_behind() {
    for server in [start(Kind::Prosody), start(Kind::Ejabberd)] {
        for url in [&server.http_url, &server.https_url] {
            let config = config(&server, url);
            let refused = [
                ("alice@localhost", Credentials::password("wrong")),
                ("alice@localhost", Credentials::plain("wrong")),
                ("alice@nowhere.local", Credentials::password("wonder-1")),
                ("alice@onlyscram.local", Credentials::plain("wonder-1")),
                ("alice@localhost", Credentials::anonymous()),
            ];
            for (jid, credentials) in refused {
                login(config.clone(), jid, credentials).unwrap_err();
            }
            let account = Account::new("bob@refuse.local/taken", Credentials::password("builder-1")).unwrap();
            let client = Client::new(config).unwrap();
            let session = client.prebind(&account).unwrap();
            assert_eq!(client.prebind(&account).unwrap_err().kind(), &ErrorKind::Bind);
            assert_eq!(server.sessions().unwrap().jids, ["bob@refuse.local/taken"]);
            client.terminate(&session).unwrap();
        }
        let left = server.wait_until_empty(Duration::from_secs(10)).unwrap();
        assert!(left.is_empty(), "{}: {left:?}", server.kind);
    }
}
