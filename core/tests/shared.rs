//! The clients that a process keeps for callers that cannot.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use prebind::{Client, Config};

#[test]
fn a_profile_begins_a_client_and_makes_no_other_one() {
    let mut config = Config::new("http://127.0.0.1:9/shared").unwrap();
    let first = Client::shared(config.clone()).unwrap();
    let learned = first.profile().replace(
        "\"domains\":[]",
        "\"domains\":[{\"name\":\"example.org\",\"server\":\"prosody\",\"mechanisms\":[\"PLAIN\"]}]",
    );
    assert_ne!(learned, first.profile());

    config = config.with_profile(Some(learned.clone()));
    assert_eq!(Client::shared(config.clone()).unwrap().profile(), first.profile());
    config = config.with_deadline(Duration::from_secs(3)).unwrap();
    assert_eq!(Client::shared(config.clone()).unwrap().profile(), learned);
    config = config.with_profile(None);
    assert_eq!(Client::shared(config).unwrap().profile(), learned, "it is kept");
}
