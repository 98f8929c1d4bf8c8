//! The run, and what is said of it.

mod goals;
mod tables;

use std::fs;
use std::thread;

use serde::Serialize;
use servers::{Kind, Server};

use crate::args::Options;
use crate::participants::{self, FLOOR, RUST};
use crate::scenario::cold::Cold;
use crate::scenario::jitter::Jitter;
use crate::scenario::latency::Row;
use crate::scenario::pace::Pace;
use crate::scenario::threads::Throughput;
use crate::scenario::{Place, cold, jitter, latency, pace, threads};
use crate::target::Login;
use crate::{Result, plot};

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) version: &'static str,
    pub(crate) processors: usize,
    pub(crate) latency: Vec<Row>,
    pub(crate) jitter: Vec<Jitter>,
    pub(crate) pace: Vec<Pace>,
    pub(crate) cold: Vec<Cold>,
    pub(crate) throughput: Vec<Throughput>,
    pub(crate) goals: Vec<goals::Goal>,
}

/// Measures, prints, and writes the files.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        processors: thread::available_parallelism()?.get(),
        ..Report::default()
    };
    let participants = participants::all(options)?;
    let directory = tempfile::tempdir()?;
    for kind in [Kind::Prosody, Kind::Ejabberd] {
        let server = Server::start(kind)?;
        for login in Login::BOTH {
            let place = Place::new(&server, login, directory.path())?;
            let mut participants = participants.clone();
            participants.insert(0, participants::floor(&place.script, &[])?);
            report.measure(&place, &participants, options)?;
        }
    }
    report.goals = goals::check(&report);
    println!("{report}");
    for (file, text) in
        [(&options.json, serde_json::to_string_pretty(&report)?), (&options.plot, plot::svg(&report)?)]
    {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, text)?;
        println!("written: {}", file.display());
    }
    if options.quick { report.verify() } else { Ok(()) }
}

impl Report {
    fn measure(
        &mut self,
        place: &Place<'_>,
        participants: &[participants::Participant],
        options: &Options,
    ) -> Result<()> {
        let (kind, login, calls) = (place.server.kind, place.login, options.calls());
        for is_https in [false, true] {
            for delay in options.delays() {
                let scheme = if is_https { "https" } else { "http" };
                eprintln!("{kind} {login}: {scheme}, {} ms", delay.as_millis());
                self.latency.extend(latency::measure(place, is_https, delay, participants, calls)?);
            }
            eprintln!("{kind} {login}: the first call of a process");
            self.cold.push(cold::measure(place, is_https, calls.div_ceil(5))?);
            if kind == Kind::Prosody {
                eprintln!("{kind} {login}: one after the other, and with pauses");
                self.pace.push(pace::measure(place, is_https, calls)?);
            }
        }
        eprintln!("{kind} {login}: jitter");
        self.jitter.push(jitter::measure(place, options.jitter(), options.runs())?);
        eprintln!("{kind} {login}: threads");
        self.throughput.push(threads::measure(place, calls.div_ceil(5), 3)?);
        Ok(())
    }

    /// Fails unless every call of this library's succeeded, usually in as many round trips as the
    /// plan for the server has. Times are not looked at: the machine may be busy.
    fn verify(&self) -> Result<()> {
        let mut problems = Vec::new();
        for row in self.latency.iter().filter(|row| row.is_ours && row.name != FLOOR) {
            let planned = goals::planned(row);
            if row.failures > 0 || row.round_trips.is_none() || row.round_trips > planned {
                problems.push(format!("{row:?}, but {planned:?} round trips are planned"));
            }
        }
        problems.extend(self.jitter.iter().filter(|one| one.failures > 0).map(|one| format!("{one:?}")));
        if !self.latency.iter().any(|row| row.name == RUST) {
            problems.push("nothing was measured".to_owned());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
    }
}
