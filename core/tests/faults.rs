//! Servers that misbehave: every fault ends in its kind, within the deadline, and nothing is sent
//! that should not be.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use faults::{ALL, Case, Fault, Reply, Server};
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Phase, Retry, Session};

const DEADLINE: Duration = Duration::from_millis(600);

/// How late a call may return (the scheduler's share included).
const GRACE: Duration = Duration::from_millis(50);

fn config(server: &Server) -> Config {
    let mut config = Config::new(&server.url).unwrap();
    config.ca = server.ca_pem().map(|pem| pem.as_bytes().to_vec());
    config.deadline = DEADLINE;
    config.fail_fast_after = 0;
    config
}

/// Time enough for what is to succeed, on a busy machine too.
fn patient(server: &Server) -> Config {
    let mut config = config(server);
    config.deadline = DEADLINE * 20;
    config
}

fn account() -> Account {
    Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap()
}

fn prebind(config: Config) -> Result<Session, Error> {
    Client::new(config).unwrap().prebind(&account())
}

/// A server that never gets as far as its fault.
fn sound() -> Server {
    faults::serve(Fault::NoHeaders.at(usize::MAX))
}

/// Another process may have had the processor, so a late return has to happen again to count.
fn in_time(what: &str, call: impl Fn() -> (Error, Duration)) -> Error {
    for attempt in 1.. {
        let (error, elapsed) = call();
        if elapsed <= DEADLINE + GRACE {
            return error;
        }
        assert!(attempt < 3, "{what}: {elapsed:?} again, the deadline was {DEADLINE:?}");
    }
    unreachable!()
}

fn timed(client: &Client) -> (Result<Session, Error>, Duration) {
    let account = account();
    let start = Instant::now();
    (client.prebind(&account), start.elapsed())
}

fn check(case: &Case, at: usize) {
    let what = format!("{} at request {at}", case.name);
    let call = |deadline| {
        let server = faults::serve(case.fault.at(at));
        let mut config = config(&server);
        config.deadline = deadline;
        let (result, elapsed) = timed(&Client::new(config).unwrap());
        let error = result.expect_err(&what);
        let requests = server.requests();
        if at > 1 && !case.fault.is_before_http() && case.kind != "Timeout" {
            let last = requests.last().map(|request| request.body.clone()).unwrap_or_default();
            assert!(last.contains("type=\"terminate\""), "{what}: no session is left behind, {last}");
        }
        if at == 1 {
            assert!(requests.len() <= 1, "{what}: a creation is never repeated");
        }
        (error, elapsed)
    };
    let error = match case.kind {
        "Timeout" => in_time(&what, || call(DEADLINE)),
        // It ends by itself; on a busy machine a little later.
        _ => call(DEADLINE * 20).0,
    };
    assert_eq!(error.kind().name(), case.kind, "{what}: {error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("wonder-1") && !shown.contains("faults-sid"), "{what}: {shown}");
}

#[test]
fn every_fault_at_the_creation() {
    for case in ALL {
        check(case, 1);
    }
}

#[test]
fn every_fault_in_the_session() {
    for case in ALL {
        for at in 2..=4 {
            check(case, at);
        }
    }
}

#[test]
fn a_timeout_tells_what_was_waited_for() {
    for (fault, phase) in [
        (Fault::ConnectHangs, Phase::Tcp),
        (Fault::TlsSilent, Phase::Tls),
        (Fault::TlsDrips, Phase::Tls),
        (Fault::NeverReads, Phase::Headers),
        (Fault::NoHeaders, Phase::Headers),
        (Fault::HeadersDrip, Phase::Headers),
        (Fault::BodyNeverComes, Phase::Body),
        (Fault::BodyDrips, Phase::Body),
    ] {
        let error = prebind(config(&faults::serve(fault))).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout { phase }, "{fault:?}: {error}");
    }
}

#[test]
fn each_phase_has_a_limit_of_its_own() {
    type Limit = fn(&mut Config);
    let limits: [(Fault, Limit); 2] = [
        (Fault::TlsSilent, |config| config.connect_timeout = Duration::from_millis(100)),
        (Fault::NoHeaders, |config| config.request_timeout = Duration::from_millis(100)),
    ];
    for (fault, limit) in limits {
        let server = faults::serve(fault);
        let mut config = config(&server);
        config.deadline = Duration::from_secs(10);
        limit(&mut config);
        let start = Instant::now();
        let error = prebind(config).unwrap_err();
        assert_eq!(error.kind().name(), "Timeout");
        assert!(start.elapsed() < Duration::from_secs(2), "{fault:?} took {:?}", start.elapsed());
    }
}

