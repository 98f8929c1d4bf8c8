//! The report as text.

use std::fmt;

use super::Report;
use crate::scenario::latency::Row;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "prebind {}, {} processors; times in ms\n", self.version, self.processors)?;
        writeln!(
            f,
            "{:<36} {:<8} {:>8} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8} {:>6}",
            "one call at a time", "", "p50", "p95", "to floor", "trips", "eff.", "CPU", "server", "failed"
        )?;
        let mut last = String::new();
        for row in &self.latency {
            let place = place(row);
            let shown = if place == last { "" } else { &place };
            let trips = row.round_trips.map_or_else(|| "-".to_owned(), |count| count.to_string());
            let effective =
                row.effective_round_trips.map_or_else(|| "-".to_owned(), |count| format!("{count:.2}"));
            writeln!(
                f,
                "{shown:<36} {:<8} {:>8.2} {:>8.2} {:>8.2} {trips:>6} {effective:>6} {:>8.2} {:>8.2} {:>3}/{}",
                row.name,
                row.p50_ms,
                row.p95_ms,
                row.to_floor,
                row.client_cpu_ms,
                row.server_cpu_ms,
                row.failures,
                row.calls
            )?;
            last = place;
        }
        self.show_the_rest(f)
    }
}

impl Report {
    fn show_the_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<36} {:>8} {:>8} {:>8}", "first call of a process", "first", "later", "trips more")?;
        for cold in &self.cold {
            let place = format!("{} {} {}, 40 ms", cold.server, cold.login, cold.scheme);
            let (first, later) = (cold.first_p50_ms, cold.later_p50_ms);
            writeln!(f, "{place:<36} {first:>8.2} {later:>8.2} {:>8.2}", cold.more_round_trips)?;
        }
        writeln!(f, "\n{:<36} {:>8} {:>8} {:>8}", "one after the other", "at once", "pauses", "ratio")?;
        for pace in &self.pace {
            let place = format!("{} {} {}", pace.server, pace.login, pace.scheme);
            let (at_once, pauses) = (pace.at_once_p50_ms, pace.with_pauses_p50_ms);
            writeln!(f, "{place:<36} {at_once:>8.2} {pauses:>8.2} {:>8.2}", pace.ratio)?;
        }
        writeln!(f, "\n{:<36} {:>8} {:>8} {:>8}", "sessions per second", "client", "floors", "ratio")?;
        for threads in &self.throughput {
            let place = format!("{} {}, {} threads", threads.server, threads.login, threads.threads);
            let (client, floor) = (threads.client_per_second, threads.floor_per_second);
            writeln!(f, "{place:<36} {client:>8.1} {floor:>8.1} {:>8.2}", threads.ratio)?;
        }
        writeln!(f, "\n{:<36} {:>8} {:>8}", "with jitter", "calls", "failed")?;
        for jitter in &self.jitter {
            let place = format!("{} {}, 40 ms", jitter.server, jitter.login);
            writeln!(
                f,
                "{place:<36} {:>8} {:>8} {}",
                jitter.calls,
                jitter.failures,
                jitter.errors.join("; ")
            )?;
        }
        writeln!(f, "\n{:<66} {:>8} {:>8}", "goals", "found", "bound")?;
        for goal in &self.goals {
            let mark = if goal.is_met { "met" } else { "MISSED" };
            writeln!(f, "{:<66} {:>8.2} {:>8.2} {mark}", goal.what, goal.value, goal.bound)?;
        }
        Ok(())
    }
}

fn place(row: &Row) -> String {
    format!("{} {} {}, {} ms", row.server, row.login, row.scheme, row.delay_ms)
}
