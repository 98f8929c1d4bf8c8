//! Servers that misbehave: every fault ends in its kind, within the deadline, and nothing is sent
//! that should not be.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use faults::{ALL, Case, Fault, Reply, Server};
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Phase, Retry, Session, Stage};

const DEADLINE: Duration = Duration::from_millis(600);

/// How late a call may return (the scheduler's share included).
const GRACE: Duration = Duration::from_millis(50);

/// How long to wait for what is to happen, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);

fn config(server: &Server) -> Config {
    Config::new(&server.url)
        .unwrap()
        .with_ca(server.ca_pem().map(|pem| pem.as_bytes().to_vec()))
        .with_deadline(DEADLINE)
        .unwrap()
        .with_fail_fast_after(0)
}

/// Time enough for what is to succeed, on a busy machine too.
fn patient(server: &Server) -> Config {
    config(server).with_deadline(DEADLINE * 20).unwrap()
}

/// A deadline that a call reaches soon. The part of it that is kept for ending the session is long enough on a
/// busy machine, too.
fn ending(server: &Server) -> Config {
    config(server).with_deadline(DEADLINE * 10).unwrap()
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

/// A call that keeps to the deadline, and its error.
fn in_time<T>(what: &str, call: impl FnOnce() -> Result<T, Error>) -> Error {
    let (result, took) = faults::timed(call);
    assert!(took <= DEADLINE + GRACE, "{what}: {took:?}, the deadline was {DEADLINE:?}");
    result.err().unwrap_or_else(|| panic!("{what} is no fault"))
}

/// The body of a request that may still be on its way when the call has returned.
fn request(server: &Server, index: usize) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(request) = server.requests().into_iter().nth(index) {
            return request.body;
        }
        assert!(Instant::now() < until, "request {index} has not come");
        thread::sleep(Duration::from_millis(10));
    }
}

fn check(case: &Case, at: usize) {
    let what = format!("{} at request {at}", case.name);
    let server = faults::serve(case.fault.at(at));
    let mut config = config(&server);
    let error = if case.kind == "Timeout" {
        let client = Client::new(config).unwrap();
        in_time(&what, || client.prebind(&account()))
    } else {
        // It ends by itself; on a busy machine a little later.
        config = config.with_deadline(DEADLINE * 20).unwrap();
        prebind(config).expect_err(&what)
    };
    let requests = server.requests();
    if at > 1 && !case.fault.is_before_http() && case.kind != "Timeout" {
        let is_ended = requests.iter().any(|request| request.body.contains("type=\"terminate\""));
        assert!(is_ended, "{what}: no session is left behind, {requests:#?}");
    }
    let mut creations: Vec<String> = requests.into_iter().map(|request| request.body).collect();
    creations.retain(|body| body.contains("xmpp:version"));
    // A lost answer may be chance to the call, and a server that is down to the caller.
    let is_lost = matches!(
        error.kind(),
        ErrorKind::Connect { phase: Phase::Headers | Phase::Body }
            | ErrorKind::Http { status: 502..=504, .. }
    );
    let may_be_mended = is_lost || (error.retry() == Retry::FreshSession && case.kind != "Timeout");
    let most = match error.stage() {
        Stage::Create if is_lost => 3,
        _ if may_be_mended => 2,
        _ => 1,
    };
    assert!(creations.len() <= most, "{what}: {creations:#?}");
    if at == 1 && !case.fault.is_before_http() {
        assert_eq!(creations.len(), most, "{what}");
    }
    let count = creations.len();
    creations.dedup();
    assert_eq!(creations.len(), count, "{what}: each attempt is another session");
    assert_eq!(error.kind().as_str(), case.kind, "{what}: {error}");
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
    type Limit = fn(Config) -> Config;
    let limits: [(Fault, Limit); 2] = [
        (Fault::TlsSilent, |config| config.with_connect_timeout(Duration::from_millis(100)).unwrap()),
        (Fault::NoHeaders, |config| config.with_request_timeout(Duration::from_millis(100)).unwrap()),
    ];
    for (fault, limit) in limits {
        let server = faults::serve(fault);
        let config = limit(config(&server).with_deadline(Duration::from_secs(10)).unwrap());
        let (result, took) = faults::timed(|| prebind(config));
        assert_eq!(result.unwrap_err().kind().as_str(), "Timeout");
        assert!(took < Duration::from_secs(2), "{fault:?} took {took:?}");
    }
}

