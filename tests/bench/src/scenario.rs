//! What is measured.

pub(crate) mod cold;
pub(crate) mod latency;
pub(crate) mod pace;
pub(crate) mod series;
pub(crate) mod threads;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use servers::Server;

use crate::Result;
use crate::driver::{Call, Driver};
use crate::participants::{self, Participant};
use crate::record::{self, Recorder, Script};
use crate::target::{Login, Target, address};

/// After so many calls, a client knows its server and has its connections.
pub(crate) const WARM_UP: usize = 4;

/// How long a client may take for more than that, where each call takes long.
const LONGEST_WARM_UP: Duration = Duration::from_secs(5);

/// How many calls are looked at to see which connections are kept.
const RECORDED: usize = 9;

/// The path that round trips are counted on.
pub(crate) const FAR: Duration = Duration::from_millis(40);

/// What is measured against one server with one login, apart from the path to it.
pub(crate) struct Place<'a> {
    pub(crate) server: &'a Server,
    pub(crate) login: Login,
    proof: String,
    /// Of what is recorded.
    directory: &'a Path,
}

impl<'a> Place<'a> {
    pub(crate) fn new(server: &'a Server, login: Login, directory: &'a Path) -> Result<Self> {
        Ok(Self { server, login, proof: login.proof(server)?, directory })
    }

    pub(crate) fn target(&self, is_https: bool, delay: Duration, jitter: Duration) -> Result<Target<'a>> {
        Target::new(self.server, self.login, &self.proof, is_https)?.delayed(delay, jitter)
    }

    /// The floor, with more arguments for its driver: a call of the library's to be repeated, recorded on
    /// such a path. TLS changes nothing of what is sent, in which order.
    pub(crate) fn floor(&self, delay: Duration, arguments: &[&str]) -> Result<Participant> {
        let name = format!("{}-{}-{}.json", self.server.kind, self.login, delay.as_millis());
        let script = self.directory.join(name);
        if !script.exists() {
            fs::write(&script, serde_json::to_string(&self.record(delay)?)?)?;
        }
        participants::floor(&script, arguments)
    }

    /// What the library sends once it knows the server.
    fn record(&self, delay: Duration) -> Result<Script> {
        let target = self.target(false, delay, Duration::ZERO)?;
        let recorder = Recorder::start(address(&target.url)?)?;
        let target = target.reached_by(recorder.address)?;
        let mut driver = Driver::start(&participants::rust(&[])?.command, &target)?;
        let mut calls = Vec::new();
        for _ in 0..WARM_UP + RECORDED {
            let answer = driver.call(&target)?.answer;
            if let Some(error) = answer.errors.first() {
                return Err(format!("{target}, recording: {error}").into());
            }
            calls.push(recorder.take());
        }
        record::script(&calls[WARM_UP..])
    }
}

/// A driver that knows its server, if it is one that learns; what fails is told.
fn warm(participant: &Participant, target: &Target<'_>) -> Result<Driver> {
    let mut driver = Driver::start(&participant.command, target)?;
    let start = Instant::now();
    for call in 0..participant.warm_up {
        if call >= WARM_UP && start.elapsed() > LONGEST_WARM_UP {
            break;
        }
        succeeded(target, driver.call(target)?)?;
    }
    Ok(driver)
}

/// A call, unless it failed.
fn succeeded(target: &Target<'_>, call: Call) -> Result<Call> {
    match call.answer.errors.first() {
        Some(error) => Err(format!("{target}: {error}").into()),
        None => Ok(call),
    }
}
