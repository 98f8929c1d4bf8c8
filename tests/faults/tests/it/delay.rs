//! The delay, seen from both ends.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const EACH_WAY: Duration = Duration::from_millis(20);

#[test]
fn an_answer_takes_twice_the_delay_and_everything_arrives_in_order() {
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
