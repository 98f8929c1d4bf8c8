//! Accounts that the client makes for users who log in with tokens.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use prebind::binding::{LogEvent, with_log};
use prebind::token::{Algorithm, Issuer, Key};
use prebind::{Account, Accounts, Client, Credentials};
use serde_json::json;
use servers::hosts::NO_ACCOUNTS;
use tracing::Level;

use crate::api::{Api, Says};
use crate::browser::Browser;
use crate::{EJABBERD, config};

const MADE: &str = "an account was made";
const WAS_THERE: &str = "the account was there already";
const ASKED: &str = "command=\"register\"";
const NOT_MADE: &str = "no account could be made";

/// Who may make accounts.
const ADMINISTRATOR: (&str, &str) = ("alice@localhost", "wonder-1");

fn by_ejabberd(url: &str) -> Accounts {
    Accounts::by_ejabberd(url, ADMINISTRATOR.0, ADMINISTRATOR.1).unwrap()
}

fn client_with(accounts: Accounts) -> Client {
    Client::new(config(&EJABBERD, &EJABBERD.http_url).with_accounts(Some(accounts))).unwrap()
}

fn client() -> Client {
    client_with(by_ejabberd(EJABBERD.api_url.as_ref().unwrap()))
}

fn by_token() -> Credentials {
    let key = Key::from_secret(Algorithm::Hs256, servers::JWT_KEY).unwrap();
    Credentials::jwt(Issuer::new([key]).unwrap())
}

/// A user who has no account yet: each test has its own.
fn user(name: &str, credentials: Credentials) -> Account {
    Account::new(&format!("{name}@{NO_ACCOUNTS}"), credentials).unwrap()
}

