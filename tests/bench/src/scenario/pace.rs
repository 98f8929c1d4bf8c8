//! Whether calls that follow each other at once are as fast as calls with a pause between, on
//! Prosody, which slows down the connections that it has heard much from.

use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::{Place, warm};
use crate::{Result, participants, stats};

const PAUSE: Duration = Duration::from_millis(100);
const BLOCK: usize = 10;

#[derive(Debug, Serialize)]
pub(crate) struct Pace {
    pub(crate) server: String,
    pub(crate) login: String,
    pub(crate) scheme: &'static str,
    pub(crate) at_once_p50_ms: f64,
    pub(crate) with_pauses_p50_ms: f64,
    pub(crate) ratio: f64,
}

pub(crate) fn measure(place: &Place<'_>, is_https: bool, calls: usize) -> Result<Pace> {
    let target = place.target(is_https, Duration::ZERO, Duration::ZERO)?;
    let mut driver = warm(&participants::rust(&[])?, &target)?;
    let (mut at_once, mut with_pauses) = (Vec::new(), Vec::new());
    for _ in 0..calls.div_ceil(BLOCK) {
        for (pause, seconds) in [(Duration::ZERO, &mut at_once), (PAUSE, &mut with_pauses)] {
            let mut sessions = Vec::new();
            for _ in 0..BLOCK {
                thread::sleep(pause);
                let answer = driver.call_and_leave(&target)?.answer;
                seconds.push(answer.seconds);
                sessions.extend(answer.sessions);
            }
            target.end(&sessions)?;
            thread::sleep(PAUSE);
        }
    }
    let (at_once, with_pauses) = (stats::median(&at_once), stats::median(&with_pauses));
    Ok(Pace {
        server: place.server.kind.to_string(),
        login: place.login.to_string(),
        scheme: if is_https { "https" } else { "http" },
        at_once_p50_ms: at_once * 1e3,
        with_pauses_p50_ms: with_pauses * 1e3,
        ratio: at_once / with_pauses,
    })
}
