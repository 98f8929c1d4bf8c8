//! The command, the servers, and what to ask of them.

use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use serde_json::Value;
use servers::{Kind, Options, Server};
use tempfile::NamedTempFile;

pub(crate) static PROSODY: LazyLock<Server> = LazyLock::new(|| start(Kind::Prosody, true));
pub(crate) static EJABBERD: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd, true));
/// Prosody as it is unless told that plain http is secure.
pub(crate) static HIDING: LazyLock<Server> = LazyLock::new(|| start(Kind::Prosody, false));

/// Of alice, on every host with passwords.
pub(crate) const PASSWORD: &str = "wonder-1";

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_prebind");

/// The variables that change what the command does.
pub(crate) const VARIABLES: [&str; 5] =
    ["PREBIND_PASSWORD", "PREBIND_PROXY", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"];

fn start(kind: Kind, mechanisms_on_http: bool) -> Server {
    let options = Options { limits: false, mechanisms_on_http, ..Options::default() };
    Server::start_with(kind, options).unwrap_or_else(|error| panic!("{error}"))
}

/// `prebind ARGUMENTS…` without anything of the tester's environment.
pub(crate) fn prebind<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(BINARY);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.args(arguments).timeout(Duration::from_secs(120));
    command
}

/// `prebind login ARGUMENTS…` with alice's password.
pub(crate) fn login<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = prebind(["login"]);
    command.args(arguments).env("PREBIND_PASSWORD", PASSWORD);
    command
}

/// Runs a login that succeeds, and returns what `--json` prints.
pub(crate) fn session(command: &mut Command) -> Value {
    let assert = command.arg("--json").assert().success().stderr("");
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert_eq!(stdout.matches('\n').count(), 1, "one line: {stdout}");
    serde_json::from_str(&stdout).expect("--json prints JSON")
}

/// The last line of stderr, in which `--json` reports an error.
pub(crate) fn reported(stderr: &[u8]) -> Value {
    let stderr = String::from_utf8_lossy(stderr);
    let last = stderr.lines().last().expect("there is an error");
    serde_json::from_str(last).expect("--json reports as JSON")
}

pub(crate) fn is_bound(server: &Server, jid: &str) -> bool {
    let sessions = server.sessions().expect("the server says who is there");
    sessions.jids.iter().any(|bound| bound == jid)
}

/// Whether nobody is bound to that address any more, now or soon.
pub(crate) fn is_gone(server: &Server, jid: &str) -> bool {
    comes_true(|| !is_bound(server, jid))
}

/// Asks again and again, for what no event tells.
pub(crate) fn comes_true(holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

pub(crate) fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("there is room for a file");
    file.write_all(content.as_bytes()).expect("there is room for a line");
    file
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}
