//! What the library is to reach: ratios and counts, which hold on any machine.

use serde::Serialize;

use super::Report;
use crate::participants::{FLOOR, RUST};
use crate::scenario::FAR;
use crate::scenario::latency::Row;
use crate::stats::as_f64;

/// One figure and its bound.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) bound: Option<f64>,
    pub(crate) verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// Fewer calls were made than it is about.
    NotShown,
    /// It is no goal, but explains one.
    Aside,
}

impl Goal {
    pub(crate) fn is_missed(&self) -> bool {
        self.verdict == Verdict::Missed
    }

    fn at_most(what: String, value: f64, bound: f64) -> Self {
        Self::new(what, value, bound, value <= bound)
    }

    fn at_least(what: String, value: f64, bound: f64) -> Self {
        Self::new(what, value, bound, value >= bound)
    }

    fn new(what: String, value: f64, bound: f64, is_met: bool) -> Self {
        let verdict = if is_met { Verdict::Met } else { Verdict::Missed };
        Self { what, value, bound: Some(bound), verdict }
    }

    /// Shown only if enough calls were made; missed by any number of them.
    fn of(self, calls: usize, needed: usize) -> Self {
        let is_shown = calls >= needed || self.is_missed();
        Self { verdict: if is_shown { self.verdict } else { Verdict::NotShown }, ..self }
    }

    fn aside(what: String, value: f64) -> Self {
        Self { what, value, bound: None, verdict: Verdict::Aside }
    }
}

/// So many round trips a call takes, and so many round trips of the path its time may be.
const ROUND_TRIPS: [(&str, &str, u32, f64); 10] = [
    ("prosody", "PLAIN", 1, 1.3),
    ("prosody", "SCRAM", 2, 2.3),
    ("ejabberd", "PLAIN", 2, 2.4),
    ("ejabberd", "SCRAM", 4, 4.4),
    ("ejabberd", "ANONYMOUS", 2, 2.4),
    ("ejabberd", "X-OAUTH2", 2, 2.4),
    ("ejabberd24", "PLAIN", 2, 2.4),
    ("ejabberd24", "ANONYMOUS", 2, 2.4),
    ("ejabberd24", "X-OAUTH2", 2, 2.4),
    ("prosody13", "FAST", 1, 1.3),
];

/// How many calls none may fail of.
const RUNS: usize = 1000;
/// How many calls a binding is compared by.
const COMPARED: usize = 200;
/// Compared with the floor's time.
const TO_FLOOR: f64 = 1.25;
/// A binding's time compared with that from Rust.
const BINDING: f64 = 1.03;
/// The client's processor time compared with the server's.
const CPU: f64 = 0.25;
/// Calls one after the other, compared with calls with pauses.
const AT_ONCE: f64 = 1.3;
/// What the first call of a process may take more: a round trip to open the connection, and with TLS
/// another, with as much on top as a call of one round trip may take.
const COLD: [(&str, f64); 2] = [("http", 1.3), ("https", 2.3)];
/// Threads on one client, compared with as many floors.
const THREADS: f64 = 0.95;

pub(crate) fn check(report: &Report) -> Vec<Goal> {
    let mut goals = round_trip_goals(report);
    goals.extend(time_goals(report));
    goals.extend(binding_goals(report));
    for pace in &report.pace {
        let what = format!("{} {} {}: at once to with pauses", pace.server, pace.login, pace.scheme);
        goals.push(Goal::at_most(what, pace.ratio, AT_ONCE));
    }
    for cold in &report.cold {
        let bound = COLD.iter().find(|(scheme, _)| *scheme == cold.scheme).map_or(0.0, |(_, bound)| *bound);
        let what = format!("{} {} {}: round trips more when cold", cold.server, cold.login, cold.scheme);
        goals.push(Goal::at_most(what, cold.more_round_trips, bound));
    }
    for threads in &report.throughput {
        let what = format!("{} {}: throughput of {} threads", threads.server, threads.login, threads.threads);
        goals.push(Goal::at_least(what, threads.ratio, THREADS));
    }
    goals.extend(failure_goals(report));
    goals
}

