//! Sends one POST by `ureq` and reads its answer.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Instant, SystemTime};

use rustls::ClientConfig;
use ureq::config::Config as HttpConfig;
use ureq::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use ureq::http::{HeaderMap, Response, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Body, Error as HttpError, Proxy, ProxyProtocol};
use zeroize::{Zeroize as _, Zeroizing};

use super::connect::{self, Names, USER_AGENT};
use super::obstacle::{Cause, Obstacle, Spoken};
use super::pool::{Lane, Lanes, MAX_AGE};
use super::stream::{Connection, Line, Notes};
use crate::client::headers;
use crate::client::outbox::Posted;
use crate::client::process::PerProcess;
use crate::client::trust;
use crate::config::Config;
use crate::error::{Error, Phase};
use crate::secret::Secret;
use crate::wire::body;
use crate::wire::cookies::with_age;
use crate::wire::reply::{Reply, retry_after};
use crate::wire::request::Request;

/// The longest head of an answer that is read.
const MAX_HEADERS: usize = 16 * 1024;

/// What is posted.
struct Post<'a> {
    url: &'a str,
    content_type: &'static str,
    authorization: Option<&'a HeaderValue>,
    cookie: Option<&'a str>,
    body: &'a str,
    /// What the reply is known by.
    rid: u64,
    /// Whether it creates a session, and must not be sent again.
    creates: bool,
}

/// Sends requests to one URL.
pub(in crate::client) struct Http {
    config: Config,
    headers: HeaderMap,
    proxy: Option<Proxy>,
    tls: Option<Arc<ClientConfig>>,
    agent: HttpConfig,
    process: PerProcess<Process>,
}

/// What each process must have for itself: a fork must not use its parent's connections and locks.
pub(in crate::client) struct Process {
    pub(in crate::client) lanes: Lanes,
    names: Names,
    tls: Option<Arc<ClientConfig>>,
}

impl Http {
    /// # Errors
    /// `Config` if an option has a value that cannot work.
    pub(in crate::client) fn new(config: &Config) -> Result<Self, Error> {
        let (headers, proxy) = (headers::checked(&config.headers)?, connect::proxy(config)?);
        let is_tls_proxy = |proxy: &Proxy| proxy.protocol() == ProxyProtocol::Https;
        let needs_tls = config.url.is_https() || proxy.as_ref().is_some_and(is_tls_proxy);
        let tls = needs_tls.then(|| trust::configure(config)).transpose()?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(USER_AGENT)
            .max_idle_age(MAX_AGE)
            .accept("")
            .accept_encoding("identity")
            .max_response_header_size(MAX_HEADERS)
            .input_buffer_size(2 * MAX_HEADERS)
            .output_buffer_size(2 * MAX_HEADERS)
            .build();
        Ok(Self { config: config.clone(), headers, proxy, tls, agent, process: PerProcess::new() })
    }

    /// Returns the answer and the lane that carried it. Put the lane back for other requests.
    pub(in crate::client) fn post(
        &self,
        request: &Request,
        lane: Option<Lane>,
        until: Instant,
        posted: Option<Posted>,
    ) -> Result<(Reply, Lane), Obstacle> {
        let post = Post {
            url: self.config.url.as_str(),
            content_type: body::CONTENT_TYPE,
            authorization: None,
            cookie: request.cookie(),
            body: request.body(),
            rid: request.rid(),
            creates: !request.is_repeatable(),
        };
        self.send(&post, lane, until, posted)
    }

    /// The reply to JSON that is posted to a command of an API, whose URL is this one.
    pub(in crate::client) fn command(
        &self,
        name: &str,
        authorization: &HeaderValue,
        json: &Secret,
        until: Instant,
    ) -> Result<Reply, Obstacle> {
        let url = format!("{}/{name}", self.config.url.as_str().trim_end_matches('/'));
        let post = Post {
            url: &url,
            content_type: "application/json",
            authorization: Some(authorization),
            cookie: None,
            body: json.expose(),
            rid: 0,
            creates: false,
        };
        let (reply, lane) = self.send(&post, None, until, None)?;
        self.process().lanes.put(lane);
        Ok(reply)
    }

