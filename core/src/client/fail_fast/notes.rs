//! What is known of the server as text, which the processes of one host leave each other.
//!
//! `off FAILURES PAUSE UNTIL PROBING` is on the first line if calls fail at once, then one line for each call:
//! when it ended, and 1 if it did not reach the server. Times are in milliseconds. A line that is something
//! else is ignored: it may be of another version, or written in part.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Off, State};

/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(3600);

impl State {
    /// What is known according to the text. One that speaks of later times than there can be is from before the
    /// machine was started again.
    pub(super) fn read(text: &str, now: Duration) -> Self {
        let mut state = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("off", words)) => state.off = Off::read(words),
                Some((at, failed @ ("0" | "1"))) => {
                    state.outcomes.extend(time(at).filter(|at| *at <= now).map(|at| (at, failed == "1")));
                }
                _ => {}
            }
        }
        state.off = state.off.filter(|off| {
            off.pause <= LONGEST
                && off.until <= now + off.pause.mul_f64(1.5)
                && off.probing_since.is_none_or(|since| since <= now)
        });
        state
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        if let Some(off) = &self.off {
            let probing = off.probing_since.map_or_else(|| "-".to_owned(), |at| at.as_millis().to_string());
            let (pause, until) = (off.pause.as_millis(), off.until.as_millis());
            let _ = writeln!(text, "off {} {pause} {until} {probing}", off.failures);
        }
        for (at, is_failure) in &self.outcomes {
            let _ = writeln!(text, "{} {}", at.as_millis(), u8::from(*is_failure));
        }
        text
    }
}

impl Off {
    fn read(words: &str) -> Option<Self> {
        let [failures, pause, until, probing] = words.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Self {
            failures: failures.parse().ok()?,
            pause: time(pause)?,
            until: time(until)?,
            probing_since: time(probing),
        })
    }
}

fn time(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}
