//! That options reach the wire.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

use crate::support::{file, login, text};

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/// A server for one request: its URL, and what it was sent.
pub(crate) fn answering(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let url = format!("http://{}/http-bind", listener.local_addr().expect("it has one"));
    let request = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the command connects");
        let mut request = Vec::new();
        let mut part = [0; 4096];
        while !(request.ends_with(b">") || request.ends_with(b"\r\n\r\n") && request.starts_with(b"CONNECT"))
        {
            let length = stream.read(&mut part).expect("the command sends");
            assert_ne!(length, 0, "the command sends all of it");
            request.extend_from_slice(&part[..length]);
        }
        stream.write_all(answer.as_bytes()).expect("the command reads");
        String::from_utf8(request).expect("BOSH is text")
    });
    (url, request)
}

#[test]
fn session_options_are_asked_for() {
    let (url, request) = answering(NOT_FOUND);
    let options = ["--lang", "de", "--wait", "20", "--hold", "2", "--route", "xmpp:example.org:9999"];
    login(options).args([&url, "alice@localhost"]).assert().code(6);
    let request = request.join().expect("there was a request");
    for attribute in ["xml:lang=\"de\"", "wait=\"20\"", "hold=\"2\"", "route=\"xmpp:example.org:9999\""] {
        assert!(request.contains(attribute), "{attribute} in {request}");
    }
}

#[test]
fn no_language_and_no_options_are_the_defaults() {
    let (url, request) = answering(NOT_FOUND);
    login(["--lang", "", &url, "alice@localhost"]).assert().code(6);
    let request = request.join().expect("there was a request");
    assert!(!request.contains("lang") && !request.contains("route"), "{request}");
    assert!(request.contains("wait=\"55\"") && request.contains("hold=\"1\""), "{request}");
}

#[test]
fn headers_come_from_arguments_and_files() {
    let (url, request) = answering(NOT_FOUND);
    let file = file("Authorization: Basic c2VjcmV0\n\nX-Two: 2\n");
    let from_file = format!("@{}", text(file.path()));
    login(["--header", "X-One: a: b", "--header", &from_file, &url, "alice@localhost"]).assert().code(6);
    let request = request.join().expect("there was a request").to_lowercase();
    for header in ["x-one: a: b\r\n", "authorization: basic c2vjcmv0\r\n", "x-two: 2\r\n"] {
        assert!(request.contains(header), "{header:?} in {request}");
    }
}

#[test]
fn a_header_that_is_none_is_not_repeated() {
    let url = "http://127.0.0.1:9/";
    let refused = || contains("Name: value").and(contains("c2VjcmV0").not());
    login(["--header", "Basic c2VjcmV0", url, "alice@localhost"]).assert().code(2).stderr(refused());
    let file = file("X-One: 1\nBasic c2VjcmV0\n");
    let from_file = format!("@{}", text(file.path()));
    login(["--header", &from_file, url, "alice@localhost"])
        .assert()
        .code(66)
        .stderr(refused().and(contains("line 2")));
}

#[test]
fn a_proxy_comes_from_an_option_or_the_environment() {
    let target = "http://127.0.0.2:9/http-bind";
    let (proxy, request) = answering(NOT_FOUND);
    login(["--proxy", &proxy, target, "alice@localhost"]).assert().failure();
    assert!(request.join().expect("there was a request").contains("127.0.0.2:9"));

    let (proxy, request) = answering(NOT_FOUND);
    login([target, "alice@localhost"]).env("PREBIND_PROXY", &proxy).assert().failure();
    assert!(request.join().expect("there was a request").contains("127.0.0.2:9"));

    let (url, request) = answering(NOT_FOUND);
    login([&url, "alice@localhost"]).env("PREBIND_PROXY", "").assert().code(6);
    request.join().expect("the request went straight to the server");
}

/// Whoever can set `HTTP_PROXY` for a web server (httpoxy) must not read its logins.
#[test]
fn the_proxies_of_other_programs_are_ignored() {
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        let (url, request) = answering(NOT_FOUND);
        let dead = "http://127.0.0.1:1";
        login([&url, "alice@localhost"]).env(variable, dead).assert().code(6);
        request.join().expect("the request went straight to the server");
    }
}

#[test]
fn limits_are_passed_on() {
    let (url, _) = answering("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 7\r\n\r\n<body/>");
    login(["--max-reply", "3", &url, "alice@localhost"]).assert().code(7).stderr(contains("max_reply"));
    for option in ["--deadline", "--resolve-timeout", "--connect-timeout", "--request-timeout"] {
        for wrong in ["soon", "NaN", "1e999"] {
            login([option, wrong, &url, "alice@localhost"]).assert().code(2).stderr(contains("seconds"));
        }
        login([option, "0", &url, "alice@localhost"]).assert().code(3).stderr(contains("more than zero"));
    }
}

#[test]
fn addresses_are_of_the_family_asked_for() {
    let (url, request) = answering(NOT_FOUND);
    login(["--ipv6", &url, "alice@localhost"]).assert().code(4);
    login(["--ipv4", &url, "alice@localhost"]).assert().code(6);
    request.join().expect("there was one request");
}
