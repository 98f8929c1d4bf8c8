//! `mod_auth_prebind`: logins by tokens of a site, on either Prosody. Each function is a test.

mod chat;
mod site;

use std::{
    cell::RefCell,
    env, fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    sync::{RwLock, mpsc},
    thread,
};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prebind::binding::{LogEvent, with_log};
use prebind::{Account, Accounts, Client, Credentials, Error, Retry, Session};
use serde_json::{Value, json};
use servers::{Kind, SigningKey};
use tracing::Level;

use crate::browser::Browser;
use chat::{ASKS, ASKS_BRIEFLY, COMMANDS, GUIDE, PARTIES, ROTATES, SCRAM, block_of_guide};
pub(crate) use chat::{Chat, TOKENS, claims, claims_but, now};

/// The most bytes of a password that Prosody takes by PLAIN.
const MOST_BY_PLAIN: usize = 1023;

const ALICE: &str = "alice@tokens.local";

pub(crate) fn a_fresh_token_logs_in_within_one_round_trip(chat: &Chat) {
    for url in [&chat.server.http_url, &chat.server.https_url] {
        let client = Client::new(chat.config(url)).unwrap();
        for round_trips in [4, 1, 1] {
            let session = client.prebind(&by_plain(ALICE, chat.token(ALICE))).unwrap();
            assert_eq!((session.mechanism(), session.round_trips()), ("PLAIN", round_trips));
            assert_eq!(session.jid().bare().to_string(), ALICE);
            client.terminate(&session).unwrap();
        }
    }
}

/// One token, or two of one second, are good as often as they are used: single use is the site's to enforce. A resource
/// in the claim makes no difference.
pub(crate) fn two_tokens_of_one_user_are_good_after_each_other(chat: &Chat) {
    let tokens = [ALICE, "alice@tokens.local/web"]
        .map(|jid| chat.keys.hs256.token(&claims_but(ALICE, &json!({ "jid": jid }))));
    assert_ne!(tokens[0], tokens[1]);
    let client = chat.client();
    let sessions = tokens.map(|token| client.prebind(&by_plain(ALICE, token)).unwrap());
    assert_ne!(sessions[0].jid(), sessions[1].jid());
    for session in sessions {
        client.terminate(&session).unwrap();
    }
}

pub(crate) fn every_bad_token_is_refused(chat: &Chat) {
    let key = &chat.keys.hs256;
    let but = |changes: Value| key.token(&claims_but(ALICE, &changes));
    let good = chat.token(ALICE);
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let bobs = chat.token("bob@tokens.local");
    let bobs_payload = bobs.split('.').nth(1).unwrap();
    let unsigned = key.token_of(&json!({ "alg": "none" }), &claims(ALICE));
    let with_public_key = SigningKey::hmac("HS256", chat.keys.rs256.file.as_bytes());
    let unverified = "No key of this server verifies the token";
    for (what, token, condition, text) in [
        ("expired", but(json!({ "exp": now() - 1 })), "credentials-expired", "expired"),
        ("not yet valid", but(json!({ "nbf": now() + 600 })), "not-authorized", "not valid yet"),
        ("of the future", but(json!({ "iat": now() + 600 })), "not-authorized", "not valid yet"),
        ("exp null", but(json!({ "exp": null })), "not-authorized", "has no expiry"),
        ("exp a text", but(json!({ "exp": "4102444800" })), "not-authorized", "has no expiry"),
        ("no exp", key.token(&json!({ "jid": ALICE })), "not-authorized", "has no expiry"),
        ("another's", bobs.clone(), "not-authorized", "another user"),
        ("of another host", but(json!({ "jid": "alice@localhost" })), "not-authorized", "another user"),
        ("a name", but(json!({ "jid": "alice" })), "not-authorized", "another user"),
        ("no JID", key.token(&json!({ "exp": now() + 60 })), "not-authorized", "another user"),
        ("an audience", but(json!({ "aud": "chat" })), "not-authorized", "another audience"),
        ("tampered claims", format!("{header}.{bobs_payload}.{signature}"), "not-authorized", unverified),
        ("a cut signature", good[..good.len() - 2].to_owned(), "not-authorized", unverified),
        ("alg none", unsigned[..=unsigned.rfind('.').unwrap()].to_owned(), "not-authorized", unverified),
        ("alg none, signed", unsigned, "not-authorized", unverified),
        ("HS256 by the public key", with_public_key.token(&claims(ALICE)), "not-authorized", unverified),
        (
            "HS512 by the key for HS256",
            SigningKey::hmac("HS512", &[1; 64]).token(&claims(ALICE)),
            "not-authorized",
            unverified,
        ),
        (
            "RS256 that is HS256",
            key.token_of(&json!({ "alg": "RS256" }), &claims(ALICE)),
            "not-authorized",
            unverified,
        ),
        (
            "an unknown key",
            SigningKey::hmac("HS256", &[9; 32]).token(&claims(ALICE)),
            "not-authorized",
            unverified,
        ),
        (
            "an extension",
            key.token_of(&json!({ "alg": "HS256", "crit": ["b64"], "b64": false }), &claims(ALICE)),
            "not-authorized",
            "needs an extension",
        ),
        // Prosody's parser of JSON throws for these.
        (
            "a header that throws",
            key.token_of(&json!({ "alg": "HS256", "__array": 1 }), &claims(ALICE)),
            "not-authorized",
            "Unable to authorize",
        ),
        ("claims that throw", but(json!({ "__array": 1 })), "not-authorized", unverified),
        ("claims that are none", key.token(&json!([ALICE])), "not-authorized", ""),
        (
            "too long",
            but(json!({ "more": "x".repeat(MOST_BY_PLAIN) })),
            "not-authorized",
            "bytes that PLAIN takes",
        ),
        ("no header", format!(".{payload}.{signature}"), "not-authorized", "Unable to authorize"),
        ("dots", "...".to_owned(), "not-authorized", "Unable to authorize"),
        (
            "a header of brackets",
            format!("{}.{payload}.{signature}", "W1tb".repeat(200)),
            "not-authorized",
            "Unable",
        ),
    ] {
        let error = chat.login(ALICE, Credentials::plain(token)).expect_err(what);
        assert_refused(&error, what, condition, text);
    }
    // As long as it may be.
    let padding = MOST_BY_PLAIN - but(json!({ "more": "" })).len();
    let long = (0..padding).rev().map(|length| but(json!({ "more": "x".repeat(length) })));
    let long = long.into_iter().find(|token| token.len() <= MOST_BY_PLAIN).unwrap();
    chat.client().terminate(&chat.login(ALICE, Credentials::plain(long)).unwrap()).unwrap();
    assert!(!chat.server.log().contains("traceback"));
}

