//! Short exchanges with a server that is not, or no longer, what it was taken for.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use faults::{Recorded, Reply, Server};
use prebind::{Account, Client, Config, Credentials, ErrorKind, interruptible};

const PROSODY: &str = "authid='f0095fea-6d2a-46ae-a2d7-832b21560ee4' polling='5' ver='1.6' \
    sid='f0095fea-6d2a-46ae-a2d7-832b21560ee4'";
const EJABBERD: &str = "authid='1' polling='2' ver='1.11' xmpp:restartlogic='true' maxpause='120' sid='2'";
const OFFER: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const BOUND: &str = "<iq xmlns='jabber:client' type='result' id='bind'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/x</jid></bind></iq>";

/// What only a short exchange with Prosody sends.
const ALL_AT_ONCE: &str = "</auth><iq";

fn account() -> Account {
    Account::new("alice@localhost", Credentials::plain("wonder-1")).unwrap()
}

fn body(attributes: &str, payload: &str) -> Reply {
    Reply::xml(format!(
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' \
         xmlns:stream='http://etherx.jabber.org/streams' {attributes}>{payload}</body>"
    ))
}

/// A whole classic exchange with a server that looks like this.
fn classic(like: &str) -> Vec<Reply> {
    let mut replies = faults::classic();
    replies[0] = body(like, OFFER).when("xmpp:version=\"1.0\"/>");
    replies
}

fn all_at_once(payload: &str) -> Reply {
    body(PROSODY, &format!("{OFFER}{payload}")).when(ALL_AT_ONCE)
}

fn client(server: &Server, change: impl FnOnce(&mut Config)) -> Client {
    let mut config = Config::new(&server.url).unwrap();
    config.deadline = Duration::from_secs(10);
    change(&mut config);
    Client::new(config).unwrap()
}

/// Which requests are which: `!` all at once, `.` a classic creation, `x` the end of a session.
fn shape(requests: &[Recorded]) -> String {
    let letter = |request: &Recorded| match &request.body {
        body if body.contains(ALL_AT_ONCE) => Some('!'),
        body if body.contains("xmpp:version") => Some('.'),
        body if body.contains("type=\"terminate\"") => Some('x'),
        _ => None,
    };
    requests.iter().filter_map(letter).collect()
}

