//! The page "Which login for my server?": the test runs every configuration on it, and writes its table of what works.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../../core/tests/live/browser.rs"]
mod browser;
mod directory;
mod measure;
mod page;
mod way;

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use prebind::token::{Algorithm, Issuer, Key};
use serde_json::Value;
use servers::{Kind, Options, Server};

use directory::Directory;
use measure::{Users, Worked, measure};
use way::{AUDIENCE, ISSUER, Product, WAYS, Way};

/// What all servers share: the keys of the site and of an identity provider, and a directory of users.
struct Surroundings {
    folder: tempfile::TempDir,
    directory: Directory,
    site: Issuer,
    provider: Issuer,
    jwks: faults::Server,
}

#[test]
fn every_way_works_as_the_page_says() {
    let surroundings = &Surroundings::new();
    let rows: Vec<Vec<Worked>> = thread::scope(|scope| {
        let kinds = [Kind::Prosody, Kind::Prosody13, Kind::Ejabberd, Kind::Ejabberd24];
        let servers = kinds.map(|kind| scope.spawn(move || worked_on(kind, surroundings)));
        servers.into_iter().map(|server| server.join().expect("no row fails")).collect()
    });
    let [prosody, prosody13, ejabberd, ejabberd24] = rows.try_into().expect("there are four servers");
    let lines = page::lines(Product::Prosody, &[("0.12", prosody), ("13", prosody13)])
        .into_iter()
        .chain(page::lines(Product::Ejabberd, &[("23", ejabberd), ("24", ejabberd24)]));
    page::compare(lines);
}

/// What worked with each way of the server's product, in their order.
fn worked_on(kind: Kind, surroundings: &Surroundings) -> Vec<Worked> {
    let product = Product::of(kind);
    let ways: Vec<&Way> = WAYS.iter().filter(|way| way.product == product).collect();
    let hosts: String = ways
        .iter()
        .filter(|way| way.is_on(kind))
        .map(|way| way.host_lines(page::block(way.section), surroundings))
        .collect();
    let options = Options { limits: false, ..Options::default() };
    let server =
        Server::start_with_hosts(kind, options, &hosts).unwrap_or_else(|error| panic!("{kind}: {error}"));
    let users: Vec<Option<Users<'_>>> =
        ways.iter().map(|way| way.is_on(kind).then(|| measure::users(way, &server, surroundings))).collect();
    let rows = thread::scope(|scope| {
        let rows = users
            .iter()
            .map(|users| scope.spawn(move || users.as_ref().map_or_else(Worked::nothing, measure)));
        let rows: Vec<_> = rows.collect();
        rows.into_iter().map(|row| row.join().expect("no row fails")).collect()
    });
    go_on_in_a_browser(&users.iter().flatten().map(Users::handed_over).collect());
    rows
}

/// Has a page in a real Chromium go on with each session.
fn go_on_in_a_browser(sessions: &Value) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/browser/attach.js");
    let mut node = Command::new("node").arg(script).stdin(Stdio::piped()).spawn().expect("Node is installed");
    let stdin = node.stdin.take().expect("it is piped");
    serde_json::to_writer(stdin, sessions).expect("it reads");
    assert!(node.wait().expect("it ends").success(), "a session does not work in the browser");
}

impl Surroundings {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        // Prosody 0.12 verifies HS256 only. A provider publishes what verifies its tokens.
        let site = Key::from_secret(Algorithm::Hs256, [7; 32]).expect("it is long enough");
        let provider = Key::generate(Algorithm::Es256, Some("provider")).expect("there are random numbers");
        let provider = Key::from_jwk(provider.expose()).expect("it is a key");
        write(folder.path(), "site-keys/site.jwk", site.verifying_jwk().expose());
        write(folder.path(), "provider-keys/provider.pem", &provider.public_pem().expect("it is a key pair"));
        let keys = format!("{{\"keys\":[{}]}}", provider.verifying_jwk().expose());
        let keys = faults::Reply::new(200, keys).header("Content-Type", "application/json");
        let keys = keys.lasts(Duration::from_secs(3600));
        Self {
            directory: Directory::start(),
            site: Issuer::new([site]).expect("it signs"),
            provider: Issuer::new([provider])
                .and_then(|issuer| {
                    issuer.with_audience(AUDIENCE).with_claims(&format!("{{\"iss\":\"{ISSUER}\"}}"))
                })
                .expect("it signs"),
            jwks: faults::script(vec![keys]),
            folder,
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("there is room");
    std::fs::write(file, text).expect("there is room");
}
