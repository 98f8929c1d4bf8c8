//! Opens a connection: it looks up the name, races the addresses (RFC 8305), passes the proxy if there is
//! one, and does the TLS handshake.

mod names;
mod proxy;

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use ureq::{Proxy, ProxyProtocol};
use url::Url;

use super::obstacle::{Cause, Obstacle};
use super::stream::{Connection, Socket, Stream};
use super::tls;
use crate::client::give_up;
use crate::config::Config;
use crate::error::{Error, Phase};
pub(super) use names::Names;
use proxy::Target;
pub(super) use proxy::USER_AGENT;

/// How long an address is tried before the next one joins (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// The configured proxy, if there is one.
///
/// # Errors
/// `Config` if it is not the address of a proxy.
pub(super) fn proxy(config: &Config) -> Result<Option<Proxy>, Error> {
    const PROBLEM: &str = "is no address of a proxy; it reads like http://proxy:3128 or socks5://proxy:1080";
    let proxy = config.proxy.as_ref().map(|proxy| Proxy::new(proxy.expose()));
    proxy.transpose().map_err(|_| Error::config("proxy", PROBLEM))
}

/// Opens a connection. `tls` is needed if the server or the proxy is reached by TLS.
pub(super) fn open(
    config: &Config,
    proxy: Option<&Proxy>,
    names: &Names,
    tls: Option<&Arc<ClientConfig>>,
    until: Instant,
) -> Result<Connection, Obstacle> {
    let within = |limit| until.min(Instant::now() + limit);
    let look_up = |host: &str, port| {
        let found = names.look_up(host, port, within(config.resolve_timeout));
        found.map_err(|cause| Obstacle::new(Phase::Dns, cause))
    };
    let host = config.url.host();
    let port =
        Url::parse(config.url.as_str()).ok().and_then(|url| url.port_or_known_default()).unwrap_or_default();
    let (entrance, its_port) = proxy.map_or((host, port), |proxy| (proxy.host(), proxy.port()));
    let addresses = look_up(entrance, its_port)?;
    let target = match proxy {
        Some(proxy) if proxy.resolve_target() => Target::Address(look_up(host, port)?[0]),
        _ => Target::Name(host, port),
    };
    let until = within(config.connect_timeout);
    let tcp = first_to_answer(&addresses, until).map_err(|cause| Obstacle::new(Phase::Tcp, cause))?;
    let peer = tcp.peer_addr().ok();
    let at = |phase| move |cause| Obstacle { peer, ..Obstacle::new(phase, cause) };
    let shake_hands = |stream, host| match tls {
        Some(tls) => tls::shake_hands(stream, tls, host).map_err(at(Phase::Tls)),
        None => Ok(stream),
    };
    let socket = Socket::new(tcp, until, tls.is_some()).map_err(|error| at(Phase::Tcp)(error.into()))?;
    let mut stream: Stream = Box::new(socket);
    if let Some(proxy) = proxy {
        if proxy.protocol() == ProxyProtocol::Https {
            stream = shake_hands(stream, proxy.host())?;
        }
        proxy::pass(&mut stream, proxy, target).map_err(at(Phase::Tcp))?;
    }
    if config.url.is_https() {
        stream = shake_hands(stream, host)?;
    }
    Ok(Connection::new(stream, peer))
}

fn first_to_answer(addresses: &[SocketAddr], until: Instant) -> Result<TcpStream, Cause> {
    let left = until.saturating_duration_since(Instant::now());
    match addresses {
        // `connect_timeout` cannot be interrupted, so this is only for calls that nobody can give up.
        [only] if !give_up::is_asked() && !left.is_zero() => Ok(TcpStream::connect_timeout(only, left)?),
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
            // The send fails if another address was quicker, because nobody waits any more.
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

/// Alternates the address families, beginning with the one that the resolver prefers (RFC 8305 §4).
fn alternating(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first_family = |address: &&SocketAddr| address.is_ipv6() == addresses[0].is_ipv6();
    let (first, second): (Vec<_>, Vec<_>) = addresses.iter().partition(is_first_family);
    let mut second = second.into_iter();
    let mut turns: Vec<SocketAddr> =
        first.into_iter().flat_map(|address| [Some(address), second.next()]).flatten().copied().collect();
    turns.extend(second);
    turns
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _, Write as _};
    use std::net::{Shutdown, TcpListener};

    use super::*;
    use crate::account::Account;
    use crate::client::Client;
    use crate::sasl::Credentials;

    #[test]
    fn families_take_turns() {
        let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let [a, b, c, x] = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"].map(address);
        assert_eq!(alternating(&[a, b, c, x]), [a, x, b, c]);
        assert_eq!(alternating(&[x, a, b, c]), [x, a, b, c]);
    }

    #[test]
    fn an_address_that_does_not_answer_costs_a_head_start_and_a_refusal_costs_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // A listener whose queue of one is full never answers.
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

    /// Forwards the first connection to the address that its CONNECT names.
    fn serve_connect(proxy: &TcpListener) -> io::Result<()> {
        let mut client = proxy.accept()?.0;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let server = TcpStream::connect(head.split(' ').nth(1).unwrap())?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        thread::scope(|scope| {
            scope.spawn(|| io::copy(&mut &client, &mut &server));
            let copied = io::copy(&mut &server, &mut &client);
            client.shutdown(Shutdown::Both)?;
            copied.map(drop)
        })
    }

    #[test]
    fn tls_leads_through_a_proxy_to_the_server() {
        let server = faults::script_tls(faults::classic());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = Config::new(&server.url).unwrap();
        config.ca = server.ca_pem().map(|pem| pem.as_bytes().to_vec());
        config.proxy = Some(format!("http://{}", listener.local_addr().unwrap()).into());
        let proxying = thread::spawn(move || serve_connect(&listener));
        let client = Client::new(config).unwrap();
        let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
        assert_eq!(client.prebind(&account).unwrap().round_trips(), 4);
        assert_eq!(server.connections(), 1);
        drop((client, server));
        // Either end may close the connection first, so the result does not matter.
        let _ = proxying.join().unwrap();
    }
}
