//! What many threads get done with one client, compared with as many floors. The server has a
//! processor of its own, as on another machine: else it would wait for its clients' work.

use std::time::Duration;

use serde::Serialize;

use super::Place;
use crate::driver::Driver;
use crate::{Result, cpu, participants, stats};

const THREADS: usize = 8;

#[derive(Debug, Serialize)]
pub(crate) struct Throughput {
    pub(crate) server: String,
    pub(crate) login: String,
    pub(crate) threads: usize,
    pub(crate) client_per_second: f64,
    pub(crate) floor_per_second: f64,
    pub(crate) ratio: f64,
}

/// `bursts` of so many calls by each thread, in turns.
pub(crate) fn measure(place: &Place<'_>, calls: usize, bursts: usize) -> Result<Throughput> {
    let target = place.target(false, Duration::ZERO, Duration::ZERO)?;
    let (threads, calls_each) = (THREADS.to_string(), calls.to_string());
    let arguments = ["--threads", &threads, "--calls", &calls_each];
    let both = [participants::rust(&arguments)?, place.floor(Duration::ZERO, &arguments)?];
    let mut drivers =
        both.iter().map(|one| Driver::start(&one.command, &target)).collect::<Result<Vec<_>>>()?;
    let processors = cpu::processors()?;
    if let [first, others @ ..] = processors.as_slice()
        && !others.is_empty()
    {
        cpu::keep_to(place.server.pid, &[*first])?;
        drivers.iter().try_for_each(|driver| driver.keep_to(others))?;
    }
    let mut rates = [Vec::new(), Vec::new()];
    // The first burst opens connections.
    for burst in 0..=bursts {
        for ((driver, rates), participant) in drivers.iter_mut().zip(&mut rates).zip(&both) {
            let answer = driver.call(&target)?.answer;
            if let Some(error) = answer.errors.first() {
                return Err(format!("{target}, {} with {THREADS} threads: {error}", participant.name).into());
            }
            if burst > 0 {
                rates.push(stats::as_f64(answer.sessions.len()) / answer.seconds);
            }
        }
    }
    cpu::keep_to(place.server.pid, &processors)?;
    let [client, floor] = rates.map(|rates| stats::median(&rates));
    Ok(Throughput {
        server: place.server.kind.to_string(),
        login: place.login.to_string(),
        threads: THREADS,
        client_per_second: client,
        floor_per_second: floor,
        ratio: client / floor,
    })
}