/// The whole call keeps to the deadline also when every request alone does.
#[test]
fn slow_replies_add_up() {
    let slow: Vec<Reply> = faults::classic().into_iter().map(|reply| reply.after(DEADLINE / 3)).collect();
    let server = faults::script(slow);
    let client = Client::new(config(&server)).unwrap();
    let error = in_time("slow replies", || client.prebind(&account()));
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Headers });
}

#[test]
fn a_name_server_that_does_not_answer() {
    faults::dns::black_hole("a_name_server_that_does_not_answer", || {
        let config = Config::new("http://chat.example.org/http-bind")
            .unwrap()
            .with_deadline(DEADLINE)
            .unwrap()
            .with_allow_cleartext(true);
        let client = Client::new(config).unwrap();
        let call = || client.prebind(&account());
        let error = in_time("the first lookup", call);
        assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Dns }, "{error}");
        let again = in_time("a lookup while one is running", call);
        assert_eq!(again.kind(), &ErrorKind::Timeout { phase: Phase::Dns });
    })
    .unwrap();
}

#[test]
fn a_name_that_does_not_exist() {
    let config = Config::new("http://nowhere.invalid/http-bind").unwrap().with_allow_cleartext(true);
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

/// An offer without mechanisms may be followed by another, which is waited for; if none comes, the error says
/// what is wrong.
#[test]
fn mechanisms_that_never_come_are_told_as_such() {
    let created = String::from_utf8(faults::classic()[0].body.clone()).unwrap();
    let created = created.replace("ver='1.11'", "");
    let (before, _) = created.split_once("<mechanisms").unwrap();
    let starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features></body>";
    let held =
        Reply::xml("<body xmlns='http://jabber.org/protocol/httpbind'/>").after(Duration::from_secs(60));
    let server = faults::script(vec![Reply::xml(format!("{before}{starttls}")), held]);
    let error = prebind(ending(&server)).unwrap_err();
    assert!(error.to_string().contains("hides its mechanisms"), "{error}");
    // The creation, the request that is held, and the end.
    assert!(request(&server, 2).contains("type=\"terminate\""));
}

/// Whatever is wrong with the answer to a creation: if its SID can be read, the session is ended.
#[test]
fn a_session_whose_creation_was_not_answered_to_the_end_is_ended() {
    let created = &faults::classic()[0].body;
    let half = Reply::xml(&created[..created.len() / 2]).header("Content-Length", "10000");
    let too_long = Reply::xml([created.as_slice(), &vec![b' '; 300_000]].concat());
    let stalls = half.clone().closes_after(Duration::from_secs(60));
    for (kind, reply) in [("Connect", half.closes()), ("Protocol", too_long), ("Timeout", stalls)] {
        let reply = reply.when("xmpp:version");
        let server = faults::script(vec![reply; 3]);
        let error = prebind(ending(&server)).unwrap_err();
        assert_eq!(error.kind().as_str(), kind, "{error}");
        let end = request(&server, 1);
        assert!(end.ends_with("sid=\"faults-sid\" type=\"terminate\"/>"), "{kind}: {end}");
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
    let refused = ErrorKind::Connect { phase: Phase::Tcp };
    let call = |client: &Client| client.prebind(&account()).unwrap_err();
    let failing = |fail_fast_for| {
        let config = config(&server).with_fail_fast_after(3).with_fail_fast_for(fail_fast_for).unwrap();
        let client = Client::new(config).unwrap();
        for _ in 0..3 {
            assert_eq!(call(&client).kind(), &refused);
        }
        client
    };
    let error = call(&failing(Duration::from_secs(600)));
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::FailFast });
    assert_eq!(error.retry(), Retry::Later);

    let client = failing(Duration::from_millis(300));
    let until = Instant::now() + PATIENCE;
    while call(&client).kind() != &refused {
        assert!(Instant::now() < until, "it is not tried again");
        thread::sleep(Duration::from_millis(10));
    }
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
        let config = Config::new(&url).unwrap().with_ip_family(family);
        prebind(config)
    };
    login(prebind::IpFamily::Any).unwrap();
    login(prebind::IpFamily::Ipv4).unwrap();
    let error = login(prebind::IpFamily::Ipv6).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect { .. }), "the server listens on IPv4 only: {error}");
}