/// A good token with one character changed, cut off, or doubled in each place of many.
pub(crate) fn no_damaged_token_is_accepted_or_stops_the_server(chat: &Chat) {
    let good = chat.token(ALICE);
    let client = chat.client();
    for at in (0..good.len()).step_by(3) {
        let (start, rest) = good.split_at(at);
        let changed = if rest.starts_with('A') { "B" } else { "A" };
        for damaged in [format!("{start}{changed}{}", &rest[1..]), start.to_owned(), format!("{start}{good}")]
        {
            // Nothing is before the first character.
            if damaged.is_empty() || damaged == good {
                continue;
            }
            let error = client.prebind(&by_plain(ALICE, damaged)).unwrap_err();
            assert_refused(&error, "damaged", "not-authorized", "");
        }
    }
    client.terminate(&client.prebind(&by_plain(ALICE, good)).unwrap()).unwrap();
    assert!(!chat.server.log().contains("traceback"));
}

pub(crate) fn audience_and_issuer_are_checked_where_they_are_configured(chat: &Chat) {
    let alice = format!("alice@{PARTIES}");
    let issuer = "https://www.example.org";
    let login = |changes: Value| {
        let token = chat.keys.hs256.token(&claims_but(&alice, &changes));
        chat.login(&alice, Credentials::plain(token))
    };
    for audience in [json!("chat"), json!(["shop", "chat-too"])] {
        let session = login(json!({ "aud": audience, "iss": issuer })).unwrap();
        chat.client().terminate(&session).unwrap();
    }
    assert_refused(
        &login(json!({ "iss": issuer })).unwrap_err(),
        "none",
        "not-authorized",
        "another audience",
    );
    for audience in
        [json!("shop"), json!(["shop"]), json!([]), json!({ "chat": true }), json!(1), json!(null)]
    {
        let error = login(json!({ "aud": audience, "iss": issuer })).unwrap_err();
        assert_refused(&error, &audience.to_string(), "not-authorized", "another audience");
    }
    for changes in [json!({ "aud": "chat" }), json!({ "aud": "chat", "iss": "https://example.net" })] {
        let error = login(changes).unwrap_err();
        assert_refused(&error, "issuer", "not-authorized", "another issuer");
    }
}

