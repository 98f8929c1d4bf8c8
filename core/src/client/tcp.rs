//! TCP, with what the short exchanges need of it: addresses tried side by side (RFC 8305), nothing
//! held back to fill a segment, and acknowledgements that are not held back either.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, time,
};
use ureq::{Error, Timeout};

use super::obstacle::Obstacle;
use super::{cancel, phase};

/// How long an address is tried alone (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Opens a connection unless a proxy has.
#[derive(Debug)]
pub(super) struct TcpConnector;

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = Either<In, Tcp>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(proxied) = chained {
            return Ok(Some(Either::A(proxied)));
        }
        let stream = Arc::new(open(&details.addrs, granted(details.timeout)?)?);
        stream.set_nodelay(true)?;
        LATEST.set((Arc::downgrade(&stream), stream.peer_addr().ok()));
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Tcp { stream, buffers, is_prompt: details.needs_tls() })))
    }
}

/// The first of these addresses that answers.
fn open(addresses: &[SocketAddr], time: Duration) -> Result<TcpStream, Error> {
    match addresses {
        [] => Err(Error::HostNotFound),
        // The system cannot be asked to give a connection up while it is being opened.
        [only] if !cancel::is_asked() => {
            TcpStream::connect_timeout(only, time).map_err(|error| failed(error, Timeout::Connect))
        }
        several => race(alternating(several), Instant::now() + time),
    }
}