    fn send(
        &self,
        post: &Post<'_>,
        lane: Option<Lane>,
        until: Instant,
        posted: Option<Posted>,
    ) -> Result<(Reply, Lane), Obstacle> {
        let start = Instant::now();
        if start >= until {
            // The previous answer used up all the time.
            return Err(Obstacle::new(Phase::Headers, Cause::Timeout));
        }
        let until = until.min(start + self.config.request_timeout);
        let process = self.process();
        let lane = lane.filter(Lane::is_open).or_else(|| process.lanes.take(post.creates));
        let lane = lane.map_or_else(|| self.open(&process, until), Ok);
        lane.and_then(|lane| self.exchange(post, lane, until, posted)).inspect_err(|obstacle| {
            // From now on, prefer other addresses to one that did not answer in time.
            if matches!(obstacle.cause, Cause::Timeout)
                && start.elapsed() >= self.config.deadline / 4
                && let Some(peer) = obstacle.peer
            {
                process.names.avoid(peer);
                process.lanes.leave(peer);
            }
        })
    }

    /// Starts opening a connection for the requests after a creation, on a thread of its own, unless there
    /// are enough. The lane is sent to the receiver, or goes to the pool if the receiver is gone.
    pub(in crate::client) fn open_ahead(self: &Arc<Self>) -> Option<Receiver<Lane>> {
        let process = self.process();
        if process.lanes.has_two() {
            return None;
        }
        let (sender, receiver) = channel();
        let (http, until) = (Arc::clone(self), Instant::now() + self.config.deadline);
        let open = move || match http.open(&process, until).map(|lane| sender.send(lane)) {
            Ok(Ok(())) => {}
            Ok(Err(unwanted)) => process.lanes.put(unwanted.0),
            Err(Obstacle { cause, .. }) => tracing::debug!("no connection could be opened ahead: {cause:?}"),
        };
        thread::Builder::new().name("prebind-ahead".to_owned()).spawn(open).ok()?;
        Some(receiver)
    }

    /// The part that belongs to this process.
    pub(in crate::client) fn process(&self) -> Arc<Process> {
        self.process.get(|| Process {
            lanes: Lanes::default(),
            names: Names::new(self.config.ip_family),
            tls: self.tls.as_deref().map(trust::with_sessions),
        })
    }

    fn open(&self, process: &Process, until: Instant) -> Result<Lane, Obstacle> {
        let (proxy, tls) = (self.proxy.as_ref(), process.tls.as_ref());
        let connection = Arc::new(connect::open(&self.config, proxy, &process.names, tls, until)?);
        let lender = Lender(Arc::clone(&connection));
        Ok(Lane::new(Agent::with_parts(self.agent.clone(), lender, Nowhere), connection))
    }

    fn exchange(
        &self,
        post: &Post<'_>,
        mut lane: Lane,
        until: Instant,
        posted: Option<Posted>,
    ) -> Result<(Reply, Lane), Obstacle> {
        if posted.as_ref().is_some_and(|posted| !posted.leave()) {
            // The outbox is closed: this request must not go out any more.
            return Err(Obstacle::new(Phase::Headers, io::Error::from(io::ErrorKind::ConnectionAborted)));
        }
        // Linger for the answer to a creation, because it names the session to end if the call is given up.
        lane.connection.begin(until, post.creates, posted);
        let mut request = lane.agent.post(post.url).header(CONTENT_TYPE, post.content_type);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = post.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(cookie) = post.cookie {
            request = request.header(COOKIE, cookie);
        }
        let mut partial = Vec::new();
        let reply = match request.send(post.body) {
            Ok(response) => read(response, post.rid, self.config.max_reply, &mut partial)
                .map_err(|error| Obstacle::new(Phase::Body, HttpError::from(error))),
            Err(error) => Err(Obstacle::new(Phase::Headers, error)),
        };
        let Notes { sent, spoken, .. } = mem::take(&mut lane.connection.line().notes);
        // The lane and the lender hold the connection. `ureq` holds it as well as long as it may carry
        // another request.
        lane.carried(post.creates, sent, Arc::strong_count(&lane.connection) < 3);
        let peer = lane.connection.peer;
        reply.map(|reply| (reply, lane)).map_err(|obstacle| Obstacle { spoken, partial, peer, ..obstacle })
    }
}

