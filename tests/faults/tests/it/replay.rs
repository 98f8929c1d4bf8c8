//! Tests that the replay server accepts a right client and says how a wrong one differs.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;

use faults::{Replay, replay};
use serde_json::Value;

use crate::client::{connect, post, response};

pub(crate) const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures");
const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors");

const CREATION: &str = "<body rid=\"70\" to=\"localhost\"/>";
const AUTH: &str = "<body rid=\"71\" sid=\"s1\"><auth/></body>";
const TERMINATE: &str = "<body rid=\"72\" sid=\"s1\" type=\"terminate\"/>";

fn fixture(name: &str) -> Result<Replay, String> {
    replay(&format!("{FIXTURES}/{name}"))
}

/// Posts to the path of the fixture, with additional header lines.
pub(crate) fn say(tcp: &mut TcpStream, body: &str, headers: &str) -> (String, String) {
    let request = post(body).replace("/http-bind", "/bosh");
    let request = request.replace("Host:", &format!("{headers}Host:"));
    tcp.write_all(request.as_bytes()).expect("sending");
    response(tcp)
}

#[test]
fn a_right_client_gets_the_replies_and_the_shifted_rid() {
    let replay = fixture("login.json").unwrap();
    assert!(replay.url.ends_with("/bosh"), "{}", replay.url);
    let mut tcp = connect(&replay.url);
    let (head, body) = say(&mut tcp, CREATION, "");
    assert_eq!(body, "<body sid='s1'/>");
    assert!(head.contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), "{head}");
    assert!(!head.contains("Content-Type"), "{head}");
    let (head, body) = say(&mut tcp, AUTH, "cookie: a=1; b=2\r\n");
    assert!(head.starts_with("HTTP/1.1 502 ") && head.contains("text/html"), "{head}");
    assert_eq!(body, "\u{fffd}");
    assert!(say(&mut tcp, TERMINATE, "").1.contains("terminate"));
    let expect = replay.finish().unwrap();
    assert_eq!(expect["session"]["rid"], 73);
    assert_eq!(expect["session"]["sid"], "s1");
}

#[test]
fn the_first_difference_is_shown_and_kept() {
    let cookie = "Cookie: a=1; b=2\r\n";
    for (body, headers, difference) in [
        ("<body rid=\"72\" sid=\"s1\"><auth/></body>", cookie, "the body differs"),
        ("<body rid=\"71\" sid='s1'><auth/></body>", cookie, "the body differs"),
        (AUTH, "", "Cookie differs"),
    ] {
        let replay = fixture("login.json").unwrap();
        let mut tcp = connect(&replay.url);
        say(&mut tcp, CREATION, "");
        let (head, text) = say(&mut tcp, body, headers);
        assert!(head.starts_with("HTTP/1.1 599 "), "{head}");
        assert!(text.starts_with(&format!("request 2 of 3: {difference}\n")), "{text}");
        say(&mut tcp, TERMINATE, "");
        assert_eq!(replay.finish().unwrap_err(), text);
    }
    let replay = fixture("login.json").unwrap();
    let (_, text) = say(&mut connect(&replay.url), CREATION, "Cookie: x=y\r\n");
    assert!(text.contains("request 1 of 3: Cookie differs"), "{text}");
}

#[test]
fn too_few_and_too_many_requests() {
    let replay = fixture("login.json").unwrap();
    say(&mut connect(&replay.url), CREATION, "");
    let missing = replay.finish().unwrap_err();
    assert!(missing.starts_with("request 2 of 3 never came"), "{missing}");

    let replay = fixture("nothing-sent.json").unwrap();
    assert_eq!(replay.url, "ftp://chat.example");
    assert_eq!(replay.finish().unwrap()["error"]["kind"], "Config");

    let replay = fixture("table.json#first").unwrap();
    let mut tcp = connect(&replay.url);
    for rid in 5..9 {
        let body = format!("<body rid=\"{rid}\"/>");
        tcp.write_all(post(&body).as_bytes()).unwrap();
        let (head, _) = response(&mut tcp);
        let status = ["200", "404", "200", "599"][rid - 5];
        assert_eq!(&head[9..12], status);
    }
    assert!(replay.finish().unwrap_err().starts_with("request 4 after all 3"));
}

#[test]
fn what_cannot_be_replayed_is_refused_with_the_reason() {
    for (case, reason) in [
        ("scram.json", "nonce"),
        ("table.json#elsewhere", "URL"),
        ("table.json", "name a row"),
        ("table.json#none", "no such case"),
        ("no-case.json", "no such case"),
        ("missing.json", "missing.json: "),
    ] {
        let refused = fixture(case).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
    let listed = faults::replayable(Path::new(FIXTURES)).unwrap();
    let names: Vec<_> = listed.iter().map(|case| &case["name"]).collect();
    assert_eq!(names, ["login", "nothing-sent", "table/first"]);
    assert!(
        fixture(Path::new(listed[2]["case"].as_str().unwrap()).file_name().unwrap().to_str().unwrap())
            .is_ok()
    );
}

#[test]
fn the_shared_vectors_can_be_served() {
    let listed = faults::replayable(Path::new(VECTORS)).unwrap();
    assert!(!listed.is_empty());
    for case in listed {
        let file = case["case"].as_str().unwrap();
        let replay = replay(file).unwrap();
        if file.contains('#') || replay.url.starts_with("https") {
            continue;
        }
        let vector: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let exchange = vector["exchange"].as_array().unwrap();
        let mut tcp = exchange.first().map(|_| connect(&replay.url));
        for entry in exchange {
            let tcp = tcp.as_mut().unwrap();
            let headers = entry["request_headers"].as_object();
            let headers: String = headers.into_iter().flatten().fold(String::new(), |all, (name, value)| {
                all + &format!("{name}: {}\r\n", value.as_str().unwrap())
            });
            let path = format!("/{}", replay.url.splitn(4, '/').nth(3).unwrap());
            let request = post(entry["request"].as_str().unwrap());
            let request = request.replacen("/http-bind", &path, 1);
            let request = request.replacen("Host:", &format!("{headers}Host:"), 1);
            tcp.write_all(request.as_bytes()).unwrap();
            let (head, body) = response(tcp);
            let status = entry["status"].as_u64().unwrap_or(200);
            assert_eq!(head[9..12], status.to_string(), "{file}: {body}");
        }
        assert_eq!(replay.finish().as_ref(), Ok(&case["expect"]), "{file}");
    }
}
