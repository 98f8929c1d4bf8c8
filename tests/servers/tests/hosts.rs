//! Tests every host of every server, over http and https: its mechanisms, and a login.

mod common;

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use common::{Bosh, agent, mechanisms, plain, start};
use servers::{Info, Kind, Server, hosts, jwt};

static PROSODY: LazyLock<Server> = LazyLock::new(|| start(Kind::Prosody));
static EJABBERD: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd));
static EJABBERD24: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd24));
static EJABBERD26: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd26));
static VYSPER: LazyLock<Server> = LazyLock::new(|| start(Kind::Vysper));

#[test]
fn offer_the_mechanisms_of_the_table() {
    for server in all() {
        let agent = agent(server);
        for (host, expected) in &server.hosts {
            for url in [&server.https_url, &server.http_url] {
                // EXTERNAL needs TLS.
                if host == hosts::CERTIFICATE && *url == server.http_url {
                    continue;
                }
                let (session, answer) = Bosh::create(&agent, url, host);
                assert_eq!(mechanisms(&answer), *expected, "{} {host} {url}", server.kind);
                session.terminate();
            }
        }
    }
}

#[test]
fn know_every_account() {
    for server in all() {
        let agent = agent(server);
        for (host, mechanisms) in &server.hosts {
            for (user, password) in &server.accounts {
                let jid = format!("{user}@{host}");
                let password = server.tokens.get(&jid).unwrap_or(password);
                let (mechanism, response) = match host.as_str() {
                    hosts::ANONYMOUS => ("ANONYMOUS", String::new()),
                    hosts::CERTIFICATE if user == "alice" => ("EXTERNAL", jid.clone()),
                    hosts::BEARER => ("OAUTHBEARER", bearer(&jid, password)),
                    hosts::OAUTH => ("X-OAUTH2", plain(user, password)),
                    _ if mechanisms.iter().any(|name| name == "PLAIN") => ("PLAIN", plain(user, password)),
                    // SCRAM needs more code than one line, and the accounts are the same as on other hosts.
                    _ => continue,
                };
                let (mut session, _) = Bosh::create(&agent, &server.https_url, host);
                let answer = session.authenticate(mechanism, &response);
                assert!(answer.contains("<success"), "{} {jid} {mechanism}: {answer}", server.kind);
                session.terminate();
            }
        }
    }
}

#[test]
fn refuse_a_wrong_proof() {
    let expired = jwt("alice@jwt.local", SystemTime::now() - Duration::from_secs(60));
    let wrong = [
        (&*PROSODY, hosts::LOCALHOST, "PLAIN", plain("alice", "wrong")),
        (&*EJABBERD, hosts::LOCALHOST, "PLAIN", plain("alice", "wrong")),
        (&*EJABBERD24, hosts::LOCALHOST, "PLAIN", plain("alice", "wrong")),
        (&*EJABBERD26, hosts::LOCALHOST, "PLAIN", plain("alice", "wrong")),
        (&*VYSPER, hosts::LOCALHOST, "PLAIN", plain("alice", "wrong")),
        (&*PROSODY, hosts::ONLY_SCRAM, "PLAIN", plain("alice", "wonder-1")),
        (&*EJABBERD, hosts::ONLY_SCRAM, "PLAIN", plain("alice", "wonder-1")),
        (&*PROSODY, hosts::CERTIFICATE, "EXTERNAL", "bob@cert.local".to_owned()),
        (&*EJABBERD, hosts::OAUTH, "X-OAUTH2", plain("alice", "wrong")),
        (&*EJABBERD, hosts::JWT, "PLAIN", plain("alice", "wrong")),
        (&*EJABBERD, hosts::JWT, "PLAIN", plain("alice", &expired)),
    ];
    for (server, host, mechanism, response) in wrong {
        let agent = agent(server);
        let (mut session, _) = Bosh::create(&agent, &server.https_url, host);
        let answer = session.authenticate(mechanism, &response);
        assert!(answer.contains("<failure"), "{} {host} {mechanism}: {answer}", server.kind);
        session.terminate();
    }
}

#[test]
fn say_why_a_bearer_token_is_wrong_before_failing() {
    let agent = agent(&PROSODY);
    let (mut session, _) = Bosh::create(&agent, &PROSODY.https_url, hosts::BEARER);
    let answer = session.authenticate("OAUTHBEARER", &bearer("alice@bearer.local", "wrong"));
    assert!(answer.contains("<challenge"), "{answer}");
    // This is a single \x01 in base64, by which the client accepts the error.
    let answer = session.request("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AQ==</response>");
    assert!(answer.contains("<not-authorized/>"), "{answer}");
    session.terminate();
}

#[test]
fn refuse_a_taken_resource_where_told_to() {
    for server in all().into_iter().filter(|server| server.hosts.contains_key(hosts::REFUSE)) {
        let agent = agent(server);
        let login = || {
            let (mut session, _) = Bosh::create(&agent, &server.http_url, hosts::REFUSE);
            session.authenticate("PLAIN", &plain("bob", "builder-1"));
            let answer = session.bind("desk");
            (session, answer)
        };
        let (first, answer) = login();
        assert!(answer.contains("<jid>bob@refuse.local/desk</jid>"), "{}: {answer}", server.kind);
        let (second, answer) = login();
        assert!(answer.contains("<conflict "), "{}: {answer}", server.kind);
        second.terminate();
        first.terminate();
    }
}

#[test]
fn tell_who_is_connected() {
    for server in [Kind::Prosody, Kind::Ejabberd, Kind::Ejabberd24, Kind::Ejabberd26].map(start) {
        let agent = agent(&server);
        assert!(server.sessions().unwrap().is_empty());

        let (mut session, _) = Bosh::create(&agent, &server.http_url, hosts::LOCALHOST);
        let seen = server.sessions().unwrap();
        assert_eq!((seen.jids.len(), seen.streams), (0, 1), "{}", server.kind);

        session.authenticate("PLAIN", &plain("carol", "carrot-1"));
        session.bind("desk");
        let seen = server.sessions().unwrap();
        assert_eq!(seen.jids, ["carol@localhost/desk"]);
        assert_eq!(seen.streams, 1);

        session.terminate();
        let left = server.wait_until_empty(Duration::from_secs(10)).unwrap();
        assert!(left.is_empty(), "{}: {left:?}", server.kind);
    }
}

#[test]
fn vysper_tells_who_has_a_jid() {
    let server = start(Kind::Vysper);
    let agent = agent(&server);
    let (mut session, _) = Bosh::create(&agent, &server.http_url, hosts::LOCALHOST);
    session.authenticate("ANONYMOUS", "");
    assert!(server.sessions().unwrap().is_empty());
    let answer = session.bind("desk");
    let seen = server.sessions().unwrap();
    assert_eq!((seen.jids.len(), seen.streams), (1, 1));
    assert!(answer.contains(&format!("<jid>{}</jid>", seen.jids[0])), "{answer}: {seen:?}");

    session.terminate();
    let left = server.wait_until_empty(Duration::from_secs(10)).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

/// All servers except Prosody 13, which offers each mechanism twice.
fn all() -> [&'static Info; 5] {
    [&PROSODY, &EJABBERD, &EJABBERD24, &EJABBERD26, &VYSPER].map(|server| server.info())
}

fn bearer(jid: &str, token: &str) -> String {
    format!("n,a={jid},\x01host=localhost\x01auth=Bearer {token}\x01\x01")
}
