//! How many round trips it takes: four or five for the first call, then as few as the server can.

use std::thread;
use std::time::{Duration, Instant};

use faults::Delay;
use prebind::binding::interruptible;
use prebind::{Account, Client, Config, Credentials, ErrorKind, Session};
use servers::{Kind, Server, hosts};

use crate::browser::Browser;
use crate::{PROSODY, assert_nobody_left, config, everywhere};

fn password(jid: &str) -> Account {
    Account::new(jid, Credentials::password("wonder-1")).unwrap()
}

fn plain(jid: &str) -> Account {
    Account::new(jid, Credentials::plain("wonder-1")).unwrap()
}

/// A busy ejabberd may cost a poll more, as the features it owes come late; not always, though.
fn assert_fewest(client: &Client, account: &Account, fewest: u32) {
    let mut took = Vec::new();
    while took.len() < 5 && !took.contains(&fewest) {
        took.push(round_trips(client, account));
    }
    assert!(took.contains(&fewest), "{account:?} took {took:?} instead of {fewest}");
    assert!(took.iter().all(|count| *count <= fewest + 1), "{account:?} took {took:?}");
}

/// No short exchange failed and was mended by a classic one, which on ejabberd takes but one round
/// trip more.
fn assert_trusted(client: &Client) {
    let profile = client.profile();
    assert!(profile.contains("\"proven\":true") && !profile.contains("classic_until"), "{profile}");
}

fn round_trips(client: &Client, account: &Account) -> u32 {
    let session = client.prebind(account).unwrap();
    client.terminate(&session).unwrap();
    session.round_trips()
}

/// By PLAIN and by SCRAM, once the server is known.
fn fewest(kind: Kind) -> (u32, u32) {
    if kind == Kind::Prosody { (1, 2) } else { (2, 4) }
}

#[test]
fn the_first_call_is_classic_and_the_second_takes_the_fewest_round_trips() {
    for (server, config) in everywhere() {
        let (alone, challenged) = fewest(server.kind);
        let client = Client::new(config.clone()).unwrap();
        assert_eq!(round_trips(&client, &plain("alice@localhost")), 4, "{config:?}");
        assert_fewest(&client, &plain("alice@localhost"), alone);
        assert_fewest(&client, &password("alice@localhost"), challenged);
        assert_trusted(&client);
        // Another domain is new, but the server is known.
        let new = if server.kind == Kind::Prosody { (3, 3) } else { (3, 4) };
        assert_fewest(&client, &password("alice@plain.local"), new.1.min(challenged));
        let anonymous = Account::new("anon.local", Credentials::anonymous()).unwrap();
        let first = round_trips(&client, &anonymous);
        assert!((new.0..=new.0 + 1).contains(&first), "{first} round trips with a new domain");
        assert_fewest(&client, &anonymous, alone);
    }
}

#[test]
fn a_profile_spares_the_next_process_the_learning() {
    for (server, mut config) in everywhere() {
        let (alone, challenged) = fewest(server.kind);
        let first = Client::new(config.clone()).unwrap();
        round_trips(&first, &password("alice@localhost"));
        config = config.with_profile(Some(first.profile()));
        let next = Client::new(config.clone()).unwrap();
        assert_fewest(&next, &password("alice@localhost"), challenged);
        let profile = next.profile();
        assert_fewest(&next, &plain("alice@localhost"), alone);
        assert_eq!(next.profile(), profile, "nothing new was learned");
        config = config.with_learn(false);
        let classic = Client::new(config).unwrap();
        assert_eq!(round_trips(&classic, &password("alice@localhost")), 5);
        assert_eq!(round_trips(&classic, &password("alice@localhost")), 5);
    }
}

#[test]
fn a_wrong_password_is_sent_once() {
    for (server, config) in everywhere() {
        let client = Client::new(config).unwrap();
        round_trips(&client, &password("alice@localhost"));
        for credentials in [Credentials::plain("wrong"), Credentials::password("wrong")] {
            let account = Account::new("carol@localhost", credentials).unwrap();
            let error = client.prebind(&account).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Auth);
            assert_eq!(error.condition().unwrap().as_str(), "not-authorized");
        }
        // The plan is not to blame.
        assert_fewest(&client, &password("alice@localhost"), fewest(server.kind).1);
        let left = server.sessions().unwrap();
        assert!(!left.jids.iter().any(|jid| jid.starts_with("carol@localhost")), "{left:?}");
    }
}

/// The server offers something else than it did: an exchange that waits for its offer finds out what.
#[test]
fn what_is_not_offered_any_more_leads_to_an_exchange_that_waits_for_the_offer() {
    for (server, mut config) in everywhere() {
        let client = Client::new(config.clone()).unwrap();
        round_trips(&client, &plain("alice@localhost"));
        // As if the domain had offered PLAIN before.
        config = config.with_profile(Some(client.profile().replace("\"localhost\"", "\"onlyscram.local\"")));
        let client = Client::new(config).unwrap();
        let error = client.prebind(&plain("alice@onlyscram.local")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mechanism { .. }), "{error:?}");
        let after = if server.kind == Kind::Prosody { 3 } else { 4 };
        assert_fewest(&client, &password("alice@onlyscram.local"), after);
        assert_nobody_left(server, "onlyscram.local");
    }
}

