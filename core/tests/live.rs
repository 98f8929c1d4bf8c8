//! Real Prosody and ejabberd: every login, every refusal, nothing left behind.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod browser;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use browser::Browser;
use prebind::{
    Account, Client, ClientCertificate, Config, Credentials, Error, ErrorKind, Floor, Retry, Session, Stage,
};
use servers::{Kind, Options, Server};

static PROSODY: LazyLock<Server> = LazyLock::new(|| start(Kind::Prosody));
static EJABBERD: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd));

fn start(kind: Kind) -> Server {
    Server::start(kind).unwrap_or_else(|error| panic!("{error}"))
}

/// Both servers, over http and https.
fn everywhere() -> [(&'static Server, Config); 4] {
    [
        (&PROSODY, config(&PROSODY, &PROSODY.http_url)),
        (&PROSODY, config(&PROSODY, &PROSODY.https_url)),
        (&EJABBERD, config(&EJABBERD, &EJABBERD.http_url)),
        (&EJABBERD, config(&EJABBERD, &EJABBERD.https_url)),
    ]
}

fn config(server: &Server, url: &str) -> Config {
    let mut config = Config::new(url).unwrap();
    config.ca = Some(fs::read(&server.ca_pem).unwrap());
    config
}

fn login(config: Config, jid: &str, credentials: Credentials) -> Result<Session, Error> {
    Client::new(config)?.prebind(&Account::new(jid, credentials)?)
}

/// Nobody of `host` is left, neither bound nor half-way.
fn assert_nobody_left(server: &Server, host: &str) {
    for _ in 0..40 {
        let jids = server.sessions().unwrap().jids;
        if !jids.iter().any(|jid| jid.contains(&format!("@{host}/"))) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{} still has {:?}", server.kind, server.sessions().unwrap());
}

#[test]
fn passwords_by_the_strongest_mechanism() {
    for (server, config) in everywhere() {
        let strongest = if server.kind == Kind::Prosody { "SCRAM-SHA-256" } else { "SCRAM-SHA-512" };
        for (jid, mechanism, round_trips) in
            [("alice@localhost", "SCRAM-SHA-1", 5), ("alice@plain.local", strongest, 5)]
        {
            let session = login(config.clone(), jid, Credentials::password("wonder-1")).unwrap();
            assert_eq!(session.mechanism(), mechanism);
            assert_eq!(session.round_trips(), round_trips);
            assert_eq!(session.jid().bare().to_string(), jid);
            Client::new(config.clone()).unwrap().terminate(&session).unwrap();
        }
        let session = login(config.clone(), "alice@localhost/web", Credentials::plain("wonder-1")).unwrap();
        assert_eq!((session.mechanism(), session.round_trips()), ("PLAIN", 4));
        assert_eq!(session.jid().to_string(), "alice@localhost/web");
        assert_eq!((session.wait().as_secs(), session.hold()), (55, 1));
        let inactivity = if server.kind == Kind::Prosody { 60 } else { 30 };
        assert_eq!(session.inactivity(), Some(Duration::from_secs(inactivity)));
        Client::new(config).unwrap().terminate(&session).unwrap();
    }
}

#[test]
fn anonymous() {
    for (_, config) in everywhere() {
        let session = login(config.clone(), "anon.local", Credentials::anonymous()).unwrap();
        assert_eq!(session.mechanism(), "ANONYMOUS");
        assert_eq!(session.jid().domain(), "anon.local");
        assert!(session.jid().local().is_some());
        Client::new(config).unwrap().terminate(&session).unwrap();
    }
}

#[test]
fn tokens_instead_of_a_password() {
    let ejabberd = config(&EJABBERD, &EJABBERD.http_url);
    let token = |server: &Server, jid: &str| server.tokens[jid].clone();
    let jwt = token(&EJABBERD, "alice@jwt.local");
    let session = login(ejabberd.clone(), "alice@jwt.local", Credentials::plain(jwt)).unwrap();
    assert_eq!(session.mechanism(), "PLAIN");
    let oauth = token(&EJABBERD, "alice@oauth.local");
    let session = login(ejabberd, "alice@oauth.local", Credentials::x_oauth2(oauth)).unwrap();
    assert_eq!(session.mechanism(), "X-OAUTH2");

    let bearer = token(&PROSODY, "alice@bearer.local");
    let prosody = config(&PROSODY, &PROSODY.https_url);
    let session = login(prosody.clone(), "alice@bearer.local", Credentials::oauthbearer(bearer)).unwrap();
    assert_eq!(session.mechanism(), "OAUTHBEARER");
    let error = login(prosody, "alice@bearer.local", Credentials::oauthbearer("forged")).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth);
}

#[test]
fn a_client_certificate() {
    let mut config = config(&PROSODY, &PROSODY.https_url);
    let key = fs::read_to_string(&PROSODY.client_key).unwrap();
    config.client_certificate =
        Some(ClientCertificate { chain: fs::read(&PROSODY.client_cert).unwrap(), key: key.into() });
    let session = login(config, "alice@cert.local", Credentials::external()).unwrap();
    assert_eq!(session.mechanism(), "EXTERNAL");
}

#[test]
fn digest_md5_only_where_it_is_asked_for() {
    let login = |digest_md5, floor, password: &str| {
        let mut config = config(&EJABBERD, &EJABBERD.http_url);
        (config.digest_md5, config.floor) = (digest_md5, floor);
        login(config, "alice@md5.local", Credentials::password(password))
    };
    let mechanism = |session: Session| session.mechanism().to_owned();
    assert_eq!(login(false, Floor::Plain, "wonder-1").map(mechanism).unwrap(), "PLAIN");
    assert_eq!(login(true, Floor::Plain, "wonder-1").map(mechanism).unwrap(), "DIGEST-MD5");
    assert_eq!(login(true, Floor::DigestMd5, "wrong").unwrap_err().kind(), &ErrorKind::Auth);
    let error = login(false, Floor::DigestMd5, "wonder-1").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mechanism { .. }), "{error:?}");
}

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
        config.floor = Floor::ScramSha256;
        let error = login(config, "alice@localhost", Credentials::password("wonder-1")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mechanism { .. }), "{error:?}");
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
fn a_certificate_of_somebody_else() {
    for server in [&*PROSODY, &*EJABBERD] {
        let config = Config::new(&server.https_url).unwrap();
        let error = login(config, "alice@localhost", Credentials::password("wonder-1")).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect { phase: prebind::Phase::Tls }, "{error:?}");
    }
}

