//! Each kind of error has its exit code, its message and its form for programs.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::process::{Command as Process, Stdio};

use predicates::str::contains;

use crate::options::answering;
use crate::support::{
    BINARY, EJABBERD, HIDING, PASSWORD, PROSODY, VARIABLES, file, is_gone, login, prebind, reported, session,
    text,
};

/// Runs a login that fails, and checks everything that is said about it.
fn fails(arguments: &[&str], code: i32, kind: &str, stage: &str, condition: Option<&str>) {
    let assert = login(["--json"]).args(arguments).assert().code(code).stdout("");
    let stderr = &assert.get_output().stderr;
    let error = &reported(stderr)["error"];
    assert_eq!(error["kind"], kind, "{error}");
    assert_eq!(error["stage"], stage, "{error}");
    assert_eq!(error["condition"].as_str(), condition, "{error}");
    let message = error["message"].as_str().expect("a message");
    let retry = error["retry"].as_str().expect("a hint");

    let lines: Vec<String> = String::from_utf8_lossy(stderr).lines().map(str::to_owned).collect();
    let condition = condition.map_or(String::new(), |condition| format!(" condition={condition}"));
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(lines[0], format!("error: {message}"));
    assert_eq!(lines[1], format!("       kind={kind} stage={stage}{condition} retry={retry}"));
}

#[test]
fn a_wrong_password() {
    for server in [&*PROSODY, &*EJABBERD] {
        let password = file("wrong");
        let arguments = ["--password-file", text(password.path()), &server.http_url, "alice@localhost"];
        fails(&arguments, 10, "Auth", "authenticate", Some("not-authorized"));
    }
}

#[test]
fn an_unknown_host() {
    let arguments = [PROSODY.http_url.as_str(), "alice@nowhere.local"];
    fails(&arguments, 8, "Terminated", "create", Some("improper-addressing"));
    let arguments = [EJABBERD.http_url.as_str(), "alice@nowhere.local"];
    fails(&arguments, 8, "Terminated", "create", Some("internal-server-error"));
}

#[test]
fn hidden_mechanisms() {
    fails(&[&HIDING.http_url, "alice@localhost"], 9, "Mechanism", "features", None);
    login([&HIDING.http_url, "alice@localhost"]).assert().code(9).stderr(contains("consider_bosh_secure"));
}

#[test]
fn mechanisms_that_are_too_weak() {
    let arguments = ["--weakest-mechanism", "scram-sha-512", &PROSODY.http_url, "alice@localhost"];
    fails(&arguments, 9, "Mechanism", "features", None);
}

#[test]
fn too_few_iterations() {
    let arguments = ["--min-iterations", "500000", &PROSODY.http_url, "alice@localhost"];
    fails(&arguments, 11, "ServerUnverified", "authenticate", None);
}

#[test]
fn a_resource_that_is_taken() {
    let arguments = [PROSODY.http_url.as_str(), "alice@refuse.local/taken"];
    session(&mut login(arguments));
    fails(&arguments, 12, "Bind", "bind", Some("conflict"));
}

#[test]
fn wrong_options() {
    fails(&["ftp://127.0.0.1/", "alice@localhost"], 3, "Config", "configure", None);
    fails(&["http://127.0.0.1/", "alice@@localhost"], 3, "Config", "configure", None);
    fails(&["--wait", "0", "http://127.0.0.1/", "alice@localhost"], 3, "Config", "configure", None);
}

#[test]
fn no_connection() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let url = format!("http://{}/http-bind", free.expect("there are ports"));
    fails(&[&url, "alice@localhost"], 4, "Connect", "create", None);
}

#[test]
fn no_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let url = format!("http://{}/http-bind", silent.local_addr().expect("it has one"));
    fails(&["--deadline", "0.3", &url, "alice@localhost"], 5, "Timeout", "create", None);
    fails(&["--request-timeout", "0.3", &url, "alice@localhost"], 5, "Timeout", "create", None);
}

#[test]
fn an_answer_that_is_not_bosh() {
    let (url, _) = answering("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    fails(&[&url, "alice@localhost"], 6, "Http", "create", None);
    let (url, _) = answering("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 4\r\n\r\n<no>");
    fails(&[&url, "alice@localhost"], 7, "Protocol", "create", None);
}

#[test]
fn how_long_a_server_asks_to_wait() {
    let answer =
        "HTTP/1.1 503 Busy\r\nretry-after: 30\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno";
    let (url, _) = answering(answer);
    let assert = login(["--json", &url, "alice@localhost"]).assert().code(6);
    assert_eq!(reported(&assert.get_output().stderr)["error"]["retry_after"], 30);
}

#[test]
fn what_cannot_be_read_has_no_stage() {
    let assert = prebind(["login", "--json", &PROSODY.http_url, "alice@localhost"]).assert().code(66);
    let error = &reported(&assert.get_output().stderr)["error"];
    assert_eq!(error["kind"], "Input");
    assert!(error["stage"].is_null() && error["condition"].is_null());
    assert_eq!(error["retry"], "after-config-change");
}

/// Starts a login whose output goes there.
fn printing_to(stdout: Stdio, resource: &str) -> std::process::Child {
    let mut process = Process::new(BINARY);
    for variable in VARIABLES {
        process.env_remove(variable);
    }
    process.args(["login", "--json", &PROSODY.http_url]).arg(format!("alice@localhost/{resource}"));
    process.env("PREBIND_PASSWORD", PASSWORD).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    process.spawn().expect("the command starts")
}

#[test]
fn a_closed_pipe_is_no_news_and_leaves_no_session() {
    let mut resources = ["pipe", "pipe-2", "pipe-3"].into_iter();
    // A process that another test starts at this moment has the other end, too, until it is what it is to be.
    let (resource, output) = resources
        .find_map(|resource| {
            let mut child = printing_to(Stdio::piped(), resource);
            drop(child.stdout.take());
            let output = child.wait_with_output().expect("it ends");
            (!output.status.success()).then_some((resource, output))
        })
        .expect("nobody has the other end");
    assert_eq!(output.status.code(), Some(74));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(is_gone(&PROSODY, &format!("alice@localhost/{resource}")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_leaves_no_session() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has one");
    let output = printing_to(full.into(), "full").wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(74));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot write the result") && stderr.contains("kind=Output"), "{stderr}");
    assert!(is_gone(&PROSODY, "alice@localhost/full"));
}
