//! Two ejabberd nodes behind balancers that know nothing of sessions.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use prebind::{Account, Client, Config, Credentials, Error, Session};
use servers::{Balancer, Cluster, Info, Program, Server};

const THREADS: usize = 8;

/// How long a node may need on a busy machine to hear of a session of the other one; else 0.1 s.
const HEARD_OF: Duration = Duration::from_secs(10);

fn account(number: usize) -> Account {
    let (user, password) = [("alice", "wonder-1"), ("bob", "builder-1"), ("carol", "carrot-1")][number % 3];
    // PLAIN and SCRAM, whose login takes another round trip.
    let credentials =
        if number.is_multiple_of(2) { Credentials::password(password) } else { Credentials::plain(password) };
    // A user may have ten sessions.
    let host = ["localhost", "plain.local", "refuse.local", "oauth.local"][number / 3 % 4];
    Account::new(&format!("{user}@{host}"), credentials).unwrap()
}

fn balanced(program: Program, cluster: &Cluster) -> (Balancer, Client) {
    let balancer = Balancer::start(program, &cluster.nodes().each_ref().map(Server::info)).unwrap();
    let mut config = Config::new(&balancer.url).unwrap();
    // For keys that are derived on a busy machine; no request may take longer than usual.
    config = config.with_deadline(Duration::from_secs(20)).unwrap();
    (balancer, Client::new(config).unwrap())
}

/// Makes this many logins from several threads; `then` gets each session.
fn logins(client: &Client, count: usize, then: impl Fn(usize, Session) + Sync) -> Vec<Error> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = || {
            let mut errors = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= count {
                    return errors;
                }
                match client.prebind(&account(number)) {
                    Ok(session) => then(number, session),
                    Err(error) => errors.push(error),
                }
            }
        };
        let threads = [(); THREADS].map(|()| scope.spawn(work));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// What a browser does that reaches this node: attaches and leaves again.
fn attach(node: &Info, session: &Session) {
    let rid = session.rid();
    let post = |body: &str| {
        let mut answer = ureq::post(&node.http_url).send(body).unwrap();
        answer.body_mut().read_to_string().unwrap()
    };
    let body = |rid: u64, rest: &str| {
        let sid = session.sid();
        format!("<body xmlns='http://jabber.org/protocol/httpbind' rid='{rid}' sid='{sid}' {rest}")
    };
    let ping = "<iq xmlns='jabber:client' type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq></body>";
    let first = body(rid, &format!(">{ping}"));
    let until = Instant::now() + HEARD_OF;
    // All requests of the login may have gone to the other node, and the page has not even been sent yet.
    let answer = loop {
        let answer = post(&first);
        if !answer.contains("item-not-found") || Instant::now() > until {
            break answer;
        }
        thread::sleep(Duration::from_millis(4));
    };
    assert!(answer.contains("ping"), "{answer}");
    let answer = post(&body(rid + 1, "type='terminate'/>"));
    assert!(!answer.contains("condition"), "{answer}");
}

fn assert_nobody_left(cluster: &Cluster) {
    for node in cluster.nodes() {
        let left = node.wait_until_empty(Duration::from_secs(60)).unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A node learns of a session that the other one has created a few milliseconds late.
#[test]
fn no_login_fails_behind_a_balancer_without_stickiness() {
    let cluster = Cluster::start().unwrap();
    for program in [Program::Haproxy, Program::Nginx] {
        let (_balancer, client) = balanced(program, &cluster);
        // `PREBIND_LOGINS=1000` for more than a run of all tests has time for.
        let count = env::var("PREBIND_LOGINS").map_or(200, |count| count.parse().unwrap());
        let in_two_round_trips = AtomicUsize::new(0);
        let errors = logins(&client, count, |number, session| {
            in_two_round_trips.fetch_add(usize::from(session.round_trips() == 2), Relaxed);
            attach(&cluster.nodes()[number % 2], &session);
        });
        println!("{program:?}: {count} logins, {in_two_round_trips:?} of them in two round trips");
        assert!(errors.is_empty(), "{program:?}: {} of {count} failed: {errors:#?}", errors.len());
        assert_nobody_left(&cluster);
        let profile = client.profile();
        let is_blamed = profile.contains("classic_until") || profile.contains("ahead");
        assert!(!is_blamed, "{program:?}: the plan is not to blame: {profile}");
        assert!(in_two_round_trips.into_inner() > 0, "{program:?}: no bind was sent ahead with success");
    }
}

#[test]
fn no_login_fails_while_a_node_is_killed() {
    for program in [Program::Haproxy, Program::Nginx] {
        let cluster = Cluster::start().unwrap();
        let (_balancer, client) = balanced(program, &cluster);
        let is_killed = AtomicUsize::new(0);
        let errors = logins(&client, 300, |number, session| {
            if number >= 100 && is_killed.swap(1, Relaxed) == 0 {
                cluster.kill(1).unwrap();
            }
            // It may be gone with its node.
            let _ = client.terminate(&session);
        });
        assert!(errors.is_empty(), "{program:?}: {errors:#?}");
    }
}
