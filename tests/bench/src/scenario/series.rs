//! How often a call succeeds, over a path that delivers on time and one that delivers when it likes.

use std::time::Duration;

use serde::Serialize;

use super::{FAR, Place};
use crate::driver::Driver;
use crate::{Result, participants};

/// Fewer than the ten sessions that ejabberd keeps of a user: they are ended after each burst.
const THREADS: usize = 8;

#[derive(Debug, Serialize)]
pub(crate) struct Series {
    pub(crate) server: String,
    pub(crate) login: String,
    /// By how much more than its delay each way took, at most.
    pub(crate) jitter_ms: u128,
    pub(crate) calls: usize,
    pub(crate) failures: usize,
    /// How many calls fell back to the classic exchange, or began with it, since a shorter one had failed.
    pub(crate) fallbacks: usize,
    /// What went wrong, each thing once.
    pub(crate) errors: Vec<String>,
}

/// At least so many calls, by several threads: there is much time to wait.
pub(crate) fn measure(place: &Place<'_>, jitter: Duration, runs: usize) -> Result<Series> {
    let target = place.target(false, FAR, jitter)?;
    let rust = participants::rust(&["--threads", &THREADS.to_string()])?;
    let mut driver = Driver::start(&rust.command, &target)?;
    let mut series = Series {
        server: place.server.kind.to_string(),
        login: place.login.to_string(),
        jitter_ms: jitter.as_millis(),
        calls: 0,
        failures: 0,
        fallbacks: 0,
        errors: Vec::new(),
    };
    while series.calls < runs {
        let answer = driver.call(&target)?.answer;
        series.calls += answer.errors.len() + answer.sessions.len();
        series.failures += answer.errors.len();
        series.fallbacks += answer.fallbacks;
        series.errors.extend(answer.errors);
    }
    series.errors.sort();
    series.errors.dedup();
    Ok(series)
}
