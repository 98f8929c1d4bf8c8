//! Calls that their caller gives up.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use faults::{Fault, Server, Strike};
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Phase, Retry, interruptible};

/// When a caller gives up who cannot see what the call waits for.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a call may take that is given up when it hangs: a slice, the end of the session, and the
/// scheduler's share.
const GRACE: Duration = Duration::from_millis(50 + 150 + 100);

fn client(server: &Server) -> Client {
    let mut config = Config::new(&server.url).unwrap();
    config.ca = server.ca_pem().map(|pem| pem.as_bytes().to_vec());
    config.fail_fast_after = 1;
    Client::new(config).unwrap()
}

fn account() -> Account {
    Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap()
}

fn sound() -> Server {
    faults::serve(Fault::NoHeaders.at(usize::MAX))
}

/// Goes on until the fault has struck: after a fixed time the call might not have come so far.
fn until_it_hangs(server: &Rc<Server>) -> impl Fn() -> bool + 'static {
    let server = Rc::clone(server);
    move || server.strikes() == 0
}

/// A call that is given up when the fault strikes, the server, and how long it took.
fn given_up(strike: impl Into<Strike>) -> (Error, Duration, Rc<Server>) {
    let server = Rc::new(faults::serve(strike));
    let client = client(&server);
    let start = Instant::now();
    let error = interruptible(until_it_hangs(&server), || client.prebind(&account())).unwrap_err();
    assert!(error.to_string().contains("gave up"), "{error}");
    (error, start.elapsed(), server)
}

/// The same where the server sees nothing of the call, whose first step hangs.
fn given_up_after_a_while(client: &Client) -> (Error, Duration) {
    let start = Instant::now();
    let call = || client.prebind(&account());
    let error = interruptible(move || start.elapsed() < PATIENCE, call).unwrap_err();
    let elapsed = start.elapsed();
    assert!(elapsed >= PATIENCE, "nobody had given up after {elapsed:?}: {error}");
    assert!(error.to_string().contains("gave up"), "{error}");
    (error, elapsed)
}

/// Another process may have had the processor, so a late return has to happen again to count.
fn in_time<T>(what: &str, limit: Duration, call: impl Fn() -> (T, Duration)) -> T {
    for attempt in 1.. {
        let (result, elapsed) = call();
        if elapsed < limit {
            return result;
        }
        assert!(attempt < 3, "{what}: {elapsed:?} again");
    }
    unreachable!()
}

#[test]
fn whatever_is_waited_for() {
    for (fault, phase) in [
        (Fault::TlsSilent, Phase::Tls),
        (Fault::NoHeaders, Phase::Headers),
        (Fault::HeadersDrip, Phase::Headers),
        (Fault::BodyNeverComes, Phase::Body),
        (Fault::BodyDrips, Phase::Body),
    ] {
        let error = in_time(&format!("{fault:?}"), GRACE, || {
            let (error, elapsed, _) = given_up(fault);
            (error, elapsed)
        });
        assert_eq!(error.kind(), &ErrorKind::Connect { phase }, "{fault:?}");
        assert_eq!(error.retry(), Retry::FreshSession);
    }
}

#[test]
fn a_connection_that_is_being_opened() {
    let server = faults::serve(Fault::ConnectHangs);
    let client = client(&server);
    let error = in_time("a connection", PATIENCE + GRACE, || given_up_after_a_while(&client));
    assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Tcp });
    assert_eq!(error.retry(), Retry::FreshSession);
}

#[test]
fn a_name_server_that_does_not_answer() {
    faults::dns::black_hole("a_name_server_that_does_not_answer", || {
        let mut config = Config::new("http://chat.example.org/http-bind").unwrap();
        config.allow_cleartext = true;
        let client = Client::new(config).unwrap();
        let error = in_time("a lookup", PATIENCE + GRACE, || given_up_after_a_while(&client));
        assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Dns });
    })
    .unwrap();
}

#[test]
fn no_session_is_left_behind() {
    for at in 2..=4 {
        for fault in [Fault::NoHeaders.at(at).once(), Fault::NoHeaders.at(at)] {
            let server = in_time(&format!("request {at}"), GRACE, || {
                let (_, elapsed, server) = given_up(fault);
                (server, elapsed)
            });
            let requests = server.requests();
            assert_eq!(requests.len(), at + 1, "nothing is repeated");
            assert!(requests[at].body.contains("type=\"terminate\""), "{}", requests[at].body);
        }
    }
}

#[test]
fn slow_replies_arrive_in_spite_of_slices() {
    let slow = faults::classic().into_iter().map(|reply| reply.after(PATIENCE)).collect();
    let asked = Rc::new(Cell::new(0));
    let counter = Rc::clone(&asked);
    let keep_going = move || {
        counter.set(counter.get() + 1);
        true
    };
    let server = faults::script(slow);
    interruptible(keep_going, || client(&server).prebind(&account())).unwrap();
    assert!(asked.get() >= 4, "asked {} times in four replies", asked.get());
}

#[test]
fn the_deadline_stays_what_it_is() {
    let deadline = Duration::from_millis(220);
    let error = in_time("the deadline", deadline + Duration::from_millis(180), || {
        let server = faults::serve(Fault::NoHeaders);
        let mut config = Config::new(&server.url).unwrap();
        config.deadline = deadline;
        let client = Client::new(config).unwrap();
        let start = Instant::now();
        let error = interruptible(|| true, || client.prebind(&account())).unwrap_err();
        (error, start.elapsed())
    });
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Headers }, "{error}");
}

#[test]
fn who_gave_up_makes_no_further_call_and_the_next_caller_does() {
    let server = Rc::new(faults::serve(Fault::NoHeaders.at(1).once()));
    let client = client(&server);
    interruptible(until_it_hangs(&server), || {
        client.prebind(&account()).unwrap_err();
        let sent = server.requests().len();
        let error = client.prebind(&account()).unwrap_err();
        assert!(error.to_string().contains("gave up"), "{error}");
        assert_eq!(server.requests().len(), sent, "nothing is sent");
    });
    client.prebind(&account()).expect("giving up does not count as a failure of the server");
}

#[test]
fn the_one_who_is_asked_may_make_calls() {
    let (hanging, other) = (faults::serve(Fault::NoHeaders), sound());
    let (client, another) = (client(&hanging), client(&other));
    let asked = Rc::new(Cell::new(0));
    let counter = Rc::clone(&asked);
    let keep_going = move || {
        counter.set(counter.get() + 1);
        interruptible(|| false, || another.prebind(&account())).unwrap();
        counter.get() < 3
    };
    let error = interruptible(keep_going, || client.prebind(&account())).unwrap_err();
    assert!(error.to_string().contains("gave up"), "{error}");
    assert_eq!((asked.get(), other.requests().len()), (3, 12));
}
