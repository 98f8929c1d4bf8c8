//! What must not be waited for.

use std::time::{Duration, Instant};

use prebind::{Client, ErrorKind};

use crate::{PROSODY, config};

/// Prosody sends its session tickets in segments of their own, and its first answer only once the
/// last is acknowledged, for which a system lets it wait 40 ms unless it is told not to.
#[cfg(target_os = "linux")]
#[test]
fn the_first_answer_over_tls_waits_for_no_acknowledgement() {
    let config = config(&PROSODY, &PROSODY.https_url);
    let first_request = || {
        let client = Client::new(config.clone()).unwrap();
        let start = Instant::now();
        let error = client.terminate_by("nobody", 1000).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Terminated);
        start.elapsed()
    };
    let best = (0..10).map(|_| first_request()).min().unwrap();
    assert!(best < Duration::from_millis(30), "{best:?}");
}
