//! The floor: the bytes of a recorded call on kept sockets, with nothing computed but RID, nonce
//! and proof, and nothing checked but that it worked.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::record::{Event, Script};
use crate::scram::{self, Keys};
use crate::target::address;
use crate::{Result, http};

/// More than any race with the server takes.
const MAX_POLLS: usize = 2;

pub(crate) struct Replay {
    script: Script,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    /// The one that was used longest ago first.
    idle: VecDeque<Connection>,
    keys: Keys,
}

/// What a call found out.
pub(crate) struct Replayed {
    pub(crate) sid: String,
    pub(crate) next_rid: u64,
    pub(crate) round_trips: u32,
}

impl Replay {
    pub(crate) fn new(script: Script, url: &str, ca: &Path) -> Result<Self> {
        let tls = url.starts_with("https:").then(|| trusting(ca)).transpose()?;
        Ok(Self { script, address: address(url)?, tls, idle: VecDeque::new(), keys: Keys::default() })
    }

    pub(crate) fn call(&mut self) -> Result<Replayed> {
        while self.idle.len() < self.script.connections {
            self.idle.push_back(Connection::open(self.address, self.tls.as_ref())?);
        }
        let mut call = Call::new(Values::new()?);
        // Where a poll was left out, so that no reply comes either.
        let mut silent = BTreeSet::new();
        for event in &self.script.events {
            match event {
                // The server was quicker than when it was recorded: nothing would answer this.
                Event::Send { connection, body, .. } if is_poll(body) && call.offers_bind() => {
                    silent.insert(*connection);
                }
                Event::Send { connection, head, body } => {
                    if let Entry::Vacant(entry) = call.busy.entry(*connection) {
                        let kept = self.idle.pop_front().filter(Connection::is_open);
                        let open = || Connection::open(self.address, self.tls.as_ref());
                        entry.insert(kept.map_or_else(open, Ok)?);
                    }
                    let body = call.values.render(body, &mut self.keys)?;
                    call.send(*connection, head, &body)?;
                }
                Event::Receive { connection } if silent.remove(connection) => {}
                Event::Receive { connection } => call.receive(*connection)?,
            }
        }
        call.poll(&self.script)?;
        self.idle.extend(call.busy.into_values());
        Ok(Replayed { sid: call.values.sid, next_rid: call.values.next_rid, round_trips: call.round_trips })
    }
}

/// What happened so far.
struct Call {
    values: Values,
    busy: BTreeMap<usize, Connection>,
    /// How many waits, one after the other, led to each open request.
    waits: BTreeMap<usize, u32>,
    /// The same, to what is known.
    round_trips: u32,
    replied: String,
}

impl Call {
    fn new(values: Values) -> Self {
        let (busy, waits) = (BTreeMap::new(), BTreeMap::new());
        Self { values, busy, waits, round_trips: 0, replied: String::new() }
    }

    /// Whether the stream is one that is logged in, or more.
    fn offers_bind(&self) -> bool {
        self.replied.contains("urn:ietf:params:xml:ns:xmpp-bind")
    }

    fn send(&mut self, connection: usize, head: &str, body: &str) -> Result<()> {
        let request = [&http::with_length(head, body.len()), body].concat();
        let stream = &mut self.connection(connection)?.stream;
        stream.write_all(request.as_bytes())?;
        stream.flush()?;
        self.waits.insert(connection, self.round_trips + 1);
        Ok(())
    }

    fn receive(&mut self, connection: usize) -> Result<()> {
        let reply = http::read(&mut self.connection(connection)?.stream)?.ok_or("a connection ended")?;
        self.values.learn(&reply.body);
        self.round_trips = self.round_trips.max(self.waits.get(&connection).copied().unwrap_or_default());
        self.replied.push_str(&reply.body);
        Ok(())
    }

    /// Where the server was slower than when it was recorded, it is asked until it has answered.
    fn poll(&mut self, script: &Script) -> Result<()> {
        let mut polls = 0;
        while !self.replied.contains("<jid>") {
            if polls == MAX_POLLS {
                return Err(format!("no JID was bound: {}", self.replied).into());
            }
            polls += 1;
            let body = self.values.poll();
            let (connection, head) = script.last().ok_or("a script without a request")?;
            self.send(connection, head, &body)?;
            self.receive(connection)?;
        }
        Ok(())
    }

