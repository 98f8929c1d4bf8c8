//! The listening socket and its threads, and how all of them end.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::request::Recorded;
use crate::wire::{Link, Wire};

/// The longest life of a connection, whatever its script says: a forgotten server must not run for ever.
pub(crate) const LIFETIME: Duration = Duration::from_secs(120);

/// A running server. Dropping it ends all of its threads and connections at once.
#[derive(Debug)]
pub struct Server {
    /// The URL for prebind: `http://127.0.0.1:<port>/http-bind`, or the same with `https`.
    pub url: String,
    ca_pem: Option<String>,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// The certificate that a client has to trust to reach an `https` server.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Every complete request so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().requests.clone()
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.lock().accepted
    }

    /// How many connections are open now, as far as the server has noticed.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.lock().links.len()
    }

    /// How often the fault of [`serve`](crate::serve) has struck so far. A fault before HTTP strikes at
    /// connections, and other faults strike at requests. Connections that never reach the server are not
    /// counted.
    #[must_use]
    pub fn strikes(&self) -> usize {
        self.shared.lock().strikes
    }

    pub(crate) fn start(service: impl Service) -> Self {
        let ca_pem = service.ca_pem();
        let listener = listen(service.backlog()).expect("a free port on the loopback interface");
        let address = listener.local_addr().expect("the address just bound");
        let scheme = if ca_pem.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            address,
            started: Instant::now(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let acceptor = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(listener, &shared, &service))
        };
        Self { url: format!("{scheme}://{address}/http-bind"), ca_pem, shared, acceptor: Some(acceptor) }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(acceptor) = self.acceptor.take() {
            // A panic of the thread was already printed. Raising it again in a drop would abort the process.
            let _ = acceptor.join();
        }
    }
}

/// What a server does on its connections. An error from either method ends the connection.
pub(crate) trait Service: Send + Sync + 'static {
    /// Takes over a new connection before anything was read from it.
    fn open(&self, link: Link) -> io::Result<Wire> {
        Ok(Wire::plain(link))
    }

    /// Answers one request. `index` counts the requests of all connections, from 0.
    fn answer(&self, wire: &mut Wire, index: usize, request: &Recorded) -> io::Result<()>;

    /// The certificate that clients have to trust. If there is one, the URL is `https`.
    fn ca_pem(&self) -> Option<String> {
        None
    }

    /// How many connections the kernel completes before they are accepted.
    fn backlog(&self) -> i32 {
        128
    }
}

/// What happens to new connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Door {
    /// They are accepted.
    #[default]
    Open,
    /// They are refused.
    Refused,
    /// They are never completed, because the queue of connections to accept is full.
    Full,
}

/// The data that all threads of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    address: SocketAddr,
    started: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    door: Door,
    door_is_shut: bool,
    accepted: usize,
    links: HashMap<usize, Arc<TcpStream>>,
    requests: Vec<Recorded>,
    strikes: usize,
}

impl Shared {
    /// Remembers a request and returns its index.
    pub(crate) fn record(&self, mut request: Recorded, connection: usize) -> (usize, Recorded) {
        request.connection = connection;
        let mut state = self.lock();
        // The time is taken under the lock, so that times are in the order of the list.
        request.at = self.started.elapsed();
        state.requests.push(request.clone());
        let index = state.requests.len() - 1;
        drop(state);
        self.changed.notify_all();
        (index, request)
    }

    pub(crate) fn count_strike(&self) {
        self.lock().strikes += 1;
    }

    /// Sleeps for this long. Ends early, with an error, if the server is dropped.
    pub(crate) fn pause(&self, duration: Duration) -> io::Result<()> {
        let stopped = |state: &mut State| !state.stopped;
        let state = self.lock();
        let (state, _) =
            self.changed.wait_timeout_while(state, duration, stopped).unwrap_or_else(PoisonError::into_inner);
        if state.stopped { Err(ended()) } else { Ok(()) }
    }

