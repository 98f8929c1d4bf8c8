//! What a client costs that nobody uses yet. Alone in its file, since all of a process is measured.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod counting;

use prebind::{Client, Config};

/// Sites with many tenants have a client for each.
#[test]
fn a_client_for_https_is_small() {
    let client = |number: u32| {
        Client::new(Config::new(&format!("https://{number}.chat.example.org/http-bind")).unwrap()).unwrap()
    };
    // What all clients share.
    let _first = client(0);
    let before = counting::in_use();
    let clients: Vec<Client> = (1..=100).map(client).collect();
    let each = (counting::in_use() - before) / clients.len();
    assert!(each <= 10 * 1024, "{each} bytes for each client");
}
