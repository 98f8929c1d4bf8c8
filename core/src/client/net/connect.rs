//! Opens a connection: the name is looked up, the addresses race each other (RFC 8305), a proxy may be passed, and TLS
//! shakes hands.

mod names;
mod proxy;

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use ureq::{Proxy, ProxyProtocol};
use url::Url;

use super::obstacle::{Cause, Obstacle};
use super::stream::{Socket, Stream};
use super::tls;
use crate::client::give_up;
use crate::config::Config;
use crate::error::{Error, Phase};
pub(super) use names::Names;
use proxy::Target;
pub(super) use proxy::USER_AGENT;

/// How long an address is tried alone (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Where connections lead, and how.
pub(super) struct Route {
    host: String,
    port: u16,
    is_https: bool,
    proxy: Option<Proxy>,
    resolve_timeout: Duration,
    connect_timeout: Duration,
}

impl Route {
    /// # Errors
    /// `Config` if the proxy cannot be one.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let proxy = config.proxy.as_ref().map(|proxy| {
            Proxy::new(proxy.expose()).map_err(|_| {
                Error::config(
                    "proxy",
                    "is no address of a proxy; it reads like http://proxy:3128 or socks5://proxy:1080",
                )
            })
        });
        let port = Url::parse(config.url.as_str()).ok().and_then(|url| url.port_or_known_default());
        Ok(Self {
            host: config.url.host().to_owned(),
            port: port.unwrap_or_default(),
            is_https: config.url.is_https(),
            proxy: proxy.transpose()?,
            resolve_timeout: config.resolve_timeout,
            connect_timeout: config.connect_timeout,
        })
    }

    pub(super) fn needs_tls(&self) -> bool {
        self.is_https || self.is_tls_proxy()
    }

    fn is_tls_proxy(&self) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.protocol() == ProxyProtocol::Https)
    }
}

/// Opens a connection, which `tls` is for where one is needed.
pub(super) fn open(
    route: &Route,
    names: &Names,
    tls: Option<&Arc<ClientConfig>>,
    until: Instant,
) -> Result<Connection, Obstacle> {
    let within = |limit| until.min(Instant::now() + limit);
    let look_up = |host: &str, port| {
        let found = names.look_up(host, port, within(route.resolve_timeout));
        found.map_err(|cause| Obstacle::new(Phase::Dns, cause))
    };
    let target = match &route.proxy {
        Some(proxy) if proxy.resolve_target() => Target::Address(look_up(&route.host, route.port)?[0]),
        _ => Target::Name(&route.host, route.port),
    };
    let addresses = match &route.proxy {
        Some(proxy) => look_up(proxy.host(), proxy.port())?,
        None => look_up(&route.host, route.port)?,
    };
    let until = within(route.connect_timeout);
    let at = |phase, peer| move |cause| Obstacle { peer, ..Obstacle::new(phase, cause) };
    let tcp = first_to_answer(&addresses, until).map_err(at(Phase::Tcp, None))?;
    let peer = tcp.peer_addr().ok();
    tcp.set_nodelay(true).map_err(|error| at(Phase::Tcp, peer)(error.into()))?;
    let mut stream = Stream::Tcp(Socket { tcp, until, lingers: false, is_prompt: route.needs_tls() });
    let shake_hands = |stream, host| match tls {
        Some(tls) => tls::shake_hands(stream, tls, host).map_err(at(Phase::Tls, peer)),
        None => Ok(stream),
    };
    if let Some(proxy) = &route.proxy {
        if route.is_tls_proxy() {
            stream = shake_hands(stream, proxy.host())?;
        }
        proxy::pass(&mut stream, proxy, target).map_err(at(Phase::Tcp, peer))?;
    }
    if route.is_https {
        stream = shake_hands(stream, &route.host)?;
    }
    Ok(Connection { stream: Mutex::new(stream), peer })
}

