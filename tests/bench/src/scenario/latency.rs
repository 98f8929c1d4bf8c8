//! Who takes how long, one call at a time.

use std::time::Duration;

use serde::Serialize;

use super::{Place, warm};
use crate::driver::{Call, Driver};
use crate::participants::{FLOOR, Participant};
use crate::report::Problems;
use crate::target::Target;
use crate::{Result, stats};

/// How many calls one makes before it is the next one's turn: after each call of the others, it would
/// find nothing of its own in the processor's caches.
const TURN: usize = 5;

/// What peers do differs by more than takes many calls to tell, and some take their time.
const CALLS_OF_PEERS: usize = 30;

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
    /// How many calls fell back to the classic exchange, or began with it, since a shorter one had failed.
    pub(crate) fallbacks: usize,
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

impl Row {
    /// Where it was.
    pub(crate) fn place(&self) -> String {
        format!("{} {} {}, {} ms", self.server, self.login, self.scheme, self.delay_ms)
    }
}

/// A participant and its calls so far.
struct Running<'a> {
    /// Its place in the report.
    at: usize,
    participant: &'a Participant,
    driver: Driver,
    calls: Vec<Call>,
}

/// One row for each participant that knows the login and can reach the server at all. If one
/// cannot, or stops answering, that is a problem; a peer that cannot is only told.
pub(crate) fn measure(
    place: &Place<'_>,
    is_https: bool,
    delay: Duration,
    participants: &[Participant],
    calls: usize,
    problems: &mut Problems,
) -> Result<Vec<Row>> {
    let target = place.target(is_https, delay, Duration::ZERO)?;
    let floor = place.floor(delay, &[])?;
    let all = std::iter::once(&floor).chain(participants);
    let mut running = Vec::new();
    for (at, participant) in all.enumerate().filter(|(_, one)| one.logins.contains(&place.login)) {
        match warm(participant, &target) {
            Ok(driver) => running.push(Running { at, participant, driver, calls: Vec::new() }),
            Err(error) if participant.is_ours => problems.add(format!("{}: {error}", participant.name)),
            Err(error) => eprintln!("{}: {error}; it is left out here", participant.name),
        }
    }
    for turn in (0..calls).step_by(TURN) {
        running.retain_mut(|one| match one.take_turn(&target, turn, calls) {
            Ok(()) => true,
            Err(error) => {
                problems.add(format!("{}: {target}: {error}", one.participant.name));
                false
            }
        });
        // Another is first in the next turn, so that nobody always follows the same one.
        let others = 1.min(running.len());
        running.rotate_left(others);
    }
    running.sort_by_key(|one| one.at);
    let floor = running.iter().find(|one| one.participant.name == FLOOR);
    let floor = floor.map_or(f64::NAN, |one| stats::median(&seconds(&one.calls)));
    Ok(running.iter().map(|one| row(&target, one.participant, &one.calls, floor)).collect())
}

impl Running<'_> {
    fn take_turn(&mut self, target: &Target<'_>, start: usize, all: usize) -> Result<()> {
        let all = if self.participant.is_ours { all } else { all.min(CALLS_OF_PEERS) };
        for _ in start..all.min(start + TURN) {
            self.calls.push(self.driver.call(target)?);
        }
        Ok(())
    }
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
        scheme: target.scheme(),
        login: target.login.to_string(),
        delay_ms: target.delay.as_millis(),
        name: participant.name.clone(),
        is_ours: participant.is_ours,
        calls: calls.len(),
        failures: calls.len() - seconds.len(),
        fallbacks: calls.iter().map(|call| call.answer.fallbacks).sum(),
        p50_ms: p50 * 1e3,
        p95_ms: stats::percentile(&seconds, 0.95) * 1e3,
        round_trips: usual(calls.iter().filter_map(|call| call.answer.round_trips)),
        effective_round_trips: (!target.delay.is_zero()).then(|| p50 / target.delay.as_secs_f64()),
        client_cpu_ms: mean_ms(|call| call.client_cpu),
        server_cpu_ms: mean_ms(|call| call.server_cpu),
        to_floor: p50 / floor,
    }
}
