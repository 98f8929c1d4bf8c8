//! `prebind terminate`.

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::json;

use crate::support::{EJABBERD, PROSODY, file, is_bound, is_gone, login, prebind, reported, session, text};

#[test]
fn a_session_from_stdin_or_a_file_is_ended() {
    for server in [&*PROSODY, &*EJABBERD] {
        let open = || session(&mut login([&server.http_url, "alice@localhost"]));
        let as_printed = open();
        let rid_as_text = open();
        let rid = rid_as_text["rid"].to_string();
        let only_what_is_needed = json!({ "rid": rid, "sid": rid_as_text["sid"] });
        for (session, json) in [(&as_printed, &as_printed), (&rid_as_text, &only_what_is_needed)] {
            let jid = session["jid"].as_str().expect("a JID");
            assert!(is_bound(server, jid));
            let mut command = prebind(["terminate", &server.http_url]);
            command.write_stdin(format!("{json}\n")).assert().success().stdout("").stderr("");
            assert!(is_gone(server, jid), "{jid}");
        }

        let session = open();
        let file = file(&session.to_string());
        prebind(["terminate", "--file", text(file.path()), &server.http_url]).assert().success();
        assert!(is_gone(server, session["jid"].as_str().expect("a JID")));
    }
}

#[test]
fn it_shares_the_options_of_the_connection() {
    let ca = text(&PROSODY.ca_pem);
    let session = session(&mut login(["--ca", ca, &PROSODY.https_url, "alice@localhost"]));
    let terminate = || {
        let mut command = prebind(["terminate", &PROSODY.https_url]);
        command.write_stdin(session.to_string());
        command
    };
    terminate().assert().code(4);
    terminate().args(["--ca", ca]).assert().success();
}

#[test]
fn an_unknown_session_is_reported() {
    let assert = prebind(["terminate", "--json", &PROSODY.http_url])
        .write_stdin(r#"{"sid":"unknown","rid":1}"#)
        .assert()
        .code(8);
    let error = &reported(&assert.get_output().stderr)["error"];
    assert_eq!(error["kind"], "Terminated");
    assert_eq!(error["stage"], "terminate");
    assert_eq!(error["condition"], "item-not-found");
}

#[test]
fn what_is_no_session_is_not_repeated() {
    for no_session in
        ["", "s3cr3t", r#"{"sid":"s3cr3t"}"#, r#"{"sid":"s3cr3t","rid":-1}"#, r#"{"sid":1,"rid":"s3cr3t"}"#]
    {
        prebind(["terminate", &PROSODY.http_url])
            .write_stdin(no_session)
            .assert()
            .code(66)
            .stderr(contains("login --json").and(contains("s3cr3t").not()));
    }
    prebind(["terminate", "--file", "not/there", &PROSODY.http_url]).assert().code(66);
}

#[test]
fn it_can_be_traced() {
    let session = session(&mut login([&PROSODY.http_url, "alice@localhost"]));
    let (sid, rid) = (session["sid"].as_str().expect("a SID"), session["rid"].to_string());
    prebind(["terminate", "--trace", &PROSODY.http_url])
        .write_stdin(session.to_string())
        .assert()
        .success()
        .stderr(contains("terminate     →  <body").and(contains("←  200, ")))
        .stderr(contains(sid).not().and(contains(rid).not()));
}