fn round_trip_goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    for row in report.latency.iter().filter(|row| row.name == RUST && row.delay_ms == FAR.as_millis()) {
        let (Some((_, bound)), Some(effective)) = (round_trips(row), row.effective_round_trips) else {
            continue;
        };
        goals.push(Goal::at_most(format!("{}: effective round trips", row.place()), effective, bound));
        if let Some(at_the_server) = at_the_server(report, row) {
            let what = format!("{}: without the server's own time", row.place());
            let on_the_way = (row.p50_ms - at_the_server) / 1e3 / FAR.as_secs_f64();
            goals.push(Goal::aside(what, on_the_way));
        }
    }
    goals
}

fn time_goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    for row in report.latency.iter().filter(|row| row.name == RUST && row.delay_ms == 0) {
        let place = row.place();
        goals.push(Goal::at_most(format!("{place}: time to the floor's"), row.to_floor, TO_FLOOR));
        if row.login == "SCRAM" {
            let share = row.client_cpu_ms / row.server_cpu_ms;
            goals.push(Goal::at_most(format!("{place}: client CPU to server CPU"), share, CPU));
        }
    }
    goals
}

fn binding_goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    let is_binding = |row: &&Row| row.is_ours && ![RUST, FLOOR].contains(&row.name.as_str());
    for row in report.latency.iter().filter(|row| row.delay_ms == 0).filter(is_binding) {
        let rust = report.latency.iter().find(|rust| rust.name == RUST && rust.place() == row.place());
        let Some(rust) = rust else { continue };
        let what = format!("{}: {}'s time to Rust's", row.place(), row.name);
        let calls = row.calls.min(rust.calls);
        goals.push(Goal::at_most(what, row.p50_ms / rust.p50_ms, BINDING).of(calls, COMPARED));
        let what = format!("{}: the CPU that {} adds, to Rust's time", row.place(), row.name);
        goals.push(Goal::aside(what, (row.client_cpu_ms - rust.client_cpu_ms) / rust.p50_ms));
    }
    goals
}

fn failure_goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    let ours: Vec<&Row> = report.latency.iter().filter(|row| row.is_ours && row.name != FLOOR).collect();
    let calls: usize = ours.iter().map(|row| row.calls).sum();
    let failures: usize = ours.iter().map(|row| row.failures).sum();
    let fallbacks: usize = ours.iter().map(|row| row.fallbacks).sum();
    goals.push(Goal::at_most(format!("failures, one at a time, {calls} calls"), as_f64(failures), 0.0));
    goals.push(Goal::at_most(format!("fallbacks, one at a time, {calls} calls"), as_f64(fallbacks), 0.0));
    for series in &report.series {
        let place = format!("{} {}, {} ms of jitter", series.server, series.login, series.jitter_ms);
        for (what, count) in [("failures", series.failures), ("fallbacks", series.fallbacks)] {
            let what = format!("{place}: {what}, {} calls", series.calls);
            goals.push(Goal::at_most(what, as_f64(count), 0.0).of(series.calls, RUNS));
        }
    }
    goals
}

/// What the server itself takes for a call, which depends on the machine: hashing a password for
/// PLAIN takes ejabberd half a round trip.
fn at_the_server(report: &Report, row: &Row) -> Option<f64> {
    let is_near = |other: &&Row| {
        (other.name.as_str(), other.delay_ms) == (FLOOR, 0)
            && (&other.server, other.scheme, &other.login) == (&row.server, row.scheme, &row.login)
    };
    report.latency.iter().find(is_near).map(|floor| floor.p50_ms)
}

/// How many round trips the shortest plan for the server takes.
pub(crate) fn planned(row: &Row) -> Option<u32> {
    round_trips(row).map(|(planned, _)| planned)
}

fn round_trips(row: &Row) -> Option<(u32, f64)> {
    let found = ROUND_TRIPS.iter().find(|(server, login, ..)| *server == row.server && *login == row.login);
    found.map(|(.., planned, bound)| (*planned, *bound))
}
