//! The bind that is sent ahead of its turn, with real ejabberd: 23.01 and 24.12.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../live/browser.rs"]
mod browser;
mod hand_over;
mod logins;
#[path = "../live/lossy.rs"]
#[allow(dead_code, reason = "other tests know less of the server")]
mod lossy;
mod refusals;

use std::fs;
use std::sync::LazyLock;
use std::time::Duration;

use lossy::{Knowledge, Path};
use prebind::{Account, Client, Config, Credentials};
use servers::{Info, Kind, Server};

static EJABBERD: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd));
static EJABBERD_24: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd24));

fn start(kind: Kind) -> Server {
    Server::start(kind).unwrap_or_else(|error| panic!("{error}"))
}

fn config(server: &Info, url: &str) -> Config {
    let mut config = Config::new(url).unwrap().with_ca(Some(fs::read(&server.ca_pem).unwrap()));
    // The machine may be busy.
    config = config
        .with_deadline(Duration::from_secs(60))
        .unwrap()
        .with_request_timeout(Duration::from_secs(60))
        .unwrap();
    config
}

fn plain(jid: &str, password: &str) -> Account {
    Account::new(jid, Credentials::plain(password)).unwrap()
}

fn alice() -> Account {
    plain("alice@localhost", "wonder-1")
}

/// A client that knows the domain of this account.
fn taught(config: Config, account: &Account) -> Client {
    let client = Client::new(config).unwrap();
    let session = client.prebind(account).unwrap();
    assert_eq!(session.round_trips(), 4, "the first call is classic");
    client.terminate(&session).unwrap();
    client
}

#[test]
fn the_loss_of_any_request_is_mended_at_once() {
    for kind in [Kind::Ejabberd, Kind::Ejabberd24] {
        // Where the answer to a creation is lost, a session is left for a while.
        let server = start(kind);
        for (account, is_secret) in [
            (Account::new("anon.local", Credentials::anonymous()).unwrap(), false),
            (plain("bob@localhost", "builder-1"), true),
        ] {
            let is_final = |at| is_secret && at == 0;
            let path = || Path::to(&server, Knowledge::Domain, |config| config);
            path().assert_mended(&account, 2, is_final);
            path().restart_first().assert_mended(&account, 3, is_final);
        }
    }
}
