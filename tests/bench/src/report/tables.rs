//! The report as text.

use std::fmt;

use super::Report;
use super::goals::Verdict;

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
            let place = row.place();
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
        writeln!(
            f,
            "\n{:<36} {:>8} {:>8} {:>8} {:>8}",
            "one after the other", "at once", "p95", "pauses", "ratio"
        )?;
        for pace in &self.pace {
            let place = format!("{} {} {}", pace.server, pace.login, pace.scheme);
            let (at_once, p95, pauses) = (pace.at_once_p50_ms, pace.at_once_p95_ms, pace.with_pauses_p50_ms);
            writeln!(f, "{place:<36} {at_once:>8.2} {p95:>8.2} {pauses:>8.2} {:>8.2}", pace.ratio)?;
        }
        writeln!(f, "\n{:<36} {:>8} {:>8} {:>8}", "sessions per second", "client", "floors", "ratio")?;
        for threads in &self.throughput {
            let place = format!("{} {}, {} threads", threads.server, threads.login, threads.threads);
            let (client, floor) = (threads.client_per_second, threads.floor_per_second);
            writeln!(f, "{place:<36} {client:>8.1} {floor:>8.1} {:>8.2}", threads.ratio)?;
        }
        writeln!(f, "\n{:<36} {:>8} {:>8} {:>8}", "series", "calls", "failed", "fell back")?;
        for series in &self.series {
            let place = format!("{} {}, 40 ms, jitter {} ms", series.server, series.login, series.jitter_ms);
            let (calls, failures, fallbacks) = (series.calls, series.failures, series.fallbacks);
            let errors = series.errors.join("; ");
            writeln!(f, "{place:<36} {calls:>8} {failures:>8} {fallbacks:>8} {errors}")?;
        }
        self.show_goals(f)
    }

    fn show_goals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.problems.0.is_empty() {
            writeln!(f, "\nnot measured\n{}", self.problems.0.join("\n"))?;
        }
        if self.goals.is_empty() {
            return writeln!(f, "\ntoo few calls for goals");
        }
        writeln!(f, "\n{:<72} {:>8} {:>8}", "goals", "found", "bound")?;
        for goal in &self.goals {
            let bound = goal.bound.map_or_else(String::new, |bound| format!("{bound:.2}"));
            let verdict = match goal.verdict {
                Verdict::Met => "met",
                Verdict::Missed => "MISSED",
                Verdict::NotShown => "not shown: too few calls",
                Verdict::Aside => "",
            };
            writeln!(f, "{:<72} {:>8.2} {bound:>8} {verdict}", goal.what, goal.value)?;
        }
        let count = |verdict| self.goals.iter().filter(|goal| goal.verdict == verdict).count();
        let (met, missed, not_shown) =
            (count(Verdict::Met), count(Verdict::Missed), count(Verdict::NotShown));
        writeln!(f, "{met} met, {missed} missed, {not_shown} not shown")
    }
}
