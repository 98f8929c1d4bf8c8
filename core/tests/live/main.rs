//! Real Prosody and ejabberd, over http and https.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod accounts;
mod api;
mod browser;
mod jwt;
mod latency;
mod logins;
mod losses;
mod lossy;
mod mod_auth_prebind;
mod plans;
mod refusals;
mod sessions;
mod site_tokens;
mod x_oauth2;

use std::fs;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use prebind::{Account, Client, Config, Credentials, Error, Session};
use servers::{Kind, Server};

static PROSODY: LazyLock<Server> = LazyLock::new(|| start(Kind::Prosody));
static EJABBERD: LazyLock<Server> = LazyLock::new(|| start(Kind::Ejabberd));

fn start(kind: Kind) -> Server {
    Server::start(kind).unwrap_or_else(|error| panic!("{error}"))
}

/// Both servers, over http and https.
fn everywhere() -> [(&'static Server, Config); 4] {
    [
        (&PROSODY, config(&PROSODY, &PROSODY.http_url)),
        (&PROSODY, config(&PROSODY, &PROSODY.https_url)),
        (&EJABBERD, config(&EJABBERD, &EJABBERD.http_url)),
        (&EJABBERD, config(&EJABBERD, &EJABBERD.https_url)),
    ]
}

fn config(server: &Server, url: &str) -> Config {
    Config::new(url).unwrap().with_ca(Some(fs::read(&server.ca_pem).unwrap()))
}

fn login(config: Config, jid: &str, credentials: Credentials) -> Result<Session, Error> {
    Client::new(config)?.prebind(&Account::new(jid, credentials)?)
}

/// Nobody of `host` is left, neither bound nor half-way.
fn assert_nobody_left(server: &Server, host: &str) {
    for _ in 0..200 {
        let jids = server.sessions().unwrap().jids;
        if !jids.iter().any(|jid| jid.contains(&format!("@{host}/"))) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{} still has {:?}", server.kind, server.sessions().unwrap());
}
