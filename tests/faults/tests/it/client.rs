//! A client that only shows what is on the wire.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any expected event takes, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough to conclude that nothing happens.
pub(crate) const QUIET: Duration = Duration::from_millis(400);

pub(crate) const CREATION: &str = "<body xmlns=\"http://jabber.org/protocol/httpbind\" \
    xmlns:xmpp=\"urn:xmpp:xbosh\" content=\"text/xml; charset=utf-8\" hold=\"1\" rid=\"1000\" \
    to=\"localhost\" ver=\"1.11\" wait=\"55\" xml:lang=\"en\" xmpp:version=\"1.0\"/>";

pub(crate) fn address(url: &str) -> SocketAddr {
    let authority = url.split('/').nth(2).expect("a URL");
    authority.parse().expect("an IP address and a port")
}

pub(crate) fn connect(url: &str) -> TcpStream {
    let tcp = TcpStream::connect(address(url)).expect("a listening server");
    tcp.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    tcp
}

pub(crate) fn post(body: &str) -> String {
    let length = body.len();
    format!("POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// How the bytes of a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
    /// No more bytes came, but the connection is open.
    Quiet,
}

/// The bytes that arrive until the connection ends, or until nothing comes for `patience`.
pub(crate) fn receive(mut tcp: &TcpStream, patience: Duration) -> (String, End) {
    tcp.set_read_timeout(Some(patience)).expect("a timeout");
    let mut bytes = Vec::new();
    let end = match tcp.read_to_end(&mut bytes) {
        Ok(_) => End::Closed,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
        Err(_) => End::Quiet,
    };
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

/// The bytes that arrive until `is_enough`. The connection must not end before.
pub(crate) fn receive_until(mut tcp: &TcpStream, is_enough: impl Fn(&str) -> bool) -> String {
    let mut bytes = String::new();
    while !is_enough(&bytes) {
        let mut chunk = vec![0; 4 << 10];
        let amount = tcp.read(&mut chunk).expect("it goes on");
        assert!(amount > 0, "it ends after {bytes}");
        bytes.push_str(&String::from_utf8_lossy(&chunk[..amount]));
    }
    bytes
}

/// Sends one request on a connection, and returns head and body of its response.
pub(crate) fn exchange(stream: &mut (impl Read + Write), body: &str) -> (String, String) {
    let request = post(body);
    stream.write_all(request.as_bytes()).expect("sending");
    response(stream)
}

/// Reads a complete response. `Content-Length` gives its end; a 204 has no body.
pub(crate) fn response(stream: &mut impl Read) -> (String, String) {
    let head = head(stream);
    let length = head.split("Content-Length: ").nth(1).unwrap_or("0");
    let length = length.lines().next().and_then(|line| line.parse().ok());
    let mut body = vec![0; length.expect("a number")];
    stream.read_exact(&mut body).expect("the whole body");
    (head, String::from_utf8_lossy(&body).into_owned())
}

/// Reads a status line and header fields, and no further byte.
pub(crate) fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a response head");
        head.extend_from_slice(&byte);
    }
    String::from_utf8(head).expect("an ASCII head")
}