/// Waits until the user is offline: ejabberd says of a user with one session by a token that there is an account.
fn has_account(name: &str) -> bool {
    let user = json!({ "user": name, "host": NO_ACCOUNTS });
    for _ in 0..600 {
        if EJABBERD.command("num_resources", &user).unwrap() == json!({ "resources": 0 }) {
            return EJABBERD.command("check_account", &user).unwrap() == json!(0);
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{name} does not go offline");
}

/// Logs in and out again, and tells what was logged.
fn login(client: &Client, account: &Account) -> String {
    let told = RefCell::<String>::default();
    let observer = |event: LogEvent<'_>| {
        let line = format!("{} {}\n", event.level, event.message);
        told.borrow_mut().push_str(&line);
    };
    let session = with_log(Level::DEBUG, observer, || client.prebind(account)).unwrap();
    client.terminate(&session).unwrap();
    told.into_inner()
}

#[test]
fn the_first_login_makes_the_account_with_its_name_and_group() {
    let group =
        json!({ "group": "team", "host": NO_ACCOUNTS, "name": "Team", "description": "", "display": "team" });
    EJABBERD.command("srg_create", &group).unwrap();
    let accounts = || by_ejabberd(EJABBERD.api_url.as_ref().unwrap()).with_group("team").unwrap();
    let dora = || user("dora", by_token().nickname("Dora \"D\" Example"));
    assert!(!has_account("dora"));
    let client = client_with(accounts());
    assert!(login(&client, &dora()).contains(MADE));
    assert!(has_account("dora"));
    let nickname = json!({ "user": "dora", "host": NO_ACCOUNTS, "name": "NICKNAME" });
    let nickname = || EJABBERD.command("get_vcard", &nickname).unwrap().to_string();
    assert!(nickname().contains("Dora \\\"D\\\" Example"), "{}", nickname());
    let members = || {
        let group = json!({ "group": "team", "host": NO_ACCOUNTS });
        EJABBERD.command("srg_get_members", &group).unwrap()
    };
    assert_eq!(members(), json!(["dora@accounts.local"]));
    // The client knows it now, and another one finds out.
    assert!(!login(&client, &dora()).contains("command="));
    let renamed = user("dora", by_token().nickname("Somebody else"));
    assert!(login(&client_with(accounts()), &renamed).contains(WAS_THERE));
    assert!(nickname().contains("Dora"), "who has an account keeps its name");
    assert_eq!(members(), json!(["dora@accounts.local"]));
}

#[test]
fn a_message_waits_for_a_user_who_is_offline() {
    let client = client();
    login(&client, &user("frida", by_token()));
    let gustav = client.prebind(&user("gustav", by_token())).unwrap();
    let mut gustav = Browser::attach(&EJABBERD, &gustav);
    gustav.send(&format!(
        "<message xmlns='jabber:client' to='frida@{NO_ACCOUNTS}' type='chat'><body>While you were away</body></message>\
         <iq xmlns='jabber:client' type='get' id='after'><ping xmlns='urn:xmpp:ping'/></iq>"
    ));
    let received = gustav.wait_for("after");
    assert!(!received.contains("service-unavailable"), "it is kept: {received}");
    let frida = client.prebind(&user("frida", by_token())).unwrap();
    let mut frida = Browser::attach(&EJABBERD, &frida);
    frida.send("<presence xmlns='jabber:client'/>");
    frida.wait_for("While you were away");
    gustav.leave();
    frida.leave();
}

#[test]
fn a_subscription_reaches_a_user_with_two_tabs() {
    let client = client_with(by_ejabberd(EJABBERD.api_url.as_ref().unwrap()));
    let mut tabs: [Browser; 2] = ["first", "second"].map(|_| {
        let session = client.prebind(&user("hanna", by_token())).unwrap();
        Browser::attach(&EJABBERD, &session)
    });
    for tab in &mut tabs {
        tab.send("<presence xmlns='jabber:client'/>");
    }
    for tab in &mut tabs {
        let own = format!("from='{}'", tab.jid);
        tab.wait_for(&own);
    }
    let ida = client.prebind(&user("ida", by_token())).unwrap();
    let mut ida = Browser::attach(&EJABBERD, &ida);
    ida.send(&format!("<presence xmlns='jabber:client' to='hanna@{NO_ACCOUNTS}' type='subscribe'/>"));
    for mut tab in tabs {
        tab.wait_for("type='subscribe'");
        tab.leave();
    }
    ida.leave();
}

#[test]
fn of_first_logins_at_once_one_makes_the_account() {
    for round in 0..5 {
        let (name, client) = (format!("jan{round}"), client());
        thread::scope(|scope| {
            let logins = [(); 3].map(|()| scope.spawn(|| login(&client, &user(&name, by_token()))));
            let told = logins.map(|login| login.join().unwrap()).concat();
            assert_eq!((told.matches(MADE).count(), told.matches(ASKED).count()), (1, 1), "{told}");
        });
        assert!(has_account(&name));
    }
}

/// Each process asks by itself, and none fails.
#[test]
fn first_logins_at_once_of_several_processes_leave_a_good_account() {
    for round in 0..5 {
        let (name, clients) = (format!("karl{round}"), [(); 3].map(|()| client()));
        let karl = || user(&name, by_token());
        thread::scope(|scope| {
            let logins = clients.each_ref().map(|client| scope.spawn(|| login(client, &karl())));
            let told = logins.map(|login| login.join().unwrap()).concat();
            assert!(!told.contains(NOT_MADE), "{told}");
        });
        has_account(&name);
        login(&client(), &karl());
        assert!(has_account(&name));
    }
}

/// ejabberd answers that there is an account while there is none.
#[test]
fn a_user_who_is_online_by_a_token_gets_the_account_at_the_next_login() {
    let olga = || user("olga", by_token());
    let without = Client::new(config(&EJABBERD, &EJABBERD.http_url)).unwrap();
    let session = without.prebind(&olga()).unwrap();
    let client = client();
    assert!(login(&client, &olga()).contains("whether there is an account shows"));
    without.terminate(&session).unwrap();
    assert!(!has_account("olga"));
    assert!(login(&client, &olga()).contains(MADE));
    assert!(has_account("olga"));
}

#[test]
fn who_has_a_password_is_left_alone() {
    let api = Api::start([Says::Status(200, "0".to_owned())]);
    let client = client_with(by_ejabberd(&api.url()));
    login(&client, &Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap());
    login(&client, &Account::new("anon.local", Credentials::anonymous()).unwrap());
    assert!(api.asked().is_empty());
    login(&client, &Account::new("alice@localhost", Credentials::plain("wonder-1")).unwrap());
    assert_eq!(api.asked().len(), 1, "it may be a token");
}

/// Whatever is wrong with the API, the login works, the log tells what to do, and no secret.
#[test]
fn an_api_that_fails_does_not_keep_anybody_from_the_chat() {
    let of = |status, body: &str| Says::Status(status, body.to_owned());
    for (says, told) in [
        (of(401, "{}"), "check `jid` and `password`"),
        (of(403, ""), "allow it in ejabberd's `api_permissions`"),
        (of(404, "<html>"), "check the `url` of `accounts`"),
        (of(500, "{\"code\":24,\"message\":\"x\"}"), "HTTP 500"),
        (of(500, "oops"), "HTTP 500"),
        (of(502, ""), "HTTP 502"),
        (of(200, "<html>"), "check the `url` of `accounts`"),
        (Says::Nothing, "did not answer in time"),
    ] {
        let api = Api::start([says]);
        let config = config(&EJABBERD, &EJABBERD.http_url).with_deadline(Duration::from_secs(6)).unwrap();
        let client = Client::new(config.with_accounts(Some(by_ejabberd(&api.url())))).unwrap();
        let log = login(&client, &user("kurt", by_token()));
        assert!(log.contains(NOT_MADE) && log.contains(told), "{told}: {log}");
        let asked = api.asked().remove(0);
        let (_, password) = asked.split_once("\"password\":\"").unwrap();
        let password = password.trim_end_matches("\"}");
        assert!(
            password.len() >= 32 && asked.starts_with("register Basic YWxpY2VAbG9jYWxob3N0Ondv"),
            "{asked}"
        );
        for secret in [password, ADMINISTRATOR.1, "YWxpY2VAbG9jYWxob3N0"] {
            assert!(!log.contains(secret), "{log}");
        }
    }
    assert!(!has_account("kurt"));
}

#[test]
fn an_api_that_is_away_takes_a_quarter_of_the_time_and_is_spared_then() {
    let api = Api::start([Says::Nothing]);
    let config = config(&EJABBERD, &EJABBERD.http_url)
        .with_deadline(Duration::from_secs(8))
        .unwrap()
        .with_fail_fast_for(Duration::from_secs(600))
        .unwrap();
    let client = Client::new(config.with_accounts(Some(by_ejabberd(&api.url())))).unwrap();
    let late = user("lena", by_token());
    let (log, took) = faults::timed(|| login(&client, &late));
    assert!(log.contains("did not answer in time"), "{log}");
    assert!(took < Duration::from_secs(6), "{took:?}");
    for _ in 0..4 {
        assert!(login(&client, &late).contains(NOT_MADE));
    }
    assert_eq!(api.asked().len(), 3, "from then on it is not asked");
    // What it says of the API says nothing of the chat.
    assert!(login(&client, &late).contains("did not reach 127.0.0.1"));
}

#[test]
fn an_account_that_ejabberd_does_not_make_is_asked_for_once() {
    // Its users have tokens only.
    let account = Account::new("mona@jwt.local", by_token()).unwrap();
    let client = client();
    let log = login(&client, &account);
    assert!(log.contains(NOT_MADE) && log.contains("has internal beside jwt"), "{log}");
    assert!(!login(&client, &account).contains("command="));
}

#[test]
fn what_is_missing_after_the_account_was_made_follows_with_the_next_login() {
    let of = |status, body: &str| Says::Status(status, body.to_owned());
    let api = Api::start([of(200, "\"made\""), of(503, ""), of(409, "{}"), of(200, "0"), of(200, "0")]);
    let client = client_with(by_ejabberd(&api.url()).with_group("team").unwrap());
    let nora = user("nora", by_token().nickname("Nora"));
    assert!(login(&client, &nora).contains("an account was made, and is not complete"));
    assert!(login(&client, &nora).contains(MADE));
    let asked = api.asked();
    let commands: Vec<_> = asked.iter().map(|asked| asked.split(' ').next().unwrap()).collect();
    assert_eq!(commands, ["register", "set_nickname", "register", "set_nickname", "srg_user_add"]);
    login(&client, &nora);
    assert_eq!(api.asked().len(), 5);
}
