//! What an operator sees of an exchange: every step, and no secret. Alone in its file, since who
//! listens is decided for all threads of a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io;
use std::sync::{Arc, Mutex};

use faults::Fault;
use prebind::{Account, Client, Config, Credentials};
use tracing_subscriber::fmt::MakeWriter;

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn the_log_tells_every_step_and_no_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // A server that never gets as far as its fault.
    let server = faults::serve(Fault::NoHeaders.at(usize::MAX));
    let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
    let session = tracing::subscriber::with_default(subscriber, || {
        let client = Client::new(Config::new(&server.url).unwrap()).unwrap();
        let session = client.prebind(&account).unwrap();
        client.terminate(&session).unwrap();
        session
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: String = log.lines().filter(|line| line.contains(" prebind")).collect::<Vec<_>>().join("\n");
    for step in [
        "stage=create",
        "stage=authenticate",
        "stage=restart",
        "stage=bind",
        "stage=terminate",
        "milliseconds",
    ] {
        assert!(ours.contains(step), "{step} is missing in {ours}");
    }
    // base64 of NUL alice NUL wonder-1
    for secret in
        ["wonder-1", "AGFsaWNl", session.sid(), &session.rid().to_string(), &session.last_rid().to_string()]
    {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