    fn connection(&mut self, index: usize) -> Result<&mut Connection> {
        self.busy.get_mut(&index).ok_or_else(|| "a reply before its request".into())
    }
}

/// What differs from call to call.
struct Values {
    first_rid: u64,
    next_rid: u64,
    nonce: String,
    recorded_first_rid: Option<u64>,
    sid: String,
    challenge: String,
}

impl Values {
    fn new() -> Result<Self> {
        let mut random = [0; 8 + 18];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let (rid, nonce) = random.split_at(8);
        let first_rid = (1 << 50) + (u64::from_le_bytes(rid.try_into()?) >> 14);
        Ok(Self {
            first_rid,
            next_rid: first_rid,
            nonce: STANDARD.encode(nonce),
            recorded_first_rid: None,
            sid: String::new(),
            challenge: String::new(),
        })
    }

    /// A recorded body with this call's values.
    fn render(&mut self, body: &str, keys: &mut Keys) -> Result<String> {
        let recorded: u64 = attribute(body, "rid").ok_or("a request without a rid")?.parse()?;
        let first = *self.recorded_first_rid.get_or_insert(recorded);
        let rid = self.first_rid + (recorded - first);
        self.next_rid = self.next_rid.max(rid + 1);
        let mut body = body.replace(&format!("rid=\"{recorded}\""), &format!("rid=\"{rid}\""));
        if let Some(sid) = attribute(&body, "sid").map(str::to_owned) {
            body = body.replace(&format!("sid=\"{sid}\""), &format!("sid=\"{}\"", self.sid));
        }
        if body.contains("mechanism=\"SCRAM-SHA-1\"") {
            body = with_text(&body, "</auth>", &scram::first(&self.nonce))?;
        }
        if body.contains("</response>") {
            let last = scram::last(&self.nonce, &self.challenge, keys)?;
            body = with_text(&body, "</response>", &last)?;
        }
        Ok(body)
    }

    /// A request for nothing but the answer to an earlier one.
    fn poll(&mut self) -> String {
        let (rid, sid) = (self.next_rid, &self.sid);
        self.next_rid += 1;
        format!(r#"<body xmlns="http://jabber.org/protocol/httpbind" rid="{rid}" sid="{sid}"/>"#)
    }

    /// What later requests need of a reply.
    fn learn(&mut self, reply: &str) {
        if self.sid.is_empty() {
            attribute(reply, "sid").unwrap_or_default().clone_into(&mut self.sid);
        }
        if let Some(end) = reply.find("</challenge>") {
            let start = reply[..end].rfind('>').map_or(0, |at| at + 1);
            reply[start..end].clone_into(&mut self.challenge);
        }
    }
}

/// Whether a request asks for nothing but an answer to an earlier one.
fn is_poll(body: &str) -> bool {
    let is_empty = body.ends_with("/>") && body.matches('<').count() == 1;
    is_empty && attribute(body, "sid").is_some() && attribute(body, "xmpp:restart").is_none()
}

/// The value of the first attribute of that name, in whatever quotes.
fn attribute<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!(" {name}="))? + name.len() + 2;
    let quote = xml[start..].chars().next()?;
    xml[start + 1..].split(quote).next()
}

/// Puts `text` between the tag that ends before `close` and `close`.
fn with_text(xml: &str, close: &str, text: &str) -> Result<String> {
    let end = xml.find(close).ok_or("a recorded request without its end")?;
    let start = xml[..end].rfind('>').map_or(0, |at| at + 1);
    Ok([&xml[..start], text, &xml[end..]].concat())
}

struct Connection {
    tcp: TcpStream,
    stream: Box<dyn Stream>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Connection {
    fn open(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let tcp = TcpStream::connect(address)?;
        tcp.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(tcp.try_clone()?),
            Some(tls) => {
                let name = ServerName::from(address.ip());
                let connection = ClientConnection::new(Arc::clone(tls), name)?;
                Box::new(StreamOwned::new(connection, tcp.try_clone()?))
            }
        };
        Ok(Self { tcp, stream })
    }

    /// Whether the server has not closed it meanwhile.
    fn is_open(&self) -> bool {
        let peek = || {
            self.tcp.set_nonblocking(true)?;
            let peeked = self.tcp.peek(&mut [0]);
            self.tcp.set_nonblocking(false)?;
            peeked
        };
        match peek() {
            Ok(amount) => amount > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

fn trusting(ca: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
