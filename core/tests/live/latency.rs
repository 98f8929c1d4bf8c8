//! What must not be waited for.

use std::time::Duration;

use prebind::{Account, Client, Credentials, ErrorKind};

use crate::{PROSODY, config};

/// Prosody sends its session tickets in segments of their own, and its first answer only once the
/// last is acknowledged, for which a system lets it wait 40 ms unless it is told not to.
#[cfg(target_os = "linux")]
#[test]
fn the_first_answer_over_tls_waits_for_no_acknowledgement() {
    let config = config(&PROSODY, &PROSODY.https_url);
    // Prosody refuses it in its first answer.
    let account = Account::new("alice@nowhere.example", Credentials::password("secret")).unwrap();
    let first_request = || {
        let client = Client::new(config.clone()).unwrap();
        let (result, took) = faults::timed(|| client.prebind(&account));
        assert_eq!(result.unwrap_err().kind(), &ErrorKind::Terminated);
        took
    };
    // A busy machine may be as slow as that, not each time.
    let has_not_waited = (0..100).any(|_| first_request() < Duration::from_millis(30));
    assert!(has_not_waited);
}
