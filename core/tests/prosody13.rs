//! Real Prosody 13, over http and https: login and bind in one exchange, and tokens in place of the
//! password.
//!
//! Its packages are fetched the first time, which not every machine can do:
//! `cargo test -p prebind --test prosody13 -- --ignored`

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "live/browser.rs"]
mod browser;
#[path = "live/lossy.rs"]
mod lossy;
#[path = "live/site_tokens/mod.rs"]
mod site_tokens;
#[path = "prosody13/tokens.rs"]
mod tokens;

use std::fs;
use std::sync::LazyLock;

use browser::Browser;
use lossy::{Knowledge, Path, in_cleartext};
use prebind::{Account, Client, Config, Credentials, FastToken, Session};
use servers::{Kind, Server};

static PROSODY: LazyLock<Server> =
    LazyLock::new(|| Server::start(Kind::Prosody13).unwrap_or_else(|error| panic!("{error}")));

/// With tokens asked for, over http and https.
fn configs() -> [Config; 2] {
    [&PROSODY.http_url, &PROSODY.https_url].map(|url| {
        Config::new(url).unwrap().with_ca(Some(fs::read(&PROSODY.ca_pem).unwrap())).with_fast_tokens(true)
    })
}

fn account(jid: &str, credentials: Credentials) -> Account {
    Account::new(jid, credentials).unwrap()
}

fn password() -> Account {
    account("alice@localhost", Credentials::password("wonder-1"))
}

fn plain() -> Account {
    account("alice@localhost", Credentials::plain("wonder-1"))
}

/// How it logged in, in how many round trips; the session is ended.
fn login(client: &Client, account: &Account) -> (String, u32) {
    let session = client.prebind(account).unwrap();
    client.terminate(&session).unwrap();
    (session.mechanism().to_owned(), session.round_trips())
}

/// A first login, and the token it is given.
fn token(client: &Client) -> FastToken {
    let session = client.prebind(&password()).unwrap();
    client.terminate(&session).unwrap();
    session.fast_token().unwrap().clone()
}

/// The same token with another secret, which no server knows.
fn spoiled(token: &FastToken) -> FastToken {
    FastToken::from_text(&token.to_text().replace("secret-token:fast-", "secret-token:fast-x")).unwrap()
}

fn is(mechanism: &str, round_trips: u32) -> (String, u32) {
    (mechanism.to_owned(), round_trips)
}

#[test]
#[ignore = "fetches Prosody 13"]
fn the_password_is_needed_once_and_then_one_round_trip_is_enough() {
    for config in configs() {
        let client = Client::new(config.clone()).unwrap();
        let session = client.prebind(&password()).unwrap();
        client.terminate(&session).unwrap();
        assert_eq!((session.mechanism(), session.round_trips()), ("SCRAM-SHA-1", 3));
        // All that is kept for the next process.
        let (stored, profile) = (session.fast_token().unwrap().to_text(), client.profile());

        let config = config.with_profile(Some(profile));
        let client = Client::new(config).unwrap();
        let stored = FastToken::from_text(&stored).unwrap();
        let only_token = account("alice@localhost", Credentials::fast(stored.clone()));
        for _ in 0..3 {
            let session = client.prebind(&only_token).unwrap();
            assert_eq!((session.mechanism(), session.round_trips()), ("HT-SHA-256-NONE", 1));
            assert_eq!(session.fast_token(), Some(&stored), "it is good for the next time, too");
            client.terminate(&session).unwrap();
        }
    }
}

#[test]
#[ignore = "fetches Prosody 13"]
fn the_round_trips_of_every_way() {
    for config in configs() {
        let client = Client::new(config.clone()).unwrap();
        assert_eq!(login(&client, &plain()), is("PLAIN", 2), "the first is in order");
        assert_eq!(login(&client, &plain()), is("PLAIN", 1));
        assert_eq!(login(&client, &password()), is("SCRAM-SHA-1", 2));
        // Bind 2 can ask for no particular resource, so that is bound after the login.
        let desk = account("alice@localhost/desk", Credentials::password("wonder-1"));
        let session = client.prebind(&desk).unwrap();
        assert_eq!(session.jid().to_string(), "alice@localhost/desk");
        assert_eq!(session.round_trips(), 2);
        let token = session.fast_token().unwrap().clone();
        client.terminate(&session).unwrap();
        let desk = account("alice@localhost/desk", Credentials::fast(token.clone()));
        assert_eq!(login(&client, &desk), is("HT-SHA-256-NONE", 1));
        let fresh = Client::new(config).unwrap();
        let only_token = account("alice@localhost", Credentials::fast(token));
        assert_eq!(login(&fresh, &only_token), is("HT-SHA-256-NONE", 2), "a server that is not known");
    }
}

