//! What a few calls of everyone show: that all succeed, in as many round trips as planned. Times are not
//! looked at: the machine may be busy.

use super::{Report, goals};
use crate::args::Options;
use crate::participants::{self, FLOOR, RUST};

impl Report {
    /// What is not as expected.
    pub(super) fn surprises(&self, options: &Options) -> Vec<String> {
        let mut surprises = Vec::new();
        for row in self.latency.iter().filter(|row| row.is_ours) {
            let planned = goals::planned(row);
            // On a busy machine, ejabberd may be too late for the request that is to fetch its answer; without a path,
            // any server may.
            let spare = u32::from(row.server.starts_with("ejabberd"));
            let is_long = row.delay_ms > 0 && row.round_trips > planned.map(|planned| planned + spare);
            if row.failures > 0 || row.fallbacks > 0 || row.round_trips.is_none() || is_long {
                surprises.push(format!("{row:?}, but {planned:?} round trips are planned"));
            }
        }
        let failed = self.series.iter().filter(|series| series.failures + series.fallbacks > 0);
        surprises.extend(failed.map(|series| format!("{series:?}")));
        let given = options.peer.iter().map(|peer| participants::peer_name(peer));
        for name in [RUST.to_owned(), FLOOR.to_owned()].into_iter().chain(given) {
            if !self.latency.iter().any(|row| row.name == name && row.failures == 0) {
                surprises.push(format!("{name} was not measured"));
            }
        }
        surprises
    }
}