pub(crate) fn what_the_guide_says_is_enough(chat: &Chat) {
    let folder = chat.path("guide");
    let shell = Command::new("bash").args(["-ec", block_of_guide("sh")]).current_dir(&folder).status();
    assert!(shell.unwrap().success());
    chat.reload();
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let key: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(key["k"].as_str().unwrap()).unwrap();
    let jid = format!("alice@{GUIDE}");
    let token = SigningKey::hmac("HS256", &bytes).token(&claims(&jid));
    chat.client().terminate(&chat.login(&jid, Credentials::plain(token)).unwrap()).unwrap();
}

pub(crate) fn passwords_go_on_beside_tokens(chat: &Chat) {
    // Only PLAIN, or clients would choose SCRAM for a token.
    let bob = format!("bob@{TOKENS}");
    let session = chat.login(&bob, Credentials::password("builder-1")).unwrap();
    assert_eq!(session.mechanism(), "PLAIN");
    chat.client().terminate(&session).unwrap();
    let error = chat.login(&bob, Credentials::password("wrong")).unwrap_err();
    assert_refused(&error, "a wrong password", "not-authorized", "Unable to authorize");
}

pub(crate) fn a_token_by_scram_is_told_apart(chat: &Chat) {
    let bob = format!("bob@{SCRAM}");
    let session = chat.login(&bob, Credentials::password("builder-1")).unwrap();
    assert_eq!(session.mechanism(), "SCRAM-SHA-1");
    chat.client().terminate(&session).unwrap();
    let token = chat.token(&bob);
    let error = chat.login(&bob, Credentials::password(token.clone())).unwrap_err();
    assert_refused(&error, "a token by SCRAM", "not-authorized", "SCRAM cannot verify tokens");
    let session = chat.login(&bob, Credentials::plain(token)).unwrap();
    chat.client().terminate(&session).unwrap();
}

pub(crate) fn nobody_acts_for_another_user(chat: &Chat) {
    let (bob, carol) = (format!("bob@{SCRAM}"), format!("carol@{SCRAM}"));
    for credentials in [
        Credentials::plain(chat.token(&bob)),
        Credentials::plain("builder-1"),
        Credentials::password("builder-1"),
    ] {
        let error = chat.login(&bob, credentials.clone().authzid(&carol)).unwrap_err();
        assert_refused(&error, "of another user", "invalid-authzid", "Nobody may act for another user");
        let session = chat.login(&bob, credentials.authzid(&bob)).unwrap();
        chat.client().terminate(&session).unwrap();
    }
}

pub(crate) fn messages_and_requests_reach_a_user_with_an_account(chat: &Chat) {
    let client = Client::new(chat.config(&chat.server.http_url).with_wait(1).unwrap()).unwrap();
    messages_and_requests_reach(chat, &client, TOKENS);
    assert_eq!(
        chat.server.log().matches("Made the account of dora").count(),
        1,
        "it is made at the first login"
    );
}

/// The client makes the account by the command `add-user`.
pub(crate) fn an_administrators_command_makes_accounts(chat: &Chat) {
    let accounts = |password: &str| Accounts::by_command("alice@localhost", password).unwrap();
    let config = chat.config(&chat.server.http_url).with_wait(1).unwrap();
    let client =
        |password: &str| Client::new(config.clone().with_accounts(Some(accounts(password)))).unwrap();
    let login = |client: &Client, jid: &str| {
        let told = RefCell::<String>::default();
        let observer = |event: LogEvent<'_>| {
            told.borrow_mut().push_str(event.message);
            told.borrow_mut().push('\n');
        };
        let account = by_plain(jid, chat.token(jid));
        let session = with_log(Level::TRACE, observer, || client.prebind(&account)).unwrap();
        client.terminate(&session).unwrap();
        told.into_inner()
    };
    let is_made = |told: &str| told.contains("an account was made");
    let (first, dora) = (client("wonder-1"), format!("dora@{COMMANDS}"));
    let told = login(&first, &dora);
    assert!(is_made(&told) && told.contains("the administrator has left"), "{told}");
    let form = told.lines().find(|line| line.contains("sent") && line.matches("<***").count() > 8);
    assert!(form.is_some_and(|form| !form.contains("password")), "what is sent is masked: {told}");
    assert!(!login(&first, &dora).contains("administrator"), "the client knows it");
    assert!(login(&client("wonder-1"), &dora).contains("the account was there already"));
    messages_and_requests_reach(chat, &first, COMMANDS);
    // Neither keeps anybody from the chat.
    let told = login(&client("wrong"), &format!("erin@{COMMANDS}"));
    assert!(
        told.contains("no account could be made, the login goes on: the server refused the login"),
        "{told}"
    );
    let told = login(&first, ALICE);
    assert!(told.contains("no account could be made") && told.contains("enable admin_adhoc"), "{told}");
    let left = chat.server.sessions().unwrap().jids;
    assert!(!left.iter().any(|jid| jid.starts_with("alice@localhost/")), "{left:?}");
}