#[test]
#[ignore = "fetches Prosody 13"]
fn a_session_is_usable_and_each_has_an_address_of_its_own() {
    for mut config in configs() {
        config = config.with_wait(1).unwrap();
        let client = Client::new(config).unwrap();
        let token = token(&client);
        let by_token =
            || client.prebind(&account("alice@localhost", Credentials::fast(token.clone()))).unwrap();
        let sessions: [Session; 2] = [by_token(), by_token()];
        assert_ne!(sessions[0].jid(), sessions[1].jid(), "two pages of one user");
        let bob = account("bob@localhost", Credentials::password("builder-1"));
        let mut bob = Browser::attach(&PROSODY, &client.prebind(&bob).unwrap());
        for session in &sessions {
            let mut alice = Browser::attach(&PROSODY, session);
            let to_bob = format!(
                "<message xmlns='jabber:client' to='{}' type='chat'><body>Hi, {}</body></message>",
                bob.jid, alice.jid
            );
            alice.send(&to_bob);
            bob.wait_for(&format!("Hi, {}", alice.jid));
            let to_alice = format!(
                "<message xmlns='jabber:client' to='{}' type='chat'><body>And you</body></message>",
                alice.jid
            );
            bob.send(&to_alice);
            let received = alice.wait_for("And you");
            assert!(!received.contains("features"), "nothing is left of the login: {received}");
            alice.leave();
        }
        bob.leave();
    }
}

#[test]
#[ignore = "fetches Prosody 13"]
fn a_refused_token_costs_a_round_trip_and_not_the_login() {
    for config in configs() {
        let client = Client::new(config).unwrap();
        let good = token(&client);
        let both = |password, token| Credentials::password(password).fast_token(token);
        // Known server, token in the creation.
        let alice = account("alice@localhost", both("wonder-1", spoiled(&good)));
        let session = client.prebind(&alice).unwrap();
        assert_eq!((session.mechanism(), session.round_trips()), ("SCRAM-SHA-1", 3));
        let renewed = session.fast_token().unwrap().clone();
        assert_ne!(renewed, good);
        client.terminate(&session).unwrap();
        let alice = account("alice@localhost", both("not-used", renewed));
        assert_eq!(login(&client, &alice), is("HT-SHA-256-NONE", 1));
        // With a resource, whose bind went out with the token.
        let garden = account("alice@localhost/garden", both("wonder-1", spoiled(&token(&client))));
        assert_eq!(login(&client, &garden).0, "SCRAM-SHA-1");
        // Nothing else to go on with.
        let only = account("alice@localhost", Credentials::fast(spoiled(&token(&client))));
        let error = client.prebind(&only).unwrap_err();
        assert_eq!((error.kind().as_str(), error.condition().unwrap().as_str()), ("Auth", "not-authorized"));
        // Of somebody else.
        let bob = account("bob@localhost", Credentials::fast(token(&client)));
        assert_eq!(client.prebind(&bob).unwrap_err().kind().as_str(), "Auth");
    }
}

#[test]
#[ignore = "fetches Prosody 13"]
fn a_wrong_password_is_refused_once_and_nobody_is_left() {
    for config in configs() {
        let client = Client::new(config).unwrap();
        let wrong = account("carol@localhost", Credentials::password("wrong"));
        let unknown = account("nobody@localhost", Credentials::plain("wrong"));
        for _ in 0..2 {
            for account in [&wrong, &unknown] {
                assert_eq!(client.prebind(account).unwrap_err().kind().as_str(), "Auth");
            }
            token(&client);
        }
        let both = Credentials::password("wrong").fast_token(spoiled(&token(&client)));
        assert_eq!(client.prebind(&account("carol@localhost", both)).unwrap_err().kind().as_str(), "Auth");
        assert!(!PROSODY.sessions().unwrap().jids.iter().any(|jid| jid.starts_with("carol@")));
    }
}

#[test]
#[ignore = "fetches Prosody 13"]
fn without_the_option_nothing_changes() {
    for mut config in configs() {
        config = config.with_fast_tokens(false);
        let client = Client::new(config).unwrap();
        let session = client.prebind(&plain()).unwrap();
        assert_eq!(session.round_trips(), 4);
        assert_eq!(session.fast_token(), None);
        client.terminate(&session).unwrap();
        assert_eq!(login(&client, &plain()), is("PLAIN", 1));
        assert_eq!(login(&client, &password()), is("SCRAM-SHA-1", 2));
    }
}

#[test]
#[ignore = "fetches Prosody 13"]
fn the_loss_of_any_request_is_mended_at_once() {
    let with_fast = |config: Config| config.with_fast_tokens(true);
    let to = |knowledge| Path::to(&PROSODY, knowledge, with_fast);
    let token = token(&to(Knowledge::Nothing).client());
    let sofa = account("alice@localhost/sofa", Credentials::password("wonder-1"));
    let either = account("alice@localhost", Credentials::password("wonder-1").fast_token(token.clone()));
    let only_token = account("alice@localhost", Credentials::fast(token));
    for (account, is_secret, round_trips) in [
        (password(), false, [3, 3, 2]),
        (sofa, false, [4, 4, 2]),
        (plain(), true, [2, 2, 1]),
        (either, false, [2, 2, 1]),
        (only_token, true, [2, 2, 1]),
    ] {
        let known = [Knowledge::Nothing, Knowledge::Server, Knowledge::Domain];
        for (knowledge, round_trips) in known.into_iter().zip(round_trips) {
            to(knowledge).assert_mended(&account, round_trips, |at| is_secret && at == 0);
        }
    }
    let path = Path::to(&PROSODY, Knowledge::Domain, |config| in_cleartext(with_fast(config)));
    path.assert_mended(&plain(), 2, |_| false);
}
