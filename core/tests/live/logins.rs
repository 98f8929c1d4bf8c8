//! Every login that the servers have.

use std::fs;
use std::time::Duration;

use prebind::{Client, ClientCertificate, Credentials, ErrorKind, PasswordMechanism, Session};
use servers::{Kind, Server};

use crate::{EJABBERD, PROSODY, config, everywhere, login};

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
    let key = fs::read_to_string(&PROSODY.client_key).unwrap();
    let certificate = ClientCertificate { chain: fs::read(&PROSODY.client_cert).unwrap(), key: key.into() };
    let config = config(&PROSODY, &PROSODY.https_url).with_client_certificate(Some(certificate));
    let session = login(config, "alice@cert.local", Credentials::external()).unwrap();
    assert_eq!(session.mechanism(), "EXTERNAL");
}

#[test]
fn digest_md5_only_where_it_is_asked_for() {
    let login = |digest_md5, weakest_mechanism, password: &str| {
        let config = config(&EJABBERD, &EJABBERD.http_url)
            .with_digest_md5(digest_md5)
            .with_weakest_mechanism(weakest_mechanism);
        login(config, "alice@md5.local", Credentials::password(password))
    };
    let mechanism = |session: Session| session.mechanism().to_owned();
    assert_eq!(login(false, PasswordMechanism::Plain, "wonder-1").map(mechanism).unwrap(), "PLAIN");
    assert_eq!(login(true, PasswordMechanism::Plain, "wonder-1").map(mechanism).unwrap(), "DIGEST-MD5");
    assert_eq!(login(true, PasswordMechanism::DigestMd5, "wrong").unwrap_err().kind(), &ErrorKind::Auth);
    let error = login(false, PasswordMechanism::DigestMd5, "wonder-1").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mechanism { .. }), "{error:?}");
}
