//! Every server and every program in front of it that the table of `docs/tested.md` names: all logins, refusals and
//! hand-overs, over http and https. The table is made of what this has seen.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../live/browser.rs"]
#[allow(dead_code, reason = "other tests attach to a server directly")]
mod browser;
mod door;
mod rows;
mod table;

use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use door::{Door, Mechanisms};
use rows::{Row, Started};

/// One for each address that is tried at the same time; more of them only make the machine slow.
static TURNS: [Mutex<()>; 8] = [const { Mutex::new(()) }; 8];

#[test]
fn the_table_of_servers_and_proxies_is_what_works() {
    let started = Started::new();
    let rows = started.rows();
    let mut worked = thread::scope(|scope| {
        // All at once, since most of the time passes with sessions that wait for a browser.
        let running: Vec<_> = doors(&rows)
            .enumerate()
            .map(|(number, (name, door, hundred_times))| {
                let later = spawn(scope, format!("{name}, later"), || door.hands_over_after_a_while());
                let check = move || {
                    let _turn = TURNS[number % TURNS.len()].lock().unwrap_or_else(PoisonError::into_inner);
                    door.check(number, hundred_times)
                };
                (later, spawn(scope, name, check))
            })
            .collect();
        let results = running.into_iter().map(|(later, now)| later.join().and(now.join()));
        // A thread that failed has said why.
        results.collect::<Result<Vec<Mechanisms>, _>>().map_err(drop).unwrap().into_iter()
    });
    for server in started.servers() {
        let left = server.wait_until_empty(Duration::from_secs(60)).unwrap();
        assert!(left.is_empty(), "{}: {left:?}", server.kind);
    }
    table::compare(rows.iter().map(|row| {
        let addresses = row.ways.iter().map(|way| way.doors.len()).sum();
        table::line(row, &worked.by_ref().take(addresses).collect::<Vec<_>>())
    }));
}

/// Every address with its name, and whether it is the one of its way at which a client logs in 100 times.
fn doors(rows: &[Row]) -> impl Iterator<Item = (String, &Door, bool)> {
    let ways = rows.iter().flat_map(|row| row.ways.iter().map(move |way| (row, way)));
    ways.enumerate().flat_map(|(number, (row, way))| {
        way.doors.iter().enumerate().map(move |(scheme, door)| {
            let name = format!("{}, {}, {}, {}", row.server, row.front, way.name, door.scheme());
            (name, door, scheme == number % way.doors.len())
        })
    })
}

/// A thread whose name a panic shows.
fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    act: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    thread::Builder::new().name(name).spawn_scoped(scope, act).unwrap()
}
