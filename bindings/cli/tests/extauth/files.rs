//! Keys and tokens: what is verified, and what happens when the files change.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{NEW, OLD, PASSWORD, Program, jwk, now, replace, signed, text, token};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room");
    let key = folder.path().join("chat.jwk");
    (folder, key)
}

fn with_key(secret: &str) -> (TempDir, PathBuf) {
    let (folder, key) = folder();
    fs::write(&key, jwk(secret)).expect("there is room");
    (folder, key)
}

fn alice(secret: &str) -> String {
    token(secret, "alice@localhost")
}

#[test]
fn a_token_logs_in_its_user_alone() {
    let (_folder, key) = with_key(NEW);
    let mut program = Program::start(["--key", text(&key)]);
    let soon = now() + 60;
    for (claims, is_good) in [
        (json!({ "jid": "alice@localhost", "exp": soon }), true),
        (json!({ "jid": "Alice@LocalHost/web", "exp": soon }), true),
        (json!({ "jid": "alice@localhost", "exp": soon, "aud": "anything" }), false),
        (json!({ "jid": "bob@localhost", "exp": soon }), false),
        (json!({ "jid": "alice@example.org", "exp": soon }), false),
        (json!({ "sub": "alice@localhost", "exp": soon }), false),
        (json!({ "jid": "alice@localhost", "exp": now() - 1 }), false),
        (json!({ "jid": "alice@localhost" }), false),
        (json!({ "jid": "alice@localhost", "exp": null }), false),
        (json!({ "jid": "alice@localhost", "exp": "9999999999" }), false),
        (json!({ "jid": "alice@localhost", "exp": soon, "nbf": now() + 3600 }), false),
    ] {
        assert_eq!(program.accepts(&signed(NEW, &claims)), is_good, "{claims}");
    }
    let good = alice(NEW);
    let (text, signature) = good.rsplit_once('.').expect("a token has parts");
    let (header, claims) = text.split_once('.').expect("a token has parts");
    let none = "eyJhbGciOiJub25lIn0";
    for bad in [
        &alice(OLD),
        &format!("{text}."),
        &format!("{none}.{claims}."),
        &format!("{none}.{claims}.{signature}"),
        &format!("{header}.{}.{signature}", claims.replace('e', "f")),
        &format!("{good}x"),
        PASSWORD,
        "",
        "..",
        &"x".repeat(60_000),
    ] {
        assert!(!program.accepts(bad), "{bad}");
    }
    assert!(program.accepts(&good) && program.accepts(&good), "a token is good until it expires");
    let log = program.end().well();
    for part in [signature, claims] {
        assert!(!log.contains(part), "{log}");
    }
    for reason in ["has expired", "no exp that is a number", "not valid yet", "another user's", "is no JWT"] {
        assert!(log.contains("alice@localhost is refused: ") && log.contains(reason), "{reason}: {log}");
    }
}

#[test]
fn more_may_be_asked_of_a_token() {
    let (_folder, key) = with_key(NEW);
    let soon = now() + 60;
    let rules = [
        "--audience",
        "chat",
        "--issuer",
        "https://id.example.org",
        "--claim",
        "sub",
        "--domain",
        "localhost",
        "--algorithms",
        "HS256,ES256",
    ];
    let mut program = Program::start(["--key", text(&key)].into_iter().chain(rules));
    let good =
        json!({ "sub": "alice", "exp": soon, "aud": ["shop", "chat"], "iss": "https://id.example.org" });
    assert!(program.accepts(&signed(NEW, &good)));
    for (claim, value) in [
        ("aud", json!("shop")),
        ("aud", json!(null)),
        ("iss", json!("https://id.example.com")),
        ("sub", json!("bob")),
        ("sub", json!("alice@localhost")),
    ] {
        let mut bad = good.clone();
        bad[claim] = value;
        assert!(!program.accepts(&signed(NEW, &bad)), "{bad}");
    }
    program.end().well();

    let mut program = Program::start(["--key", text(&key), "--algorithms", "ES256"]);
    assert!(!program.accepts(&alice(NEW)), "its algorithm is not allowed");
    program.end().well();
}

