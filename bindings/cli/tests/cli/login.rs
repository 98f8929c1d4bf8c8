//! What `prebind login` prints, and to whom.

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

use crate::support::{EJABBERD, PROSODY, is_bound, login, prebind, session, text};

#[test]
fn json_is_jid_sid_and_rid_of_a_session_that_is_bound() {
    for server in [&*PROSODY, &*EJABBERD] {
        let session = session(&mut login([&server.http_url, "alice@localhost"]));
        let fields: Vec<&str> = session.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields.len(), 3, "{fields:?}");
        let jid = session["jid"].as_str().expect("a JID");
        assert!(jid.starts_with("alice@localhost/"), "{jid}");
        assert!(session["sid"].is_string() && session["rid"].is_u64());
        assert!(is_bound(server, jid), "{jid}");
    }
}

#[test]
fn json_has_a_fixed_order() {
    let assert = login(["--json", &PROSODY.http_url, "alice@localhost"]).assert().success();
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let at = |name: &str| stdout.find(name).expect("the field is there");
    assert!(
        stdout.starts_with("{\"jid\":") && at("\"jid\"") < at("\"sid\"") && at("\"sid\"") < at("\"rid\"")
    );
}

#[test]
fn the_summary_is_for_people() {
    let assert = login([&PROSODY.http_url, "alice@localhost/desk"]).assert().success().stderr("");
    assert
        .stdout(contains("jid            alice@localhost/desk\n"))
        .stdout(contains("attach within  60 s\n"))
        .stdout(contains("wait           55 s\n"))
        .stdout(contains("hold           1\n"))
        .stdout(contains("requests       2\n"))
        .stdout(contains("mechanism      SCRAM-SHA-1\n"))
        .stdout(contains("round trips    "))
        .stdout(contains('\u{1b}').not());
}

#[test]
fn https_needs_an_authority_to_trust() {
    for server in [&*PROSODY, &*EJABBERD] {
        let ca = text(&server.ca_pem);
        session(&mut login(["--ca", ca, &server.https_url, "alice@localhost"]));
        login([&server.https_url, "alice@localhost"])
            .assert()
            .code(4)
            .stderr(contains("(tls)").and(contains("kind=Connect")));
    }
}

#[test]
fn anonymous_needs_no_password() {
    for server in [&*PROSODY, &*EJABBERD] {
        let session = session(&mut prebind(["login", "--auth", "anonymous", &server.http_url, "anon.local"]));
        let jid = session["jid"].as_str().expect("a JID");
        assert!(jid.contains("@anon.local/") && is_bound(server, jid), "{jid}");
    }
}

#[test]
fn a_client_certificate_is_enough_for_external() {
    let certificate =
        ["--client-cert", text(&PROSODY.client_cert), "--client-key", text(&PROSODY.client_key)];
    let mut command = prebind(["login", "--auth", "external", "--ca", text(&PROSODY.ca_pem)]);
    let session = session(command.args(certificate).args([&PROSODY.https_url, "alice@cert.local"]));
    assert!(session["jid"].as_str().is_some_and(|jid| jid.starts_with("alice@cert.local/")));
}
