//! What the library is to reach: ratios and counts, which hold on any machine.

use serde::Serialize;

use super::Report;
use crate::participants::{FLOOR, RUST};
use crate::scenario::FAR;
use crate::scenario::latency::Row;

/// One figure and its bound.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) bound: f64,
    pub(crate) is_met: bool,
}

/// So many round trips a call takes, and so many round trips of the path its time may be.
const ROUND_TRIPS: [(&str, &str, u32, f64); 4] = [
    ("prosody", "PLAIN", 1, 1.3),
    ("prosody", "SCRAM", 2, 2.3),
    ("ejabberd", "PLAIN", 3, 3.5),
    ("ejabberd", "SCRAM", 4, 4.4),
];

/// Compared with the floor's time.
const TO_FLOOR: f64 = 1.25;
/// A binding's time compared with that from Rust.
const BINDING: f64 = 1.03;
/// The client's processor time compared with the server's.
const CPU: f64 = 0.25;
/// Calls one after the other, compared with calls with pauses.
const AT_ONCE: f64 = 1.3;
/// What the first call of a process may take more.
const COLD: f64 = 1.0;
/// Threads on one client, compared with as many floors.
const THREADS: f64 = 0.95;

pub(crate) fn check(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    for row in report.latency.iter().filter(|row| row.name == RUST) {
        let place = place(row);
        if row.delay_ms == FAR.as_millis()
            && let Some((_, bound)) = round_trips(row)
        {
            let on_the_way = (row.p50_ms - at_the_server(report, row)) / 1e3;
            let what = format!("{place}: round trips of time on the way");
            goals.push(at_most(what, on_the_way / FAR.as_secs_f64(), bound));
        }
        if row.delay_ms == 0 {
            goals.push(at_most(format!("{place}: time to the floor's"), row.to_floor, TO_FLOOR));
            if row.login == "SCRAM" {
                let share = row.client_cpu_ms / row.server_cpu_ms;
                goals.push(at_most(format!("{place}: client CPU to server CPU"), share, CPU));
            }
        }
    }
    for row in report.latency.iter().filter(|row| row.delay_ms == 0 && row.is_ours) {
        if [RUST, FLOOR].contains(&row.name.as_str()) {
            continue;
        }
        let rust = report.latency.iter().find(|rust| rust.name == RUST && place(rust) == place(row));
        if let Some(rust) = rust {
            let what = format!("{}: time from {} to that from Rust", place(row), row.name);
            goals.push(at_most(what, row.p50_ms / rust.p50_ms, BINDING));
        }
    }
    for pace in &report.pace {
        let what = format!("{} {} {}: at once to with pauses", pace.server, pace.login, pace.scheme);
        goals.push(at_most(what, pace.ratio, AT_ONCE));
    }
    for cold in &report.cold {
        let what = format!("{} {} {}: round trips more when cold", cold.server, cold.login, cold.scheme);
        goals.push(at_most(what, cold.more_round_trips, COLD));
    }
    for jitter in &report.jitter {
        let what = format!("{} {}: failures of {} with jitter", jitter.server, jitter.login, jitter.calls);
        goals.push(at_most(what, crate::stats::as_f64(jitter.failures), 0.0));
    }
    for threads in &report.throughput {
        let what = format!("{} {}: throughput of {} threads", threads.server, threads.login, threads.threads);
        let is_met = threads.ratio >= THREADS;
        goals.push(Goal { what, value: threads.ratio, bound: THREADS, is_met });
    }
    goals
}

/// What the server itself takes for a call, which depends on the machine: hashing a password for
/// PLAIN takes ejabberd half a round trip.
fn at_the_server(report: &Report, row: &Row) -> f64 {
    let is_near = |other: &&Row| {
        (other.name.as_str(), other.delay_ms) == (FLOOR, 0)
            && (&other.server, other.scheme, &other.login) == (&row.server, row.scheme, &row.login)
    };
    report.latency.iter().find(is_near).map_or(0.0, |floor| floor.p50_ms)
}

/// How many round trips the shortest plan for the server takes.
pub(crate) fn planned(row: &Row) -> Option<u32> {
    round_trips(row).map(|(planned, _)| planned)
}

fn round_trips(row: &Row) -> Option<(u32, f64)> {
    let found = ROUND_TRIPS.iter().find(|(server, login, ..)| *server == row.server && *login == row.login);
    found.map(|(.., planned, bound)| (*planned, *bound))
}

fn at_most(what: String, value: f64, bound: f64) -> Goal {
    Goal { what, value, bound, is_met: value <= bound }
}

fn place(row: &Row) -> String {
    format!("{} {} {}, {} ms", row.server, row.login, row.scheme, row.delay_ms)
}
