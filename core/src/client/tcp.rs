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

use super::cancel;

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
        LATEST.set(Arc::downgrade(&stream));
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
            thread::Builder::new().name("prebind-tcp".to_owned()).spawn(attempt)?;
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
    static LATEST: RefCell<Weak<TcpStream>> = RefCell::default();
}

/// The connection that this thread opened last; none that a SOCKS proxy leads through.
pub(super) fn latest() -> Weak<TcpStream> {
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
        let _filler = TcpStream::connect_timeout(&silent, Duration::from_secs(1)).unwrap();
        let refusing = {
            let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            closed.local_addr().unwrap()
        };
        let time = Duration::from_secs(5);
        // A late return has to happen again to count.
        let is_at_once = (0..3).any(|_| {
            let start = Instant::now();
            assert_eq!(open(&[refusing, good], time).unwrap().peer_addr().unwrap(), good);
            start.elapsed() < HEAD_START
        });
        assert!(is_at_once);
        let start = Instant::now();
        assert_eq!(open(&[silent, good], time).unwrap().peer_addr().unwrap(), good);
        assert!((HEAD_START..time).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert!(matches!(open(&[refusing, refusing], time), Err(Error::Io(_))));
        let short = Duration::from_millis(100);
        assert!(matches!(open(&[silent, silent], short), Err(Error::Timeout(_))));
    }
}
