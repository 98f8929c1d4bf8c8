//! Tests that each fault does on the wire what its name says.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{
    CREATION, End, PATIENCE, QUIET, address, connect, exchange, head, post, receive, receive_until, response,
};
use faults::Fault;

/// All bytes that the server sends in answer to one session creation, and how they end.
fn strike(fault: Fault, patience: Duration) -> (String, End) {
    let server = faults::serve(fault);
    let mut tcp = connect(&server.url);
    tcp.write_all(post(CREATION).as_bytes()).expect("sending");
    let answer = receive(&tcp, patience);
    assert_eq!(server.requests().len(), 1, "{fault:?}");
    answer
}

/// Head and body of a fault that is a complete response.
fn complete(fault: Fault) -> (String, String) {
    let server = faults::serve(fault);
    exchange(&mut connect(&server.url), CREATION)
}

fn right_answer() -> String {
    String::from_utf8(faults::classic()[0].body.clone()).expect("XML")
}

#[test]
fn connections_refused_from_the_start_or_later() {
    let server = faults::serve(Fault::Refused);
    let refused = TcpStream::connect(address(&server.url)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    let server = faults::serve(Fault::Refused.at(2));
    let idle = connect(&server.url);
    let (head, body) = exchange(&mut connect(&server.url), CREATION);
    assert!(head.contains("Connection: close"), "{head}");
    assert_eq!(body, right_answer());
    assert_eq!(receive(&idle, PATIENCE).1, End::Closed);
    let refused = TcpStream::connect(address(&server.url)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn connections_never_completed_from_the_start_or_later() {
    for at in [1, 2] {
        let server = faults::serve(Fault::ConnectHangs.at(at));
        if at == 2 {
            exchange(&mut connect(&server.url), CREATION);
        }
        let tried = TcpStream::connect_timeout(&address(&server.url), QUIET);
        assert_eq!(tried.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }
}

#[test]
fn connections_never_read() {
    let server = faults::serve(Fault::NeverReads);
    let mut tcp = connect(&server.url);
    tcp.write_all(post(CREATION).as_bytes()).unwrap();
    assert_eq!(receive(&tcp, QUIET), (String::new(), End::Quiet));
    assert_eq!(server.requests(), []);
}

#[test]
fn responses_that_stop() {
    let (bytes, end) = strike(Fault::NoHeaders, QUIET);
    assert_eq!((&*bytes, end), ("", End::Quiet));

    let server = faults::serve(Fault::BodyNeverComes);
    let mut tcp = connect(&server.url);
    tcp.write_all(post(CREATION).as_bytes()).unwrap();
    let length = format!("Content-Length: {}\r\n", right_answer().len());
    assert!(head(&mut tcp).contains(&length));
    assert_eq!(receive(&tcp, QUIET), (String::new(), End::Quiet));
}

#[test]
fn responses_that_never_end() {
    let flowing = |fault, is_enough: fn(&str) -> bool| {
        let server = faults::serve(fault);
        let mut tcp = connect(&server.url);
        tcp.write_all(post(CREATION).as_bytes()).expect("sending");
        receive_until(&tcp, is_enough)
    };
    let begun = Instant::now();
    let bytes = flowing(Fault::HeadersDrip, |bytes| bytes.contains(" aaa"));
    assert!(begun.elapsed() > Duration::from_millis(300));
    assert!(bytes.starts_with("HTTP/1.1 200 OK\r\nX-Drip: aaa") && !bytes.contains("\r\n\r\n"), "{bytes}");

    let bytes = flowing(Fault::EndlessInterim, |bytes| bytes.len() > 4 << 10);
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    assert!(bytes.len() > 100 * interim.len());
    assert!(bytes.replace(interim, "").len() < interim.len());

    let bytes = flowing(Fault::EndlessHeaders, |bytes| bytes.len() > 64 << 10);
    assert!(bytes.len() > 64 << 10 && !bytes.contains("\r\n\r\n"));

    let begun = Instant::now();
    let bytes = flowing(Fault::BodyDrips, |bytes| bytes.contains("\r\n\r\n<bo"));
    assert!(begun.elapsed() > Duration::from_millis(300));
    assert!(right_answer().starts_with(bytes.split("\r\n\r\n").nth(1).unwrap()), "{bytes}");

    let bytes = flowing(Fault::BodyEndless, |bytes| bytes.len() > 64 << 10);
    assert!(bytes.contains(&right_answer()));
}

#[test]
fn connections_that_break() {
    let broken = |fault| strike(fault, PATIENCE);
    assert_eq!(broken(Fault::ClosedBeforeReply), (String::new(), End::Closed));
    assert_eq!(broken(Fault::ResetBeforeReply), (String::new(), End::Reset));
    assert_eq!(broken(Fault::ResetMidBody).1, End::Reset);

    let (bytes, end) = broken(Fault::ClosedMidHeaders);
    assert!(bytes.starts_with("HTTP/1.1 200 OK\r\n") && !bytes.contains("\r\n\r\n"));
    assert_eq!(end, End::Closed);

    let (bytes, end) = broken(Fault::BodyTruncated);
    let promised = right_answer().len() + 10;
    assert!(bytes.contains(&format!("Content-Length: {promised}\r\n")));
    assert!(bytes.ends_with(&right_answer()) && end == End::Closed);

    let (bytes, end) = broken(Fault::ClosedMidBody);
    assert!(bytes.contains("chunked") && !bytes.ends_with("0\r\n\r\n"));
    assert!(bytes.contains("<body") && !bytes.contains("</body>") && end == End::Closed);

    let (bytes, end) = broken(Fault::UnclosedXml);
    assert!(bytes.starts_with("HTTP/1.0 200 OK\r\n") && !bytes.contains("Content-Length"));
    assert!(bytes.contains("<body") && !bytes.contains("</body>") && end == End::Closed);

    let (bytes, end) = broken(Fault::NotHttp);
    assert!(!bytes.contains("HTTP") && end == End::Closed);
}

#[test]
fn complete_responses_that_are_no_answer() {
    let (_, body) = complete(Fault::BodyTooLarge);
    assert_eq!(body.len(), 300 << 10);
    assert_eq!(body.replace("   ", "").replace(" >", ">"), right_answer());

    let (head, body) = complete(Fault::GzipBomb);
    assert!(head.contains("Content-Encoding: gzip\r\n") && body.len() < 256 << 10);

    let (head, body) = complete(Fault::ContentEncoding);
    assert!(head.contains("Content-Encoding: br\r\n") && body == right_answer());

    let (head, _) = complete(Fault::HtmlPage);
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/html"));

    let (head, _) = complete(Fault::JsonPage);
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("application/json"));

    let (head, body) = complete(Fault::EmptyBody);
    assert!(head.contains("text/xml") && body.is_empty());

    for case in faults::ALL {
        if let Fault::Status(status) = case.fault {
            let (head, body) = complete(case.fault);
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")));
            assert_eq!(body.contains("</html>"), status != 204);
        }
    }
}

#[test]
fn redirects_lead_to_an_answer_that_shows_who_followed() {
    for status in [301, 302, 307, 308] {
        let server = faults::serve(Fault::Redirect(status));
        let (head, _) = exchange(&mut connect(&server.url), CREATION);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let port = address(&server.url).port();
        let location = format!("Location: http://localhost:{port}/elsewhere\r\n");
        assert!(head.contains(&location), "{head}");

        let mut followed = connect(&server.url);
        let request = post(CREATION).replace("/http-bind", "/elsewhere");
        followed.write_all(request.as_bytes()).unwrap();
        assert_eq!(response(&mut followed).1, right_answer());
        assert_eq!(server.requests()[1].path, "/elsewhere");
    }
}

#[test]
fn a_later_request_is_struck_and_the_following_unless_once() {
    for once in [false, true] {
        let strike = Fault::Status(503).at(3);
        let server = faults::serve(if once { strike.once() } else { strike });
        let mut tcp = connect(&server.url);
        let statuses = [CREATION, "<auth", "xmpp:restart", "<bind/>", "type='terminate'"]
            .map(|body| exchange(&mut tcp, body).0[9..12].to_owned());
        let later = if once { "200" } else { "503" };
        assert_eq!(statuses, ["200", "200", "503", later, later]);
        assert_eq!(server.strikes(), if once { 1 } else { 3 });
        assert_eq!(server.connections(), 1);
    }
}

#[test]
fn dropping_a_server_ends_whatever_it_is_doing() {
    for case in faults::ALL {
        let server = faults::serve(case.fault);
        let address = address(&server.url);
        // Some servers refuse this, and the others are in the middle of an answer.
        if let Ok(mut tcp) = TcpStream::connect_timeout(&address, Duration::from_millis(20)) {
            tcp.write_all(post(CREATION).as_bytes()).unwrap();
            tcp.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            let _ = tcp.read(&mut [0; 100]);
        }
        let (done, dropped) = std::sync::mpsc::channel();
        thread::spawn(move || {
            drop(server);
            done.send(()).unwrap();
        });
        dropped.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{} does not end", case.name));
        assert!(TcpStream::connect_timeout(&address, QUIET).is_err(), "{}", case.name);
    }
}

#[test]
fn names_are_unique_and_kinds_are_the_librarys() {
    for (index, case) in faults::ALL.iter().enumerate() {
        assert_eq!(case.name.parse(), Ok(case.fault));
        assert!(["Connect", "Timeout", "Http", "Protocol"].contains(&case.kind));
        let before = &faults::ALL[..index];
        assert!(before.iter().all(|other| other.fault != case.fault && other.name != case.name));
    }
    assert!("nonsense".parse::<Fault>().is_err());
}
