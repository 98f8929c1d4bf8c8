//! `prebind scram-keys`.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prebind::{Account, Client, Config, Credentials, ScramHash};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;

use crate::support::{PROSODY, prebind};

/// What is printed for this password.
fn derived(password: &str, arguments: &[&str]) -> Value {
    let mut command = prebind(["scram-keys", "--password-stdin"]);
    let assert = command.args(arguments).write_stdin(password).assert().success();
    assert!(!String::from_utf8_lossy(&assert.get_output().stdout).contains(password));
    serde_json::from_slice(&assert.get_output().stdout).expect("JSON")
}

fn bytes(of: &Value, name: &str) -> Vec<u8> {
    STANDARD.decode(of[name].as_str().expect("text")).expect("base64")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The server's half is in Prosody's store, the site has the other.
#[test]
fn the_site_logs_in_by_what_is_printed() {
    let keys = derived("a password nobody keeps", &[]);
    let (site, server) = (&keys["scram_keys"], &keys["server"]);
    let salt = String::from_utf8(bytes(server, "salt")).unwrap();
    let account = format!(
        "return {{ salt = \"{salt}\"; iteration_count = {}; stored_key = \"{}\"; server_key = \"{}\" }};",
        server["iterations"],
        hex(&bytes(server, "stored_key")),
        hex(&bytes(server, "server_key"))
    );
    let folder = PROSODY.ca_pem.with_file_name("data/localhost/accounts");
    fs::write(folder.join("stored.dat"), account).unwrap();
    let credentials = Credentials::scram_keys(
        ScramHash::Sha1,
        bytes(site, "salt"),
        10_000,
        bytes(site, "client_key"),
        bytes(site, "server_key"),
    );
    assert_eq!((&site["iterations"], &site["hash"]), (&10_000.into(), &"SHA-1".into()));
    let client = Client::new(Config::new(&PROSODY.http_url).unwrap()).unwrap();
    let session = client.prebind(&Account::new("stored@localhost", credentials).unwrap()).unwrap();
    assert_eq!(session.mechanism(), "SCRAM-SHA-1");
    client.terminate(&session).unwrap();
    assert!(server.get("client_key").is_none());
}

#[test]
fn the_servers_salt_and_count_are_taken() {
    let arguments = ["--hash", "SHA-256", "--iterations", "4096", "--salt", "W22ZaJ0SNY7soEsUEjb6gQ=="];
    let keys = derived("pencil", &arguments);
    // RFC 7677 §3.
    assert_eq!(keys["scram_keys"]["server_key"], "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
    assert_eq!(keys["server"]["stored_key"], "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
    assert_eq!(keys["server"]["salt"], arguments[5]);
    assert_ne!(derived("pencil", &[])["server"]["salt"], derived("pencil", &[])["server"]["salt"]);
}

#[test]
fn what_makes_no_keys_is_refused() {
    for (arguments, code, told) in [
        (["--iterations", "1"], 3, "is 4,096 to 10,000,000"),
        (["--salt", "?"], 2, "is not base64"),
        (["--hash", "MD5"], 2, "is one of SHA-1"),
    ] {
        let mut command = prebind(["scram-keys"]);
        command.args(arguments).env("PREBIND_PASSWORD", "Xyzzy").assert().code(code).stderr(contains(told));
    }
    let refused = contains("never an argument").and(contains("Xyzzy").not());
    prebind(["scram-keys", "--password", "Xyzzy"]).assert().code(2).stderr(refused);
    prebind(["scram-keys"]).assert().code(66).stderr(contains("no password, and no terminal"));
}
