//! What is known of the server, written as text that the processes of one host share.
//!
//! The first line is `off FAILURES PAUSE UNTIL PROBING` if calls fail at once. Then each call has a line:
//! when it ended, and 1 if it did not reach the server, else 0. Times are in milliseconds. Any other line is
//! ignored: another version may have written it, or only a part of it was written.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Off, State};

/// The longest pause that is believed.
const LONGEST: Duration = Duration::from_secs(3600);

impl State {
    /// Reads the text. Times in the future are ignored: they were written before the machine was restarted.
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
