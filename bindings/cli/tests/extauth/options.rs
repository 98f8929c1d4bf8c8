//! What is wrong with the command line: ejabberd is answered all the same.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{BINARY, NEW, PASSWORD, Program, jwk, text, token};

/// Command lines that are wrong, and what the log says.
const WRONG: [(&[&str], &str); 14] = [
    (&[], "nobody could log in: give the key of the site's tokens with --key"),
    (&["--bogus"], "unexpected argument '--bogus'"),
    (&["--key"], "a value is required for '--key <PATH>'"),
    (&["--key", "x", PASSWORD], "a secret is never an argument"),
    (&["--key", "x", "--site-secret", PASSWORD], "a secret is never an argument"),
    (&["--key", "x", "--deadline", "60"], "at most 20 seconds"),
    (&["--key", "x", "--isuser", "some"], "invalid value 'some' for '--isuser <WHO>'"),
    (&["--key", "x", "--isuser", "site"], "--isuser site needs the URL of the site"),
    (&["--key", "x", "--isuser", "all", "--users", "y"], "cannot be used with"),
    (&["--ask"], "--site <URL>"),
    (&["--jwks", "https://id.example.org/jwks", "--issuer", "x"], "--audience <NAME>"),
    (&["--jwks", "https://id.example.org/jwks", "--audience", "x"], "--issuer <NAME>"),
    (&["--help"], "Answer ejabberd's questions"),
    (&["--key", "x", "--config"], "--config is not for extauth_program"),
];

#[test]
fn a_wrong_option_is_a_no_to_everything() {
    for (arguments, told) in WRONG {
        let mut program = Program::start(arguments.iter().copied());
        assert!(!program.accepts(&token(NEW, "alice@localhost")) && !program.knows("alice"), "{arguments:?}");
        assert!(program.is_running());
        let log = program.end().well();
        assert!(log.contains("every request is refused") && log.contains(told), "{arguments:?}: {log}");
    }
}

#[test]
fn a_site_is_asked_where_nobody_can_listen() {
    for (site, told) in [
        ("http://www.example.org/", "use https"),
        ("https://alice:Xyzzy-1964@www.example.org/", "leave out the user name"),
        ("chat-login", "give a URL like"),
    ] {
        for option in [&["--ask", "--site"][..], &["--issuer", "x", "--audience", "y", "--jwks"]] {
            let mut program = Program::start(option.iter().copied().chain([site]));
            assert!(!program.knows("alice"));
            let log = program.end().well();
            assert!(log.contains("every request is refused: --") && log.contains(told), "{site}: {log}");
        }
    }
}

#[test]
fn what_is_wrong_is_told_in_the_log_that_was_asked_for() {
    let folder = tempfile::tempdir().expect("there is room");
    let log = folder.path().join("log");
    let joined = format!("--log={}", text(&log));
    for arguments in [&["--bogus", "--log", text(&log)][..], &[&joined, "--bogus"]] {
        let mut program = Program::start(arguments.iter().copied());
        assert!(!program.knows("alice"));
        assert_eq!(program.end().well(), "");
        let told = fs::read_to_string(&log).expect("there is a log");
        assert!(
            told.contains("ERROR prebind extauth[") && told.contains("unexpected argument '--bogus'"),
            "{told}"
        );
        fs::remove_file(&log).expect("it is there");
    }
}

/// Without a question, the command ends as any other.
#[test]
fn without_a_server_wrong_usage_is_an_error_and_help_is_help() {
    for (arguments, code) in [(&["--bogus"][..], 2), (&[], 2), (&["--help"], 0)] {
        let ended = Program::start(arguments.iter().copied()).end();
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.log);
        let is_help = String::from_utf8_lossy(&ended.rest).contains("--site-secret-file");
        assert_eq!(is_help, arguments == ["--help"]);
        let mut command = Command::new(BINARY);
        command
            .arg("extauth")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        assert_eq!(command.status().expect("it runs").code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn the_configuration_is_printed_for_these_options() {
    let folder = tempfile::tempdir().expect("there is room");
    let key = folder.path().join("a key.jwk");
    fs::write(&key, jwk(NEW)).expect("there is room");
    let program = Program::start(["--key", text(&key), "--config=chat.example.org"]);
    let ended = program.end();
    let config = String::from_utf8(ended.rest).expect("it is text");
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let command = format!("\n    extauth_program: \"{BINARY} extauth --key '{}'\"\n", text(&key));
    for line in [
        "\n  \"chat.example.org\":\n",
        "\n    auth_method: [external]\n",
        "\n    auth_use_cache: false\n",
        "\n    extauth_pool_size: 16\n",
        "client_max_body_size 64k;",
        "max_stanza_size: 65536\n",
        &command,
    ] {
        assert!(config.contains(line), "{line} in {config}");
    }
    assert!(ended.log.contains("keys that verify tokens: 1"), "{}", ended.log);

    let ended = Program::start(["--key", "/nowhere/chat.jwk", "--config"]).end();
    assert!(ended.log.contains("/nowhere/chat.jwk: cannot be read"), "{}", ended.log);
    assert!(String::from_utf8_lossy(&ended.rest).contains("\n  \"example.org\":\n"));
}
