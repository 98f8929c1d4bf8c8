//! The run, and what is said of it.

mod goals;
mod quick;
mod tables;

use std::fs;
use std::path::Path;
use std::thread;

use serde::Serialize;
use servers::{Kind, Server};

use crate::args::Options;
use crate::participants::{self, Participant};
use crate::scenario::cold::Cold;
use crate::scenario::latency::Row;
use crate::scenario::pace::Pace;
use crate::scenario::series::Series;
use crate::scenario::threads::Throughput;
use crate::scenario::{Place, cold, latency, pace, series, threads};
use crate::target::Login;
use crate::{Result, plot};

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) version: &'static str,
    pub(crate) processors: usize,
    pub(crate) latency: Vec<Row>,
    pub(crate) series: Vec<Series>,
    pub(crate) pace: Vec<Pace>,
    pub(crate) cold: Vec<Cold>,
    pub(crate) throughput: Vec<Throughput>,
    pub(crate) goals: Vec<goals::Goal>,
    /// What could not be measured, and why.
    pub(crate) problems: Problems,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    /// What came of it; a failure is kept, and told at once, and the rest goes on.
    fn keep<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(format!("{what}: {error}"))).ok()
    }

    pub(crate) fn add(&mut self, problem: String) {
        eprintln!("{problem}");
        self.0.push(problem);
    }
}

/// Which logins are measured with which server.
const PLACES: [(Kind, &[Login]); 4] = [
    (Kind::Prosody, &Login::WITH_PASSWORD),
    (Kind::Ejabberd, &[Login::Plain, Login::Scram, Login::Anonymous, Login::XOAuth2]),
    (Kind::Ejabberd24, &[Login::Plain, Login::Anonymous, Login::XOAuth2]),
    (Kind::Prosody13, &[Login::Fast]),
];

/// Measures, and prints; the files are written after each place, so that nothing is lost.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        processors: thread::available_parallelism()?.get(),
        ..Report::default()
    };
    let participants = participants::all(options, &mut report.problems)?;
    let directory = tempfile::tempdir()?;
    for (kind, logins) in PLACES {
        let server = match Server::start(kind) {
            Err(servers::Error::NotFetched { reason, .. }) => {
                eprintln!("{kind} is not measured, since it is not there: {reason}");
                continue;
            }
            started => started.map_err(|error| format!("{kind} does not start: {error}")),
        };
        let Some(server) = report.problems.keep(&kind.to_string(), server.map_err(Into::into)) else {
            continue;
        };
        for login in logins {
            let what = format!("{kind} {login}");
            let place = Place::new(&server, *login, directory.path());
            if let Some(place) = report.problems.keep(&what, place) {
                report.measure(&place, &participants, options);
            }
            report.goals = if options.quick { Vec::new() } else { goals::check(&report) };
            report.write(options)?;
        }
    }
    println!("{report}");
    println!("written: {} and {}", options.json.display(), options.plot.display());
    report.verdict(options)
}

impl Report {
    fn measure(&mut self, place: &Place<'_>, participants: &[Participant], options: &Options) {
        let what = format!("{} {}", place.server.kind, place.login);
        for is_https in [false, true] {
            let what = format!("{what} {}", if is_https { "https" } else { "http" });
            for delay in options.delays() {
                let what = format!("{what}, {} ms", delay.as_millis());
                eprintln!("{what}");
                let calls = options.calls(delay);
                let rows = latency::measure(place, is_https, delay, participants, calls, &mut self.problems);
                self.latency.extend(self.problems.keep(&what, rows).unwrap_or_default());
            }
            let first = format!("{what}: the first call of a process");
            eprintln!("{first}");
            let cold = cold::measure(place, is_https, options.processes());
            self.cold.extend(self.problems.keep(&first, cold));
            if !matches!(place.server.kind, Kind::Ejabberd | Kind::Ejabberd24) {
                let what = format!("{what}: one after the other");
                eprintln!("{what}");
                let (at_once, with_pauses) = options.pace();
                let measured = pace::measure(place, is_https, at_once, with_pauses);
                self.pace.extend(self.problems.keep(&what, measured));
            }
        }
        for jitter in options.jitters() {
            let what = format!("{what}: {} calls, jitter {} ms", options.runs(), jitter.as_millis());
            eprintln!("{what}");
            let series = series::measure(place, jitter, options.runs());
            self.series.extend(self.problems.keep(&what, series));
        }
        let what = format!("{what}: threads");
        eprintln!("{what}");
        let (calls, bursts) = options.threads();
        let throughput = threads::measure(place, calls, bursts);
        self.throughput.extend(self.problems.keep(&what, throughput));
    }

    fn write(&self, options: &Options) -> Result<()> {
        write(&options.json, &serde_json::to_string_pretty(self)?)?;
        write(&options.plot, &plot::svg(self)?)
    }

    /// Fails if something could not be measured, or is not as it has to be.
    fn verdict(&self, options: &Options) -> Result<()> {
        let mut problems = self.problems.0.clone();
        if options.quick {
            problems.extend(self.surprises(options));
        }
        let missed = self.goals.iter().filter(|goal| goal.is_missed()).count();
        if options.check && missed > 0 {
            problems.push(format!("{missed} goals are missed"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()).into())
}
