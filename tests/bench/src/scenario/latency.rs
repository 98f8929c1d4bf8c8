//! Who takes how long, one call at a time.

use std::time::Duration;

use serde::Serialize;

use super::{Place, warm};
use crate::driver::{Call, Driver};
use crate::participants::{FLOOR, Participant};
use crate::target::Target;
use crate::{Result, stats};

/// How many calls one makes before it is the next one's turn: after each call of the others, it would
/// find nothing of its own in the processor's caches.
const TURN: usize = 5;

/// What one participant did in one place.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) server: String,
    pub(crate) scheme: &'static str,
    pub(crate) login: String,
    pub(crate) delay_ms: u128,
    pub(crate) name: String,
    /// Whether it is this library.
    pub(crate) is_ours: bool,
    pub(crate) calls: usize,
    pub(crate) failures: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    /// How many times requests were sent and waited for in the usual call, as the participant counts.
    pub(crate) round_trips: Option<u32>,
    /// The time in round trips of the path.
    pub(crate) effective_round_trips: Option<f64>,
    pub(crate) client_cpu_ms: f64,
    pub(crate) server_cpu_ms: f64,
    /// The time, compared with the floor's.
    pub(crate) to_floor: f64,
}

/// One row for each participant that knows the login and can reach the server at all.
pub(crate) fn measure(
    place: &Place<'_>,
    is_https: bool,
    delay: Duration,
    participants: &[Participant],
    calls: usize,
) -> Result<Vec<Row>> {
    let target = place.target(is_https, delay, Duration::ZERO)?;
    let mut running: Vec<(&Participant, Driver, Vec<Call>)> = Vec::new();
    for participant in participants.iter().filter(|participant| participant.logins.contains(&place.login)) {
        match warm(participant, &target) {
            Ok(driver) => running.push((participant, driver, Vec::new())),
            Err(error) if participant.is_ours => return Err(error),
            Err(error) => eprintln!("{error}; it is left out here"),
        }
    }
    for turn in (0..calls).step_by(TURN) {
        for (_, driver, measured) in &mut running {
            for _ in turn..calls.min(turn + TURN) {
                measured.push(driver.call(&target)?);
            }
        }
    }
    let floor = running.iter().find(|(participant, ..)| participant.name == FLOOR);
    let floor = stats::median(&floor.map_or_else(Vec::new, |(.., measured)| seconds(measured)));
    Ok(running.iter().map(|(participant, _, measured)| row(&target, participant, measured, floor)).collect())
}

fn seconds(calls: &[Call]) -> Vec<f64> {
    calls.iter().filter(|call| call.answer.errors.is_empty()).map(|call| call.answer.seconds).collect()
}

/// The median of counts.
fn usual(counts: impl Iterator<Item = u32>) -> Option<u32> {
    let mut counts: Vec<u32> = counts.collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied()
}

fn row(target: &Target<'_>, participant: &Participant, calls: &[Call], floor: f64) -> Row {
    let seconds = seconds(calls);
    let p50 = stats::median(&seconds);
    let mean_ms = |cpu: fn(&Call) -> Duration| stats::mean(&calls.iter().map(cpu).collect::<Vec<_>>()) * 1e3;
    Row {
        server: target.server.kind.to_string(),
        scheme: if target.is_https { "https" } else { "http" },
        login: target.login.to_string(),
        delay_ms: target.delay.as_millis(),
        name: participant.name.clone(),
        is_ours: participant.is_ours,
        calls: calls.len(),
        failures: calls.len() - seconds.len(),
        p50_ms: p50 * 1e3,
        p95_ms: stats::percentile(&seconds, 0.95) * 1e3,
        round_trips: usual(calls.iter().filter_map(|call| call.answer.round_trips)),
        effective_round_trips: (!target.delay.is_zero()).then(|| p50 / target.delay.as_secs_f64()),
        client_cpu_ms: mean_ms(|call| call.client_cpu),
        server_cpu_ms: mean_ms(|call| call.server_cpu),
        to_floor: p50 / floor,
    }
}
