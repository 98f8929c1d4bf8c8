//! How often a call succeeds over a path that delivers when it likes.

use std::time::Duration;

use serde::Serialize;

use super::{FAR, Place};
use crate::driver::Driver;
use crate::{Result, participants};

const THREADS: usize = 8;

#[derive(Debug, Serialize)]
pub(crate) struct Jitter {
    pub(crate) server: String,
    pub(crate) login: String,
    pub(crate) calls: usize,
    pub(crate) failures: usize,
    /// What went wrong, each thing once.
    pub(crate) errors: Vec<String>,
}

/// At least so many calls, by several threads: there is much time to wait.
pub(crate) fn measure(place: &Place<'_>, jitter: Duration, runs: usize) -> Result<Jitter> {
    let target = place.target(false, FAR, jitter)?;
    let rust = participants::rust(&["--threads", &THREADS.to_string()])?;
    let mut driver = Driver::start(&rust.command, &target)?;
    let (mut calls, mut failures, mut errors) = (0, 0, Vec::new());
    while calls < runs {
        let answer = driver.call(&target)?.answer;
        calls += answer.errors.len() + answer.sessions.len();
        failures += answer.errors.len();
        errors.extend(answer.errors);
    }
    errors.sort();
    errors.dedup();
    Ok(Jitter {
        server: place.server.kind.to_string(),
        login: place.login.to_string(),
        calls,
        failures,
        errors,
    })
}
