//! What an operator sees of an exchange: every step, and no secret. Alone in its file, since who
//! listens is decided for all threads of a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex};

use faults::Fault;
use prebind::binding::LogEvent;
use prebind::{Account, Client, Config, Credentials};
use servers::{Kind, Server};
use tracing::Level;
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

impl Log {
    /// Listens while `call` runs.
    fn of<T>(call: impl FnOnce() -> T) -> (T, String) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_writer(log.clone())
            .with_ansi(false)
            .finish();
        let result = tracing::subscriber::with_default(subscriber, call);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        (result, text)
    }
}

#[test]
fn the_log_tells_every_step_and_no_secret() {
    // A server that never gets as far as its fault.
    let server = faults::serve(Fault::NoHeaders.at(usize::MAX));
    let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
    let (session, log) = Log::of(|| {
        let client = Client::new(Config::new(&server.url).unwrap()).unwrap();
        let session = client.prebind(&account).unwrap();
        client.terminate(&session).unwrap();
        session
    });
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

#[test]
fn an_observer_is_told_what_happens_in_its_call_alone() {
    let server = faults::serve(Fault::NoHeaders.at(usize::MAX));
    let client = Client::new(Config::new(&server.url).unwrap()).unwrap();
    let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
    let told = |level| {
        let told = RefCell::<Vec<String>>::default();
        let tell = |it: LogEvent<'_>| {
            told.borrow_mut().push(format!("{} {}: {}", it.level, it.target, it.message));
        };
        let session = prebind::binding::with_log(level, tell, || client.prebind(&account)).unwrap();
        client.terminate(&session).unwrap();
        told.into_inner()
    };
    let [outcome] = told(Level::INFO).try_into().unwrap();
    assert!(outcome.starts_with("INFO prebind::client: session opened host="), "{outcome}");
    assert!(outcome.contains(" jid=alice@localhost ") && outcome.contains(" round_trips="), "{outcome}");
    let steps = told(Level::DEBUG);
    assert!(steps.len() > 4 && steps.iter().all(|line| line.contains("jid=alice@localhost")), "{steps:?}");
    let wire = told(Level::TRACE);
    assert!(wire.iter().any(|line| line.starts_with("TRACE prebind::wire: sent ")), "{wire:?}");
    assert!(!wire.iter().any(|line| line.contains("wonder-1") || line.contains("AGFsaWNl")), "{wire:?}");
}

#[test]
fn keys_are_derived_once_for_a_client_and_its_clones() {
    let server = Server::start(Kind::Prosody).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(Config::new(&server.http_url).unwrap()).unwrap();
    let is_known = |client: &Client, password: &str| {
        let account = Account::new("alice@localhost", Credentials::password(password)).unwrap();
        let (result, log) = Log::of(|| client.prebind(&account));
        assert_eq!(result.is_ok(), password == "wonder-1");
        log.contains("is_kept=true")
    };
    assert!(!is_known(&client, "wonder-1"));
    assert!(is_known(&client, "wonder-1"));
    assert!(is_known(&client.clone(), "wonder-1"));
    assert!(!is_known(&client, "wrong"));
    assert!(is_known(&client, "wonder-1"), "a wrong password takes nothing from the right one");
}
