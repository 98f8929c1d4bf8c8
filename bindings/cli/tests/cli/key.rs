//! `prebind key`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use prebind::Jid;
use prebind::token::{Issuer, Key, Verifier};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;
use servers::{Kind, Server};
use tempfile::TempDir;

use crate::support::{prebind, text};

#[test]
fn a_new_key_is_for_its_owner_alone_and_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("site.jwk");
    prebind(["key", "new", text(&path)]).assert().success().stdout("").stderr("");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = fs::read_to_string(&path).unwrap();
    assert!(Key::from_jwk(&first).unwrap().can_sign());
    prebind(["key", "new", text(&path)])
        .assert()
        .code(66)
        .stderr(contains("give the name of a file that does not exist yet"));
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
}

#[test]
fn what_the_server_needs_is_printed_without_the_private_key() {
    let folder = TempDir::new().unwrap();
    for algorithm in ["HS256", "HS512", "ES256", "EdDSA"] {
        let path = folder.path().join(algorithm);
        let path = text(&path);
        prebind(["key", "new", path, "--algorithm", algorithm, "--id", "2026-11"]).assert().success();
        let private: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let is_kept = |printed: &str| private.get("d").is_none_or(|d| !printed.contains(d.as_str().unwrap()));
        let assert = prebind(["key", "ejabberd", path, "--domain", "chat.example.org"]).assert().success();
        let printed = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        assert!(is_kept(&printed), "{printed}");
        for part in ["/etc/ejabberd/jwt.jwk", "\"chat.example.org\":", "\"kid\":\"2026-11\"", "reload_config"]
        {
            assert!(printed.contains(part), "{part}: {printed}");
        }
        let prosody = prebind(["key", "prosody", path]).assert();
        if algorithm == "EdDSA" {
            prosody.code(3).stderr(contains("Prosody does not know EdDSA"));
        } else {
            let kind = if algorithm == "ES256" { "2026-11.pem" } else { "2026-11.jwk" };
            let assert =
                prosody.success().stdout(contains(kind).and(contains("VirtualHost \"example.org\"")));
            assert!(is_kept(&String::from_utf8_lossy(&assert.get_output().stdout)));
        }
    }
}

#[test]
fn the_file_alone_verifies() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("site.jwk");
    prebind(["key", "new", text(&path), "--algorithm", "ES256"]).assert().success();
    let private = Key::from_jwk(&fs::read_to_string(&path).unwrap()).unwrap();
    let (alice, now) = (Jid::new("alice@example.org").unwrap(), SystemTime::now());
    let token = Issuer::new([private]).unwrap().issue(&alice, now).unwrap();
    for server in ["ejabberd", "prosody"] {
        let assert = prebind(["key", server, text(&path), "--only-file"]).assert().success();
        let file = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        let verifier = Verifier::new(Key::read(&file).unwrap()).unwrap();
        assert_eq!(verifier.verify(token.expose(), now).unwrap().jid, alice, "{server}");
    }
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("no-key");
    prebind(["key", "ejabberd", text(&path)]).assert().code(66).stderr(contains("no-key: "));
    fs::write(&path, "correct horse battery staple").unwrap();
    let told = contains("is no key in PEM").and(contains("horse").not());
    prebind(["key", "ejabberd", text(&path)]).assert().code(3).stderr(told);
    let new = ["key", "new", "never", "--algorithm"];
    for (algorithm, code, told) in [("RS256", 3, "openssl genrsa"), ("none", 2, "is one of HS256")] {
        prebind([]).args(new).arg(algorithm).assert().code(code).stderr(contains(told));
    }
}

/// Each algorithm, by what the command prints for ejabberd.
#[test]
fn ejabberd_accepts_tokens_by_what_is_printed() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(Kind::Ejabberd).unwrap();
    let client = prebind::Client::new(prebind::Config::new(&server.http_url).unwrap()).unwrap();
    for algorithm in ["HS256", "HS384", "HS512", "ES256", "EdDSA"] {
        let path = folder.path().join(algorithm);
        prebind(["key", "new", text(&path), "--algorithm", algorithm]).assert().success();
        let assert = prebind(["key", "ejabberd", text(&path), "--only-file"]).assert().success();
        server.change_jwt_key(&String::from_utf8(assert.get_output().stdout.clone()).unwrap()).unwrap();
        let key = Key::from_jwk(&fs::read_to_string(&path).unwrap()).unwrap();
        let credentials = prebind::Credentials::jwt(Issuer::new([key]).unwrap());
        let account = prebind::Account::new("alice@jwt.local", credentials).unwrap();
        let session = client.prebind(&account).unwrap_or_else(|error| panic!("{algorithm}: {error}"));
        client.terminate(&session).unwrap();
    }
}
