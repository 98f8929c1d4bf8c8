//! Where passwords and tokens come from.

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

use crate::support::{EJABBERD, PASSWORD, PROSODY, file, login, prebind, session, text};

#[test]
fn every_source_of_a_password_works() {
    let url = PROSODY.http_url.as_str();
    let alice = ["login", url, "alice@localhost"];
    for line in ["wonder-1", "wonder-1\n", "wonder-1\r\n", "wonder-1\nand more\n"] {
        session(prebind(alice).arg("--password-stdin").write_stdin(line));
    }
    for content in ["wonder-1", "wonder-1\n", "wonder-1\r\n"] {
        session(prebind(alice).arg("--password-file").arg(file(content).path()));
    }
    session(prebind(alice).env("PREBIND_PASSWORD", PASSWORD));
    session(prebind(alice).args(["--password-env", "CHAT"]).env("CHAT", PASSWORD));
}

#[test]
fn a_named_source_wins_over_the_usual_variable() {
    let password = file(PASSWORD);
    let mut command = login(["--password-file", text(password.path()), &PROSODY.http_url, "alice@localhost"]);
    session(command.env("PREBIND_PASSWORD", "wrong"));
}

#[test]
fn tokens_come_the_same_ways() {
    let bearer = ("oauthbearer", &*PROSODY, "alice@bearer.local");
    let x_oauth2 = ("x-oauth2", &*EJABBERD, "bob@oauth.local");
    let jwt = ("password", &*EJABBERD, "bob@jwt.local");
    for (auth, server, jid) in [bearer, x_oauth2, jwt] {
        let token = server.tokens[jid].as_str();
        let arguments = ["login", "--auth", auth, &server.http_url, jid];
        session(prebind(arguments).arg("--password-stdin").write_stdin(token));
        session(prebind(arguments).arg("--password-file").arg(file(token).path()));
        session(prebind(arguments).env("PREBIND_PASSWORD", token));
    }
}

#[test]
fn any_mechanism_of_one_message_works() {
    let arguments = ["login", "--mechanism", "PLAIN", "--password-stdin"];
    let place = [EJABBERD.http_url.as_str(), "alice@localhost"];
    session(prebind(arguments).args(place).write_stdin("\0alice\0wonder-1\n"));
}

#[test]
fn another_user_name_than_the_jids() {
    let command = || login(["--authcid", "alice", &PROSODY.http_url, "bob@localhost"]);
    // Prosody binds the one who logged in, and that is not whom the caller asked for.
    command().assert().code(12).stderr(contains("kind=Bind"));
    session(&mut login(["--authcid", "alice", &PROSODY.http_url, "alice@localhost"]));
}

#[test]
fn a_password_is_never_an_argument() {
    let place = [PROSODY.http_url.as_str(), "alice@localhost"];
    let attempts: [&[&str]; 6] = [
        &["--password", "hunter2"],
        &["--password=hunter2"],
        &["--token", "hunter2"],
        &["-p", "hunter2"],
        &["-phunter2"],
        &["hunter2"],
    ];
    for attempt in attempts {
        prebind(["login"])
            .args(place)
            .args(attempt)
            .assert()
            .code(2)
            .stderr(contains("never an argument"))
            .stderr(contains("--password-stdin").and(contains("--password-file")))
            .stderr(contains("PREBIND_PASSWORD").and(contains("--password-env")))
            .stderr(contains("hunter2").not());
    }
}

#[test]
fn without_a_password_and_a_terminal_the_ways_are_told() {
    for variable in [None, Some("")] {
        let mut command = prebind(["login", &PROSODY.http_url, "alice@localhost"]);
        command.envs(variable.map(|empty| ("PREBIND_PASSWORD", empty)));
        command
            .assert()
            .code(66)
            .stdout("")
            .stderr(contains("no terminal to ask").and(contains("--password-stdin")));
    }
}

#[test]
fn sources_that_give_nothing_are_named() {
    let alice = ["login", PROSODY.http_url.as_str(), "alice@localhost"];
    let refused = |arguments: &[&str], stdin: &str, message: &str| {
        let assert = prebind(alice).args(arguments).write_stdin(stdin.to_owned()).assert();
        assert.code(66).stdout("").stderr(contains(message).and(contains("kind=Input")));
    };
    refused(&["--password-stdin"], "", "no password came from stdin");
    refused(&["--password-stdin"], &"x".repeat(100_000), "bytes or more");
    refused(&["--password-env", "NOT_SET_HERE"], "", "NOT_SET_HERE is not set");
    refused(&["--password-file", "not/there"], "", "cannot read not/there");
    refused(&["--password-file", text(file("two\nlines\n").path())], "", "more than one line");
}

#[test]
fn sources_exclude_each_other_and_must_be_needed() {
    let place = [PROSODY.http_url.as_str(), "alice@localhost"];
    let both = ["login", "--password-stdin", "--password-env", "CHAT"];
    prebind(both).args(place).assert().code(2).stderr(contains("cannot be used with"));
    for auth in ["anonymous", "external"] {
        let needless = ["login", "--password-stdin", "--auth", auth];
        prebind(needless).args(place).assert().code(2).stderr(contains("take no password"));
    }
}
