//! One connection: a socket that ends with its server, and HTTP on top of it.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::request::{self, Recorded};
use crate::server::{LIFETIME, Shared, ended};

/// The longest request, which is much longer than any real one.
const LARGEST_REQUEST: usize = 4 << 20;

/// An accepted TCP connection.
pub(crate) struct Link {
    tcp: Arc<TcpStream>,
    shared: Arc<Shared>,
    connection: usize,
    /// The pause after each byte, if the connection drips.
    drip: Option<Duration>,
}

impl Link {
    pub(crate) fn new(tcp: Arc<TcpStream>, shared: Arc<Shared>, connection: usize) -> Self {
        // Neither call can fail on an open socket, and both only matter for speed and clean-up.
        let _ = tcp.set_nodelay(true);
        let _ = tcp.set_read_timeout(Some(LIFETIME));
        Self { tcp, shared, connection, drip: None }
    }

    /// From now on, a pause follows each byte.
    pub(crate) fn dripping(mut self, pause: Duration) -> Self {
        self.drip = Some(pause);
        self
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The socket is shut down, because the registry's handle would keep it open.
        self.shared.close(self.connection);
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.tcp).read(buffer)
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(pause) = self.drip else {
            return (&*self.tcp).write(bytes);
        };
        let written = (&*self.tcp).write(&bytes[..bytes.len().min(1)])?;
        self.shared.pause(pause)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection that is ready for requests, with or without TLS.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

impl Wire {
    pub(crate) fn plain(link: Link) -> Self {
        Self::over(link)
    }

    pub(crate) fn tls(link: Link, config: Arc<ServerConfig>) -> io::Result<Self> {
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self::over(StreamOwned::new(tls, link)))
    }

    fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), unread: Vec::new() }
    }

    pub(crate) fn shared(&self) -> &Shared {
        self.stream.link().shared()
    }

    /// From now on, the next request has to come within this time.
    pub(crate) fn wait_at_most(&mut self, idle: Duration) -> io::Result<()> {
        self.stream.link().tcp.set_read_timeout(Some(idle))
    }

    /// Waits for the next request and records it.
    pub(crate) fn request(&mut self) -> io::Result<(usize, Recorded)> {
        loop {
            if let Some((mut request, used)) = request::parse(&self.unread)? {
                self.unread.drain(..used);
                request.is_resumed = self.stream.is_resumed();
                return Ok(self.shared().record(request, self.connection()));
            }
            let mut chunk = [0; 16 << 10];
            let read = self.stream.read(&mut chunk)?;
            if read == 0 || self.unread.len() > LARGEST_REQUEST {
                return Err(ended());
            }
            self.unread.extend_from_slice(&chunk[..read]);
        }
    }

    /// Sends a complete response. `headers` may replace the right content length.
    pub(crate) fn respond(
        &mut self,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) -> io::Result<()> {
        let given = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let reason = if status == 200 { "OK" } else { "Scripted" };
        let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !given("content-length") && !given("transfer-encoding") && status != 204 {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        self.send([head.as_bytes(), body].concat())
    }

    /// Sends bytes unchanged, in one write.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Sends the same bytes again and again, with pauses, until the other side closes the connection.
    pub(crate) fn repeat(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) -> io::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < LIFETIME {
            self.send(bytes.as_ref())?;
            self.shared().pause(pause)?;
        }
        Err(ended())
    }

    /// Sends one byte at a time.
    pub(crate) fn drip(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            self.send([*byte])?;
            self.shared().pause(pause)?;
        }
        Ok(())
    }

    /// Ends the connection with RST instead of FIN.
    pub(crate) fn reset(&mut self) -> io::Error {
        let _ = SockRef::from(&*self.stream.link().tcp).set_linger(Some(Duration::ZERO));
        ended()
    }

    pub(crate) fn connection(&self) -> usize {
        self.stream.link().connection
    }
}

trait Stream: Read + Write + Send {
    fn link(&self) -> &Link;

    fn is_resumed(&self) -> bool {
        false
    }
}

impl Stream for Link {
    fn link(&self) -> &Link {
        self
    }
}

impl Stream for StreamOwned<ServerConnection, Link> {
    fn link(&self) -> &Link {
        &self.sock
    }

    fn is_resumed(&self) -> bool {
        self.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}
