//! Races with the server, played by one that does as it is told.

use std::path::Path;

use faults::Reply;

use super::{Replay, Replayed};
use crate::record::{Event, Script};
use crate::{Error, Result};

const SID: &str = "sid='1'";
const FEATURES: &str = "<features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>";
const BOUND: &str = "<jid>alice@localhost/x</jid>";

/// As the library talks to ejabberd: `create | auth‖restart | bind‖poll`.
fn in_pairs() -> Script {
    let send = |connection, payload: &str| {
        let attributes = if payload == "create" { "rid=\"7\"" } else { "rid=\"8\" sid=\"0\"" };
        let body = match payload {
            "restart" => format!("<body {attributes} xmpp:restart=\"true\"/>"),
            "" => format!("<body {attributes}/>"),
            element => format!("<body {attributes}><{element}/></body>"),
        };
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".to_owned();
        Event::Send { connection, head, body }
    };
    let receive = |connection| Event::Receive { connection };
    Script {
        events: vec![
            send(0, "create"),
            receive(0),
            send(1, "auth"),
            send(2, "restart"),
            receive(1),
            send(1, "bind"),
            receive(2),
            send(2, ""),
            receive(1),
            receive(2),
        ],
        connections: 3,
    }
}

/// A call to a server that answers with these, in the order of the requests, and how many came.
fn call(replies: &[&str]) -> (Result<Replayed>, usize) {
    let requests = ["<create", "<auth", "restart", "<bind"];
    let answer = |(at, payload): (usize, &&str)| {
        let answer = Reply::xml(format!("<body>{payload}</body>"));
        if let Some(request) = requests.get(at) { answer.when(request) } else { answer }
    };
    let mut replies: Vec<Reply> = replies.iter().enumerate().map(answer).collect();
    replies[0] = Reply::xml(format!("<body {SID}/>")).when("<create");
    let server = faults::script(replies);
    let mut replay = Replay::new(in_pairs(), &server.url, Path::new("")).unwrap();
    (replay.call(), server.requests().len())
}

fn round_trips(replies: &[&str]) -> (u32, usize) {
    let (replayed, requests) = call(replies);
    let replayed: Replayed = replayed.unwrap();
    assert_eq!(replayed.sid, "1");
    (replayed.round_trips, requests)
}

/// As the library talks to ejabberd by a mechanism of one message: `create+auth | bind‖restart`.
#[test]
fn a_bind_is_sent_ahead_of_its_turn() {
    let send = |connection, rid, rest: &str| Event::Send {
        connection,
        head: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".to_owned(),
        body: format!("<body rid=\"{rid}\"{rest}"),
    };
    let script = Script {
        events: vec![
            send(0, 7, "><auth/></body>"),
            Event::Receive { connection: 0 },
            send(1, 9, " sid=\"0\"><bind/></body>"),
            send(0, 8, " sid=\"0\" xmpp:restart=\"true\" xmpp:version=\"0.9\"/>"),
            Event::Receive { connection: 0 },
            Event::Receive { connection: 1 },
        ],
        connections: 2,
    };
    let server = faults::script(vec![
        Reply::xml(format!("<body {SID}/>")).when("<auth"),
        Reply::xml("<body><success/></body>").when("xmpp:restart"),
        Reply::xml(format!("<body>{BOUND}</body>")).when("<bind"),
    ]);
    let replayed = Replay::new(script, &server.url, Path::new("")).unwrap().call().unwrap();
    let requests = server.requests();
    let rid = |part: &str| {
        requests.iter().find(|it| it.body.contains(part)).and_then(faults::Recorded::rid).unwrap()
    };
    assert_eq!(rid("<bind"), rid("<auth") + 2);
    assert_eq!(rid("xmpp:restart"), rid("<auth") + 1);
    assert_eq!((replayed.round_trips, replayed.next_rid), (2, rid("<auth") + 3));
}

#[test]
fn what_the_server_has_answered_already_is_not_asked_for() {
    assert_eq!(round_trips(&["", "<success/>", FEATURES, BOUND]), (3, 4));
}

#[test]
fn what_answers_the_next_request_is_waited_for_there() {
    assert_eq!(round_trips(&["", "<success/>", "", FEATURES, BOUND]), (3, 5));
    assert_eq!(round_trips(&["", "", "<success/>", FEATURES, BOUND]), (3, 5));
}

#[test]
fn what_is_late_is_asked_for_as_often_as_it_takes() {
    // The login is answered last: the bind waits for it.
    let late = ["", "", "", "", "", "<success/>", FEATURES, BOUND];
    let (replayed, requests) = call(&late);
    assert!(replayed.is_ok(), "{:?}", replayed.err());
    assert!(requests >= late.len());
    assert_eq!(round_trips(&["", "<success/>", "", "", "", FEATURES, BOUND]), (5, 7));
}

#[test]
fn a_session_that_ends_is_no_call() {
    let (replayed, _) = call(&["", "type='terminate'"]);
    let error: Error = replayed.err().unwrap();
    assert!(error.to_string().contains("ended"), "{error}");
}
