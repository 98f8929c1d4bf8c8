//! Replies written down in advance.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;

use crate::classic;
use crate::peek;
use crate::request::Recorded;
use crate::server::{Server, Service, ended};
use crate::tls::{self, Authority};
use crate::wire::{Link, Wire};

/// Serves the replies in order, each once, over as many connections as the client opens.
///
/// A request gets the first reply left that accepts it ([`Reply::when`]). When none does,
/// `type='terminate'` is confirmed, because clean-up is best effort, and anything else gets 500
/// and the text `script exhausted`.
///
/// # Panics
///
/// If no port can be opened on the loopback interface.
#[must_use]
pub fn script(replies: Vec<Reply>) -> Server {
    Server::start(Script { left: Mutex::new(replies), tls: None })
}

/// [`script`] over TLS, for `127.0.0.1` and `localhost`, trusted through [`Server::ca_pem`].
///
/// # Panics
///
/// If no port can be opened on the loopback interface.
#[must_use]
pub fn script_tls(replies: Vec<Reply>) -> Server {
    let authority = Authority::new("prebind script");
    let tls = Some((authority.pem(), authority.trusted()));
    Server::start(Script { left: Mutex::new(replies), tls })
}

/// [`script`] over TLS with this certificate and key in PEM, the first of which is [`Server::ca_pem`].
///
/// # Panics
///
/// If they cannot be used, or no port can be opened on the loopback interface.
#[must_use]
pub fn script_tls_with(replies: Vec<Reply>, certificate: &str, key: &str) -> Server {
    let tls = Some((certificate.to_owned(), tls::given(certificate, key)));
    Server::start(Script { left: Mutex::new(replies), tls })
}

/// One scripted response. A field may be set directly or by the methods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Header fields; only `Content-Length` is added, unless it or `Transfer-Encoding` is here.
    pub headers: Vec<(String, String)>,
    /// The body. In UTF-8 text `{rid}`, `{id}` and `{resource}` are replaced by the request's RID,
    /// its iq id, and the resource it asks for (or `faults`); `{challenge}` by the data of a SCRAM
    /// challenge that answers its `<auth/>`, with 4,096 iterations, and `{long challenge}` by that of
    /// one with 600,000.
    pub body: Vec<u8>,
    when: Option<String>,
    after: Duration,
    after_next: bool,
    lasts: Option<Duration>,
    /// When the first request came that it answered, counted from the server's start.
    since: Option<Duration>,
    closes: bool,
    idle: Option<Duration>,
}

impl Reply {
    /// 200 and XML.
    #[must_use]
    pub fn xml(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body).header("Content-Type", XML)
    }

    /// Any status and body, without a `Content-Type`.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Answers only a request whose body contains this text; which is how replies find their
    /// requests when several are in flight.
    #[must_use]
    pub fn when(mut self, part: &str) -> Self {
        self.when = Some(part.into());
        self
    }

    /// Waits before it is sent.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// Waits until the request with the next RID has arrived, which a client sends that does not wait for this
    /// reply.
    #[must_use]
    pub fn after_next(mut self) -> Self {
        self.after_next = true;
        self
    }

    /// Answers all requests for so long after the first, and not one only.
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// Closes the connection behind it without having said so: the next request on it finds a
    /// stale socket.
    #[must_use]
    pub fn closes(mut self) -> Self {
        self.closes = true;
        self
    }

    /// Closes the connection behind it once nothing has come on it for so long.
    #[must_use]
    pub fn closes_after(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    pub(crate) fn accepts(&self, request: &Recorded) -> bool {
        let part = self.when.as_deref().unwrap_or_default();
        let is_over = self.since.zip(self.lasts).is_some_and(|(since, time)| request.at >= since + time);
        request.body.contains(part) && !is_over
    }

    pub(crate) fn send(&self, wire: &mut Wire, request: &Recorded) -> io::Result<()> {
        if !self.after.is_zero() {
            wire.shared().pause(self.after)?;
        }
        if let Some(rid) = request.rid().filter(|_| self.after_next) {
            wire.shared().wait_for(rid + 1)?;
        }
        wire.respond(self.status, &self.headers, &self.body_for(request))?;
        if let Some(idle) = self.idle {
            wire.wait_at_most(idle)?;
        }
        if self.closes { Err(ended()) } else { Ok(()) }
    }

    pub(crate) fn body_for(&self, request: &Recorded) -> Vec<u8> {
        let Ok(text) = str::from_utf8(&self.body) else {
            return self.body.clone();
        };
        let rid = request.rid().unwrap_or_default().to_string();
        let challenge = |iterations| peek::challenge(&request.body, iterations).unwrap_or_default();
        text.replace("{rid}", &rid)
            .replace("{id}", peek::iq_id(&request.body).unwrap_or_default())
            .replace("{challenge}", &challenge(4096))
            .replace("{long challenge}", &challenge(600_000))
            .replace("{resource}", peek::resource(&request.body).unwrap_or("faults"))
            .into()
    }
}

/// The content type XEP-0124 §6 asks for.
pub(crate) const XML: &str = "text/xml; charset=utf-8";

struct Script {
    left: Mutex<Vec<Reply>>,
    /// The certificate to trust, and what the server presents.
    tls: Option<(String, Arc<ServerConfig>)>,
}

impl Script {
    fn next(&self, request: &Recorded) -> Reply {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = left.iter().position(|reply| reply.accepts(request)) {
            if left[index].lasts.is_none() {
                return left.remove(index);
            }
            left[index].since.get_or_insert(request.at);
            return left[index].clone();
        }
        if peek::terminates(&request.body) {
            return classic::idle(true);
        }
        Reply::new(500, "script exhausted").header("Content-Type", "text/plain")
    }
}

impl Service for Script {
    fn open(&self, link: Link) -> io::Result<Wire> {
        match &self.tls {
            Some((_, config)) => Wire::tls(link, Arc::clone(config)),
            None => Ok(Wire::plain(link)),
        }
    }

    fn answer(&self, wire: &mut Wire, _: usize, request: &Recorded) -> io::Result<()> {
        self.next(request).send(wire, request)
    }

    fn ca_pem(&self) -> Option<String> {
        self.tls.as_ref().map(|(pem, _)| pem.clone())
    }
}
