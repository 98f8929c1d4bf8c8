//! Tokens that ejabberd issues for X-OAUTH2.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use prebind::binding::{LogEvent, with_log};
use prebind::{Account, Client, Credentials, Error, ErrorKind, Retry, XOAuth2Issuer};
use serde_json::json;
use servers::hosts::OAUTH;
use tracing::Level;

use crate::api::{Api, Says};
use crate::{EJABBERD, config};

/// What is logged of each token that is asked for.
const ASKED: &str = "command=\"oauth_issue_token\"";

fn client() -> Client {
    Client::new(config(&EJABBERD, &EJABBERD.http_url)).unwrap()
}

fn issuer(password: &str) -> XOAuth2Issuer {
    XOAuth2Issuer::new(EJABBERD.api_url.as_ref().unwrap(), "alice@localhost", password).unwrap()
}

fn user(name: &str, issuer: XOAuth2Issuer) -> Account {
    Account::new(&format!("{name}@{OAUTH}"), Credentials::x_oauth2_issuer(issuer)).unwrap()
}

/// What comes of a login, and how many tokens it asked for.
fn login(client: &Client, account: &Account) -> (Result<(), Error>, usize) {
    let asked = RefCell::<usize>::default();
    let observer = |event: LogEvent<'_>| *asked.borrow_mut() += event.message.matches(ASKED).count();
    let result = with_log(Level::DEBUG, observer, || client.prebind(account));
    let result = result.and_then(|session| {
        assert_eq!(session.mechanism(), "X-OAUTH2");
        client.terminate(&session)
    });
    (result, asked.into_inner())
}

fn asked(client: &Client, account: &Account) -> usize {
    let (result, asked) = login(client, account);
    result.unwrap();
    asked
}

#[test]
fn a_token_is_asked_for_once_for_each_user() {
    let client = client();
    // Each login has an account of its own, as on a site.
    let bobs = (0..20).map(|_| asked(&client, &user("bob", issuer("wonder-1"))));
    assert_eq!(bobs.collect::<Vec<_>>(), [&[1][..], &[0; 19]].concat());
    assert_eq!(asked(&client, &user("carol", issuer("wonder-1"))), 1);
    assert_eq!(
        asked(
            &client,
            &Account::new("Bob@oauth.local/web", Credentials::x_oauth2_issuer(issuer("wonder-1"))).unwrap()
        ),
        0
    );
    let another = issuer("wonder-1").with_lifetime(Duration::from_secs(60)).unwrap();
    assert_eq!(asked(&client, &user("bob", another)), 1);
}

#[test]
fn a_token_is_replaced_before_it_expires() {
    let client = client();
    let account = user("bob", issuer("wonder-1").with_lifetime(Duration::from_secs(1)).unwrap());
    assert_eq!(asked(&client, &account), 1);
    for _ in 0..600 {
        if asked(&client, &account) == 1 {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("it is never replaced");
}

#[test]
fn a_token_that_ejabberd_has_forgotten_is_replaced_in_the_same_call() {
    let tokens = [(); 2].map(|()| EJABBERD.oauth_token("bob@oauth.local").unwrap());
    let issued = tokens.each_ref().map(|token| Says::Status(200, json!({ "token": token }).to_string()));
    let api = Api::start(issued);
    let client = client();
    let bob = user("bob", XOAuth2Issuer::new(&api.url(), "svc@localhost", "secret").unwrap());
    login(&client, &bob).0.unwrap();
    login(&client, &bob).0.unwrap();
    assert_eq!(api.asked().len(), 1);
    EJABBERD.command("oauth_revoke_token", &json!({ "token": tokens[0] })).unwrap();
    login(&client, &bob).0.unwrap();
    let asked = api.asked();
    assert_eq!(asked.len(), 2);
    let json = "{\"jid\":\"bob@oauth.local\",\"ttl\":3600,\"scopes\":[\"sasl_auth\"]}";
    assert!(asked[1].starts_with("oauth_issue_token Basic ") && asked[1].ends_with(json), "{}", asked[1]);
    EJABBERD.command("oauth_revoke_token", &json!({ "token": tokens[1] })).unwrap();
    // The API goes on to send the second one: a new token that is refused is no reason to ask again.
    let error = login(&client, &bob).0.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth);
    assert!(error.to_string().contains("the `url` of `x_oauth2_issuer`"), "{error}");
    assert_eq!(api.asked().len(), 3);
}

#[test]
fn why_there_is_no_token_is_told_without_a_secret() {
    let wrong = login(&client(), &user("bob", issuer("wrong-password"))).0.unwrap_err();
    assert!(
        wrong.to_string().starts_with("x_oauth2_issuer: 127.0.0.1 does not accept the administrator"),
        "{wrong}"
    );
    let of = |status, body: &str| Says::Status(status, body.to_owned());
    for (says, kind, retry, told) in [
        (of(401, ""), "Config", Retry::AfterConfigChange, "check `jid` and `password`"),
        (of(403, ""), "Config", Retry::AfterConfigChange, "`api_permissions`"),
        (of(404, ""), "Http", Retry::AfterConfigChange, "`url` of `x_oauth2_issuer`"),
        (
            of(400, "{\"message\":\"wrong-password\"}"),
            "Http",
            Retry::AfterConfigChange,
            "does not understand",
        ),
        (of(500, ""), "Http", Retry::Later, "see ejabberd's log"),
        (of(200, "{}"), "Http", Retry::AfterConfigChange, "sends no token"),
        (Says::Nothing, "Timeout", Retry::Later, "did not answer in time"),
    ] {
        let api = Api::start([says]);
        let issuer = XOAuth2Issuer::new(&api.url(), "alice@localhost", "wrong-password").unwrap();
        let config = config(&EJABBERD, &EJABBERD.http_url).with_deadline(Duration::from_secs(2)).unwrap();
        let client = Client::new(config).unwrap();
        let error = login(&client, &user("bob", issuer.clone())).0.unwrap_err();
        assert_eq!((error.kind().as_str(), error.retry()), (kind, retry), "{error}");
        let text = format!("{error} {error:?} {issuer:?}");
        assert!(text.contains(told) && !text.contains("wrong-password"), "{text}");
    }
}

/// An API that is away is spared, and users of other ways to log in do not notice.
#[test]
fn an_api_that_is_away_is_spared_and_the_chat_is_not() {
    let api = Api::start([Says::Status(503, String::new())]);
    let client = client();
    let bob = user("bob", XOAuth2Issuer::new(&api.url(), "alice@localhost", "secret").unwrap());
    let kinds = [(); 5].map(|()| login(&client, &bob).0.unwrap_err().kind().as_str());
    assert_eq!(kinds, ["Http", "Http", "Http", "Timeout", "Timeout"]);
    assert_eq!(api.asked().len(), 3);
    let alice = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
    client.terminate(&client.prebind(&alice).unwrap()).unwrap();
}
