//! Two requests in flight.

use std::time::{Duration, Instant};

use faults::Server;
use prebind::interruptible;

use super::{BOUND, EJABBERD, account, body, classic, client, pair};

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
    let server = pairs(Duration::from_millis(600));
    let client = client(&server, |_| {});
    client.prebind(&account()).unwrap();
    let session = client.prebind(&account()).unwrap();
    assert_eq!((session.round_trips(), session.rid()), (3, session.last_rid() + 1));
    let requests = server.requests();
    assert_eq!(requests.len(), 9);
    let together = requests[6].at.saturating_sub(requests[5].at);
    assert!(together < Duration::from_millis(500), "sent {together:?} apart");
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

/// ejabberd may answer two at once, rarely. Then it holds the empty request.
#[test]
fn a_pair_that_is_answered_at_once_is_not_held_against_the_plan() {
    let mut held = pair();
    held[3] = body("", &format!("<stream:features/>{BOUND}")).when("<bind").after(Duration::from_millis(300));
    held[4] = body("", "").when("sid=\"2\"/>").after(Duration::from_secs(60));
    let server = faults::script([classic(EJABBERD), held, classic(EJABBERD), pair()].concat());
    let client = client(&server, |_| {});
    let round_trips = [(); 3].map(|()| client.prebind(&account()).unwrap().round_trips());
    assert_eq!(round_trips, [4, 4, 3]);
}
