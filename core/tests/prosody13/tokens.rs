//! `mod_auth_prebind` on Prosody 13: what it does on Prosody 0.12, and OAUTHBEARER.

use std::fs;
use std::sync::LazyLock;

use prebind::{Account, Client, Credentials};
use serde_json::{Value, json};
use servers::{Kind, SigningKey};

use crate::site_tokens::{self, Chat, TOKENS, assert_refused, claims, claims_but, now};

static CHAT: LazyLock<Chat> = LazyLock::new(|| Chat::start(Kind::Prosody13));

macro_rules! tests {
    ($($name:ident)*) => { $(
        #[test]
        #[ignore = "fetches Prosody 13"]
        fn $name() {
            site_tokens::$name(&CHAT);
        }
    )* };
}

tests! {
    a_fresh_token_logs_in_within_one_round_trip
    two_tokens_of_one_user_are_good_after_each_other
    every_bad_token_is_refused
    no_damaged_token_is_accepted_or_stops_the_server
    audience_and_issuer_are_checked_where_they_are_configured
    what_the_guide_says_is_enough
    passwords_go_on_beside_tokens
    a_token_by_scram_is_told_apart
    nobody_acts_for_another_user
    messages_and_requests_reach_a_user_with_an_account
    an_administrators_command_makes_accounts
    a_key_that_cannot_be_used_is_named_and_the_others_stay
    no_login_is_refused_while_keys_rotate
    the_site_is_asked
    a_site_without_a_usable_answer_is_a_failure_that_passes
    a_slow_site_holds_up_nobody_else
    the_log_holds_no_secret
}

#[test]
#[ignore = "fetches Prosody 13"]
fn oauthbearer_takes_one_round_trip_and_longer_tokens() {
    let jid = format!("erin@{TOKENS}");
    let key = &CHAT.keys.rs256;
    for url in [&CHAT.server.http_url, &CHAT.server.https_url] {
        let client = Client::new(CHAT.config(url)).unwrap();
        // The last one is too long for PLAIN.
        for (round_trips, length) in [(4, 0), (1, 0), (1, 4000)] {
            let token = key.token(&claims_but(&jid, &json!({ "more": "x".repeat(length) })));
            let session = client.prebind(&by_oauthbearer(&jid, token)).unwrap();
            assert_eq!((session.mechanism(), session.round_trips()), ("OAUTHBEARER", round_trips));
            assert_eq!(session.jid().bare().to_string(), jid);
            client.terminate(&session).unwrap();
        }
    }
    assert_eq!(CHAT.server.log().matches("Made the account of erin").count(), 1);
}

#[test]
#[ignore = "fetches Prosody 13"]
fn a_bad_token_is_refused_by_oauthbearer() {
    let jid = format!("alice@{TOKENS}");
    let key = &CHAT.keys.es256;
    let but = |changes: Value| key.token(&claims_but(&jid, &changes));
    let with_public_key = SigningKey::hmac("HS256", CHAT.keys.rs256.file.as_bytes());
    for (what, token, condition, text) in [
        ("expired", but(json!({ "exp": now() - 1 })), "credentials-expired", "expired"),
        ("not yet valid", but(json!({ "nbf": now() + 600 })), "not-authorized", "not valid yet"),
        ("exp null", but(json!({ "exp": null })), "not-authorized", "has no expiry"),
        ("of another host", but(json!({ "jid": "alice@localhost" })), "not-authorized", "another user"),
        ("an audience", but(json!({ "aud": "shop" })), "not-authorized", "another audience"),
        ("HS256 by the public key", with_public_key.token(&claims(&jid)), "not-authorized", "No key"),
        ("too long", but(json!({ "more": "x".repeat(9000) })), "not-authorized", "too long"),
        ("no token", "no-token".to_owned(), "not-authorized", ""),
    ] {
        let error = CHAT.login(&jid, Credentials::oauthbearer(token)).expect_err(what);
        assert_refused(&error, what, condition, text);
    }
    // The token says whose it is, so a session for another user is never bound.
    let bobs = key.token(&claims(&format!("bob@{TOKENS}")));
    CHAT.login(&jid, Credentials::oauthbearer(bobs)).expect_err("it is bob's");
    let own = Credentials::oauthbearer(key.token(&claims(&jid)));
    let error = CHAT.login(&jid, own.authzid(format!("bob@{TOKENS}"))).unwrap_err();
    assert_refused(&error, "of another user", "invalid-authzid", "Nobody may act for another user");
}

#[test]
#[ignore = "fetches Prosody 13"]
fn a_disabled_account_is_refused_with_a_good_token() {
    let jid = format!("frank@{TOKENS}");
    let folder = CHAT.path("data/tokens%2elocal/accounts");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("frank.dat"), "return { disabled = true };").unwrap();
    for credentials in [Credentials::plain(CHAT.token(&jid)), Credentials::oauthbearer(CHAT.token(&jid))] {
        let error = CHAT.login(&jid, credentials).unwrap_err();
        assert_refused(&error, "disabled", "account-disabled", "This account is disabled");
    }
}

fn by_oauthbearer(jid: &str, token: String) -> Account {
    Account::new(jid, Credentials::oauthbearer(token)).unwrap()
}