/// Reads the answer. If the body cannot be read to its end, `partial` holds what arrived of it.
fn read(response: Response<Body>, rid: u64, max: usize, partial: &mut Vec<u8>) -> io::Result<Reply> {
    let (head, body) = response.into_parts();
    let text =
        |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let now = SystemTime::now();
    let mut reply = Reply {
        rid,
        status: head.status.as_u16(),
        content_type: text(CONTENT_TYPE),
        content_encoding: text(CONTENT_ENCODING),
        location: text(LOCATION),
        retry_after: text(RETRY_AFTER).and_then(|header| retry_after(&header, now)),
        set_cookie: (head.headers.get_all(SET_COOKIE).iter())
            .filter_map(|value| value.to_str().ok())
            .map(|header| with_age(header, now.into()))
            .collect(),
        body: Vec::new(),
    };
    // Reading one byte more than allowed shows that the body is too long.
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    body.into_reader().take(limit).read_to_end(partial)?;
    reply.body = mem::take(partial);
    Ok(reply)
}

/// The connector of a lane's agent: it lends the lane's connection to `ureq`.
#[derive(Debug)]
struct Lender(Arc<Connection>);

impl Connector for Lender {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, HttpError> {
        let (config, connection) = (details.config, Arc::clone(&self.0));
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Wire { connection, buffers, unsent: Zeroizing::default() }))
    }
}

/// A resolver that does nothing, because the connection is already open.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &HttpConfig, _: NextTimeout) -> Result<ResolvedSocketAddrs, HttpError> {
        Ok(self.empty())
    }
}

/// The transport that `ureq` writes a request to and reads the answer from. It sends the request in one
/// piece, because a server that reads the head first may delay the body. The connection itself keeps to the
/// deadline.
struct Wire {
    connection: Arc<Connection>,
    buffers: LazyBuffers,
    unsent: Zeroizing<Vec<u8>>,
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    /// Clears each buffer after use, because what is sent may hold a password.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), HttpError> {
        let output = &mut self.buffers.output()[..amount];
        // Growing the vector would leave its old bytes in freed memory.
        self.unsent = Zeroizing::new([&self.unsent, &*output].concat());
        output.zeroize();
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, HttpError> {
        let mut line = self.connection.line();
        let Line { stream, notes } = &mut *line;
        if !self.unsent.is_empty() {
            stream.write_all(&self.unsent)?;
            stream.flush()?;
            notes.sent += self.unsent.len();
            self.unsent.zeroize();
            notes.posted.iter().for_each(Posted::written);
        }
        let input = self.buffers.input_append_buf();
        let amount = stream.read(input)?;
        if notes.spoken == Spoken::Nothing {
            notes.spoken = Spoken::of(&input[..amount]);
        }
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // The pool checks a lane before it is used.
        true
    }