/// No request is left with the server, and what is left in the session harms nobody.
#[test]
fn sessions_of_short_exchanges_are_as_good_as_any() {
    for (server, mut config) in everywhere() {
        // This browser has one connection only: what the server holds on it, it waits for.
        config = config.with_wait(1).unwrap();
        let client = Client::new(config).unwrap();
        round_trips(&client, &password("alice@localhost"));
        let bob = Account::new("bob@localhost", Credentials::password("builder-1")).unwrap();
        let mut bob = Browser::attach(server, &client.prebind(&bob).unwrap());
        bob.send("<presence xmlns='jabber:client'/>");
        for account in [plain("alice@localhost"), password("alice@localhost")] {
            let session = client.prebind(&account).unwrap();
            let mut alice = Browser::attach(server, &session);
            let text = format!("by {} on {}", session.mechanism(), server.kind);
            alice.send(&format!(
                "<message xmlns='jabber:client' type='chat' to='{}'><body>{text}</body></message>",
                bob.jid
            ));
            let received = bob.wait_for(&text);
            assert!(received.contains(&format!("from='{}'", session.jid())), "{received}");
            alice.leave();
        }
        bob.leave();
    }
}

/// The same server, farther away.
fn distant(config: Config, each_way: u64, jitter: u64) -> (Delay, Config) {
    let url = config.url().as_str().to_owned();
    let address = url.split('/').nth(2).unwrap().replace("localhost", "127.0.0.1");
    let [each_way, jitter] = [each_way, jitter].map(Duration::from_millis);
    let path = faults::delay(address.parse().unwrap(), each_way, jitter);
    let config =
        config.with_url(&path.through(&url)).unwrap().with_deadline(Duration::from_secs(20)).unwrap();
    (path, config)
}

/// The sessions of a user who has none but those of one test.
fn bobs(server: &Server) -> Vec<String> {
    let jids = server.sessions().unwrap().jids;
    jids.into_iter().filter(|jid| jid.starts_with("bob@plain.local/")).collect()
}

/// Its answer, which alone tells which session it is, comes some 40 ms later.
#[test]
fn a_short_exchange_that_is_given_up_leaves_no_session_behind() {
    let [(server, config), ..] = everywhere();
    let (_path, config) = distant(config, 70, 0);
    let client = Client::new(config).unwrap();
    for credentials in [Credentials::plain("builder-1"), Credentials::password("builder-1")] {
        let account = Account::new("bob@plain.local", credentials).unwrap();
        round_trips(&client, &account);
        // On a busy machine the answer may be later still, or the call may look for it too late, not each time.
        let is_ended = (0..10).any(|_| {
            let (before, start) = (bobs(server), Instant::now());
            let keep_going = move || start.elapsed() < Duration::from_millis(90);
            match interruptible(keep_going, || client.prebind(&account)) {
                Err(error) => assert!(error.to_string().contains("gave up"), "{error}"),
                // The answer was there before the call asked whether to go on.
                Ok(session) => {
                    client.terminate(&session).unwrap();
                    return false;
                }
            }
            (0..40).any(|_| {
                thread::sleep(Duration::from_millis(50));
                bobs(server).iter().all(|jid| before.contains(jid))
            })
        });
        assert!(is_ended, "{account:?}");
    }
}

/// Each way takes 10 ms and up to 20 more.
#[test]
fn the_short_exchanges_bear_a_path_with_jitter() {
    for (server, config) in everywhere() {
        let (_path, config) = distant(config, 10, 20);
        let client = Client::new(config).unwrap();
        let (alone, challenged) = fewest(server.kind);
        round_trips(&client, &password("alice@localhost"));
        for _ in 0..10 {
            let check = |session: &Session, fewest: u32| {
                // A late arrival may cost a poll, never the session.
                assert!((fewest..=fewest + 1).contains(&session.round_trips()), "{session:?}");
                client.terminate(session).unwrap();
            };
            let start = Instant::now();
            check(&client.prebind(&plain("alice@localhost")).unwrap(), alone);
            assert!(start.elapsed() >= Duration::from_millis(20) * alone);
            check(&client.prebind(&password("alice@localhost")).unwrap(), challenged);
        }
        assert_trusted(&client);
    }
}

#[test]
fn sasl2_that_the_server_does_not_answer_is_left_in_the_same_call_and_remembered() {
    let account =
        Account::new(&format!("alice@{}", hosts::SASL2), Credentials::password("wonder-1")).unwrap();
    for url in [&PROSODY.http_url, &PROSODY.https_url] {
        let with_fast = |profile| {
            let config = config(&PROSODY, url).with_fast_tokens(true).with_profile(profile);
            Client::new(config).unwrap()
        };
        let client = with_fast(None);
        let session = client.prebind(&account).unwrap();
        assert_eq!((session.mechanism(), session.round_trips()), ("SCRAM-SHA-1", 5));
        client.terminate(&session).unwrap();
        for client in [&client, &with_fast(Some(client.profile()))] {
            assert_eq!(round_trips(client, &account), 2, "the rest of what was learned is used");
        }
        assert_nobody_left(&PROSODY, hosts::SASL2);
    }
}