/// A message to a user who is offline, and a request to be in the contact list of one with two tabs.
fn messages_and_requests_reach(chat: &Chat, client: &Client, host: &str) {
    let dora = format!("dora@{host}");
    let session = client.prebind(&by_plain(&dora, chat.token(&dora))).unwrap();
    client.terminate(&session).unwrap();

    let bob = format!("bob@{host}");
    let bob = client.prebind(&by_plain(&bob, chat.token(&bob))).unwrap();
    let mut bob = Browser::attach(&chat.server, &bob);
    bob.send(&format!(
        "<message xmlns='jabber:client' to='{dora}' type='chat'><body>While you were away</body></message>\
         <iq xmlns='jabber:client' type='get' id='after'><ping xmlns='urn:xmpp:ping'/></iq>"
    ));
    let received = bob.wait_for("after");
    assert!(!received.contains("service-unavailable"), "it is kept: {received}");

    let tabs: [Session; 2] =
        ["first", "second"].map(|_| client.prebind(&by_plain(&dora, chat.token(&dora))).unwrap());
    let mut tabs = tabs.map(|session| Browser::attach(&chat.server, &session));
    for tab in &mut tabs {
        tab.send("<presence xmlns='jabber:client'/>");
    }
    tabs[0].wait_for("While you were away");
    // Both are there.
    for tab in &mut tabs {
        let own = format!("from='{}'", tab.jid);
        tab.wait_for(&own);
    }
    bob.send(&format!("<presence xmlns='jabber:client' to='{dora}' type='subscribe'/>"));
    for mut tab in tabs {
        tab.wait_for("type='subscribe'");
        tab.leave();
    }
    bob.leave();
}

pub(crate) fn a_key_that_cannot_be_used_is_named_and_the_others_stay(chat: &Chat) {
    let log = chat.server.log();
    for (file, why) in [
        ("keys/a-broken.jwk", "HS256 needs a key of 32 bytes"),
        (
            "keys/b-broken.pem",
            if chat.server.kind == Kind::Prosody { "HS256 only" } else { "neither an RSA key nor" },
        ),
        ("keys/missing.jwk", "No such file"),
    ] {
        let is_told = |line: &str| line.contains(file) && line.contains(why);
        assert!(log.lines().any(is_told), "{file}: {log}");
    }
    assert!(!log.contains("notes.txt"), "other files are left alone");
    // Key by key: Prosody 0.12 can use only one of them.
    for key in [&chat.keys.rs256, &chat.keys.es256, &chat.keys.hs384, &chat.keys.hs512] {
        let result = chat.login(ALICE, Credentials::plain(key.token(&claims(ALICE))));
        if chat.server.kind == Kind::Prosody {
            assert_refused(&result.unwrap_err(), key.algorithm, "not-authorized", "No key of this server");
        } else {
            chat.client().terminate(&result.unwrap()).unwrap();
        }
    }
}

/// So many logins while the key is changed: 300, or what `PREBIND_ROTATION_LOGINS` says.
pub(crate) fn no_login_is_refused_while_keys_rotate(chat: &Chat) {
    let logins: usize = env::var("PREBIND_ROTATION_LOGINS").map_or(300, |number| number.parse().unwrap());
    let [old, new] = [[4; 32], [5; 32]].map(|bytes| SigningKey::hmac("HS256", &bytes));
    let jid = format!("alice@{ROTATES}");
    // A login holds it until it is over: no token of the old key is on its way once the new key is set.
    let minting = RwLock::new(&old);
    chat.write("rotating/1.jwk", &old.file);
    chat.reload();

    let client = chat.client();
    let login = || {
        let key = minting.read().unwrap();
        let session = client.prebind(&by_plain(&jid, key.token(&claims(&jid)))).unwrap();
        client.terminate(&session).unwrap();
    };
    let left = AtomicBool::new(true);
    thread::scope(|scope| {
        let (done, count) = mpsc::channel();
        for _ in 0..2 {
            let done = done.clone();
            scope.spawn(|| {
                let done = done;
                while left.load(Ordering::SeqCst) {
                    login();
                    done.send(()).unwrap();
                }
            });
        }
        // If all of them fail, nobody waits.
        drop(done);
        let wait_for = |number: usize| count.iter().take(number).for_each(drop);
        wait_for(logins / 3);
        chat.write("rotating/2.jwk", &new.file);
        chat.reload();
        *minting.write().unwrap() = &new;
        wait_for(logins / 3);
        fs::remove_file(chat.path("rotating/1.jwk")).unwrap();
        chat.reload();
        wait_for(logins - logins / 3 * 2);
        left.store(false, Ordering::SeqCst);
        count.iter().for_each(drop);
    });

    let error = chat.login(&jid, Credentials::plain(old.token(&claims(&jid)))).unwrap_err();
    assert_refused(&error, "the old key", "not-authorized", "No key of this server");
}