    fn is_tls(&self) -> bool {
        // `ureq` asks only for https, and then the lane's stream is TLS.
        true
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("host", &self.config.url.host()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::time::Duration;

    use super::*;
    use crate::error::Stage;
    use crate::wire::body::Frame;

    fn http(url: &str) -> Http {
        let mut config = Config::new(url).unwrap();
        (config.allow_cleartext, config.deadline) = (true, Duration::from_secs(1));
        Http::new(&config).unwrap()
    }

    fn request() -> Request {
        Request::new(&Frame::Terminate, Stage::Terminate, 1000, Some("sid"), "", None)
    }

    fn in_time() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn nothing_that_was_sent_stays_in_a_buffer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Arc::new(Connection::to(&listener));
        let mut server = listener.accept().unwrap().0;
        let mut wire = Wire {
            connection: Arc::clone(&connection),
            buffers: LazyBuffers::new(1024, 3000),
            unsent: Zeroizing::default(),
        };
        for round in 1..=2 {
            for _ in 0..2 {
                wire.buffers().output()[..3000].fill(b'x');
                wire.transmit_output(3000, NextTimeout::default()).unwrap();
                assert!(wire.buffers().output().iter().all(|byte| *byte == 0));
            }
            assert_eq!((wire.unsent.len(), connection.line().notes.sent), (6000, 6000 * (round - 1)));
            server.write_all(b"y").unwrap();
            wire.await_input(NextTimeout::default()).unwrap();
            let mut received = [0; 6000];
            server.read_exact(&mut received).unwrap();
            assert!(received.iter().all(|byte| *byte == b'x'));
            assert!(wire.unsent.is_empty());
        }
    }

    #[test]
    fn an_obstacle_tells_what_the_request_was_doing_and_what_answered() {
        for (answer, phase, spoken, partial) in [
            (&b""[..], Phase::Headers, Spoken::Nothing, &b""[..]),
            (b"SSH-2.0-OpenSSH\r\n", Phase::Headers, Spoken::Other, b""),
            (b"HTTP/1.1 200 OK\r\n", Phase::Headers, Spoken::Http, b""),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<body", Phase::Body, Spoken::Http, b"<body"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let http = http(&format!("http://{}/", listener.local_addr().unwrap()));
            let server = thread::spawn(move || {
                let mut server = listener.accept().unwrap().0;
                server.read_exact(&mut [0; 64]).unwrap();
                server.write_all(answer).unwrap();
                server.shutdown(std::net::Shutdown::Write).unwrap();
                // Bytes that stay unread would reset the connection.
                io::copy(&mut server, &mut io::sink())
            });
            let obstacle = http.post(&request(), None, in_time(), None).map(drop).unwrap_err();
            assert_eq!((obstacle.phase, obstacle.spoken), (phase, spoken), "{obstacle:?}");
            assert_eq!(obstacle.partial, partial);
            assert!(obstacle.peer.is_some());
            drop(http);
            server.join().unwrap().unwrap();
        }
        let late = http("http://127.0.0.1:1/").post(&request(), None, Instant::now(), None).map(drop);
        assert!(matches!(late, Err(Obstacle { phase: Phase::Headers, cause: Cause::Timeout, .. })));
    }

    /// The name has an address that accepts connections and never answers.
    #[test]
    fn after_a_timeout_another_address_is_preferred() {
        let good = faults::serve(faults::Fault::NoHeaders.at(usize::MAX));
        let number: u16 = good.url.split(['/', ':']).nth(4).unwrap().parse().unwrap();
        let hanging = SocketAddr::from(([127, 0, 0, 2], number));
        let _listener = TcpListener::bind(hanging).unwrap();
        let http = http(&format!("http://chat.example.org:{number}/http-bind"));
        let process = http.process.get(|| Process {
            lanes: Lanes::default(),
            names: Names::fixed(vec![hanging, SocketAddr::from(([127, 0, 0, 1], number))]),
            tls: None,
        });
        let post = || {
            let until = Instant::now() + http.config.deadline;
            http.post(&request(), None, until, None).map(|(_, lane)| process.lanes.put(lane)).is_ok()
        };
        assert_eq!(
            [(); 6].map(|()| post()),
            [false, true, true, true, true, true],
            "only the first waits for it"
        );
    }
}
