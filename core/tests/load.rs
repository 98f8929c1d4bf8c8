//! More calls than are allowed at once, and servers that do not answer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use faults::{Fault, Reply};
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Phase, Retry};

/// How long to wait for what is to happen, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);

fn account() -> Account {
    Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap()
}

fn client(url: &str, change: impl FnOnce(Config) -> Config) -> Client {
    Client::new(change(Config::new(url).unwrap())).unwrap()
}

fn phase(error: &Error) -> Option<Phase> {
    match error.kind() {
        ErrorKind::Timeout { phase } => Some(*phase),
        _ => None,
    }
}

#[test]
fn a_call_beyond_the_limit_waits_and_then_fails() {
    let server = faults::serve(Fault::NoHeaders.at(1).once());
    let client = client(&server.url, |config| {
        config
            .with_max_calls(1)
            .unwrap()
            .with_fail_fast_after(0)
            .with_deadline(Duration::from_secs(2))
            .unwrap()
    });
    thread::scope(|scope| {
        let hanging = scope.spawn(|| client.prebind(&account()).unwrap_err());
        let until = Instant::now() + PATIENCE;
        while server.requests().is_empty() {
            assert!(Instant::now() < until);
            thread::yield_now();
        }
        let (result, took) = faults::timed(|| client.prebind(&account()));
        let error = result.unwrap_err();
        assert_eq!((phase(&error), error.retry()), (Some(Phase::Queue), Retry::Later));
        assert!(error.to_string().contains("max_calls"), "{error}");
        assert!(took < Duration::from_millis(1500), "{took:?} of a deadline of 2 s");
        assert_eq!(phase(&hanging.join().unwrap()), Some(Phase::Headers));
    });
    client.prebind(&account()).expect("its turn has come");
}

#[test]
fn no_more_calls_are_under_way_than_allowed() {
    let replies: Vec<Reply> = (0..60).flat_map(|_| faults::classic()).collect();
    let replies = replies.into_iter().map(|reply| reply.after(Duration::from_millis(2))).collect();
    let server = faults::script(replies);
    let client = client(&server.url, |config| {
        config
            .with_max_calls(3)
            .unwrap()
            .with_learn(false)
            .with_deadline(2 * PATIENCE)
            .unwrap()
            .with_request_timeout(2 * PATIENCE)
            .unwrap()
    });
    let started = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for _ in 0..3 {
                    client.prebind(&account()).unwrap();
                    started.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(started.load(Relaxed), 60);
    assert!(server.connections() <= 3, "{} connections for 3 calls at once", server.connections());
}

/// Once calls fail at once, one of them at a time probes.
#[test]
fn a_server_that_hangs_has_one_thread_wait_at_a_time() {
    let server = faults::serve(Fault::NoHeaders);
    let client = client(&server.url, |config| {
        config
            .with_deadline(Duration::from_millis(300))
            .unwrap()
            .with_fail_fast_for(Duration::from_millis(50))
            .unwrap()
    });
    let (waiting, most, probes) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let is_off = || client.prebind(&account()).is_err_and(|error| phase(&error) == Some(Phase::FailFast));
    let until = Instant::now() + PATIENCE;
    let all_failed = Barrier::new(32);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                // All of those that were under way have failed before the counting begins.
                while !is_off() {
                    assert!(Instant::now() < until);
                }
                all_failed.wait();
                while probes.load(Relaxed) < 3 && Instant::now() < until {
                    let before = server.requests().len();
                    let error = client.prebind(&account()).unwrap_err();
                    if phase(&error) != Some(Phase::FailFast) {
                        probes.fetch_add(1, Relaxed);
                        let sent = server.requests().len() - before;
                        most.fetch_max(sent, Relaxed);
                    }
                    waiting.fetch_add(1, Relaxed);
                    thread::yield_now();
                }
            });
        }
    });
    assert!(probes.load(Relaxed) >= 3, "nobody tries again");
    assert!(most.load(Relaxed) <= 1, "{} threads waited at once", most.load(Relaxed));
    assert!(waiting.load(Relaxed) > 32, "calls fail at once meanwhile");
}

/// A success lifts it, and all are admitted again.
#[test]
fn a_server_that_is_back_is_noticed_by_one_call() {
    let lost = Reply::xml("<body").header("Content-Length", "1000").closes();
    let mut replies = vec![lost; 3];
    replies.extend((0..6).flat_map(|_| faults::classic()));
    let server = faults::script(replies);
    let client = client(&server.url, |config| {
        config.with_fail_fast_after(1).with_fail_fast_for(Duration::from_millis(20)).unwrap()
    });
    assert_eq!(client.prebind(&account()).unwrap_err().kind().as_str(), "Connect", "and its fresh attempts");
    assert_eq!(phase(&client.prebind(&account()).unwrap_err()), Some(Phase::FailFast));
    let until = Instant::now() + PATIENCE;
    while client.prebind(&account()).is_err() {
        assert!(Instant::now() < until, "it is not tried again");
    }
    assert!((0..5).all(|_| client.prebind(&account()).is_ok()));
}
