//! What the demo shows.

use std::env;
use std::io::{IsTerminal as _, stdout};
use std::time::Duration;

use prebind::Session;
use servers::Info;

pub(crate) fn step(text: &str) {
    let mark = if stdout().is_terminal() { "\x1b[32m✓\x1b[0m" } else { "-" };
    println!("{mark} {text}");
}

pub(crate) fn session(session: &Session, time: Duration) {
    step(&format!(
        "prebind logged alice in: {}, {} round trips, {} ms",
        session.mechanism(),
        session.round_trips(),
        time.as_millis()
    ));
    println!("\n    JID  {}", session.jid());
    println!("    SID  {}", session.sid());
    println!("    RID  {}\n", session.rid());
}

pub(crate) fn by_hand(server: &Info) {
    println!("\nThe server stays up. Accounts:");
    for (user, password) in &server.accounts {
        println!("    {user}@localhost  password {password}");
    }
    println!("Log in by hand in another terminal:");
    if let Ok(folder) = env::current_dir() {
        println!("    cd {}", folder.display());
    }
    println!("    cargo run -q -p prebind-cli -- login {} alice@localhost", server.http_url);
    println!("Ctrl-C ends it all.");
}
