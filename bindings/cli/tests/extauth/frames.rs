//! Whatever comes in: answers come out, and the command goes on.

use std::fs;

use tempfile::TempDir;

use crate::support::{NEW, PASSWORD, Program, frame, jwk, text, token};

fn key() -> TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    fs::write(folder.path().join("chat.jwk"), jwk(NEW)).expect("there is room");
    folder
}

#[test]
fn an_input_may_be_cut_anywhere() {
    let folder = key();
    let question = frame(b"isuser:alice:localhost");
    let input = [question.clone(), frame(format!("auth:bob:localhost:{PASSWORD}").as_bytes())].concat();
    for cut in 0..=input.len() {
        let mut program = Program::start(["--key", text(folder.path())]);
        program.send(&input[..cut]);
        if cut >= question.len() {
            assert!(program.answer(), "everybody exists");
        }
        if cut == input.len() {
            assert!(!program.answer());
        }
        let log = program.end().well();
        let is_cut = ![0, question.len(), input.len()].contains(&cut);
        assert_eq!(log.contains("ended within a request"), is_cut, "{cut}: {log}");
    }
}

#[test]
fn a_request_may_come_in_pieces() {
    let folder = key();
    let mut program = Program::start(["--key", text(folder.path())]);
    for byte in frame(b"isuser:alice:localhost") {
        program.send(&[byte]);
    }
    assert!(program.answer());
    program.end().well();
}

#[test]
fn what_is_no_request_is_refused() {
    let folder = key();
    let mut program = Program::start(["--key", text(folder.path())]);
    let longest = format!("auth:alice:localhost:{}", "x".repeat(65_535 - 21));
    for request in [
        &b""[..],
        b":",
        b"auth",
        b"auth:",
        b"auth:alice:localhost",
        b"auth:::",
        b"isuser",
        b"isuser:alice",
        b"certauth:alice:localhost",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\0",
        b"auth:alice:localhost:\xff\xfe",
        b"auth:a\xcc\x81:\xe2\x80\xae:\n\n",
        format!("tryregister:alice:localhost:{PASSWORD}").as_bytes(),
        format!("setpass:alice:localhost:{PASSWORD}").as_bytes(),
        b"removeuser:alice:localhost",
        format!("removeuser3:alice:localhost:{PASSWORD}").as_bytes(),
        longest.as_bytes(),
    ] {
        program.send(&frame(request));
        assert!(!program.answer(), "{:?}", String::from_utf8_lossy(request));
    }
    assert!(program.accepts(&token(NEW, "alice@localhost")), "it goes on");
    let log = program.end().well();
    for command in ["tryregister", "setpass", "removeuser", "removeuser3"] {
        assert!(log.contains(&format!("{command} is refused")), "{log}");
    }
}

/// Bytes that no server sends: each run of them is a request of some length, and is refused.
#[test]
fn garbage_is_answered_with_no() {
    let folder = key();
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let garbage: Vec<u8> = (0..400_000).map(|_| next()).collect();
    let mut program = Program::start(["--key", text(folder.path())]);
    program.send(&garbage);
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    assert!(
        ended.rest.len() >= 8 && ended.rest.chunks(4).all(|answer| answer == [0, 2, 0, 0]),
        "{:?}",
        ended.rest
    );
    assert!(!ended.log.contains("defect"), "{}", ended.log);
}

#[test]
fn names_do_not_command_the_log() {
    let folder = key();
    let mut program = Program::start(["--key", text(folder.path())]);
    assert!(!program.ask("auth:al\u{1b}[31mice\n2026-11-30 faked:local\rhost:x"));
    let log = program.end().well();
    let is_plain = |c: char| c == '\n' || !c.is_control();
    assert!(
        log.chars().all(is_plain) && !log.lines().any(|line| line.starts_with("2026-11-30 faked")),
        "{log}"
    );
}

#[test]
fn nobody_who_reads_the_log_or_the_answers_is_needed() {
    let folder = key();
    let mut program = Program::start_with(["--key", text(folder.path())], |command| {
        command.stderr(std::process::Stdio::null())
    });
    assert!(!program.accepts(PASSWORD) && program.knows("alice"));
    program.end().well();
    // A log that cannot be written goes to stderr.
    let mut program = Program::start(["--key", text(folder.path()), "--log", "/nowhere/log"]);
    assert!(!program.accepts(PASSWORD));
    let log = program.end().well();
    assert!(
        log.contains("cannot write to /nowhere/log") && log.contains("alice@localhost is refused"),
        "{log}"
    );
}
