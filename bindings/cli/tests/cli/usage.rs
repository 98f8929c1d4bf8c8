//! Help, version, completions, and that the README keeps its word.

use std::process::{Command as Process, Stdio};

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::{contains, is_empty};

use crate::support::{file, login, prebind};

const README: &str = include_str!("../../README.md");

#[test]
fn help_gives_examples_and_exit_codes() {
    for arguments in [["--help", ""], ["login", "--help"], ["terminate", "--help"]] {
        let arguments = arguments.into_iter().filter(|argument| !argument.is_empty());
        prebind([])
            .args(arguments)
            .assert()
            .success()
            .stdout(contains("Examples:\n  prebind ").or(contains("| prebind ")))
            .stdout(contains("Exit codes:").and(contains("10  Auth ")))
            .stdout(contains('\u{1b}').not());
    }
}

#[test]
fn help_shows_no_secret_of_the_environment() {
    let proxy = "http://user:hidden@127.0.0.1:1";
    let mut command = prebind(["login", "--help"]);
    command.env("PREBIND_PROXY", proxy).env("PREBIND_PASSWORD", "hidden");
    command.assert().stdout(contains("[env: PREBIND_PROXY]").and(contains("hidden").not()));
}

#[test]
fn readme_and_help_have_the_same_exit_codes() {
    let assert = prebind(["--help"]).assert();
    let help = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let (_, table) = help.split_once("Exit codes:\n").expect("the table is there");
    let in_help: Vec<(&str, &str)> = table
        .lines()
        .map(|line| line.trim().split_once(' ').expect("a code and more"))
        .map(|(code, rest)| (code, rest.split_whitespace().next().expect("a name")))
        .collect();
    let in_readme: Vec<(&str, &str)> = README
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.len() == 5 && cells[1].parse::<u8>().is_ok())
        .map(|cells| (cells[1], cells[2].trim_matches('`')))
        .collect();
    assert_eq!(in_readme, in_help);
}

#[test]
fn readme_names_only_options_that_there_are() {
    let help = |arguments: &[&str]| prebind([]).args(arguments).assert().get_output().stdout.clone();
    let commands: [&[&str]; 5] = [
        &["login", "--help"],
        &["key", "new", "--help"],
        &["key", "ejabberd", "--help"],
        &["extauth", "--help"],
        &["scram-keys", "--help"],
    ];
    let helps = String::from_utf8(commands.map(help).concat()).expect("help is text");
    let options = README.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    for option in options.filter(|word| word.starts_with("--") && !word.ends_with('-')) {
        let is_known = ["--file", "--help", "--path", "--root"].contains(&option)
            || ['\n', ' ', '['].iter().any(|after| helps.contains(&format!("{option}{after}")));
        assert!(is_known, "{option}");
    }
}

#[test]
fn version_is_the_packages() {
    prebind(["--version"]).assert().success().stdout(concat!("prebind ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        prebind(["completions", shell])
            .assert()
            .success()
            .stderr("")
            .stdout(is_empty().not().and(contains("password-stdin")));
    }
}

#[test]
fn bash_understands_its_completions() {
    let script = prebind(["completions", "bash"]).assert().success().get_output().stdout.clone();
    let script = file(&String::from_utf8(script).expect("a script is text"));
    let mut bash = Process::new("bash");
    let status = bash.arg("-n").arg(script.path()).stdin(Stdio::null()).status().expect("bash is there");
    assert!(status.success());
}

#[test]
fn a_closed_pipe_is_no_news() {
    let mut child = Process::new(crate::support::BINARY)
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// The name that messages give for it.
#[test]
fn the_jid_of_a_user_name_is_escaped() {
    prebind(["jid", "alice@mail.example", "chat.example.org"])
        .assert()
        .success()
        .stdout("alice\\40mail.example@chat.example.org\n");
    prebind(["jid", " alice", "chat.example.org"])
        .assert()
        .code(3)
        .stderr(contains("JID: a user name must not begin"));
    login(["http://127.0.0.1:9/", "alice@mail.example@chat.example.org"])
        .assert()
        .code(3)
        .stderr(contains("`prebind jid`").and(contains("alice\\40mail.example@chat.example.org")));
}
