//! What is measured.

pub(crate) mod cold;
pub(crate) mod jitter;
pub(crate) mod latency;
pub(crate) mod pace;
pub(crate) mod threads;

use std::path::{Path, PathBuf};
use std::time::Duration;

use servers::Server;

use crate::Result;
use crate::driver::Driver;
use crate::participants::{self, Participant};
use crate::record::{self, Recorder};
use crate::target::{Login, Target, address};

/// After so many calls, a client knows its server and has its connections.
pub(crate) const WARM_UP: usize = 4;

/// How many calls are looked at to see which connections are kept.
const RECORDED: usize = 9;

/// The path that round trips are counted on.
pub(crate) const FAR: Duration = Duration::from_millis(40);

/// What is measured against one server with one login, apart from the path to it.
pub(crate) struct Place<'a> {
    pub(crate) server: &'a Server,
    pub(crate) login: Login,
    /// A call of the library's, to be repeated.
    pub(crate) script: PathBuf,
}

impl<'a> Place<'a> {
    /// Records what the library sends once it knows the server.
    pub(crate) fn new(server: &'a Server, login: Login, directory: &Path) -> Result<Self> {
        let recorder = Recorder::start(address(&server.http_url)?)?;
        let port = address(&server.http_url)?.port().to_string();
        let url = server.http_url.replace(&port, &recorder.address.port().to_string());
        let target = Target::new(server, login, false)?.reached_by(url);
        let mut driver = Driver::start(&participants::rust(&[])?.command, &target)?;
        let mut calls = Vec::new();
        for _ in 0..WARM_UP + RECORDED {
            let answer = driver.call(&target)?.answer;
            if let Some(error) = answer.errors.first() {
                return Err(format!("{target}, recording: {error}").into());
            }
            calls.push(recorder.take());
        }
        let script = directory.join(format!("{}-{login}.json", server.kind));
        let call = record::script(&calls[WARM_UP..])?;
        std::fs::write(&script, serde_json::to_string(&call)?)?;
        Ok(Self { server, login, script })
    }

    pub(crate) fn target(&self, is_https: bool, delay: Duration, jitter: Duration) -> Result<Target<'a>> {
        Target::new(self.server, self.login, is_https)?.delayed(delay, jitter)
    }
}

/// A driver that knows its server; what fails is told.
fn warm(participant: &Participant, target: &Target<'_>) -> Result<Driver> {
    let mut driver = Driver::start(&participant.command, target)?;
    for _ in 0..WARM_UP {
        if let Some(error) = driver.call(target)?.answer.errors.first() {
            return Err(format!("{target}, {}: {error}", participant.name).into());
        }
    }
    Ok(driver)
}
