//! What the first call of a process takes, which has no connection and knows of the server only what
//! another one learned.

use std::time::Duration;

use serde::Serialize;

use super::{FAR, Place, WARM_UP, succeeded};
use crate::driver::Driver;
use crate::{Result, participants, stats};

#[derive(Debug, Serialize)]
pub(crate) struct Cold {
    pub(crate) server: String,
    pub(crate) login: String,
    pub(crate) scheme: &'static str,
    pub(crate) processes: usize,
    pub(crate) first_p50_ms: f64,
    pub(crate) later_p50_ms: f64,
    /// How many round trips of the path the first call takes more than later ones: opening the
    /// connection takes one, and with TLS another.
    pub(crate) more_round_trips: f64,
}

pub(crate) fn measure(place: &Place<'_>, is_https: bool, processes: usize) -> Result<Cold> {
    let target = place.target(is_https, FAR, Duration::ZERO)?.known(WARM_UP)?;
    let rust = participants::rust(&[])?;
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for _ in 0..processes {
        let mut driver = Driver::start(&rust.command, &target)?;
        let seconds = (0..=WARM_UP)
            .map(|_| Ok(succeeded(&target, driver.call(&target)?)?.answer.seconds))
            .collect::<Result<Vec<_>>>()?;
        first.push(seconds[0]);
        later.push(seconds[WARM_UP]);
    }
    let (first, later) = (stats::median(&first), stats::median(&later));
    Ok(Cold {
        server: place.server.kind.to_string(),
        login: place.login.to_string(),
        scheme: target.scheme(),
        processes,
        first_p50_ms: first * 1e3,
        later_p50_ms: later * 1e3,
        more_round_trips: (first - later) / FAR.as_secs_f64(),
    })
}
