//! Tests the relay and the server behind it.

use std::io::Write as _;
use std::net::TcpListener;

use crate::client::{CREATION, connect, post};

#[test]
fn a_relay_ends_while_its_target_holds_a_request() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let relay = faults::relay(target.local_addr().unwrap());
    let mut tcp = connect(&relay.through("http://chat.example.org/http-bind"));
    tcp.write_all(post(CREATION).as_bytes()).unwrap();
    let (_held, _) = target.accept().unwrap();
    drop(relay);
}
