//! A server whose replies are written in advance.

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
/// A request gets the first remaining reply that accepts it ([`Reply::when`]). If there is none,
/// `type='terminate'` is confirmed, because clean-up is best effort. Any other request gets 500 and the text
/// `script exhausted`.
///
/// # Panics
///
/// If no port can be opened on the loopback interface.
#[must_use]
pub fn script(replies: Vec<Reply>) -> Server {
    Server::start(Script { left: Mutex::new(replies), tls: None })
}

/// As [`script`], over TLS for `127.0.0.1` and `localhost`. [`Server::ca_pem`] is the certificate to trust.
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

/// As [`script`], over TLS with this certificate and key in PEM. [`Server::ca_pem`] is the same certificate.
///
/// # Panics
///
/// If they cannot be used, or no port can be opened on the loopback interface.
#[must_use]
pub fn script_tls_with(replies: Vec<Reply>, certificate: &str, key: &str) -> Server {
    let tls = Some((certificate.to_owned(), tls::given(certificate, key)));
    Server::start(Script { left: Mutex::new(replies), tls })
}

/// A scripted response. You may set its fields directly or by the methods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header fields. Only `Content-Length` is added, unless it or `Transfer-Encoding` is among them.
    pub headers: Vec<(String, String)>,
    /// The body. In UTF-8 text, `{rid}`, `{id}` and `{resource}` stand for the request's RID, its iq id, and
    /// the resource that it asks for (or `faults`). `{challenge}` stands for the data of a SCRAM challenge
    /// with 4,096 iterations that answers its `<auth/>`, and `{long challenge}` for a challenge with 600,000.
    pub body: Vec<u8>,
    when: Option<String>,
    after: Duration,
    after_next: bool,
    lasts: Option<Duration>,
    /// When it answered its first request, counted from the start of the server.
    since: Option<Duration>,
    closes: bool,
    idle: Option<Duration>,
}

impl Reply {
    /// A reply with status 200 and XML.
    #[must_use]
    pub fn xml(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body).header("Content-Type", XML)
    }

    /// A reply with any status and body, without a `Content-Type`.
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

    /// Answers only a request whose body contains this text. This is how replies find their requests when
    /// several are under way.
    #[must_use]
    pub fn when(mut self, part: &str) -> Self {
        self.when = Some(part.into());
        self
    }

    /// Waits this long before it is sent.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// Waits until the request with the next RID has arrived, which only a client sends that does not wait
    /// for this reply.
    #[must_use]
    pub fn after_next(mut self) -> Self {
        self.after_next = true;
        self
    }

    /// Answers all requests for this long after the first one, instead of only one.
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// Closes the connection after the reply without announcing it, so that the next request finds a stale
    /// socket.
    #[must_use]
    pub fn closes(mut self) -> Self {
        self.closes = true;
        self
    }

    /// Closes the connection once no request has come for this long after the reply.
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

/// The content type that XEP-0124 §6 requires.
pub(crate) const XML: &str = "text/xml; charset=utf-8";

struct Script {
    left: Mutex<Vec<Reply>>,
    /// The certificate to trust, and the TLS configuration of the server.
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
