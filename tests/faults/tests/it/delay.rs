//! Tests the delay from both ends.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const EACH_WAY: Duration = Duration::from_millis(20);

/// Sends all bytes of one connection back, and returns them at its end.
fn echo() -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = listener.local_addr().expect("its address");
    let echo = thread::spawn(move || {
        let (mut tcp, _) = listener.accept().expect("a connection");
        let mut all = Vec::new();
        let mut buffer = [0; 100];
        while let Ok(amount @ 1..) = tcp.read(&mut buffer) {
            tcp.write_all(&buffer[..amount]).expect("an open connection");
            all.extend_from_slice(&buffer[..amount]);
        }
        all
    });
    (target, echo)
}

#[test]
fn an_answer_takes_twice_the_delay_and_everything_arrives_in_order() {
    let (target, echo) = echo();
    let proxy = faults::delay(target, EACH_WAY, Duration::from_millis(5));
    let mut tcp = TcpStream::connect(proxy.address).expect("a connection");
    let mut sent = Vec::new();
    for number in 0..10_u8 {
        let start = Instant::now();
        let piece = [number; 30];
        tcp.write_all(&piece).expect("an open connection");
        tcp.read_exact(&mut [0; 30]).expect("the echo");
        assert!(start.elapsed() >= EACH_WAY * 2, "{:?}", start.elapsed());
        sent.extend_from_slice(&piece);
    }
    drop(tcp);
    assert_eq!(echo.join().expect("the end of the connection arrives"), sent);
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn over_a_distance_a_connection_takes_a_round_trip_to_open() {
    let (target, echo) = echo();
    let proxy = faults::distance(target, EACH_WAY, Duration::ZERO);
    let start = Instant::now();
    let mut tcp = TcpStream::connect(proxy.address).expect("a connection");
    for round_trips in [2, 3] {
        tcp.write_all(b"?").expect("an open connection");
        tcp.read_exact(&mut [0]).expect("the echo");
        assert!(start.elapsed() >= EACH_WAY * 2 * round_trips, "{:?}", start.elapsed());
    }
    drop(tcp);
    echo.join().expect("the end of the connection arrives");
}

#[test]
fn a_connection_that_was_opened_ahead_is_open() {
    let (target, _echo) = echo();
    let round_trip = EACH_WAY * 10;
    let proxy = faults::distance(target, round_trip / 2, Duration::ZERO);
    let mut tcp = TcpStream::connect(proxy.address).expect("a connection");
    // Only the proxy's clock counts, and nothing shows when the proxy regards the connection as open.
    thread::sleep(round_trip);
    let start = Instant::now();
    let ((), took) = faults::timed(|| {
        tcp.write_all(b"?").expect("an open connection");
        tcp.read_exact(&mut [0]).expect("the echo");
    });
    assert!(start.elapsed() >= round_trip && took < round_trip * 2, "{took:?}");
}

#[test]
fn urls_lead_through_it_and_dropping_it_ends_it() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = faults::delay(listener.local_addr().expect("its address"), EACH_WAY, Duration::ZERO);
    let (address, port) = (proxy.address, proxy.address.port());
    assert_eq!(
        proxy.through("https://localhost:5281/http-bind?a=b"),
        format!("https://localhost:{port}/http-bind?a=b")
    );
    let mut tcp = TcpStream::connect(address).expect("a connection");
    drop(proxy);
    assert_eq!(tcp.read(&mut [0]).unwrap_or(0), 0, "connections are closed");
    assert!(TcpStream::connect(address).is_err(), "the port is free again");
}
