//! A path with a delay: a TCP proxy that forwards everything later.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A running proxy. Dropping it closes its connections and ends its threads.
#[derive(Debug)]
pub struct Delay {
    /// The address where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// A proxy to `target` that delays the bytes of either side by `each_way`, plus a random part of `jitter`
/// that is drawn for each piece. Bytes on the same connection stay in order. Opening a connection takes no
/// time, because the kernel does that, but a TLS handshake does.
///
/// # Panics
/// If there is no free port on the loopback interface.
#[must_use]
pub fn delay(target: SocketAddr, each_way: Duration, jitter: Duration) -> Delay {
    start(target, each_way, jitter, Duration::ZERO)
}

/// As [`delay`], but opening a connection takes a round trip as well: the client's first bytes arrive as late
/// as if it had waited for that.
///
/// # Panics
/// If there is no free port on the loopback interface.
#[must_use]
pub fn distance(target: SocketAddr, each_way: Duration, jitter: Duration) -> Delay {
    start(target, each_way, jitter, each_way * 2)
}

fn start(target: SocketAddr, each_way: Duration, jitter: Duration, opening: Duration) -> Delay {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on the loopback interface");
    let address = listener.local_addr().expect("the address just bound");
    let shared = Arc::new(Shared { target, each_way, jitter, opening, state: Mutex::default() });
    let acceptor = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &shared))
    };
    Delay { address, shared, acceptor: Some(acceptor) }
}

impl Delay {
    /// `url` with the proxy's port. The host stays as it is, `localhost` or `127.0.0.1`, because a
    /// certificate may name it.
    ///
    /// # Panics
    /// If `url` names no port.
    #[must_use]
    pub fn through(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, _) = authority.rsplit_once(':').expect("a port");
        format!("{scheme}://{host}:{}/{path}", self.address.port())
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.lock().accepted
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_stopped = true;
        for tcp in state.links.values().flatten() {
            let _ = tcp.shutdown(Shutdown::Both);
        }
        drop(state);
        // This connection wakes the acceptor, which checks the state after each connection.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    each_way: Duration,
    jitter: Duration,
    /// How long opening a connection takes.
    opening: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    accepted: usize,
    links: HashMap<usize, [Arc<TcpStream>; 2]>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) -> Duration {
        self.each_way + self.jitter.mul_f64(fastrand::f64())
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    thread::scope(|scope| {
        for near in listener.incoming() {
            let mut state = shared.lock();
            if state.is_stopped {
                return;
            }
            let Some([near, far]) = near.ok().and_then(|near| pair(near, shared.target).ok()) else {
                continue;
            };
            let link = state.accepted;
            state.accepted += 1;
            state.links.insert(link, [Arc::clone(&near), Arc::clone(&far)]);
            drop(state);
            let open_at = Instant::now() + shared.opening;
            scope.spawn(move || {
                thread::scope(|both| {
                    both.spawn(|| carry(&near, &far, open_at, shared));
                    both.spawn(|| carry(&far, &near, open_at, shared));
                });
                shared.lock().links.remove(&link);
            });
        }
    });
}

fn pair(near: TcpStream, target: SocketAddr) -> io::Result<[Arc<TcpStream>; 2]> {
    let far = TcpStream::connect_timeout(&target, Duration::from_secs(1))?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok([Arc::new(near), Arc::new(far)])
}

/// Forwards one direction of a connection until it ends. The end is delayed like any other bytes.
fn carry(from: &TcpStream, to: &TcpStream, open_at: Instant, shared: &Shared) {
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        scope.spawn(move || deliver(&receiver, to));
        collect(from, &sender, open_at, shared);
    });
}

fn collect(mut from: &TcpStream, sender: &Sender<(Instant, Vec<u8>)>, open_at: Instant, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    let mut last = open_at;
    loop {
        let amount = from.read(&mut buffer).unwrap_or(0);
        last = last.max(Instant::now().max(open_at) + shared.draw());
        if sender.send((last, buffer[..amount].to_vec())).is_err() || amount == 0 {
            return;
        }
    }
}

fn deliver(receiver: &Receiver<(Instant, Vec<u8>)>, mut to: &TcpStream) {
    for (at, piece) in receiver {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if piece.is_empty() || to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
