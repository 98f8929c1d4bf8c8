//! An open connection: TCP that keeps to a deadline, TLS over it, and notes about the request that it
//! carries.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustls::{ClientConnection, StreamOwned};

use super::obstacle::Spoken;
use crate::client::give_up;
use crate::client::outbox::Posted;

/// An open connection. A lane owns it and lends it to `ureq`.
pub(super) struct Connection {
    line: Mutex<Line>,
    /// The address that it is connected to.
    pub(super) peer: Option<SocketAddr>,
}

/// A connection while it is in use.
pub(super) struct Line {
    pub(super) stream: Stream,
    pub(super) notes: Notes,
}

/// What is known of the request that a connection carries.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) posted: Option<Posted>,
    /// How many bytes were sent.
    pub(super) sent: usize,
    /// What the answer begins with.
    pub(super) spoken: Spoken,
}

impl Connection {
    pub(super) fn new(stream: Stream, peer: Option<SocketAddr>) -> Self {
        Self { line: Mutex::new(Line { stream, notes: Notes::default() }), peer }
    }

    /// Prepares the connection for a request that has to be answered before this moment. If the request
    /// `lingers`, its answer is waited for a little longer even after the caller has given up.
    pub(super) fn begin(&self, until: Instant, lingers: bool, posted: Option<Posted>) {
        let mut line = self.line();
        let socket = line.stream.socket();
        (socket.until, socket.lingers) = (until, lingers);
        line.notes = Notes { posted, ..Notes::default() };
    }

    pub(super) fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the server has left the connection open and sent nothing without being asked.
    pub(super) fn is_quiet(&self) -> bool {
        let mut line = self.line();
        let tcp = &line.stream.socket().tcp;
        let is_quiet = tcp.set_nonblocking(true).is_ok()
            && matches!(tcp.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        tcp.set_nonblocking(false).is_ok() && is_quiet
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

/// TCP, TLS over TCP, or TLS over TLS if a proxy is reached by TLS.
pub(super) type Stream = Box<dyn Layer>;

/// One of the layers of a stream.
pub(super) trait Layer: Read + Write + Send {
    /// The TCP socket below all layers.
    fn socket(&mut self) -> &mut Socket;
}

impl Layer for Socket {
    fn socket(&mut self) -> &mut Socket {
        self
    }
}

impl Layer for StreamOwned<ClientConnection, Stream> {
    fn socket(&mut self) -> &mut Socket {
        self.sock.socket()
    }
}

/// A TCP socket that keeps to the deadline. While it waits for input, it asks the caller whether to go on.
pub(super) struct Socket {
    tcp: TcpStream,
    until: Instant,
    /// Whether to wait for input a little longer after the caller has given up.
    lingers: bool,
    /// Whether to acknowledge segments at once. Prosody sends TLS session tickets in separate segments, and
    /// delays its answer until the last one is acknowledged, which otherwise takes 40 ms.
    is_prompt: bool,
}

impl Socket {
    pub(super) fn new(tcp: TcpStream, until: Instant, is_prompt: bool) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, until, lingers: false, is_prompt })
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        give_up::waiting(self.until, self.lingers, |slice| {
            self.tcp.set_read_timeout(Some(slice))?;
            match self.tcp.read(buffer) {
                Ok(amount) => Ok(Some(amount)),
                Err(error) => match error.kind() {
                    // With a timeout set, the system does not resume the wait after a signal.
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {
                        Ok(None)
                    }
                    _ => Err(error),
                },
            }
        })
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.tcp.set_write_timeout(Some(left))?;
        let written = self.tcp.write(bytes);
        if self.is_prompt {
            acknowledge_at_once(&self.tcp);
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has to be repeated after each write, because the system treats it only as a hint.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge_at_once(tcp: &TcpStream) {
    // If this fails, the answer is only late.
    let _ = socket2::SockRef::from(tcp).set_tcp_quickack(true);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn acknowledge_at_once(_: &TcpStream) {}

#[cfg(test)]
impl Connection {
    /// Connects to this listener.
    pub(super) fn to(listener: &std::net::TcpListener) -> Self {
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (peer, until) = (tcp.peer_addr().ok(), Instant::now() + std::time::Duration::from_secs(3600));
        Self::new(Box::new(Socket::new(tcp, until, false).unwrap()), peer)
    }

    /// Waits until a byte or the end of the connection has arrived.
    pub(super) fn wait(&self) {
        self.line().stream.socket().tcp.peek(&mut [0]).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_connection_is_quiet_while_it_is_open_and_nothing_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || (Connection::to(&listener), listener.accept().unwrap().0);
        let (client, mut server) = connect();
        assert!(client.is_quiet());
        server.write_all(b"x").unwrap();
        // This waits until the byte has arrived.
        client.wait();
        assert!(!client.is_quiet());
        let (client, server) = connect();
        drop(server);
        client.wait();
        assert!(!client.is_quiet());
    }

    #[test]
    fn after_the_deadline_nothing_is_read_or_written() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Connection::to(&listener);
        listener.accept().unwrap().0.write_all(b"x").unwrap();
        let late = Instant::now();
        for (until, is_ok) in [(late, false), (late + Duration::from_secs(3600), true)] {
            connection.begin(until, false, None);
            let stream = &mut connection.line().stream;
            let is_late = |error: io::Error| error.kind() == io::ErrorKind::TimedOut;
            assert_eq!(stream.write(b"x").map_err(is_late), if is_ok { Ok(1) } else { Err(true) });
            assert_eq!(stream.read(&mut [0]).map_err(is_late), if is_ok { Ok(1) } else { Err(true) });
        }
    }
}