/// A server that asks for as many iterations as are allowed.
fn laborious() -> Server {
    let offer = "<mechanism>SCRAM-SHA-512</mechanism>";
    let mut replies = faults::classic();
    let created = String::from_utf8(replies[0].body.clone()).unwrap();
    replies[0].body = created.replace("<mechanism>PLAIN</mechanism>", offer).into();
    replies[1].body = "<body xmlns='http://jabber.org/protocol/httpbind'>\
        <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{long challenge}</challenge></body>"
        .into();
    faults::script(vec![replies; THREADS].concat())
}

const THREADS: usize = 8;

#[test]
fn a_derivation_keeps_to_the_deadline_however_many_there_are() {
    let deadline = 4 * DEADLINE;
    let server = laborious();
    let client = Client::new(config(&server).with_deadline(deadline).unwrap()).unwrap();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let client = &client;
            scope.spawn(move || {
                let password = Credentials::password(format!("wonder-{number}"));
                let account = Account::new(&format!("user{number}@localhost"), password).unwrap();
                let (result, took) = faults::timed(|| client.prebind(&account));
                let error = result.unwrap_err();
                assert!(took <= deadline + GRACE, "{took:?}");
                let derive = ErrorKind::Timeout { phase: Phase::Derive };
                assert_eq!((error.kind(), error.retry()), (&derive, Retry::Later), "{error}");
            });
        }
    });
    let requests = server.requests();
    let count = |part: &str| requests.iter().filter(|request| request.body.contains(part)).count();
    assert_eq!(count("type=\"terminate\""), THREADS, "no session is left behind");
    assert_eq!(count("<response"), 0);
}

#[test]
fn a_derivation_is_given_up_with_its_call() {
    let server = laborious();
    let client = Client::new(patient(&server)).unwrap();
    let (result, took) = faults::timed(|| {
        let begun = Instant::now();
        let keep_going = move || begun.elapsed() < Duration::from_millis(200);
        prebind::binding::interruptible(keep_going, || client.prebind(&account()))
    });
    let error = result.unwrap_err();
    assert!(error.to_string().contains("gave up"), "{error}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let last = server.requests().pop().unwrap();
    assert!(last.body.contains("type=\"terminate\""), "{}", last.body);
}

/// The end of a session is a request like the others.
#[test]
fn the_end_of_a_session_is_sent_once_more_if_it_is_lost() {
    for fault in [Fault::ClosedBeforeReply, Fault::ResetBeforeReply] {
        let server = faults::serve(fault.at(5).once());
        let client = Client::new(patient(&server)).unwrap();
        let session = client.prebind(&account()).unwrap();
        client.terminate(&session).unwrap();
        let requests = server.requests();
        assert_eq!((requests.len(), &requests[4].body), (6, &requests[5].body), "{fault:?}");
    }
}

/// Another node of a cluster learns of a session a little late.
#[test]
fn the_end_of_a_session_that_is_not_known_yet_is_sent_again() {
    let unknown =
        "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>";
    for (late, is_ended) in [(1, true), (3, true), (4, false)] {
        let late = vec![Reply::xml(unknown).when("type=\"terminate\""); late];
        let server = faults::script([faults::classic(), late].concat());
        let client = Client::new(patient(&server)).unwrap();
        let session = client.prebind(&account()).unwrap();
        let result = client.terminate(&session);
        assert_eq!(result.is_ok(), is_ended, "{result:?}");
    }
}
