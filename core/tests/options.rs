//! What the options do on the wire, and what nobody gets to see.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::{io, thread};

use faults::{Fault, Reply, Server};
use prebind::protocol::Random;
use prebind::{Account, Client, Config, Credentials, ErrorKind, Extra, Jid, Secret, Session};

fn account() -> Account {
    Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap()
}

/// A server that never gets as far as its fault.
fn sound() -> Server {
    faults::serve(Fault::NoHeaders.at(usize::MAX))
}

fn prebind(config: Config) -> Session {
    Client::new(config).unwrap().prebind(&account()).unwrap()
}

#[test]
fn few_headers_and_those_that_are_configured() {
    let server = sound();
    let header = ("X-Api-Key".to_owned(), "open-sesame".into());
    prebind(Config::new(&server.url).unwrap().with_headers(vec![header]));
    for request in server.requests() {
        let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        names.sort();
        let expected =
            ["accept-encoding", "content-length", "content-type", "host", "user-agent", "x-api-key"];
        assert_eq!(names, expected);
    }
}

#[test]
fn headers_longer_than_a_buffer() {
    let server = sound();
    let mut config = Config::new(&server.url).unwrap();
    let longest = "x".repeat(8 * 1024);
    config = config.with_headers((0..6).map(|n| (format!("x-long-{n}"), longest.as_str().into())).collect());
    prebind(config);
    for request in server.requests() {
        assert_eq!(request.headers.iter().filter(|(_, value)| *value == longest).count(), 6);
    }
}

#[test]
fn cookies_of_a_balancer_stay_with_the_session() {
    let mut replies = faults::classic();
    replies[0] = replies[0].clone().header("Set-Cookie", "node=web-7; Path=/; HttpOnly");
    let server = faults::script(replies);
    let session = prebind(Config::new(&server.url).unwrap());
    let sent: Vec<Option<String>> = server
        .requests()
        .iter()
        .map(|request| request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("cookie")))
        .map(|cookie| cookie.map(|(_, value)| value.clone()))
        .collect();
    let cookie = Some("node=web-7".to_owned());
    assert_eq!(sent, [None, cookie.clone(), cookie.clone(), cookie]);
    assert_eq!((session.cookies()[0].name.as_str(), session.cookies()[0].value()), ("node", "web-7"));
    assert!(!format!("{:?}", session.cookies()).contains("web-7"));

    Client::new(Config::new(&server.url).unwrap()).unwrap().terminate(&session).unwrap();
    let last = server.requests().pop().unwrap();
    assert!(last.body.contains("terminate") && last.headers.iter().any(|(_, value)| value == "node=web-7"));

    let again = faults::script(faults::classic());
    prebind(Config::new(&again.url).unwrap());
    let leaked = again
        .requests()
        .iter()
        .any(|request| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie")));
    assert!(!leaked, "cookies belong to one exchange");
}

/// Answers CONNECT and passes bytes on. Returns its address and what it was asked for.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let target = request.split(' ').nth(1).unwrap().to_owned();
            let mut server = TcpStream::connect(&target).unwrap();
            log.lock().unwrap().push(request);
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut from, &mut to));
            thread::spawn(move || io::copy(&mut server, &mut client));
        }
    });
    (address, asked)
}

#[test]
fn a_proxy_is_used_when_asked_for() {
    let (server, (address, asked)) = (sound(), proxy());
    let mut config = Config::new(&server.url).unwrap().with_proxy(Some(address.as_str().into()));
    let error = Client::new(config.clone()).unwrap().prebind(&account()).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Mechanism { .. }),
        "behind a proxy nothing is loopback: {error}"
    );
    config = config.with_allow_cleartext(true);
    prebind(config.clone());
    assert!(asked.lock().unwrap()[0].starts_with("CONNECT 127.0.0.1:"), "{asked:?}");

    config = config.with_proxy(Some("http://127.0.0.1:1".into()));
    let error = Client::new(config).unwrap().prebind(&account()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect { .. }), "{error}");
}

#[test]
fn a_process_wide_client_for_the_simplest_call() {
    let server = sound();
    for _ in 0..3 {
        let session = prebind::prebind(&server.url, "alice@localhost", "wonder-1").unwrap();
        assert_eq!(session.jid().bare(), Jid::new("alice@localhost").unwrap());
    }
    assert_eq!(server.connections(), 1, "the connection is kept between calls");
    let error = prebind::prebind("ftp://localhost", "alice@localhost", "wonder-1").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Config { field: "url" });
}

#[test]
fn json_is_what_browsers_ask_for() {
    let session = prebind(Config::new(&sound().url).unwrap());
    let json: serde_json::Value = serde_json::from_str(&session.to_json()).unwrap();
    let expected = serde_json::json!({
        "jid": session.jid().to_string(), "sid": session.sid(), "rid": session.rid(),
    });
    assert_eq!(json, expected);
    assert!(session.rid() > 1 << 32 && session.rid() < 1 << 53);
}

#[test]
fn json_has_more_where_a_client_wants_it() {
    let session = prebind(Config::new(&sound().url).unwrap());
    let mut expected: serde_json::Value = serde_json::from_str(&session.to_json()).unwrap();
    let values = [
        ("last_rid", Some(session.rid() - 1)),
        ("wait", Some(session.wait().as_secs())),
        ("inactivity", session.inactivity().map(|time| time.as_secs())),
    ];
    for (name, value) in values {
        expected[name] = value.into();
    }
    let json: serde_json::Value = serde_json::from_str(&session.to_json_with(&Extra::ALL)).unwrap();
    assert_eq!(json, expected);
    assert_eq!(Extra::ALL.map(Extra::as_str), values.map(|(name, _)| name));
}

#[test]
fn debug_shows_no_secret() {
    let server = sound();
    let header = ("Authorization".to_owned(), "Bearer hidden-1".into());
    let proxy = "http://user:hidden-2@proxy".into();
    let config = Config::new(&server.url).unwrap().with_headers(vec![header]).with_proxy(Some(proxy));
    let session = prebind(Config::new(&server.url).unwrap());
    let account = Account::new("alice@localhost", Credentials::plain("hidden-3")).unwrap();
    let shown = format!(
        "{config:?} {account:?} {:?} {:?} {session:?}",
        Random::fixed(12_345_678, "hidden-4"),
        Secret::from("hidden-5"),
    );
    for secret in ["hidden", "12345678", session.sid(), &session.rid().to_string()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_reply_may_not_be_larger_than_allowed() {
    let mut replies = faults::classic();
    let padding = "x".repeat(2000);
    replies[1] = Reply::xml(format!("<body xmlns='http://jabber.org/protocol/httpbind' a='{padding}'/>"))
        .when("<auth");
    let server = faults::script(replies);
    let config = Config::new(&server.url).unwrap().with_max_reply(1900).unwrap();
    let error = Client::new(config).unwrap().prebind(&account()).unwrap_err();
    assert_eq!(error.kind().as_str(), "Protocol");
}