    /// Waits until a request with this RID has arrived.
    pub(crate) fn wait_for(&self, rid: u64) -> io::Result<()> {
        let has_come = |state: &State| state.requests.iter().any(|request| request.rid() == Some(rid));
        let waits = |state: &mut State| !state.stopped && !has_come(state);
        let state = self.lock();
        let (state, _) =
            self.changed.wait_timeout_while(state, LIFETIME, waits).unwrap_or_else(PoisonError::into_inner);
        if has_come(&state) { Ok(()) } else { Err(ended()) }
    }

    /// Leaves a connection open and idle until the server ends.
    pub(crate) fn hold(&self) -> io::Error {
        self.pause(LIFETIME).err().unwrap_or_else(ended)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Shuts the door and returns when no further connection can come in.
    pub(crate) fn shut(&self, door: Door) {
        self.lock().door = door;
        self.knock();
        let waiting = |state: &mut State| !state.door_is_shut && !state.stopped;
        let _ = self.changed.wait_timeout_while(self.lock(), LIFETIME, waiting);
    }

    /// Closes every connection but one.
    pub(crate) fn close_others(&self, connection: usize) {
        for (other, tcp) in &self.lock().links {
            if *other != connection {
                let _ = tcp.shutdown(Shutdown::Both);
            }
        }
    }

    pub(crate) fn close(&self, connection: usize) {
        self.lock().links.remove(&connection);
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        for tcp in state.links.values() {
            let _ = tcp.shutdown(Shutdown::Both);
        }
        let shut = state.door_is_shut;
        drop(state);
        self.changed.notify_all();
        if !shut {
            self.knock();
        }
    }

    /// Wakes the acceptor, which checks the state after each connection.
    fn knock(&self) {
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has already failed its test, and the others should still end cleanly.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error that ends a connection although nothing went wrong.
pub(crate) fn ended() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn accept(listener: TcpListener, shared: &Arc<Shared>, service: &impl Service) {
    thread::scope(|scope| {
        let door = loop {
            let accepted = listener.accept();
            let mut state = shared.lock();
            if state.stopped {
                return;
            }
            if state.door != Door::Open {
                break state.door;
            }
            let Ok((tcp, _)) = accepted else { return };
            let tcp = Arc::new(tcp);
            let connection = state.accepted;
            state.accepted += 1;
            state.links.insert(connection, Arc::clone(&tcp));
            drop(state);
            let link = Link::new(tcp, Arc::clone(shared), connection);
            scope.spawn(move || converse(service, link));
        };
        let _kept = keep_shut(door, listener, shared.address);
        shared.lock().door_is_shut = true;
        shared.changed.notify_all();
        while shared.pause(LIFETIME).is_ok() {}
    });
}

fn converse(service: &impl Service, link: Link) {
    // Every error here is a scripted end, or a client that has gone.
    let Ok(mut wire) = service.open(link) else {
        return;
    };
    while let Ok((index, request)) = wire.request() {
        if service.answer(&mut wire, index, &request).is_err() {
            return;
        }
    }
}

/// The sockets that keep the door shut until they are dropped.
fn keep_shut(door: Door, listener: TcpListener, address: SocketAddr) -> Vec<Socket> {
    match door {
        Door::Open => Vec::new(),
        Door::Refused => {
            drop(listener);
            // A socket that is bound and does not listen refuses connections, and keeps the port from others.
            bind(address).into_iter().collect()
        }
        Door::Full => {
            let filler = || {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
                socket.connect_timeout(&address.into(), Duration::from_millis(100))?;
                Ok::<_, io::Error>(socket)
            };
            // A backlog of 0 has room for one connection, and a second one would only be waited for.
            [Ok(listener.into()), filler()].into_iter().flatten().collect()
        }
    }
}

fn listen(backlog: i32) -> io::Result<TcpListener> {
    let socket = bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
