//! Decides whether a process that makes many calls leaks. The tests of all languages use this rule.

use std::collections::BTreeMap;

/// The resources of a process at one moment, by name: `files`, `threads`, and `memory` in KiB.
pub type State = BTreeMap<String, u64>;

/// One state in this many, and at least the first, belongs to a process that is still warming up.
const WARM_UP: usize = 5;

/// The fewest stretches of calls that show a leak.
const MIN_STRETCHES: usize = 3;

/// How much a measure, given by its name, may grow with each call.
///
/// A leak of one file or thread, or of 1 KiB, in each call is far above the limit. The soak tests make twelve
/// kinds of calls, so a file or thread that leaks in every twelfth call is above it, too.
fn limit(measure: &str) -> f64 {
    if measure == "memory" { 0.5 } else { 0.05 }
}

/// How much each measure grows with each call, given its states after every `calls` calls.
///
/// A leak grows in every stretch of calls. Resources that a process keeps because of concurrency, such as the
/// connections of a pool, grow only in a few stretches, and so does a heap with holes. So the median of the
/// stretches counts, and the lower one of two.
///
/// # Errors
/// Says which measure grows too fast, or that there are too few states to decide.
pub fn growth(states: &[State], calls: u64) -> Result<BTreeMap<String, f64>, String> {
    let warm = &states[(states.len() / WARM_UP).max(1).min(states.len())..];
    if warm.len() <= MIN_STRETCHES || calls == 0 {
        return Err(format!("{} states are too few to see a leak in", states.len()));
    }
    let mut growth = BTreeMap::new();
    for measure in warm[0].keys() {
        let values: Option<Vec<u64>> = warm.iter().map(|state| state.get(measure).copied()).collect();
        let values = values.ok_or_else(|| format!("`{measure}` is missing in a state"))?;
        growth.insert(measure.clone(), per_call(&values, calls));
    }
    let too_fast = |(measure, per_call): (&String, &f64)| {
        (*per_call > limit(measure)).then(|| format!("`{measure}` grows by {per_call:.3} with each call"))
    };
    let leaks: Vec<String> = growth.iter().filter_map(too_fast).collect();
    if leaks.is_empty() { Ok(growth) } else { Err(leaks.join(", ")) }
}

#[expect(clippy::cast_precision_loss, reason = "far less than 2^52")]
fn per_call(values: &[u64], calls: u64) -> f64 {
    let mut stretches: Vec<f64> = values.windows(2).map(|pair| pair[1] as f64 - pair[0] as f64).collect();
    stretches.sort_by(f64::total_cmp);
    stretches[(stretches.len() - 1) / 2] / calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(measure: &str, values: &[u64]) -> Vec<State> {
        values.iter().map(|value| State::from([(measure.to_owned(), *value)])).collect()
    }

    fn is_leak(measure: &str, values: &[u64]) -> bool {
        growth(&states(measure, values), 200).is_err()
    }

    #[test]
    fn growth_with_every_call_is_a_leak() {
        let line = |by: u64| [0, 1, 2, 3, 4, 5].map(|stretch| 100 + stretch * by);
        assert!(is_leak("files", &line(200)), "one in each call");
        assert!(is_leak("threads", &line(17)), "one in each twelfth call");
        assert!(is_leak("memory", &line(200)), "1 KiB in each call");
        assert!(!is_leak("files", &line(0)));
        assert!(!is_leak("memory", &line(50)), "the heap is never quite the same");
    }

    #[test]
    fn growth_once_or_now_and_then_is_no_leak() {
        assert!(
            !is_leak("files", &[20, 20, 20, 84, 84, 84]),
            "a pool that has to hold more from some call on"
        );
        assert!(!is_leak("files", &[20, 84, 20, 84, 20, 84]));
        assert!(!is_leak("memory", &[9000, 50_000, 50_000, 70_000, 70_000, 70_000]));
        assert!(!is_leak("files", &[10, 900, 900, 900, 900, 900]), "warming up");
    }

    #[test]
    fn a_leak_is_seen_despite_other_changes() {
        assert!(is_leak("files", &[20, 260, 410, 690, 800, 1060]));
    }

    #[test]
    fn too_few_states_are_an_error() {
        assert!(is_leak("files", &[]));
        assert!(is_leak("files", &[1, 1, 1, 1]));
        assert!(!is_leak("files", &[1, 1, 1, 1, 1]));
        assert!(growth(&states("files", &[1; 6]), 0).is_err());
        let mut uneven = states("files", &[1; 6]);
        uneven[5].clear();
        assert!(growth(&uneven, 200).unwrap_err().contains("missing"));
    }
}
