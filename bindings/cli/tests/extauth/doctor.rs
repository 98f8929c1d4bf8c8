//! What the doctor says of an ejabberd that asks the command.

use std::fs;
use std::thread;
use std::time::Duration;

use prebind::binding::Value;
use prebind::binding::doctor::{Check, Grade, Outcome, body_limit, found, next_login};
use prebind::token::{Algorithm, Issuer, Key};
use prebind::{Account, Client, Config, Credentials};
use servers::{Kind, Options, Program, Proxy, Route, Server};

use crate::support::{BINARY, NEW, OLD, jwk, text, token};

/// The domain whose logins are cached, and the one whose logins are not. Both ask a pool that is too small.
const CACHED: &str = "cached.local";
const UNCACHED: &str = "uncached.local";

fn named(name: &str, value: Value) -> Vec<(String, Value)> {
    vec![(name.to_owned(), value)]
}

/// What signs tokens, as `jwt` of the credentials takes it.
fn jwt(once: bool) -> Vec<(String, Value)> {
    let fields =
        [("keys", NEW.to_owned().into()), ("algorithm", "HS256".to_owned().into()), ("once", once.into())];
    named("jwt", Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).into()))
}

fn fixed(token: &str) -> Vec<(String, Value)> {
    named("token", token.to_owned().into())
}

fn line(check: Check, (outcome, words): Outcome) -> (Grade, String) {
    let finding = found(check, outcome, words, None).expect("there is such an outcome");
    (finding.grade, finding.line)
}

/// What the doctor says of another login, after a first one by a token of its own.
fn next(
    server: &Server,
    jid: &str,
    first: Vec<(String, Value)>,
    next: Vec<(String, Value)>,
) -> (Grade, String) {
    let client = Client::new(Config::new(&server.http_url).unwrap()).unwrap();
    let account = Account::new(jid, Credentials::from_named(first.clone()).unwrap()).unwrap();
    client.terminate(&client.prebind(&account).unwrap()).unwrap();
    line(Check::NextLogin, next_login(&client, jid, first, next).unwrap())
}

#[test]
fn a_token_that_is_kept_as_the_password_and_a_pool_that_is_too_small_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, log) = (folder.path().join("keys"), folder.path().join("log"));
    fs::create_dir(&keys).unwrap();
    for (name, key) in [("old", OLD), ("new", NEW)] {
        fs::write(keys.join(name).with_extension("jwk"), jwk(key)).unwrap();
    }
    let command = [BINARY, "extauth", "--key", text(&keys), "--log", text(&log)].join(" ");
    let host = |name: &str, is_cached: bool, size: usize| {
        format!(
            "{name}:\n  auth_method: [external]\n  auth_use_cache: {is_cached}\n  extauth_program: \"{command}\"\n  \
             extauth_pool_size: {size}\n"
        )
    };
    let hosts = host(CACHED, true, 2) + &host(UNCACHED, false, 2);
    let options = Options { limits: false, ..Options::default() };
    let server =
        Server::start_with_hosts(Kind::Ejabberd, options, &hosts).unwrap_or_else(|error| panic!("{error}"));

    let (grade, said) = next(&server, "alice@cached.local", jwt(false), jwt(false));
    assert_eq!(grade, Grade::Error, "{said}");
    assert!(said.contains("Set auth_use_cache: false for the domain"), "{said}");
    for once in [false, true] {
        let (grade, said) = next(&server, "alice@uncached.local", jwt(once), jwt(once));
        assert_eq!(grade, Grade::Ok, "{said}");
    }
    // A site that makes its tokens itself.
    let issued = |jid| {
        let key = Key::from_secret(Algorithm::Hs256, NEW).unwrap();
        let issuer = Issuer::new([key]).unwrap().with_ids();
        issuer
            .issue(&prebind::Jid::new(jid).unwrap(), std::time::SystemTime::now())
            .unwrap()
            .expose()
            .to_owned()
    };
    let bobs = || fixed(&issued("bob@cached.local"));
    assert_eq!(next(&server, "bob@cached.local", bobs(), bobs()).0, Grade::Error);
    let carols = fixed(&token(OLD, "carol@cached.local"));
    let (grade, said) = next(&server, "carol@cached.local", carols.clone(), carols);
    assert_eq!((grade, said.contains("the same token")), (Grade::NotTried, true), "{said}");
    let password = named("password", "wonder-1".to_owned().into());
    assert_eq!(next(&server, "alice@localhost", password.clone(), password).0, Grade::NotTried);

    let warned = || fs::read_to_string(&log).unwrap_or_default().matches("set extauth_pool_size: 16").count();
    let has_come = (0..600).any(|_| warned() > 0 || (thread::sleep(Duration::from_millis(20)), false).1);
    assert!(has_come, "{}", fs::read_to_string(&log).unwrap_or_default());
    assert!(warned() <= 4, "each of the processes says so once");
}

#[test]
fn a_way_that_lets_too_much_through_is_told() {
    let server = Server::start(Kind::Ejabberd).unwrap_or_else(|error| panic!("{error}"));
    let proxy = Proxy::start(Program::Nginx, &server.http_url).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(Config::new(&server.http_url).unwrap()).unwrap();
    let limit = |credentials: &[(String, Value)], url: &str| {
        line(Check::BodyLimit, body_limit(&client, credentials.to_vec(), url).unwrap())
    };
    assert!(
        limit(&jwt(true), &server.http_url).1.contains("only programs"),
        "nothing is known of the server yet"
    );
    let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
    client.terminate(&client.prebind(&account).unwrap()).unwrap();

    let (grade, said) = limit(&jwt(true), &server.http_url);
    assert_eq!(grade, Grade::Warning, "{said}");
    assert!(said.contains("client_max_body_size 64k;"), "{said}");
    assert_eq!(limit(&fixed("no JWT"), &server.http_url).0, Grade::Ok, "a token without an ID");
    assert_eq!(limit(&jwt(false), &server.http_url).0, Grade::Ok, "ejabberd may verify it itself");
    let (grade, said) = limit(&jwt(true), proxy.http_url(Route::Kept).as_str());
    assert_eq!((grade, said.contains("HTTP 413")), (Grade::Ok, true), "{said}");
    for (credentials, url, told) in [
        (jwt(true), "/http-bind", "passes /http-bind on"),
        (jwt(true), "http://127.0.0.1:9/http-bind", "from this machine: "),
        (named("password", "x".to_owned().into()), server.http_url.as_str(), "no tokens"),
    ] {
        let (grade, said) = limit(&credentials, url);
        assert_eq!((grade, said.contains(told)), (Grade::NotTried, true), "{said}");
    }
    client.terminate(&client.prebind(&account).unwrap()).unwrap();
}