#[test]
fn an_ended_session_is_gone_and_ending_it_again_says_so() {
    for (server, config) in everywhere() {
        let client = Client::new(config).unwrap();
        let account = Account::new("carol@plain.local", Credentials::password("carrot-1")).unwrap();
        let session = client.prebind(&account).unwrap();
        let jid = session.jid().to_string();
        assert!(server.sessions().unwrap().jids.contains(&jid));
        client.terminate(&session).unwrap();
        assert_nobody_left(server, "plain.local");
        let error = client.terminate(&session).unwrap_err();
        assert_eq!(error.condition().unwrap().as_str(), "item-not-found");
    }
}

#[test]
fn a_hundred_sessions_from_sixteen_threads() {
    for (server, mut config) in everywhere() {
        config.deadline = Duration::from_secs(60);
        config.request_timeout = Duration::from_secs(60);
        let client = Client::new(config).unwrap();
        let next = AtomicUsize::new(0);
        let sessions = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::Relaxed) < 100 {
                        let account = Account::new("anon.local", Credentials::anonymous()).unwrap();
                        let session = client.prebind(&account).unwrap();
                        sessions.lock().unwrap().push(session);
                    }
                });
            }
        });
        let sessions = sessions.into_inner().unwrap();
        assert_eq!(sessions.len(), 100);
        let alive = server.sessions().unwrap().jids;
        for session in &sessions {
            assert!(alive.contains(&session.jid().to_string()), "{} is not what was bound", session.jid());
            client.terminate(session).unwrap();
        }
    }
}

/// What is handed over is all a browser needs: another connection goes on with it, at once and 25 s
/// later, within ejabberd's 30 s.
#[test]
fn a_browser_attaches_and_talks() {
    let talks = everywhere().map(|(server, mut config)| {
        // This browser has one connection only: what the server holds on it, it waits for.
        config.wait = 1;
        thread::spawn(move || {
            for pause in [0, 25] {
                let bob = login(config.clone(), "bob@localhost", Credentials::password("builder-1")).unwrap();
                let mut bob = Browser::attach(server, &bob);
                bob.send("<presence xmlns='jabber:client'/>");
                let session =
                    login(config.clone(), "alice@localhost", Credentials::password("wonder-1")).unwrap();
                thread::sleep(Duration::from_secs(pause));
                let mut alice = Browser::attach(server, &session);
                let text = format!("after {pause} s on {}", server.kind);
                alice.send(&format!(
                    "<message xmlns='jabber:client' type='chat' to='{}'><body>{text}</body></message>",
                    bob.jid
                ));
                let received = bob.wait_for(&text);
                assert!(received.contains(&format!("from='{}'", session.jid())), "{received}");
                alice.leave();
                bob.leave();
            }
        })
    });
    for talk in talks {
        talk.join().unwrap();
    }
}
