//! `--trace` shows every step, and nothing that is secret.

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;
use servers::Server;

use crate::support::{EJABBERD, PASSWORD, PROSODY, login, prebind, reported};

/// `NUL alice NUL wonder-1` in Base64: the initial response of PLAIN.
const PLAIN: &str = "AGFsaWNlAHdvbmRlci0x";

/// How SCRAM's messages begin in Base64: `n,,n=alice`, `r=`, `c=biws`, `v=`.
const SCRAM: [&str; 4] = [">biwsbj1hbGlj", ">cj", ">Yz1iaXdz", ">dj"];

fn traced(server: &Server, options: &[&str], stdin: &'static str) -> (Value, String) {
    let mut command = prebind(["login", "--trace", "--json", "--password-stdin"]);
    let assert =
        command.args(options).args([&server.http_url, "alice@localhost"]).write_stdin(stdin).assert();
    let output = assert.success().get_output().clone();
    let session = serde_json::from_slice(&output.stdout).expect("stdout has only the session");
    (session, String::from_utf8(output.stderr).expect("a trace is text"))
}

#[test]
fn every_stage_is_shown_with_time_and_size() {
    for server in [&*PROSODY, &*EJABBERD] {
        let (_, trace) = traced(server, &[], PASSWORD);
        let mut from = 0;
        for stage in ["create", "authenticate", "restart", "bind"] {
            let label = format!("{stage:<12}  →  <body ");
            from += trace[from..].find(&label).unwrap_or_else(|| panic!("{stage} in order in {trace}"));
        }
        let answers: Vec<&str> = trace.lines().filter(|line| line.contains("←")).collect();
        assert!(answers.len() >= 5, "{trace}");
        for answer in answers {
            let (measured, body) = answer.split_once("  <body ").expect("answers are shown");
            let words: Vec<&str> = measured.split_whitespace().collect();
            assert!(matches!(words[..], ["←", "200,", _, "bytes,", _, "ms"]), "{answer}");
            assert!(words[2].parse::<u32>().is_ok() && words[4].parse::<f64>().is_ok(), "{answer}");
            assert!(body.ends_with('>'), "{answer}");
        }
        assert!(!trace.contains('\u{1b}'), "no colours in a pipe");
    }
}

#[test]
fn no_secret_is_shown() {
    let plain: &[&str] = &["--mechanism", "PLAIN"];
    for server in [&*PROSODY, &*EJABBERD] {
        for (options, stdin) in [(&[][..], PASSWORD), (plain, "\0alice\0wonder-1")] {
            let (session, trace) = traced(server, options, stdin);
            assert!(trace.contains(">***</auth>") && trace.contains("sid=\"***\""), "{trace}");
            let sid = session["sid"].as_str().expect("a SID");
            let rid = session["rid"].as_u64().expect("a RID");
            let rids: Vec<String> = (rid - 10..=rid).map(|rid| rid.to_string()).collect();
            let secrets = rids.iter().map(String::as_str).chain([sid, PASSWORD, PLAIN]).chain(SCRAM);
            for secret in secrets {
                assert!(!trace.contains(secret), "{secret} in {trace}");
            }
        }
    }
}

#[test]
fn a_failure_ends_the_trace_and_the_session() {
    let assert = login(["--trace", "--json", &PROSODY.http_url, "alice@localhost"])
        .env("PREBIND_PASSWORD", "wrong-1")
        .assert()
        .code(10)
        .stderr(contains("type=\"terminate\"").and(contains("<failure")))
        .stderr(contains("wrong-1").not());
    assert_eq!(reported(&assert.get_output().stderr)["error"]["kind"], "Auth");
}

#[test]
fn a_request_without_an_answer_says_why() {
    login(["--trace", "http://127.0.0.1:9/", "alice@localhost"])
        .assert()
        .code(4)
        .stderr(contains("create        →  <body"))
        .stderr(contains(" ms  127.0.0.1:9 refuses the connection"));
}
