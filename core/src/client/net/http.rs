//! One POST, by `ureq`, and the answer to it.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Instant, SystemTime};

use rustls::ClientConfig;
use ureq::http::header::{
    CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use ureq::http::{HeaderMap, Response, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Body, Error as HttpError};
use zeroize::{Zeroize as _, Zeroizing};

use super::connect::{self, Connection, Names, Route, USER_AGENT};
use super::obstacle::{Cause, Obstacle, Spoken};
use super::pool::{Lane, Lanes};
use super::tls;
use crate::client::outbox::Posted;
use crate::client::process::PerProcess;
use crate::config::Config;
use crate::cookies::with_age;
use crate::error::{Error, Phase};
use crate::reply::{Reply, retry_after};
use crate::request::{self, Request};
use crate::secret::Secret;

/// The longest head of an answer.
const MAX_HEADERS: usize = 16 * 1024;

/// The most that common servers take.
const MAX_HEADER: usize = 8 * 1024;

/// The most of all headers together: writing them takes time, and common servers take less.
const MAX_HEAD: usize = 64 * 1024;

/// Longer than most requests.
const USUAL: usize = 4096;

/// Sends requests to one URL.
pub(in crate::client) struct Http {
    config: Config,
    headers: HeaderMap,
    route: Route,
    tls: Option<Arc<ClientConfig>>,
    agent: ureq::config::Config,
    process: PerProcess<Process>,
}

/// What a process uses that no other may.
struct Process {
    lanes: Lanes,
    names: Names,
    tls: Option<Arc<ClientConfig>>,
}

impl Http {
    /// # Errors
    /// `Config` if an option has a value that cannot work.
    pub(in crate::client) fn new(config: &Config) -> Result<Self, Error> {
        let headers = headers(&config.headers)?;
        let route = Route::new(config)?;
        let tls = route.needs_tls().then(|| tls::configure(config)).transpose()?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(USER_AGENT)
            .accept("")
            .accept_encoding("identity")
            .max_response_header_size(MAX_HEADERS)
            .input_buffer_size(2 * MAX_HEADERS)
            .output_buffer_size(2 * MAX_HEADERS)
            .build();
        Ok(Self { config: config.clone(), headers, route, tls, agent, process: PerProcess::new() })
    }

    /// The answer, and the lane it came by, which is best put back.
    pub(in crate::client) fn post(
        &self,
        request: &Request,
        lane: Option<Lane>,
        until: Instant,
        posted: Option<Posted>,
    ) -> Result<(Reply, Lane), Obstacle> {
        let start = Instant::now();
        if start >= until {
            // The answer before this took it all.
            return Err(Obstacle::new(Phase::Headers, Cause::Timeout));
        }
        let until = until.min(start + self.config.request_timeout);
        let (process, creates) = (self.process(), !request.is_repeatable());
        let lane = lane.filter(Lane::is_open).or_else(|| process.lanes.take(creates));
        let lane = lane.map_or_else(|| self.open(&process, until), Ok);
        lane.and_then(|lane| self.exchange(request, lane, until, posted)).inspect_err(|obstacle| {
            // Prefers other addresses to one that did not answer in time.
            if matches!(obstacle.cause, Cause::Timeout)
                && start.elapsed() >= self.config.deadline / 4
                && let Some(peer) = obstacle.peer
            {
                process.names.avoid(peer);
                process.lanes.leave(peer);
            }
        })
    }

    /// Begins to open a connection for what follows a creation, on a thread of its own, unless one
    /// is there. The lane goes to the receiver, or to the others if there is none any more.
    pub(in crate::client) fn open_ahead(self: &Arc<Self>) -> Option<Receiver<Lane>> {
        let process = self.process();
        if process.lanes.has_two() {
            return None;
        }
        let (sender, receiver) = channel();
        let (http, until) = (Arc::clone(self), Instant::now() + self.config.deadline);
        let open = move || match http.open(&process, until) {
            Ok(lane) => {
                if let Err(unwanted) = sender.send(lane) {
                    process.lanes.put(unwanted.0);
                }
            }
            Err(obstacle) => {
                tracing::debug!("no connection could be opened ahead: {:?}", obstacle.cause);
            }
        };
        thread::Builder::new().name("prebind-ahead".to_owned()).spawn(open).ok()?;
        Some(receiver)
    }

    /// From now on the server is known to slow down the connections that create sessions.
    pub(in crate::client) fn slow_down(&self) {
        self.process().lanes.slow_down();
    }

    /// Whether it is known to do so.
    pub(in crate::client) fn is_slow(&self) -> bool {
        self.process().lanes.is_slow_server()
    }

    /// One that nobody uses, even if the server lets it rest.
    pub(in crate::client) fn any_lane(&self) -> Option<Lane> {
        self.process().lanes.take_any()
    }

    /// Puts a lane back for others to use.
    pub(in crate::client) fn put(&self, lane: Lane) {
        self.process().lanes.put(lane);
    }

    fn process(&self) -> Arc<Process> {
        self.process.get(|| Process {
            lanes: Lanes::default(),
            names: Names::new(self.config.ip_family),
            tls: self.tls.as_deref().map(tls::with_sessions),
        })
    }

    fn open(&self, process: &Process, until: Instant) -> Result<Lane, Obstacle> {
        Ok(Lane::new(connect::open(&self.route, &process.names, process.tls.as_ref(), until)?))
    }

    fn exchange(
        &self,
        request: &Request,
        mut lane: Lane,
        until: Instant,
        posted: Option<Posted>,
    ) -> Result<(Reply, Lane), Obstacle> {
        if posted.as_ref().is_some_and(|posted| !posted.leave()) {
            let called_back = io::Error::from(io::ErrorKind::ConnectionAborted);
            return Err(Obstacle::new(Phase::Headers, called_back));
        }
        let creates = !request.is_repeatable();
        // Nobody would know the session that comes of it.
        lane.connection.begin(until, creates);
        let loan = Arc::new(Loan::new(Arc::clone(&lane.connection), posted));
        let agent = Agent::with_parts(self.agent.clone(), Lender(Arc::clone(&loan)), Nowhere);
        let mut post = agent.post(self.config.url.as_str()).header(CONTENT_TYPE, request::CONTENT_TYPE);
        for (name, value) in &self.headers {
            post = post.header(name, value);
        }
        if let Some(cookie) = request.cookie() {
            post = post.header(COOKIE, cookie);
        }
        let mut partial = Vec::new();
        let reply = match post.send(request.body()) {
            Ok(response) => read(response, request.rid(), self.config.max_reply, &mut partial)
                .map_err(|error| Obstacle::new(Phase::Body, HttpError::from(error))),
            Err(error) => Err(Obstacle::new(Phase::Headers, error)),
        };
        lane.carried(creates, loan.sent.load(Relaxed), loan.is_over.load(Relaxed));
        let spoken = loan.spoken.get().copied().unwrap_or(Spoken::Nothing);
        match reply {
            Ok(reply) => Ok((reply, lane)),
            Err(obstacle) => Err(Obstacle { spoken, partial, peer: lane.connection.peer, ..obstacle }),
        }
    }
}

/// The configured headers, checked; those of the request itself cannot be replaced.
fn headers(configured: &[(String, Secret)]) -> Result<HeaderMap, Error> {
    const OURS: [&str; 8] = [
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "te",
        "transfer-encoding",
    ];
    let length = |(name, value): &(String, Secret)| name.len() + value.expose().len() + ": \r\n".len();
    if configured.iter().map(length).sum::<usize>() > MAX_HEAD {
        return Err(Error::config(
            "headers",
            format!("have more than {MAX_HEAD} bytes in all, which servers refuse"),
        ));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in configured {
        let parsed = HeaderName::try_from(name.as_str()).ok().filter(|name| !OURS.contains(&name.as_str()));
        let name = parsed.ok_or_else(|| {
            Error::config(
                "headers",
                "has a name that HTTP does not allow, or that prebind sets itself, such as Content-Type",
            )
        })?;
        let mut value = HeaderValue::try_from(value.expose()).map_err(|_| {
            Error::config(
                "headers",
                format!("the value of {name} has a character that HTTP does not allow, such as a line break"),
            )
        })?;
        if value.len() > MAX_HEADER {
            return Err(Error::config(
                "headers",
                format!("the value of {name} is longer than {MAX_HEADER} bytes, which servers refuse"),
            ));
        }
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// Leaves in `partial` what arrived of a body that could not be read to its end.
fn read(response: Response<Body>, rid: u64, max: usize, partial: &mut Vec<u8>) -> io::Result<Reply> {
    let (head, body) = response.into_parts();
    let text =
        |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let now = SystemTime::now();
    let set_cookie = head.headers.get_all(SET_COOKIE).iter();
    let mut reply = Reply {
        rid,
        status: head.status.as_u16(),
        content_type: text(CONTENT_TYPE),
        content_encoding: text(CONTENT_ENCODING),
        location: text(LOCATION),
        retry_after: text(RETRY_AFTER).and_then(|header| retry_after(&header, now)),
        set_cookie: set_cookie
            .filter_map(|value| value.to_str().ok())
            .map(|header| with_age(header, now.into()))
            .collect(),
        body: Vec::new(),
    };
    // One byte more than allowed is enough to know that it is too long.
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    body.into_reader().take(limit).read_to_end(partial)?;
    reply.body = mem::take(partial);
    Ok(reply)
}

/// A connection that is lent to `ureq` for one request, and what is known of the request.
#[derive(Debug)]
struct Loan {
    connection: Arc<Connection>,
    posted: Option<Posted>,
    /// How many bytes went out.
    sent: AtomicUsize,
    /// What the answer begins with.
    spoken: OnceLock<Spoken>,
    /// Whether `ureq` has closed the connection, which is not fit for another request.
    is_over: AtomicBool,
}

impl Loan {
    fn new(connection: Arc<Connection>, posted: Option<Posted>) -> Self {
        let (sent, spoken, is_over) = (AtomicUsize::new(0), OnceLock::new(), AtomicBool::new(false));
        Self { connection, posted, sent, spoken, is_over }
    }
}

/// The connector of an agent for one request.
#[derive(Debug)]
struct Lender(Arc<Loan>);

impl Connector for Lender {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, HttpError> {
        let (config, loan) = (details.config, Arc::clone(&self.0));
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Wire { loan, buffers, unsent: Zeroizing::new(Vec::with_capacity(USUAL)) }))
    }
}

/// The connection is open, so no name is to be looked up.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, HttpError> {
        Ok(self.empty())
    }
}

