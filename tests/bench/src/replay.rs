//! The floor: the bytes of a recorded call on kept sockets, with nothing computed but RID, nonce
//! and proof, and nothing checked but that it worked.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
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
        let mut call = Values::new()?;
        let mut busy: BTreeMap<usize, Connection> = BTreeMap::new();
        // How many waits, one after the other, led to each open request, and to what is known.
        let (mut waits, mut round_trips) = (BTreeMap::new(), 0);
        let mut replied = String::new();
        for event in &self.script.events {
            let connection = match busy.entry(event.connection()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let kept = self.idle.pop_front().filter(Connection::is_open);
                    let open = || Connection::open(self.address, self.tls.as_ref());
                    entry.insert(kept.map_or_else(open, Ok)?)
                }
            };
            match event {
                Event::Send { head, body, .. } => {
                    let body = call.render(body, &mut self.keys)?;
                    let request = [http::with_length(head, body.len()), body].concat();
                    connection.stream.write_all(request.as_bytes())?;
                    connection.stream.flush()?;
                    waits.insert(event.connection(), round_trips + 1);
                }
                Event::Receive { .. } => {
                    let reply = http::read(&mut connection.stream)?.ok_or("a connection ended")?;
                    call.learn(&reply.body);
                    round_trips =
                        round_trips.max(waits.get(&event.connection()).copied().unwrap_or_default());
                    replied.push_str(&reply.body);
                }
            }
        }
        self.idle.extend(busy.into_values());
        if !replied.contains("<jid>") {
            return Err(format!("no JID was bound: {replied}").into());
        }
        Ok(Replayed { sid: call.sid, next_rid: call.next_rid, round_trips })
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
