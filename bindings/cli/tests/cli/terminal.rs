//! On a terminal: the prompt, and colours. The pseudo-terminal is that of `script` (Debian:
//! bsdutils).

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use crate::support::{BINARY, PASSWORD, PROSODY, VARIABLES, comes_true};

/// Starts `prebind login` for alice in a terminal, which shows stdout and stderr alike.
fn on_a_terminal(variables: &[(&str, &str)]) -> Child {
    let line = format!("'{BINARY}' login '{}' alice@localhost", PROSODY.http_url);
    let mut script = Command::new("script");
    for variable in VARIABLES {
        script.env_remove(variable);
    }
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env("TERM", "xterm").envs(variables.iter().copied());
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    script.spawn().expect("script is there")
}

/// Reads up to the prompt.
fn prompt(child: &mut Child) -> String {
    let stdout = child.stdout.as_mut().expect("it is piped");
    let mut shown = Vec::new();
    while !shown.ends_with(b": ") {
        let mut byte = [0];
        stdout.read_exact(&mut byte).expect("there is a prompt");
        shown.push(byte[0]);
    }
    assert!(comes_true(|| is_silent(child.id())), "the echo is switched off right after the prompt");
    String::from_utf8(shown).expect("a prompt is text")
}

/// Whether the terminal that `script` has made does not show what is typed.
fn is_silent(script: u32) -> bool {
    let children = fs::read_to_string(format!("/proc/{script}/task/{script}/children")).unwrap_or_default();
    let Some(child) = children.split_whitespace().next() else { return false };
    let stty = Command::new("stty").arg("--file").arg(format!("/proc/{child}/fd/0")).arg("--all").output();
    String::from_utf8_lossy(&stty.expect("stty is there").stdout)
        .split_whitespace()
        .any(|word| word == "-echo")
}

fn type_in(child: &mut Child, keys: &str) {
    child.stdin.as_mut().expect("it is piped").write_all(keys.as_bytes()).expect("it reads");
}

/// Everything else it shows, and its exit code.
fn rest(mut child: Child) -> (String, Option<i32>) {
    let mut shown = String::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    stdout.read_to_string(&mut shown).expect("what it shows is text");
    (shown, child.wait().expect("it ends").code())
}

#[test]
fn the_prompt_names_the_account_and_shows_no_password() {
    let mut child = on_a_terminal(&[]);
    assert_eq!(prompt(&mut child), "Password for alice@localhost: ");
    type_in(&mut child, &format!("{PASSWORD}\n"));
    let (shown, code) = rest(child);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("alice@localhost/") && !shown.contains(PASSWORD), "{shown}");
}

#[test]
fn the_prompt_can_be_left() {
    let mut child = on_a_terminal(&[]);
    prompt(&mut child);
    type_in(&mut child, "\u{3}");
    let (shown, code) = rest(child);
    assert_eq!(code, Some(130), "as a shell tells SIGINT: {shown}");
}

#[test]
fn there_are_colours_unless_they_are_not_wanted() {
    let password = ("PREBIND_PASSWORD", PASSWORD);
    let (shown, code) = rest(on_a_terminal(&[password]));
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains('\u{1b}'), "{shown}");
    let (shown, code) = rest(on_a_terminal(&[password, ("NO_COLOR", "1")]));
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}
