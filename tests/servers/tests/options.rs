//! Tests what each option changes.

mod common;

use std::time::{Duration, Instant};

use common::{Bosh, agent, mechanisms, start};
use servers::{Info, Kind, Options, Server, hosts};

/// The pause that Prosody's limit of 10 kB/s causes for the 200 bytes or more of a session creation.
const PAUSE: Duration = Duration::from_millis(20);

#[test]
fn prosody_without_limits_and_without_mechanisms_on_http() {
    let options = Options { limits: false, mechanisms_on_http: false, ..Options::default() };
    let server = Server::start_with(Kind::Prosody, options).unwrap();
    let agent = agent(&server);

    let (session, answer) = Bosh::create(&agent, &server.http_url, hosts::LOCALHOST);
    assert!(mechanisms(&answer).is_empty(), "{answer}");
    assert!(answer.contains("<starttls "), "{answer}");
    session.terminate();
    let (session, answer) = Bosh::create(&agent, &server.https_url, hosts::LOCALHOST);
    assert_eq!(mechanisms(&answer), ["PLAIN", "SCRAM-SHA-1"]);
    session.terminate();

    // A busy machine may be slow sometimes, but not every time.
    assert!((0..100).any(|_| second_request(&server) < PAUSE));
}

#[test]
fn prosody_with_limits() {
    let server = start(Kind::Prosody);
    // On a busy machine the pause may be over before the second request is sent.
    assert!((0..100).any(|_| second_request(&server) > PAUSE));
}

/// How long the server takes for a second request on the connection that created the session.
fn second_request(server: &Info) -> Duration {
    let agent = agent(server);
    let (session, _) = Bosh::create(&agent, &server.http_url, hosts::LOCALHOST);
    let begin = Instant::now();
    session.terminate();
    begin.elapsed()
}