/// The whole call keeps to the deadline also when every request alone does.
#[test]
fn slow_replies_add_up() {
    let slow: Vec<Reply> = faults::classic().into_iter().map(|reply| reply.after(DEADLINE / 3)).collect();
    let error = in_time("slow replies", || {
        let server = faults::script(slow.clone());
        let (result, elapsed) = timed(&Client::new(config(&server)).unwrap());
        (result.unwrap_err(), elapsed)
    });
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Headers });
}

#[test]
fn a_name_server_that_does_not_answer() {
    faults::dns::black_hole("a_name_server_that_does_not_answer", || {
        let mut config = Config::new("http://chat.example.org/http-bind").unwrap();
        (config.deadline, config.allow_cleartext) = (DEADLINE, true);
        let client = Client::new(config).unwrap();
        let call = || {
            let (result, elapsed) = timed(&client);
            (result.unwrap_err(), elapsed)
        };
        let error = in_time("the first lookup", call);
        assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Dns }, "{error}");
        let again = in_time("a lookup while one is running", call);
        assert_eq!(again.kind(), &ErrorKind::Timeout { phase: Phase::Dns });
    })
    .unwrap();
}

#[test]
fn a_name_that_does_not_exist() {
    let mut config = Config::new("http://nowhere.invalid/http-bind").unwrap();
    config.allow_cleartext = true;
    let error = prebind(config).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Dns }, "{error}");
    assert!(error.to_string().contains("nowhere.invalid"), "{error}");
}

/// XEP-0124 §14.3: the server may have seen the request, so it gets the same bytes again.
#[test]
fn a_request_lost_in_the_session_is_sent_once_more() {
    for fault in [
        Fault::ClosedBeforeReply,
        Fault::ResetBeforeReply,
        Fault::ClosedMidHeaders,
        Fault::ClosedMidBody,
        Fault::ResetMidBody,
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(504),
    ] {
        for at in 2..=4 {
            let server = faults::serve(fault.at(at).once());
            let session =
                prebind(patient(&server)).unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
            let bodies: Vec<String> = server.requests().into_iter().map(|request| request.body).collect();
            assert_eq!(bodies.len(), 5, "{fault:?} at {at}: {bodies:#?}");
            assert_eq!(bodies[at - 1], bodies[at], "{fault:?} at {at}");
            assert_eq!(session.rid(), session.last_rid() + 1);
            assert!(bodies[4].contains(&format!("rid=\"{}\"", session.last_rid())), "no RID is skipped");
        }
    }
}

#[test]
fn a_closed_kept_connection_is_noticed() {
    let replies = faults::classic().into_iter().map(Reply::closes).collect();
    let server = faults::script(replies);
    prebind(patient(&server)).unwrap();
    assert_eq!(server.requests().len(), 4, "closed in time, nothing has to be repeated");
}

#[test]
fn repeated_failures_fail_fast_for_a_while() {
    let server = faults::serve(Fault::Refused);
    let mut config = config(&server);
    (config.fail_fast_after, config.fail_fast_for) = (3, Duration::from_secs(1));
    let client = Client::new(config).unwrap();
    for _ in 0..3 {
        let error = client.prebind(&account()).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Tcp });
    }
    let error = client.prebind(&account()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::FailFast });
    assert_eq!(error.retry(), Retry::Later);
    thread::sleep(Duration::from_millis(1050));
    let error = client.prebind(&account()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Tcp }, "it is tried again");
}

#[test]
fn a_hundred_sessions_from_sixteen_threads_share_the_connections() {
    let server = sound();
    let client = Client::new(patient(&server)).unwrap();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < 100 {
                    let session = client.prebind(&account()).unwrap();
                    assert_eq!(session.round_trips(), 4);
                }
            });
        }
    });
    let requests = server.requests();
    assert_eq!(requests.len(), 400);
    assert!(server.connections() <= 16, "{} connections for 16 threads", server.connections());
    let mut rids: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.body.split(" rid=\"").nth(1)?.split('"').next())
        .collect();
    rids.sort_unstable();
    rids.dedup();
    assert_eq!(rids.len(), 400, "no RID is sent twice");
}

/// Wherever it is resolved to, what is called localhost stays on this machine; one family can be
/// asked for.
#[test]
fn localhost_and_address_families() {
    let server = sound();
    let url = server.url.replace("127.0.0.1", "localhost");
    let login = |family| {
        let mut config = Config::new(&url).unwrap();
        config.ip_family = family;
        prebind(config)
    };
    login(prebind::IpFamily::Any).unwrap();
    login(prebind::IpFamily::Ipv4).unwrap();
    let error = login(prebind::IpFamily::Ipv6).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect { .. }), "the server listens on IPv4 only: {error}");
}
