//! Tests the command as other languages use it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::client::{connect, exchange, post};
use crate::replay::{FIXTURES, say};

fn faults(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faults"));
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server. Returns it with the URL that it printed.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = faults(arguments).spawn().expect("the command");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("a pipe");
    // The server prints only one line until somebody connects, so this reads nothing after it.
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let line: Value = serde_json::from_str(&line).expect("JSON");
    (child, line["url"].as_str().expect("a URL").to_owned())
}

/// Closes standard input. Returns the exit code, standard output and standard error.
fn end(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().expect("an end");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_replay_that_fits_and_one_that_does_not() {
    let case = format!("{FIXTURES}/login.json");
    let (child, url) = start(&["replay", &case]);
    let mut tcp = connect(&url);
    say(&mut tcp, "<body rid=\"70\" to=\"localhost\"/>", "");
    say(&mut tcp, "<body rid=\"71\" sid=\"s1\"><auth/></body>", "Cookie: a=1; b=2\r\n");
    say(&mut tcp, "<body rid=\"72\" sid=\"s1\" type=\"terminate\"/>", "");
    let (code, stdout, stderr) = end(child);
    let result: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(result["expect"]["session"]["rid"], 73);
    assert_eq!((code, &*stderr), (Some(0), ""));

    let (child, url) = start(&["replay", &case]);
    say(&mut connect(&url), "<body rid=\"70\" to=\"elsewhere\"/>", "");
    let (code, stdout, stderr) = end(child);
    assert_eq!((code, &*stdout), (Some(1), ""));
    assert!(stderr.contains("request 1 of 3: the body differs"), "{stderr}");
}

#[test]
fn the_list_of_a_directory() {
    let (code, stdout, _) = end(faults(&["replay", "--list", FIXTURES]).spawn().unwrap());
    assert_eq!(code, Some(0));
    let cases: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), 3);
    assert_eq!(cases[0]["account"]["jid"], "alice@localhost");
}

#[test]
fn a_fault_by_its_name() {
    let (child, url) = start(&["serve", "status-503", "--at", "2", "--once"]);
    let mut tcp = connect(&url);
    let statuses = [1, 2, 3].map(|_| exchange(&mut tcp, "<body/>").0[9..12].to_owned());
    assert_eq!(statuses, ["200", "503", "200"]);
    let (code, stdout, _) = end(child);
    let result: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(result["requests"][2]["body"], "<body/>");

    let (mut child, url) = start(&["serve", "no-headers", "--at", "2", "--tell"]);
    let mut tcp = connect(&url);
    exchange(&mut tcp, "<body/>");
    tcp.write_all(post("<body/>").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "{\"struck\":1}\n");
    let (_, stdout, _) = end(child);
    let result: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(result["requests"].as_array().unwrap().len(), 2);

    let (code, _, stderr) = end(faults(&["serve", "nonsense"]).spawn().unwrap());
    assert_eq!(code, Some(2));
    assert!(stderr.contains("faults list"), "{stderr}");

    let (_, stdout, _) = end(faults(&["list"]).spawn().unwrap());
    assert_eq!(stdout.lines().count(), faults::ALL.len());
}

#[test]
fn a_process_that_grows_with_its_calls() {
    let look = |lines: &[&str]| {
        let mut child = faults(&["growth", "--calls", "1000"]).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
        end(child)
    };
    let (code, stdout, stderr) = look(&["{\"files\":9,\"memory\":30000}"; 6]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert_eq!(stdout, "files: 0.000 with each call\nmemory: 0.000 with each call\n");

    let leaking: Vec<String> = (0..6).map(|share| format!("{{\"files\":{}}}", share * 1000)).collect();
    let (code, _, stderr) = look(&leaking.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((code, &*stderr), (Some(1), "faults: `files` grows by 1.000 with each call\n"));
    assert_eq!(look(&["files: 9"; 6]).0, Some(1), "no JSON");
}
