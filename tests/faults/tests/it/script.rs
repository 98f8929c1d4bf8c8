//! Tests that the script server sends its replies and remembers its requests.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{CREATION, End, PATIENCE, connect, exchange, post, receive, response};
use faults::Reply;

#[test]
fn the_classic_login() {
    let server = faults::script(faults::classic());
    let mut tcp = connect(&server.url);
    for (sent, answer) in [
        (CREATION, "<mechanism>PLAIN<"),
        ("<body rid=\"1001\"><auth/></body>", "<success"),
        ("<body rid=\"1002\" xmpp:restart=\"true\"/>", "xmpp-bind'/>"),
        (
            "<body><iq id=\"b7\"><bind><resource>web</resource></bind></iq></body>",
            "id='b7'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/web</jid>",
        ),
        ("<body type=\"terminate\"/>", "type='terminate'"),
    ] {
        let (head, body) = exchange(&mut tcp, sent);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(body.contains(answer), "{body}");
    }
    let (head, body) = exchange(&mut tcp, "<body/>");
    assert!(head.starts_with("HTTP/1.1 500") && body == "script exhausted");
    let rids: Vec<_> = server.requests().iter().map(faults::Recorded::rid).collect();
    assert_eq!(rids[..4], [Some(1000), Some(1001), Some(1002), None]);
}

#[test]
fn statuses_headers_and_templates() {
    let server = faults::script(vec![
        Reply::new(418, "{rid}").header("Set-Cookie", "a=b").header("Content-Type", "x/y"),
        Reply::xml(b"\xff{rid}"),
    ]);
    let mut tcp = connect(&server.url);
    let (head, body) = exchange(&mut tcp, CREATION);
    assert!(head.starts_with("HTTP/1.1 418 ") && body == "1000");
    assert!(head.contains("Set-Cookie: a=b\r\n") && head.matches("Content-Type").count() == 1);
    tcp.write_all(post(CREATION).as_bytes()).unwrap();
    assert!(response(&mut tcp).1.ends_with("\u{fffd}{rid}"));
}

#[test]
fn a_reply_may_wait_for_the_next_request() {
    let server = faults::script(vec![Reply::xml("first").when("\"7\"").after_next(), Reply::xml("second")]);
    let [mut first, mut second, mut other] = [(); 3].map(|()| connect(&server.url));
    first.write_all(post("<body rid=\"7\"/>").as_bytes()).unwrap();
    while server.requests().is_empty() {
        thread::yield_now();
    }
    assert_eq!(exchange(&mut other, "<body rid=\"9\"/>").1, "second");
    assert_eq!(receive(&first, Duration::from_millis(50)), (String::new(), End::Quiet));
    assert_eq!(exchange(&mut second, "<body rid=\"8\"/>").1, "script exhausted");
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(response(&mut first).1, "first");
}

#[test]
fn a_reply_may_last_for_a_while() {
    for (time, second) in [(Duration::from_secs(3600), "away"), (Duration::ZERO, "back")] {
        let server = faults::script(vec![Reply::xml("away").lasts(time), Reply::xml("back")]);
        let mut tcp = connect(&server.url);
        assert_eq!([(); 2].map(|()| exchange(&mut tcp, CREATION).1), ["away", second]);
    }
}

#[test]
fn what_was_sent_and_on_which_connection() {
    let server = faults::script(vec![Reply::xml("1"), Reply::xml("2"), Reply::xml("3")]);
    let (mut first, mut second) = (connect(&server.url), connect(&server.url));
    exchange(&mut first, "a");
    let chunked = "POST /x?y HTTP/1.1\r\nCookie: k=v\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n0\r\n\r\n";
    second.write_all(chunked.as_bytes()).unwrap();
    response(&mut second);
    exchange(&mut first, "c");

    let requests = server.requests();
    let on: Vec<_> = requests.iter().map(|r| (r.connection, &*r.body)).collect();
    let second = &requests[1];
    assert_eq!(on, [(0, "a"), (second.connection, "abc"), (0, "c")]);
    assert_eq!((second.connection, server.connections()), (1, 2));
    assert_eq!((&*second.method, &*second.path), ("POST", "/x?y"));
    assert_eq!(second.header("cookie"), Some("k=v"));
    assert!(requests.is_sorted_by_key(|request| request.at));
}

#[test]
fn replies_find_their_requests_in_any_order() {
    let server = faults::script(vec![Reply::xml("one").when("1"), Reply::xml("two").when("2")]);
    let (mut first, mut second) = (connect(&server.url), connect(&server.url));
    assert_eq!(exchange(&mut second, "2").1, "two");
    assert_eq!(exchange(&mut first, "1").1, "one");
}

#[test]
fn a_delayed_reply_holds_up_nobody_else() {
    let delay = Duration::from_millis(700);
    let server =
        faults::script(vec![Reply::xml("late").when("1").after(delay), Reply::xml("at once").when("2")]);
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(exchange(&mut connect(&server.url), "1").1, "late"));
        assert_eq!(exchange(&mut connect(&server.url), "2").1, "at once");
        assert!(begun.elapsed() < delay);
    });
    assert!(begun.elapsed() >= delay);
}

#[test]
fn a_connection_that_goes_stale() {
    let server = faults::script(vec![Reply::xml("1").closes()]);
    let mut tcp = connect(&server.url);
    let (head, _) = exchange(&mut tcp, "a");
    assert!(!head.contains("Connection"), "{head}");
    assert_eq!(receive(&tcp, PATIENCE), (String::new(), End::Closed));
    assert_eq!(server.open_connections(), 0);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = faults::script(vec![Reply::xml("1"), Reply::xml("2")]);
    let mut tcp = connect(&server.url);
    let both = post("a") + &post("b");
    tcp.write_all(both.as_bytes()).unwrap();
    assert_eq!((response(&mut tcp).1, response(&mut tcp).1), ("1".into(), "2".into()));
}

#[test]
fn a_connection_that_rests_for_too_long_is_closed() {
    let limit = Duration::from_secs(1);
    let server = faults::script(vec![Reply::xml("1").closes_after(limit), Reply::xml("2"), Reply::xml("3")]);
    let mut tcp = connect(&server.url);
    exchange(&mut tcp, "a");
    assert_eq!(exchange(&mut tcp, "b").1, "2", "it is used in time");
    let begun = Instant::now();
    let (nothing, end) = receive(&tcp, PATIENCE);
    assert_eq!((&*nothing, end), ("", End::Closed));
    assert!(begun.elapsed() > limit / 2, "{:?}", begun.elapsed());
}
