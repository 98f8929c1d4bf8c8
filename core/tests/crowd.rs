//! More calls than a real server can serve.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Retry};
use servers::{Kind, Server};

/// How long to wait until the server has ended all sessions, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

fn timed_out(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout { .. })
}

/// The logins of each second, by so many threads on each of four clients, which stand for four processes. A call
/// that has to wait too long is told so.
fn crowd(server: &Server, threads: usize, seconds: usize) -> Vec<usize> {
    let account = Account::new("anon.local", Credentials::anonymous()).unwrap();
    let begun = Instant::now();
    let logins: Vec<AtomicUsize> = (0..seconds).map(|_| AtomicUsize::new(0)).collect();
    let this_second = || logins.get(usize::try_from(begun.elapsed().as_secs()).unwrap());
    let work = |client: &Client| {
        while this_second().is_some() {
            match client.prebind(&account) {
                Ok(session) => {
                    this_second().map(|logins| logins.fetch_add(1, Relaxed));
                    client
                        .terminate(&session)
                        .unwrap_or_else(|error| assert!(timed_out(&error), "{error:?}"));
                }
                Err(error) => {
                    assert!(timed_out(&error), "{error:?}");
                    assert_eq!(error.retry(), Retry::Later, "{error:?}");
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            let client = Client::new(Config::new(&server.http_url).unwrap()).unwrap();
            for _ in 0..threads {
                let (client, work) = (client.clone(), &work);
                scope.spawn(move || work(&client));
            }
        }
    });
    logins.into_iter().map(AtomicUsize::into_inner).collect()
}

/// A crowd that one ejabberd cannot serve at once leaves nobody half-way. `PREBIND_CROWD=400` is one of 1,600
/// threads, of which also the number of logins is looked at: that takes a machine which does nothing else.
#[test]
fn a_crowd_leaves_no_session_behind() {
    let ejabberd = Server::start(Kind::Ejabberd).unwrap();
    let threads = env::var("PREBIND_CROWD").ok().map(|threads| threads.parse().unwrap());
    let seconds = if threads.is_some() { 15 } else { 3 };
    let few = crowd(&ejabberd, 8, seconds);
    let many = crowd(&ejabberd, threads.unwrap_or(50), seconds);
    println!("logins of each second: 4 times 8 threads {few:?}, many {many:?}");
    let [few, total] = [&few, &many].map(|logins| logins.iter().sum::<usize>());
    assert!(total > 0);
    if threads.is_some() {
        assert!(many.iter().all(|logins| *logins > 0), "{many:?}");
        assert!(total * 10 >= few * 7, "{total} logins instead of {few}");
    }
    let left = ejabberd.wait_until_empty(PATIENCE).unwrap();
    assert!(left.is_empty(), "{left:?}");
}