#[test]
fn what_may_be_the_plans_fault_costs_one_classic_exchange() {
    let refused = |condition| {
        format!(
            "<iq xmlns='jabber:client' type='error' id='bind'><error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>";
    let hang = Duration::from_secs(60);
    for (name, reply, shape_of_it) in [
        ("terminated", body("type='terminate' condition='bad-request'", ""), "!"),
        ("no such mechanism", all_at_once(&format!("{failure}{}", refused("not-authorized"))), "!x"),
        ("bind before the restart", all_at_once(&format!("{SUCCESS}{}", refused("not-allowed"))), "!x"),
        ("not BOSH", Reply::new(500, "oops"), "!"),
        ("not XML", Reply::xml("oops"), "!"),
        ("no answer", all_at_once(SUCCESS).after(hang), "!"),
    ] {
        let bad = reply.when(ALL_AT_ONCE);
        let replies = [classic(PROSODY), vec![bad], classic(PROSODY), classic(PROSODY)].concat();
        let server = faults::script(replies);
        let client = client(&server, |config| config.deadline = Duration::from_secs(4));
        let start = Instant::now();
        let round_trips = [(); 3].map(|()| client.prebind(&account()).unwrap().round_trips());
        assert_eq!(round_trips, [4, 4, 4], "{name}");
        assert_eq!(shape(&server.requests()), format!(".{shape_of_it}.."), "{name}: not tried a third time");
        assert!(start.elapsed() < Duration::from_secs(4), "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn what_is_not_the_plans_fault_is_final() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let conflict = format!(
        "{SUCCESS}<iq xmlns='jabber:client' type='error' id='bind'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    for (reply, kind, shape_of_it) in [
        (all_at_once(failure), ErrorKind::Auth, "!x"),
        (all_at_once(&conflict), ErrorKind::Bind, "!x"),
        (body("type='terminate' condition='host-unknown'", ""), ErrorKind::Terminated, "!"),
        (Reply::new(503, ""), ErrorKind::Http { status: 503, location: None }, "!"),
    ] {
        let good = all_at_once(&format!("{SUCCESS}{BOUND}"));
        let server = faults::script([classic(PROSODY), vec![reply.when(ALL_AT_ONCE), good]].concat());
        let client = client(&server, |_| {});
        client.prebind(&account()).unwrap();
        assert_eq!(client.prebind(&account()).unwrap_err().kind(), &kind);
        assert_eq!(
            client.prebind(&account()).unwrap().round_trips(),
            1,
            "{kind:?} is not held against the plan"
        );
        assert_eq!(shape(&server.requests()), format!(".{shape_of_it}!"), "{kind:?}");
    }
}

#[test]
fn a_plan_that_failed_is_tried_again_after_a_while() {
    let bad = Reply::new(500, "oops").when(ALL_AT_ONCE);
    let good = all_at_once(&format!("{SUCCESS}{BOUND}"));
    let replies = [classic(PROSODY), vec![bad], classic(PROSODY), vec![good]].concat();
    let server = faults::script(replies);
    let client = client(&server, |config| config.relearn_after = Duration::from_secs(1));
    client.prebind(&account()).unwrap();
    client.prebind(&account()).unwrap();
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(client.prebind(&account()).unwrap().round_trips(), 1);
    assert_eq!(shape(&server.requests()), ".!.!");
}

#[test]
fn nothing_secret_goes_early_to_who_has_not_offered_to_take_it() {
    let learn = faults::script(classic(PROSODY));
    let taught = client(&learn, |_| {});
    taught.prebind(&account()).unwrap();
    for profile in [taught.profile(), "garbage".to_owned(), String::new()] {
        // The same profile, another address.
        let server = faults::script(classic(PROSODY));
        let client = client(&server, |config| config.profile = Some(profile));
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 4);
        assert!(!server.requests()[0].body.contains("<auth"));
    }
}

/// Prosody does not read for a while from a connection that has created a session.
#[test]
fn what_follows_a_creation_goes_over_another_connection() {
    let replies = (0..4).flat_map(|_| classic(PROSODY)).collect();
    let server = faults::script(replies);
    let client = client(&server, |config| config.learn = false);
    for _ in 0..3 {
        client.prebind(&account()).unwrap();
    }
    let requests = server.requests();
    let mut creations = Vec::new();
    for call in requests.chunks(4) {
        creations.push(call[0].connection);
        let rested = |request: &Recorded| !creations.contains(&request.connection);
        assert!(call[1..].iter().all(rested), "{creations:?} rest");
    }
    creations.dedup();
    assert_eq!(creations.len(), 3, "each by another");
    std::thread::sleep(Duration::from_millis(300));
    client.prebind(&account()).unwrap();
    assert_eq!(server.requests()[12].connection, creations[0], "the one that has rested longest");
}

/// A creation must not be repeated, so it only takes a connection that is sure to be open still.
#[test]
fn how_long_a_server_leaves_connections_open_is_learned() {
    let server = faults::script((0..3).flat_map(|_| faults::classic()).collect());
    let client = client(&server, |_| {});
    let connections = [0, 5000, 4300].map(|pause| {
        std::thread::sleep(Duration::from_millis(pause));
        client.prebind(&account()).unwrap();
        server.connections()
    });
    assert_eq!(connections, [1, 2, 2], "at first Apache's 5 s are feared");
}

#[test]
fn a_connection_for_what_follows_is_opened_ahead() {
    let profile = {
        let learn = faults::script(classic(EJABBERD));
        let taught = client(&learn, |_| {});
        taught.prebind(&account()).unwrap();
        // Of another URL, so it is made to fit.
        taught.profile()
    };
    let server = faults::script({
        let mut replies = classic(EJABBERD);
        replies[0] = replies[0].clone().after(Duration::from_millis(300));
        replies.push(body("", BOUND));
        replies
    });
    let ours = client(&server, |_| {}).profile();
    let domains = profile.split_once("\"domains\":").unwrap().1;
    let profile = format!("{}\"domains\":{domains}", ours.split_once("\"domains\":").unwrap().0);
    let client = client(&server, |config| config.profile = Some(profile));
    std::thread::scope(|scope| {
        let call = scope.spawn(|| client.prebind(&account()).unwrap());
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(server.connections(), 2, "while the creation is not answered");
        call.join().unwrap();
    });
    assert_eq!(server.connections(), 2, "and no other");
}

/// A server that answers the pair late, or never.
fn pairs(hang: Duration) -> Server {
    let late = |reply: Reply| reply.after(hang);
    let pair = vec![
        body(EJABBERD, OFFER).when("xmpp:version"),
        late(body("", "").when("<auth")),
        late(body("", SUCCESS).when("xmpp:restart")),
        body("", "<stream:features/>").when("<bind"),
        body("", BOUND),
    ];
    faults::script([classic(EJABBERD), pair].concat())
}

#[test]
fn two_requests_are_in_flight() {
    let server = pairs(Duration::from_millis(300));
    let client = client(&server, |_| {});
    client.prebind(&account()).unwrap();
    let session = client.prebind(&account()).unwrap();
    assert_eq!((session.round_trips(), session.rid()), (3, session.last_rid() + 1));
    let requests = server.requests();
    assert_eq!(requests.len(), 9);
    let together = requests[6].at.saturating_sub(requests[5].at);
    assert!(together < Duration::from_millis(200), "sent {together:?} apart");
    assert_ne!(requests[5].connection, requests[6].connection);
    // Each has a connection of its own: either may arrive first.
    let polls = requests[7..].iter().filter(|request| !request.body.contains("</body>")).count();
    assert_eq!(polls, 1, "a bind and a poll: {requests:#?}");
}

#[test]
fn giving_up_and_the_deadline_hold_for_both_requests() {
    let hang = Duration::from_secs(60);
    for patience in [Duration::from_millis(300), Duration::from_secs(60)] {
        let server = pairs(hang);
        let client = client(&server, |config| config.deadline = Duration::from_millis(1500));
        client.prebind(&account()).unwrap();
        let start = Instant::now();
        let error =
            interruptible(move || start.elapsed() < patience, || client.prebind(&account())).unwrap_err();
        let is_given_up = error.to_string().contains("gave up");
        assert_eq!(is_given_up, patience < Duration::from_secs(1), "{error}");
        let most = if is_given_up { 800 } else { 1700 };
        assert!(start.elapsed() < Duration::from_millis(most), "{:?}", start.elapsed());
        let requests = server.requests();
        let ended = requests.iter().filter(|request| request.body.contains("type=\"terminate\"")).count();
        assert!(ended >= 1, "no session is left behind");
    }
}