fn race(addresses: Vec<SocketAddr>, until: Instant) -> Result<TcpStream, Error> {
    let (sender, attempts) = channel();
    let mut addresses = addresses.into_iter();
    let mut running = 0;
    let mut start_next_at = Instant::now();
    loop {
        let now = Instant::now();
        let left = until.saturating_duration_since(now);
        if left.is_zero() {
            return Err(Error::Timeout(Timeout::Connect));
        }
        if now >= start_next_at
            && let Some(address) = addresses.next()
        {
            let sender = sender.clone();
            let attempt = move || {
                // Nobody waits for one that another was quicker than.
                let _ = sender.send(TcpStream::connect_timeout(&address, left));
            };
            thread::Builder::new()
                .name("prebind-tcp".to_owned())
                .spawn(attempt)
                .map_err(|_| Error::Io(Obstacle::NoThread.into()))?;
            running += 1;
            start_next_at = now + HEAD_START;
        }
        match attempts.recv_timeout(left.min(cancel::SLICE)) {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => {
                running -= 1;
                start_next_at = now;
                if running == 0 && addresses.len() == 0 {
                    return Err(failed(error, Timeout::Connect));
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => cancel::ask()?,
        }
    }
}

/// The families by turns, beginning with the resolver's favourite (RFC 8305 §4).
fn alternating(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first_family = |address: &&SocketAddr| address.is_ipv6() == addresses[0].is_ipv6();
    let (first, second): (Vec<_>, Vec<_>) = addresses.iter().partition(is_first_family);
    let mut second = second.into_iter();
    let mut turns: Vec<SocketAddr> =
        first.into_iter().flat_map(|address| [Some(address), second.next()]).flatten().copied().collect();
    turns.extend(second);
    turns
}

thread_local! {
    static LATEST: RefCell<(Weak<TcpStream>, Option<SocketAddr>)> = RefCell::default();
}

/// The connection that this thread opened last, and where it leads to; none through a SOCKS proxy.
pub(super) fn latest() -> (Weak<TcpStream>, Option<SocketAddr>) {
    LATEST.take()
}

/// Whether it is open and nothing was sent on it that nobody asked for.
pub(super) fn is_quiet(stream: &TcpStream) -> bool {
    let is_quiet = stream.set_nonblocking(true).is_ok()
        && matches!(stream.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).is_ok() && is_quiet
}

pub(super) struct Tcp {
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
    /// Whether acknowledgements are sent at once. Prosody sends TLS session tickets in segments of
    /// their own and lets the answer wait until the last is acknowledged, 40 ms later.
    is_prompt: bool,
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_write_timeout(Some(granted(timeout)?))?;
        let output = &self.buffers.output()[..amount];
        (&*self.stream).write_all(output).map_err(|error| failed(error, timeout.reason))?;
        phase::asked();
        if self.is_prompt {
            acknowledge_at_once(&self.stream);
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let until = Instant::now() + granted(timeout)?;
        let amount = loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            self.stream.set_read_timeout(Some(left))?;
            match (&*self.stream).read(self.buffers.input_append_buf()) {
                // A signal: the system does not go on waiting where a time was set.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|error| failed(error, timeout.reason))?,
            }
        };
        if !self.is_prompt {
            // Under TLS nothing can be read here.
            phase::answered(&self.buffers.input_append_buf()[..amount]);
        }
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        is_quiet(&self.stream)
    }
}

/// Has to be said again after each write: the system takes it for a hint.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge_at_once(stream: &TcpStream) {
    // Without it the answer is late, not wrong.
    let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn acknowledge_at_once(_: &TcpStream) {}

fn granted(timeout: NextTimeout) -> Result<Duration, Error> {
    match timeout.after {
        time::Duration::Exact(after) if after.is_zero() => Err(Error::Timeout(timeout.reason)),
        time::Duration::Exact(after) => Ok(after),
        // Every request has an end; this is none of ours.
        time::Duration::NotHappening => Ok(Duration::from_secs(3600)),
    }
}

fn failed(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Timeout(reason),
        _ => Error::Io(error),
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tcp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let [a, b, c, x] = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"].map(address);
        assert_eq!(alternating(&[a, b, c, x]), [a, x, b, c]);
        assert_eq!(alternating(&[x, a, b, c]), [x, a, b, c]);
    }

    #[test]
    fn an_address_that_does_not_answer_costs_a_head_start_and_one_that_refuses_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // A queue of one that is full never answers.
        let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        full.listen(0).unwrap();
        let silent = full.local_addr().unwrap().as_socket().unwrap();
        let _filler = TcpStream::connect_timeout(&silent, Duration::from_secs(30)).unwrap();
        let refusing = {
            let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            closed.local_addr().unwrap()
        };
        let time = Duration::from_secs(30);
        let (stream, took) = faults::timed(|| open(&[refusing, good], time).unwrap());
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(took < HEAD_START, "{took:?}");
        let start = Instant::now();
        let (stream, took) = faults::timed(|| open(&[silent, good], time).unwrap());
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(start.elapsed() >= HEAD_START && took < time, "{took:?}");
        assert!(matches!(open(&[refusing, refusing], time), Err(Error::Io(_))));
        let short = Duration::from_millis(100);
        assert!(matches!(open(&[silent, silent], short), Err(Error::Timeout(_))));
    }

    #[test]
    fn a_connection_is_quiet_while_it_is_open_and_nothing_comes() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (client, listener.accept().unwrap().0)
        };
        let (client, mut server) = connect();
        assert!(is_quiet(&client));
        server.write_all(b"x").unwrap();
        // What was written has arrived once it can be waited for.
        client.peek(&mut [0]).unwrap();
        assert!(!is_quiet(&client));
        let (client, server) = connect();
        drop(server);
        client.peek(&mut [0]).unwrap();
        assert!(!is_quiet(&client));
    }

    #[test]
    fn no_time_is_no_wait() {
        let timeout = |after| NextTimeout { after, reason: Timeout::Connect, ..NextTimeout::default() };
        assert!(matches!(
            granted(timeout(time::Duration::Exact(Duration::ZERO))),
            Err(Error::Timeout(Timeout::Connect))
        ));
        let second = Duration::from_secs(1);
        assert_eq!(granted(timeout(time::Duration::Exact(second))).unwrap(), second);
        assert!(granted(timeout(time::Duration::NotHappening)).unwrap() > second);
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::WouldBlock] {
            assert!(matches!(failed(kind.into(), Timeout::Connect), Error::Timeout(Timeout::Connect)));
        }
        assert!(matches!(failed(io::ErrorKind::NotFound.into(), Timeout::Connect), Error::Io(_)));
    }
}