fn first_to_answer(addresses: &[SocketAddr], until: Instant) -> Result<TcpStream, Cause> {
    match addresses {
        // The system cannot be asked to give a connection up while it is being opened.
        [only] if !give_up::is_asked() => {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() { Err(Cause::Timeout) } else { Ok(TcpStream::connect_timeout(only, left)?) }
        }
        several => race(alternating(several), until),
    }
}

fn race(addresses: Vec<SocketAddr>, until: Instant) -> Result<TcpStream, Cause> {
    let (sender, attempts) = channel();
    let mut addresses = addresses.into_iter();
    let mut running = 0;
    let mut start_next_at = Instant::now();
    give_up::waiting(until, false, |slice| {
        let now = Instant::now();
        if now >= start_next_at
            && let Some(address) = addresses.next()
        {
            let (sender, left) = (sender.clone(), until.saturating_duration_since(now));
            // Nobody waits for one that another was quicker than.
            let attempt = move || drop(sender.send(TcpStream::connect_timeout(&address, left)));
            let thread = thread::Builder::new().name("prebind-tcp".to_owned());
            thread.spawn(attempt).map_err(|_| Cause::NoThread)?;
            running += 1;
            start_next_at = now + HEAD_START;
        }
        let head_start = if addresses.len() == 0 { slice } else { start_next_at - now };
        match attempts.recv_timeout(slice.min(head_start)) {
            Ok(Err(error)) if running == 1 && addresses.len() == 0 => Err(error.into()),
            Ok(Err(_)) => {
                running -= 1;
                start_next_at = now;
                Ok(None)
            }
            answered => Ok(answered.ok().and_then(Result::ok)),
        }
    })
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

/// An open connection. A lane has it, and lends it to the request that it carries.
pub(super) struct Connection {
    stream: Mutex<Stream>,
    /// The address that it leads to.
    pub(super) peer: Option<SocketAddr>,
}

impl Connection {
    /// Prepares it for a request that has to be answered until this moment. If it `lingers`, its answer is waited for a
    /// little even after the caller has given up.
    pub(super) fn begin(&self, until: Instant, lingers: bool) {
        let mut stream = self.stream();
        let socket = stream.socket();
        (socket.until, socket.lingers) = (until, lingers);
    }

    pub(super) fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the server has left it open, and sent nothing that was not asked for.
    pub(super) fn is_quiet(&self) -> bool {
        self.stream().socket().is_quiet()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

#[cfg(test)]
impl Connection {
    /// To this listener.
    pub(super) fn to(listener: &std::net::TcpListener) -> Self {
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let peer = tcp.peer_addr().ok();
        let until = Instant::now() + Duration::from_secs(3600);
        let socket = Socket { tcp, until, lingers: false, is_prompt: false };
        Self { stream: Mutex::new(Stream::Tcp(socket)), peer }
    }

    /// Waits until something has come, or the end.
    pub(super) fn wait(&self) {
        self.stream().socket().tcp.peek(&mut [0]).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // A queue of one that is full never answers.
        let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        full.listen(0).unwrap();
        let silent = full.local_addr().unwrap().as_socket().unwrap();
        let _filler = TcpStream::connect_timeout(&silent, Duration::from_secs(30)).unwrap();
        let refusing = {
            let closed = TcpListener::bind("127.0.0.1:0").unwrap();
            closed.local_addr().unwrap()
        };
        let time = Duration::from_secs(30);
        let open = |addresses: &[SocketAddr], time| first_to_answer(addresses, Instant::now() + time);
        let (stream, took) = faults::timed(|| open(&[refusing, good], time).unwrap());
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(took < HEAD_START, "{took:?}");
        let start = Instant::now();
        let (stream, took) = faults::timed(|| open(&[silent, good], time).unwrap());
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(start.elapsed() >= HEAD_START && took < time, "{took:?}");
        assert!(matches!(open(&[refusing, refusing], time), Err(Cause::Broken(_))));
        let short = Duration::from_millis(100);
        for addresses in [&[silent][..], &[silent, silent]] {
            assert!(matches!(open(addresses, short), Err(Cause::Timeout)));
            assert!(matches!(open(addresses, Duration::ZERO), Err(Cause::Timeout)));
        }
    }
}
