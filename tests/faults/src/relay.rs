//! A relay to a real server that loses one request of an exchange.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::request::Recorded;
use crate::script::XML;
use crate::server::{Server, Service, ended};
use crate::wire::Wire;

/// A running relay. Dropping it ends all of its connections.
#[derive(Debug)]
pub struct Relay {
    server: Server,
    shared: Arc<Shared>,
}

/// How a request is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The connection is closed, and the server never sees the request.
    Closed,
    /// The connection is reset, and the server never sees the request.
    Reset,
    /// The server gets the request, and the connection is closed before it answers.
    Overheard,
    /// The server answers the request, and the connection is closed instead of forwarding the answer.
    Unanswered,
    /// The relay answers 502, and the server never sees the request.
    BadGateway,
    /// The answer comes from another server, which does not know the session.
    Unknown,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 6] =
        [Self::Closed, Self::Reset, Self::Overheard, Self::Unanswered, Self::BadGateway, Self::Unknown];
}

/// Forwards BOSH requests to the server at `target`, each over its own connection.
///
/// # Panics
/// If no port can be opened on the loopback interface.
#[must_use]
pub fn relay(target: SocketAddr) -> Relay {
    let shared = Arc::<Shared>::default();
    let server = Server::start(Path { target, shared: Arc::clone(&shared) });
    Relay { server, shared }
}

impl Relay {
    /// `url` with the relay's host and port.
    ///
    /// # Panics
    /// If `url` has no path.
    #[must_use]
    pub fn through(&self, url: &str) -> String {
        let (_, path) = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).expect("a path");
        self.server.url.replace("http-bind", path)
    }

    /// Loses one request, once. Requests are counted from now on, from 0, in the order of their RIDs.
    pub fn lose(&self, at: usize, loss: Loss) {
        let mut state = self.shared.lock();
        (state.first, state.count, state.lost) = (None, 0, Some((at, loss)));
        state.over.clear();
    }

    /// From now on, holds each request that contains `late` until a request that contains `early` has been
    /// answered or lost, counted since the last call of [`lose`](Self::lose). So the server gets them in the
    /// order `early`, `late`.
    pub fn reverse(&self, late: &'static str, early: &'static str) {
        self.shared.lock().reversed = Some((late, early));
    }

    /// How many requests there were since the last call of [`lose`](Self::lose).
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.lock().count
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.requests()
    }
}

impl Drop for Relay {
    /// Ends all connections. Otherwise the connections of clients would only end once the target has answered
    /// the requests that it holds.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_over = true;
        for tcp in &state.passed_on {
            let _ = tcp.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    /// The RID of the first counted request.
    first: Option<u64>,
    count: usize,
    lost: Option<(usize, Loss)>,
    reversed: Option<(&'static str, &'static str)>,
    /// The bodies of the requests that were answered or lost.
    over: Vec<String>,
    /// The connections to the target.
    passed_on: Vec<Arc<TcpStream>>,
    is_over: bool,
}

impl State {
    /// Counts a request. Returns how it is lost, if it is.
    fn next(&mut self, request: &Recorded) -> Option<Loss> {
        self.count += 1;
        let rid = request.rid()?;
        let first = *self.first.get_or_insert(rid);
        let is_lost = |lost: usize| rid.checked_sub(first) == u64::try_from(lost).ok();
        self.lost.take_if(|(lost, _)| is_lost(*lost)).map(|(_, loss)| loss)
    }

    fn is_held(&self, request: &Recorded) -> bool {
        self.reversed.is_some_and(|(late, early)| {
            !self.is_over && request.body.contains(late) && !self.over.iter().any(|body| body.contains(early))
        })
    }
}

struct Path {
    target: SocketAddr,
    shared: Arc<Shared>,
}

impl Service for Path {
    fn answer(&self, wire: &mut Wire, _: usize, request: &Recorded) -> io::Result<()> {
        let loss = self.shared.lock().next(request);
        let is_held = |state: &mut State| state.is_held(request);
        drop(self.shared.changed.wait_while(self.shared.lock(), is_held));
        let answered = self.answer_or_lose(wire, request, loss);
        self.shared.lock().over.push(request.body.clone());
        self.shared.changed.notify_all();
        answered
    }
}

impl Path {
    fn answer_or_lose(&self, wire: &mut Wire, request: &Recorded, loss: Option<Loss>) -> io::Result<()> {
        match loss {
            Some(Loss::Closed) => return Err(ended()),
            Some(Loss::Reset) => return Err(wire.reset()),
            Some(Loss::BadGateway) => {
                let html = [("Content-Type".into(), "text/html".into())];
                return wire.respond(502, &html, b"<html><body>Bad Gateway</body></html>");
            }
            Some(Loss::Unknown) => {
                let xml = [("Content-Type".into(), XML.into())];
                let body = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' \
                            condition='item-not-found'/>";
                return wire.respond(200, &xml, body.as_bytes());
            }
            Some(Loss::Overheard | Loss::Unanswered) | None => {}
        }
        let connection = self.pass_on(request)?;
        let shared = Arc::clone(&self.shared);
        let answer = move || {
            let answer = read(&connection);
            shared.lock().passed_on.retain(|tcp| !Arc::ptr_eq(tcp, &connection));
            answer
        };
        if loss == Some(Loss::Overheard) {
            thread::spawn(answer);
            return Err(ended());
        }
        let (status, content_type, body) = answer()?;
        if loss.is_some() {
            return Err(ended());
        }
        wire.respond(status, &[("Content-Type".into(), content_type)], &body)
    }

    /// Sends the request to the target over a new connection.
    fn pass_on(&self, request: &Recorded) -> io::Result<Arc<TcpStream>> {
        let tcp = Arc::new(TcpStream::connect(self.target)?);
        tcp.set_nodelay(true)?;
        write(request, &tcp)?;
        let mut state = self.shared.lock();
        if state.is_over {
            return Err(ended());
        }
        state.passed_on.push(Arc::clone(&tcp));
        Ok(tcp)
    }
}

fn write(request: &Recorded, mut tcp: &TcpStream) -> io::Result<()> {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {XML}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        request.path,
        request.body.len()
    );
    tcp.write_all([head.as_bytes(), request.body.as_bytes()].concat().as_slice())
}

/// Reads the answer: its status, content type and body.
fn read(mut tcp: &TcpStream) -> io::Result<(u16, String, Vec<u8>)> {
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer)?;
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(start) = head.parse(&answer).map_err(io::Error::other)? else {
        return Err(ended());
    };
    let content_type = head.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-type"));
    let content_type = content_type.map(|field| String::from_utf8_lossy(field.value).into_owned());
    let status = head.code.unwrap_or(502);
    Ok((status, content_type.unwrap_or_default(), answer[start..].to_vec()))
}
