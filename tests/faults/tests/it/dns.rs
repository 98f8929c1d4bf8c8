//! Tests that in the black hole names do not resolve, and everything else works.

use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::process::Command;

#[test]
fn queries_hang_for_a_command() {
    if faults::dns::command("true").is_err() {
        eprintln!("skipped: no namespaces here");
        return;
    }
    let run = |command: &[&str]| {
        let mut faults = Command::new(env!("CARGO_BIN_EXE_faults"));
        faults.args(["black-hole-dns", "--"]).args(command);
        faults.output().unwrap().status.code()
    };
    // The command `timeout` exits with 124 when the time is up. A refused query would give 2 at once.
    assert_eq!(run(&["timeout", "1", "getent", "hosts", "example.invalid"]), Some(124));
    assert_eq!(run(&["getent", "ahosts", "localhost"]), Some(0));
    assert_eq!(run(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(run(&["no such program"]), Some(1));
}

#[test]
fn a_test_runs_itself_again_inside() {
    let outcome = faults::dns::black_hole("dns::a_test_runs_itself_again_inside", || {
        let (done, resolved) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(("example.invalid", 80).to_socket_addrs().is_ok()));
        assert!(resolved.recv_timeout(std::time::Duration::from_millis(500)).is_err());

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect(("localhost", port)).is_ok());
    });
    if let Err(reason) = outcome {
        eprintln!("skipped: {reason}");
    }
}
