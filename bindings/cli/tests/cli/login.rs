//! What `prebind login` prints, and to whom.

use std::fs;

use prebind::Session;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

use crate::support::{EJABBERD, PASSWORD, PROSODY, is_bound, login, prebind, session, text};

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
    let said = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let labels: Vec<_> = said.lines().map(|line| line[..13].trim_end().replace(' ', "_")).collect();
    // A session has no cookie here, and its token is kept from view.
    let fields =
        Session::fields().map(|field| field.name).filter(|name| !["cookies", "fast_token"].contains(name));
    assert_eq!(labels, fields.map(|name| name.replace("inactivity", "attach_within")).collect::<Vec<_>>());
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
fn a_profile_spares_the_next_call_the_learning() {
    for (server, few) in [(&*PROSODY, 1), (&*EJABBERD, 2)] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("profile");
        let file = text(&path);
        let round_trips = |arguments: &[&str]| {
            let mut command = login(["--auth", "plain", &server.http_url, "alice@localhost"]);
            let assert = command.args(arguments).assert().success().stderr("");
            let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
            let line = stdout.lines().find_map(|line| line.strip_prefix("round trips ")).expect("the line");
            line.trim().parse::<u32>().expect("a number")
        };
        assert_eq!(round_trips(&["--profile", file]), 4);
        let learned = fs::read_to_string(&path).expect("it was written");
        assert!(!learned.contains("alice") && !learned.contains(PASSWORD), "{learned}");
        // A busy ejabberd may cost a poll more.
        assert!((0..5).any(|_| round_trips(&["--profile", file]) == few));
        assert_eq!(round_trips(&["--no-learn"]), 4);
        fs::write(&path, "garbage").expect("a file");
        assert_eq!(round_trips(&["--profile", file]), 4);
        assert_eq!(fs::read_to_string(&path).expect("it was written"), learned);
        let entries = fs::read_dir(&folder).expect("a folder").count();
        assert_eq!(entries, 1, "nothing is left beside it");
    }
}

#[test]
fn a_profile_that_cannot_be_written_is_no_failure() {
    let file = "/nowhere/at/all/profile";
    login(["--profile", file, &PROSODY.http_url, "alice@localhost"])
        .assert()
        .success()
        .stderr(contains("warning: cannot write /nowhere/at/all/profile"));
    login(["--profile", "/", &PROSODY.http_url, "alice@localhost"]).assert().code(66);
    login(["--profile", "a", "--no-learn", &PROSODY.http_url, "alice@localhost"]).assert().code(2);
}

#[test]
fn https_needs_an_authority_to_trust() {
    for server in [&*PROSODY, &*EJABBERD] {
        let ca = text(&server.ca_pem);
        session(&mut login(["--ca", ca, &server.https_url, "alice@localhost"]));
        login([&server.https_url, "alice@localhost"])
            .assert()
            .code(4)
            .stderr(contains("`--ca`").and(contains("kind=Connect")));
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
