//! Many logins, over every sort of path.

use std::env;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use faults::Delay;
use prebind::{Account, Client, Credentials, Session};
use servers::{Info, Program, Proxy, Route, Server, hosts};

use crate::browser::Browser;
use crate::{EJABBERD, EJABBERD_24, config};

const THREADS: usize = 4;

/// Where a client comes in.
#[derive(Debug, Clone, Copy)]
enum Door {
    Http,
    Https,
    /// A program in front of the server.
    Proxy(Program, Route),
}

/// What a login goes through: where it comes in, how many milliseconds each way takes, and by how many more at most.
type Way = (Door, u64, u64);

/// Half of them have jitter, a quarter goes over TLS, and a quarter through a proxy.
const WAYS: [Way; 8] = [
    (Door::Http, 20, 20),
    (Door::Https, 0, 0),
    (Door::Proxy(Program::Nginx, Route::Kept), 20, 20),
    (Door::Http, 5, 0),
    (Door::Http, 0, 20),
    (Door::Https, 20, 20),
    (Door::Proxy(Program::Haproxy, Route::Closed), 0, 0),
    (Door::Http, 0, 0),
];

/// A client, and what it goes through as long as this lives.
struct Path {
    client: Client,
    _delay: Option<Delay>,
    _proxy: Option<Proxy>,
}

impl Path {
    fn new(server: &Info, (door, each_way, jitter): Way) -> Self {
        let proxy = match door {
            Door::Http | Door::Https => None,
            Door::Proxy(program, _) => Some(Proxy::start(program, &server.http_url).unwrap()),
        };
        let url = match (door, &proxy) {
            (Door::Proxy(_, route), Some(proxy)) => proxy.http_url(route),
            (Door::Https, _) => server.https_url.clone(),
            _ => server.http_url.clone(),
        };
        let address: SocketAddr = url.split('/').nth(2).unwrap().parse().unwrap();
        let [each_way, jitter] = [each_way, jitter].map(Duration::from_millis);
        let delay = (!(each_way + jitter).is_zero()).then(|| faults::distance(address, each_way, jitter));
        let url = delay.as_ref().map_or(url.clone(), |delay| delay.through(&url));
        Self { client: Client::new(config(server, &url)).unwrap(), _delay: delay, _proxy: proxy }
    }
}

/// By PLAIN, a token of OAuth and as nobody. A user may have ten sessions.
fn account(server: &Server, number: usize) -> Account {
    let (user, password) = [("alice", "wonder-1"), ("bob", "builder-1"), ("carol", "carrot-1")][number % 3];
    match number / 3 % 4 {
        0 => Account::new(hosts::ANONYMOUS, Credentials::anonymous()),
        1 => {
            let jid = format!("{user}@oauth.local");
            Account::new(&jid, Credentials::x_oauth2(server.tokens[&jid].clone()))
        }
        2 => Account::new(&format!("{user}@plain.local"), Credentials::plain(password)),
        _ => Account::new(&format!("{user}@localhost"), Credentials::plain(password)),
    }
    .unwrap()
}

/// What a browser does: it attaches, is answered, and leaves.
fn attach(server: &Server, session: &Session, number: usize) {
    let mut browser = Browser::attach(server, session);
    let id = format!("ping-{number}");
    browser
        .send(&format!("<iq xmlns='jabber:client' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>"));
    let received = browser.wait_for(&id);
    assert!(received.contains("type='result'"), "{received}");
    browser.leave();
}

/// Makes so many logins, and tells how many round trips they took.
fn logins(server: &Server, way: Way, count: usize) {
    let path = Path::new(server, way);
    for number in 0..12 {
        path.client.terminate(&path.client.prebind(&account(server, number)).unwrap()).unwrap();
    }
    let (next, two, three, more) = <(AtomicUsize, AtomicUsize, AtomicUsize, AtomicUsize)>::default();
    let start = Instant::now();
    let failed: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut failed = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= count {
                    return failed;
                }
                match path.client.prebind(&account(server, number)) {
                    Ok(session) => {
                        let seen = match session.round_trips() {
                            2 => &two,
                            3 => &three,
                            _ => &more,
                        };
                        seen.fetch_add(1, Relaxed);
                        attach(server, &session, number);
                    }
                    Err(error) => failed.push(error.to_string()),
                }
            }
        };
        let threads = [(); THREADS].map(|()| scope.spawn(work));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let [two, three, more] = [two, three, more].map(AtomicUsize::into_inner);
    println!(
        "{}, {way:?}: {count} logins in {:?}: {two} in two round trips, {three} in three, {more} in more",
        server.kind,
        start.elapsed()
    );
    assert!(failed.is_empty(), "{way:?}: {} of {count} failed: {failed:#?}", failed.len());
    let profile = path.client.profile();
    assert!(!profile.contains("classic_until") && !profile.contains("ahead"), "{way:?}: {profile}");
    assert!(two > 0, "{way:?}: no login took two round trips");
}

/// `PREBIND_LOGINS=10000` for more than a run of all tests has time for; `--nocapture` shows the round trips.
#[test]
fn no_login_fails_and_no_session_is_left_on_any_path() {
    let count: usize = env::var("PREBIND_LOGINS").map_or(320, |count| count.parse().unwrap());
    for server in [&*EJABBERD, &*EJABBERD_24] {
        for way in WAYS {
            logins(server, way, count.div_ceil(2 * WAYS.len()));
        }
    }
    for server in [&*EJABBERD, &*EJABBERD_24] {
        let left = server.wait_until_empty(Duration::from_secs(60)).unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}
