//! Calls that their caller gives up.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::{Cell, RefCell};
use std::panic;
use std::rc::Rc;
use std::time::{Duration, Instant};

use faults::{Fault, Server, Strike};
use prebind::binding::{LogEvent, contained, interruptible, with_log};
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Phase, Retry};
use tracing::Level;

/// When a caller gives up who cannot see what the call waits for.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a call may take that is given up when it hangs: a slice, the end of the session, and the
/// scheduler's share.
const GRACE: Duration = Duration::from_millis(50 + 150 + 100);

fn client(server: &Server) -> Client {
    let config = Config::new(&server.url)
        .unwrap()
        .with_ca(server.ca_pem().map(|pem| pem.as_bytes().to_vec()))
        .with_fail_fast_after(1);
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

/// A call that is given up when the fault strikes, and returns soon; the server, too.
fn given_up(strike: impl Into<Strike>) -> (Error, Rc<Server>) {
    let server = Rc::new(faults::serve(strike));
    let client = client(&server);
    let call = || interruptible(until_it_hangs(&server), || client.prebind(&account())).unwrap_err();
    (soon(GRACE, call), server)
}

/// The same where the server sees nothing of the call, whose first step hangs.
fn given_up_after_a_while(client: &Client) -> Error {
    let start = Instant::now();
    let call = || client.prebind(&account());
    let keep_going = move || start.elapsed() < PATIENCE;
    let error = soon(PATIENCE + GRACE, || interruptible(keep_going, call).unwrap_err());
    assert!(start.elapsed() >= PATIENCE, "nobody had given up after {:?}: {error}", start.elapsed());
    error
}

/// The error of a call that was given up and takes no longer than this.
fn soon(limit: Duration, call: impl FnOnce() -> Error) -> Error {
    let (error, took) = faults::timed(call);
    assert!(took < limit, "{took:?}: {error}");
    assert!(error.to_string().contains("gave up"), "{error}");
    error
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
        let (error, _) = given_up(fault);
        assert_eq!(error.kind(), &ErrorKind::Connect { phase }, "{fault:?}");
        assert_eq!(error.retry(), Retry::FreshSession);
    }
}

#[test]
fn a_connection_that_is_being_opened() {
    let server = faults::serve(Fault::ConnectHangs);
    let client = client(&server);
    let error = given_up_after_a_while(&client);
    assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Tcp });
    assert_eq!(error.retry(), Retry::FreshSession);
}

#[test]
fn a_name_server_that_does_not_answer() {
    faults::dns::black_hole("a_name_server_that_does_not_answer", || {
        let config = Config::new("http://chat.example.org/http-bind").unwrap().with_allow_cleartext(true);
        let client = Client::new(config).unwrap();
        let error = given_up_after_a_while(&client);
        assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Dns });
    })
    .unwrap();
}

#[test]
fn no_session_is_left_behind() {
    for at in 2..=4 {
        for fault in [Fault::NoHeaders.at(at).once(), Fault::NoHeaders.at(at)] {
            let (_, server) = given_up(fault);
            let requests = server.requests();
            assert_eq!(requests.len(), at + 1, "nothing is repeated");
            assert!(requests[at].body.contains("type=\"terminate\""), "{}", requests[at].body);
        }
    }
}

#[test]
fn slow_replies_arrive_in_spite_of_slices() {
    let slow = faults::classic().into_iter().map(|reply| reply.after(3 * PATIENCE)).collect();
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
    let server = faults::serve(Fault::NoHeaders);
    let config = Config::new(&server.url).unwrap().with_deadline(deadline).unwrap();
    let client = Client::new(config).unwrap();
    let (result, took) = faults::timed(|| interruptible(|| true, || client.prebind(&account())));
    let error = result.unwrap_err();
    assert!(took < deadline + Duration::from_millis(180), "{took:?}");
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
        interruptible(|| true, || another.prebind(&account())).unwrap();
        counter.get() < 3
    };
    let error = interruptible(keep_going, || client.prebind(&account())).unwrap_err();
    assert!(error.to_string().contains("gave up"), "{error}");
    assert_eq!((asked.get(), other.requests().len()), (3, 12));
}

/// As if what a caller does meanwhile were broken: nothing of it may leave the call, and no session be left.
#[test]
fn a_panic_within_a_call_is_an_error_and_ends_the_session() {
    for at in 2..=4 {
        let server = Rc::new(faults::serve(Fault::NoHeaders.at(at)));
        let client = client(&server);
        let goes_on = until_it_hangs(&server);
        let keep_going = move || if goes_on() { true } else { panic::resume_unwind(Box::new("on purpose")) };
        let error = interruptible(keep_going, || client.prebind(&account())).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Internal, "at request {at}: {error}");
        let last = server.requests().pop().unwrap();
        assert!(last.body.contains("type=\"terminate\""), "at request {at}: {}", last.body);
    }
}

/// A signal's handler may make a call while another one waits, of which the outer one is not told.
#[test]
fn a_call_within_a_call_is_another_one() {
    let server = Rc::new(faults::serve(Fault::NoHeaders.at(2).once()));
    let other = sound();
    let (client, inner) = (client(&server), client(&other));
    let goes_on = until_it_hangs(&server);
    let has_called = Rc::new(Cell::new(false));
    let told = Rc::clone(&has_called);
    let keep_going = move || {
        if !goes_on() && !told.replace(true) {
            let opened = interruptible(|| true, || inner.prebind(&account()));
            assert!(opened.is_ok(), "it has a function of its own to ask");
        }
        !told.get()
    };
    let lines = RefCell::<Vec<String>>::default();
    let observer = |it: LogEvent<'_>| lines.borrow_mut().push(it.message.to_owned());
    let call = || interruptible(keep_going, || client.prebind(&account()));
    let error = with_log(Level::INFO, observer, call).unwrap_err();
    assert!(has_called.get() && error.to_string().contains("gave up"), "{error}");
    let lines = lines.into_inner();
    assert_eq!(lines.len(), 1, "only what the outer call was: {lines:?}");
}

#[test]
fn a_panic_is_contained_at_the_edge() {
    let error = contained::<()>(|| panic::resume_unwind(Box::new("on purpose"))).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Internal);
    assert_eq!(contained(|| Ok(1)).unwrap(), 1);
}
