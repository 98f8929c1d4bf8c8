//! Two requests in flight.

use std::time::{Duration, Instant};

use faults::{Recorded, Server};
use prebind::ErrorKind;
use prebind::binding::interruptible;

use super::{BOUND, EJABBERD, OFFER, account, body, classic, client, in_turn, pair, pair_in_flight};

/// A server that answers the pair late, or never.
fn pairs(hang: Duration) -> Server {
    let mut pair = pair();
    for reply in &mut pair[1..=2] {
        *reply = reply.clone().after(hang);
    }
    faults::script([classic(EJABBERD), pair].concat())
}

#[test]
fn two_requests_are_in_flight() {
    let server = faults::script([classic(EJABBERD), pair_in_flight()].concat());
    let client = in_turn(&server, |config| config);
    let session = client.prebind(&account()).unwrap();
    assert_eq!((session.round_trips(), session.rid()), (3, session.last_rid() + 1));
    let mut requests = server.requests();
    assert_eq!(requests.len(), 9);
    let together = &mut requests[5..];
    // Each has a connection of its own: either may arrive first.
    together.sort_by_key(Recorded::rid);
    for (first, second) in [(0, 1), (2, 3)] {
        assert_ne!(together[first].connection, together[second].connection);
    }
    assert!(together[2].body.contains("<bind") && !together[3].body.contains("</body>"), "{together:#?}");
}

#[test]
fn giving_up_and_the_deadline_hold_for_both_requests() {
    let hang = Duration::from_secs(60);
    for patience in [Duration::from_millis(300), Duration::from_secs(60)] {
        let server = pairs(hang);
        let client = in_turn(&server, |config| config.with_deadline(Duration::from_millis(1500)).unwrap());
        let start = Instant::now();
        let call = || interruptible(move || start.elapsed() < patience, || client.prebind(&account()));
        let (result, took) = faults::timed(call);
        let error = result.unwrap_err();
        let is_given_up = error.to_string().contains("gave up");
        assert_eq!(is_given_up, patience < Duration::from_secs(1), "{error}");
        let most = if is_given_up { 800 } else { 1700 };
        assert!(took < Duration::from_millis(most), "{took:?}");
        let requests = server.requests();
        let ended = requests.iter().filter(|request| request.body.contains("type=\"terminate\"")).count();
        assert!(ended >= 1, "no session is left behind");
    }
}

/// ejabberd does not answer the end of a session that overtook the request before it, until it comes again.
#[test]
fn the_end_of_a_session_that_is_not_answered_is_sent_once_more() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let refused = [
        body(EJABBERD, OFFER).when("xmpp:version"),
        body("", failure).when("<auth").after_next(),
        body("", "").when("xmpp:restart").after(Duration::from_secs(60)),
        body("", "").when("type=\"terminate\"").after(Duration::from_secs(60)),
    ];
    // On a very busy machine the second may be too late, not each time.
    let is_repeated = (0..10).any(|_| {
        let server = faults::script([classic(EJABBERD), refused.to_vec()].concat());
        let client = in_turn(&server, |config| config);
        let error = client.prebind(&account()).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Auth);
        let mut ends = server.requests();
        ends.retain(|request| request.body.contains("type=\"terminate\""));
        assert!(ends.iter().all(|request| request.body == ends[0].body), "{ends:#?}");
        ends.len() == 2
    });
    assert!(is_repeated);
}

/// Where no other request was under way, nothing can have overtaken it.
#[test]
fn the_end_of_a_session_is_sent_once_where_one_request_was_under_way() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let hanging = body("", "").when("type=\"terminate\"").after(Duration::from_secs(60));
    let replies =
        vec![classic(EJABBERD).remove(0), body("", failure).when("<auth"), hanging.clone(), hanging];
    let server = faults::script(replies);
    let error = client(&server, |config| config).prebind(&account()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Auth);
    let ends = server.requests().iter().filter(|request| request.body.contains("type=\"terminate\"")).count();
    assert_eq!(ends, 1);
}

/// ejabberd may answer two at once, rarely. Then it holds the empty request.
#[test]
fn a_pair_that_is_answered_at_once_is_not_held_against_the_plan() {
    let mut held = pair();
    held[3] = body("", &format!("<stream:features/>{BOUND}")).when("<bind").after(Duration::from_millis(300));
    held[4] = body("", "").when("sid=\"2\"/>").after(Duration::from_secs(60));
    let pairs = (0..10).flat_map(|_| pair()).collect();
    let server = faults::script([classic(EJABBERD), held, classic(EJABBERD), pairs].concat());
    let client = in_turn(&server, |config| config);
    let round_trips = || client.prebind(&account()).unwrap().round_trips();
    assert_eq!(round_trips(), 4);
    // On a busy machine the second of a pair may overtake the first, which this server does not mind.
    assert!((0..10).any(|_| round_trips() == 3));
}