/// What `ureq` writes a request to and reads the answer from. It sends the request in one piece, since a server that
/// reads the head first may make the body wait. The connection itself keeps to the deadline.
struct Wire {
    loan: Arc<Loan>,
    buffers: LazyBuffers,
    unsent: Zeroizing<Vec<u8>>,
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    /// Neither buffer keeps a copy of what is sent: it may be a password.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), HttpError> {
        let length = self.unsent.len() + amount;
        if length > self.unsent.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * length));
            larger.extend_from_slice(&self.unsent);
            self.unsent = larger;
        }
        let output = &mut self.buffers.output()[..amount];
        self.unsent.extend_from_slice(output);
        output.zeroize();
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, HttpError> {
        let mut stream = self.loan.connection.stream();
        if !self.unsent.is_empty() {
            stream.write_all(&self.unsent)?;
            stream.flush()?;
            self.loan.sent.fetch_add(self.unsent.len(), Relaxed);
            self.unsent.zeroize();
            self.loan.posted.iter().for_each(Posted::written);
        }
        let input = self.buffers.input_append_buf();
        let amount = stream.read(input)?;
        self.loan.spoken.get_or_init(|| Spoken::of(&input[..amount]));
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.loan.connection.is_quiet()
    }

    fn is_tls(&self) -> bool {
        // `ureq` asks only where the URL wants it.
        true
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.loan.is_over.store(true, Relaxed);
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
    use crate::body::Frame;
    use crate::error::Stage;

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
    fn a_header_may_be_as_long_as_servers_take() {
        for (length, is_allowed) in [(MAX_HEADER, true), (MAX_HEADER + 1, false)] {
            let header = ("X-Long".to_owned(), Secret::from("x".repeat(length)));
            assert_eq!(headers(&[header]).is_ok(), is_allowed, "{length}");
        }
        assert_eq!(MAX_HEADER, 8192);
    }

    #[test]
    fn all_headers_may_be_as_long_as_servers_take() {
        let header = |number: usize, length: usize| (format!("X{number}"), Secret::from("x".repeat(length)));
        for (count, length, is_allowed) in
            [(8, 8186, true), (8, 8187, false), (9362, 1, true), (9363, 1, false)]
        {
            let configured: Vec<_> = (0..count).map(|number| header(number % 10, length)).collect();
            assert_eq!(headers(&configured).is_ok(), is_allowed, "{count} of {length}");
        }
        assert_eq!(MAX_HEAD, 65_536);
    }

    #[test]
    fn nothing_that_was_sent_stays_in_a_buffer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Arc::new(Connection::to(&listener));
        let mut server = listener.accept().unwrap().0;
        let loan = Arc::new(Loan::new(connection, None));
        let mut wire = Wire {
            loan: Arc::clone(&loan),
            buffers: LazyBuffers::new(1024, 3000),
            unsent: Zeroizing::new(Vec::with_capacity(USUAL)),
        };
        for round in 1..=2 {
            for _ in 0..2 {
                wire.buffers().output()[..3000].fill(b'x');
                wire.transmit_output(3000, NextTimeout::default()).unwrap();
                assert!(wire.buffers().output().iter().all(|byte| *byte == 0));
            }
            assert_eq!((wire.unsent.len(), loan.sent.load(Relaxed)), (6000, 6000 * (round - 1)));
            server.write_all(b"y").unwrap();
            wire.await_input(NextTimeout::default()).unwrap();
            let mut received = [0; 6000];
            server.read_exact(&mut received).unwrap();
            assert!(received.iter().all(|byte| *byte == b'x'));
            assert!(wire.unsent.is_empty() && wire.unsent.capacity() >= 6000);
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
                // Unread bytes would reset the connection.
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

    /// A name with an address that takes connections and never answers.
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
