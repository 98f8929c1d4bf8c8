//! The example as a stranger runs it, and what must not happen to it.
#![allow(clippy::unwrap_used, reason = "in helpers as in tests, to panic is to fail")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use servers::{Kind, Server};

const EXAMPLE: &str = env!("CARGO_BIN_EXE_example-rust");

#[test]
fn shows_and_proves_a_session() {
    let output = example(&["--once"]).output().unwrap();
    let text = stdout(&output);
    assert!(output.status.success(), "{output:?}");
    for name in ["JID  alice@localhost/", "SID  ", "RID  "] {
        assert_eq!(text.matches(&format!("\n    {name}")).count(), 1, "{name:?} in {text}");
    }
    let jid = text.split("JID  ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let said = text.split("and said \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(text.contains(&format!("bob heard \"{said}\" from {jid}\n")), "{text}");
    assert!(is_gone(server_pid(&text)), "{text}");
}

#[test]
fn leaves_nothing_behind_on_ctrl_c() {
    for moment in ["Prosody runs at", "attached as bob", "Ctrl-C ends it all"] {
        let mut example = example(&[]).process_group(0).stdout(Stdio::piped()).spawn().unwrap();
        let text = read_until(&mut example, moment);
        let server = server_pid(&text);
        assert!(Path::new(&format!("/proc/{server}")).exists(), "{text}");

        // As a terminal does: to the whole group.
        let group = format!("-{}", example.id());
        assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
        assert!(!example.wait().unwrap().success());
        assert!(is_gone(server), "Prosody {server} survived Ctrl-C at {moment:?}");
    }
}

#[test]
fn fails_when_the_session_is_not_real() {
    let server = Server::start(Kind::Prosody).unwrap();
    let output = browser(&server.http_url, r#"{"jid":"bob@localhost/x","sid":"none","rid":1}"#);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).is_empty());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("ended the session of bob@localhost/x (item-not-found)"), "{message}");
}

#[test]
fn fails_when_the_rid_is_not_the_next() {
    let server = Server::start(Kind::Prosody).unwrap();
    let bob = prebind::prebind(&server.http_url, "bob@localhost", server.accounts["bob"].as_str()).unwrap();
    let shifted = bob.to_json().replace(&bob.rid().to_string(), &(bob.rid() + 10).to_string());
    let output = browser(&server.http_url, &shifted);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

fn example(arguments: &[&str]) -> Command {
    let mut example = Command::new(EXAMPLE);
    example.args(arguments).stdin(Stdio::null());
    example
}

fn browser(url: &str, handed_over: &str) -> Output {
    let mut browser = Command::new(EXAMPLE)
        .args(["browser", url, "hear"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(browser.stdin.take().unwrap(), "{handed_over}").unwrap();
    browser.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn read_until(example: &mut Child, moment: &str) -> String {
    let mut text = String::new();
    let mut output = BufReader::new(example.stdout.take().unwrap());
    while !text.contains(moment) {
        assert_ne!(output.read_line(&mut text).unwrap(), 0, "ended before {moment:?}: {text}");
    }
    text
}

fn server_pid(text: &str) -> u32 {
    let rest = text.split("(process ").nth(1).unwrap();
    rest.split(')').next().unwrap().parse().unwrap()
}

/// Whether the process ends within a moment.
fn is_gone(pid: u32) -> bool {
    let until = Instant::now() + Duration::from_secs(30);
    let process = format!("/proc/{pid}");
    while Path::new(&process).exists() {
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}