pub(crate) fn the_site_is_asked(chat: &Chat) {
    let session = chat.login("alice@asks.local", Credentials::plain(site::GOOD)).unwrap();
    chat.client().terminate(&session).unwrap();
    assert!(
        chat.site
            .questions()
            .contains(&json!({ "command": "auth", "user": "alice", "host": ASKS, "password": site::GOOD }))
    );
    let error = chat.login("alice@asks.local", Credentials::plain("another")).unwrap_err();
    assert_refused(&error, "another", "not-authorized", "The site refuses this login");
    // A user's own password is nothing for the site to see.
    let session = chat.login("bob@asks.local", Credentials::plain("builder-1")).unwrap();
    chat.client().terminate(&session).unwrap();
    let is_seen = |question: &Value| question["host"] == ASKS && question["password"] == "builder-1";
    assert!(!chat.site.questions().iter().any(is_seen));
}

pub(crate) fn a_site_without_a_usable_answer_is_a_failure_that_passes(chat: &Chat) {
    for user in site::BROKEN.iter().chain(&["hangs"]) {
        let error =
            chat.login(&format!("{user}@{ASKS_BRIEFLY}"), Credentials::plain(site::GOOD)).unwrap_err();
        assert_refused(&error, user, "temporary-auth-failure", "gave no usable answer");
        assert_eq!(error.retry(), Retry::Later, "{user}");
        let told = format!("The site gave no usable answer about {user}: ");
        assert!(chat.server.log().contains(&told), "{user}");
    }
}

pub(crate) fn a_slow_site_holds_up_nobody_else(chat: &Chat) {
    let slow = format!("slow@{ASKS}");
    thread::scope(|scope| {
        let waiting = [(); 3].map(|()| scope.spawn(|| chat.login(&slow, Credentials::plain(site::GOOD))));
        chat.site.wait_until_held(waiting.len());
        let client = chat.client();
        for number in 0..20 {
            let (jid, secret) = if number % 2 == 0 {
                (ALICE, chat.token(ALICE))
            } else {
                ("alice@asks.local", site::GOOD.to_owned())
            };
            let session = client.prebind(&by_plain(jid, secret)).unwrap();
            client.terminate(&session).unwrap();
        }
        assert!(!waiting.iter().any(thread::ScopedJoinHandle::is_finished));
        chat.site.release();
        for login in waiting {
            client.terminate(&login.join().unwrap().unwrap()).unwrap();
        }
    });
}

/// The log has everything that Prosody and its modules say.
pub(crate) fn the_log_holds_no_secret(chat: &Chat) {
    let good = chat.token(ALICE);
    let expired = chat.keys.hs256.token(&claims_but(ALICE, &json!({ "exp": now() - 1 })));
    let forged = SigningKey::hmac("HS256", &[9; 32]).token(&claims(ALICE));
    for token in [&good, &expired, &forged] {
        drop(chat.login(ALICE, Credentials::plain(token.clone())));
    }
    for (user, password) in [("bob", "builder-1"), ("bob", "wrong-password"), ("error", "wrong-password")] {
        drop(chat.login(&format!("{user}@{ASKS_BRIEFLY}"), Credentials::plain(password)));
    }
    let log = chat.server.log();
    assert!(log.contains("debug\t"), "it is all there");
    let parts = [&good, &expired, &forged].into_iter().flat_map(|token| token.split('.').skip(1));
    let key: Value = serde_json::from_str(&chat.keys.hs256.file).unwrap();
    let others = ["builder-1", "wrong-password", site::SECRET, site::GOOD, key["k"].as_str().unwrap()];
    for secret in parts.chain(others) {
        assert!(!log.contains(secret), "{secret}");
    }
}

pub(crate) fn by_plain(jid: &str, secret: impl Into<prebind::Secret>) -> Account {
    Account::new(jid, Credentials::plain(secret)).unwrap()
}

/// An error of this condition, with this in the server's text.
pub(crate) fn assert_refused(error: &Error, what: &str, condition: &str, text: &str) {
    assert_eq!(error.condition().map(prebind::Condition::as_str), Some(condition), "{what}: {error}");
    assert!(error.text().unwrap_or_default().contains(text), "{what}: {error}");
}
