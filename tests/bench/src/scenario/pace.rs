//! Whether calls that follow each other at once are as fast as calls with a pause between, on
//! Prosody, which slows down the connections that it has heard much from.

use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::{Place, succeeded, warm};
use crate::driver::Driver;
use crate::target::Target;
use crate::{Result, participants, stats};

const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Serialize)]
pub(crate) struct Pace {
    pub(crate) server: String,
    pub(crate) login: String,
    pub(crate) scheme: &'static str,
    /// How many calls followed each other at once.
    pub(crate) calls: usize,
    pub(crate) at_once_p50_ms: f64,
    pub(crate) at_once_p95_ms: f64,
    pub(crate) with_pauses_p50_ms: f64,
    pub(crate) ratio: f64,
}

/// So many calls at once, between two times half of those with pauses.
pub(crate) fn measure(place: &Place<'_>, is_https: bool, at_once: usize, with_pauses: usize) -> Result<Pace> {
    let target = place.target(is_https, Duration::ZERO, Duration::ZERO)?;
    let mut driver = warm(&participants::rust(&[])?, &target)?;
    let half = with_pauses.div_ceil(2);
    let mut seconds = one_by_one(&mut driver, &target, half, PAUSE)?;
    let calls = one_by_one(&mut driver, &target, at_once, Duration::ZERO)?;
    seconds.extend(one_by_one(&mut driver, &target, half, PAUSE)?);
    let (at_once, with_pauses) = (stats::median(&calls), stats::median(&seconds));
    Ok(Pace {
        server: place.server.kind.to_string(),
        login: place.login.to_string(),
        scheme: target.scheme(),
        calls: calls.len(),
        at_once_p50_ms: at_once * 1e3,
        at_once_p95_ms: stats::percentile(&calls, 0.95) * 1e3,
        with_pauses_p50_ms: with_pauses * 1e3,
        ratio: at_once / with_pauses,
    })
}

/// Their sessions are ended after all of them: that takes time, too.
fn one_by_one(driver: &mut Driver, target: &Target<'_>, calls: usize, pause: Duration) -> Result<Vec<f64>> {
    let (mut seconds, mut sessions) = (Vec::new(), Vec::new());
    for _ in 0..calls {
        thread::sleep(pause);
        let answer = succeeded(target, driver.call_and_leave(target)?)?.answer;
        seconds.push(answer.seconds);
        sessions.extend(answer.sessions);
    }
    target.end(&sessions)?;
    thread::sleep(PAUSE);
    Ok(seconds)
}
