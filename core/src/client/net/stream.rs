//! The bytes of a connection: TCP that keeps to a deadline, and TLS over it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use rustls::{ClientConnection, StreamOwned};

use crate::client::give_up;

/// TCP, and TLS over it: over each other, where a proxy is reached by TLS.
pub(super) enum Stream {
    Tcp(Socket),
    Tls(Box<StreamOwned<ClientConnection, Stream>>),
}

impl Stream {
    pub(super) fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Tcp(socket) => socket,
            Self::Tls(tls) => tls.sock.socket(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// TCP that keeps to the deadline and asks, while it waits for input, whether to go on.
pub(super) struct Socket {
    pub(super) tcp: TcpStream,
    pub(super) until: Instant,
    /// Whether input is waited for a little even after the caller has given up.
    pub(super) lingers: bool,
    /// Whether acknowledgements are sent at once. Prosody sends TLS session tickets in segments of
    /// their own and lets the answer wait until the last is acknowledged, 40 ms later.
    pub(super) is_prompt: bool,
}

impl Socket {
    /// Whether the connection is open, and nothing was sent on it that nobody asked for.
    pub(super) fn is_quiet(&self) -> bool {
        let is_quiet = self.tcp.set_nonblocking(true).is_ok()
            && matches!(self.tcp.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.tcp.set_nonblocking(false).is_ok() && is_quiet
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        give_up::waiting(self.until, self.lingers, |slice| {
            self.tcp.set_read_timeout(Some(slice))?;
            match self.tcp.read(buffer) {
                Ok(amount) => Ok(Some(amount)),
                Err(error) => match error.kind() {
                    // After a signal the system does not go on waiting where a time was set.
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

/// Has to be said again after each write: the system takes it for a hint.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge_at_once(tcp: &TcpStream) {
    // Without it the answer is late, not wrong.
    let _ = socket2::SockRef::from(tcp).set_tcp_quickack(true);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn acknowledge_at_once(_: &TcpStream) {}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    fn connect(until: Instant) -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Socket { tcp, until, lingers: false, is_prompt: false }, listener.accept().unwrap().0)
    }

    #[test]
    fn a_connection_is_quiet_while_it_is_open_and_nothing_comes() {
        let (client, mut server) = connect(Instant::now());
        assert!(client.is_quiet());
        server.write_all(b"x").unwrap();
        // What was written has arrived once it can be waited for.
        client.tcp.peek(&mut [0]).unwrap();
        assert!(!client.is_quiet());
        let (client, server) = connect(Instant::now());
        drop(server);
        client.tcp.peek(&mut [0]).unwrap();
        assert!(!client.is_quiet());
    }

    #[test]
    fn no_time_is_no_wait() {
        let (mut client, mut server) = connect(Instant::now());
        server.write_all(b"x").unwrap();
        let results = [client.read(&mut [0]), client.write(b"x")];
        assert_eq!(results.map(|result| result.unwrap_err().kind()), [io::ErrorKind::TimedOut; 2]);
        client.until += Duration::from_secs(30);
        assert_eq!(client.read(&mut [0]).unwrap(), 1);
    }
}