#[test]
fn a_missing_key_may_come_later() {
    let (_folder, key) = folder();
    let mut program = Program::start(["--key", text(&key)]);
    assert!(!program.accepts(&alice(NEW)));
    assert!(program.knows("alice"), "messages are kept meanwhile");
    replace(&key, &jwk(NEW));
    assert!(program.comes_to(|program| program.accepts(&alice(NEW))));
    let log = program.end().well();
    assert!(log.contains("chat.jwk: cannot be read") && log.contains("keys that verify tokens: 1"), "{log}");
}

#[test]
fn the_last_good_key_stays() {
    let (_folder, key) = with_key(NEW);
    let mut program = Program::start(["--key", text(&key)]);
    assert!(program.accepts(&alice(NEW)));
    let broken =
        ["", "{", "-----BEGIN PUBLIC KEY-----", r#"{"kty":"oct","k":"c2hvcnQ"}"#, &"x".repeat(100_000)];
    for (at, broken) in broken.into_iter().enumerate() {
        replace(&key, broken);
        program.comes_to_log("(what it said before stays in use)", at + 1);
        assert!(program.accepts(&alice(NEW)), "{broken}");
        replace(&key, &jwk(NEW));
        program.comes_to_log("read again", at + 1);
    }
    fs::remove_file(&key).expect("it is there");
    program.comes_to_log("No such file", 1);
    assert!(program.accepts(&alice(NEW)));
    replace(&key, &jwk(OLD));
    assert!(program.comes_to(|program| program.accepts(&alice(OLD))));
    assert!(!program.accepts(&alice(NEW)));
    program.end().well();
}

#[test]
fn keys_rotate_without_a_refusal() {
    let (folder, old) = with_key(OLD);
    let mut program = Program::start(["--key", text(folder.path())]);
    assert!(program.accepts(&alice(OLD)) && !program.accepts(&alice(NEW)));
    let new = folder.path().join("newer.json");
    replace(&new, &jwk(NEW));
    assert!(program.comes_to(|program| {
        assert!(program.accepts(&alice(OLD)), "the old key is good until it is taken away");
        program.accepts(&alice(NEW))
    }));
    fs::remove_file(&old).expect("it is there");
    assert!(program.comes_to(|program| {
        assert!(program.accepts(&alice(NEW)));
        !program.accepts(&alice(OLD))
    }));
    program.end().well();
}

#[test]
fn only_keys_are_read_in_a_folder_and_a_bad_one_leaves_the_others() {
    let (folder, _) = with_key(NEW);
    for (name, content) in [("bad.pem", "no key"), (".hidden.jwk", &*jwk(OLD)), ("notes.txt", &jwk(OLD))] {
        fs::write(folder.path().join(name), content).expect("there is room");
    }
    let mut program = Program::start(["--key", text(folder.path())]);
    assert!(program.accepts(&alice(NEW)) && !program.accepts(&alice(OLD)));
    let log = program.end().well();
    assert!(log.contains("bad.pem: ") && !log.contains("hidden") && !log.contains("notes.txt"), "{log}");
}

#[test]
fn a_folder_that_goes_leaves_its_keys() {
    let (folder, key) = with_key(NEW);
    let other = folder.path().join("keys");
    fs::create_dir(&other).expect("there is room");
    fs::copy(&key, other.join("chat.jwk")).expect("there is room");
    let mut program = Program::start(["--key", text(&other)]);
    assert!(program.accepts(&alice(NEW)));
    fs::remove_dir_all(&other).expect("it is there");
    program.comes_to_log("cannot be listed", 1);
    assert!(program.accepts(&alice(NEW)));
    program.end().well();
}

/// To open it would wait for somebody who writes into it.
#[test]
fn a_pipe_is_no_key() {
    let (_folder, key) = folder();
    assert!(Command::new("mkfifo").arg(&key).status().expect("mkfifo is there").success());
    let mut program = Program::start(["--key", text(&key)]);
    assert!(!program.accepts(&alice(NEW)));
    let log = program.end().well();
    assert!(log.contains("it is not a file"), "{log}");
}
