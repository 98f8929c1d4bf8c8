//! What the keys of many users cost. Alone in its file, since all of a process is measured.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod counting;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use prebind::protocol::{Negotiation, Plan, Random, Reply, ScramCache, Step};
use prebind::{Account, Config, Credentials, Session};
use sha2::Sha512;

/// The default of `scram_cache`.
const USERS: usize = 1000;

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";

#[test]
fn a_thousand_users_keys_need_less_than_two_mebibytes() {
    let config = Config::new("http://127.0.0.1:5280/http-bind").unwrap().with_iterations(1..=1).unwrap();
    let cache = ScramCache::new(USERS).unwrap();
    login(&config, &cache, "first");
    let idle = counting::in_use();

    let logins = |count: usize| {
        for user in 0..count {
            login(&config, &cache, &format!("a-user-with-a-name-of-some-length-{user}"));
        }
        counting::in_use() - idle
    };
    let full = logins(USERS);
    println!("{} bytes for each of {} users", full / USERS, USERS);
    assert!(full > USERS * 64, "{full} bytes are too few to hold the keys");
    assert!(full < 2 << 20, "{full} bytes");

    let more = logins(3 * USERS);
    assert!(more < full + full / 10, "it grows beyond its bound: {more} bytes after {full}");
}

/// A login by SCRAM-SHA-512, which has the longest keys.
fn login(config: &Config, cache: &ScramCache, user: &str) -> Session {
    let account = Account::new(&format!("{user}@localhost"), Credentials::password("wonder-1")).unwrap();
    let first = format!("r={NONCE}xyz,s={},i=1", STANDARD.encode("salt"));
    let proven = format!("n={user},r={NONCE},{first},c=biws,r={NONCE}xyz");
    let mut salted = [0; 64];
    pbkdf2::pbkdf2_hmac::<Sha512>(b"wonder-1", b"salt", 1, &mut salted);
    let signature = STANDARD.encode(hmac(&hmac(&salted, b"Server Key"), proven.as_bytes()));

    let sasl = |name: &str, data: &str| {
        format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</{name}>", STANDARD.encode(data))
    };
    let replies = [
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>SCRAM-SHA-512</mechanism></mechanisms></stream:features>"
            .to_owned(),
        sasl("challenge", &first),
        sasl("success", &format!("v={signature}")),
        "<stream:features/>".to_owned(),
        format!(
            "<iq xmlns='jabber:client' id='bind' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <jid>{user}@localhost/x</jid></bind></iq>"
        ),
    ];
    let random = Random::fixed(1000, NONCE);
    let (mut negotiation, mut requests) =
        Negotiation::start(config, &account, Plan::classic(), random, Some(cache)).unwrap();
    for payload in replies {
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' \
             xmlns:stream='http://etherx.jabber.org/streams' sid='s1'>{payload}</body>"
        );
        match negotiation.receive(&Reply::new(requests[0].rid(), 200, body)).unwrap() {
            Step::Send(next, more) => (negotiation, requests) = (next, more),
            Step::Wait(_) => panic!("waits although nothing is open"),
            Step::Done(session, _) => return session,
        }
    }
    panic!("does not end")
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}
