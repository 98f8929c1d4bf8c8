//! The smallest use of prebind: log a user in on the server's side, hand JID, SID and RID over.
//!
//! `example-rust` starts a private Prosody, prebinds its accounts alice and bob, and proves that the
//! sessions are real: two more processes, which get nothing but these three values each, attach as
//! two browsers would, and alice's sends bob's a message. With `--once` it then ends; without, the
//! server stays up until Ctrl-C.

mod attach;
mod browser;
mod report;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use prebind::{Account, Client, Config, Credentials, Session};
use servers::{Info, Kind, Server};

use browser::Browser;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => demo(true),
        ["--once"] => demo(false),
        [browser::COMMAND, url, ref errand @ ..] => attach::run(url, errand),
        _ => Err("usage: example-rust [--once]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo(stay: bool) -> Result<()> {
    // Dropped, or this process gone in any way, Ctrl-C included, the server is gone too.
    let server = Server::start(Kind::Prosody)?;
    report::step(&format!("Prosody runs at {} (process {})", server.http_url, server.pid));

    let client = Client::new(Config::new(&server.http_url)?)?;
    let start = Instant::now();
    let alice = log_in(&client, &server, "alice")?;
    report::session(&alice, start.elapsed());
    let bob = log_in(&client, &server, "bob")?;

    prove(&server, &alice, &bob)?;
    if stay {
        report::by_hand(&server);
        loop {
            thread::park();
        }
    }
    Ok(())
}

/// All that a site does for a user who opened a page: the answer to the browser is
/// `session.to_json()`.
fn log_in(client: &Client, server: &Info, user: &str) -> prebind::Result<Session> {
    let password = Credentials::password(server.accounts[user].as_str());
    client.prebind(&Account::new(&format!("{user}@localhost"), password)?)
}

fn prove(server: &Info, alice: &Session, bob: &Session) -> Result<()> {
    let text = format!("hello bob, {:016x}", getrandom::u64()?);

    let mut bobs = Browser::open(&server.http_url, bob, &["hear"])?;
    bobs.read::<attach::Online>()?;
    report::step(&format!("process {} attached as bob with JID, SID and RID alone", bobs.pid()));

    let bare = bob.jid().bare().to_string();
    let mut alices = Browser::open(&server.http_url, alice, &["say", &bare, &text])?;
    alices.read::<attach::Online>()?;
    report::step(&format!("process {} attached as alice, and said \"{text}\"", alices.pid()));

    let message: attach::Message = bobs.read()?;
    if message.from != alice.jid().to_string() {
        return Err(format!("the message is from {}, not from {}", message.from, alice.jid()).into());
    }
    if message.text != text {
        return Err(format!("bob heard \"{}\", alice said \"{text}\"", message.text).into());
    }
    report::step(&format!("bob heard \"{}\" from {}", message.text, message.from));

    alices.close()?;
    bobs.close()?;
    let left = server.wait_until_empty(Duration::from_secs(5))?;
    if !left.is_empty() {
        return Err(format!("still connected: {} sessions, {:?}", left.streams, left.jids).into());
    }
    report::step("both left; the server has no session any more");
    Ok(())
}
