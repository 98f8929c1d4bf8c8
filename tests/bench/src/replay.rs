//! The floor: the bytes of a recorded call on kept sockets, with nothing computed but RID, nonce
//! and proof, and nothing looked for in a reply but what the next request needs.
//!
//! Replies come in the order of the requests (XEP-0124 §11), but what is in which of them is a race
//! between the server's answer and the next request. So each request waits for what it needs, and
//! whatever is missing while no request is open is asked for once more.

mod connection;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::record::{Event, Script};
use crate::scram::Keys;
use crate::target::address;
use crate::{Result, http};
use connection::Connection;
use values::{Values, is_poll, need_of};

/// More than any race with the server takes, that of eight threads included.
const MAX_POLLS: usize = 32;

/// How many requests the servers let a client have open.
const WINDOW: usize = 2;

/// What is in the features of a stream that is logged in, and in what is bound later.
const OFFERS_BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// The bound JID is there, as RFC 6120 and XEP-0388 have it.
const BOUND: [&str; 2] = ["<jid>", "<authorization-identifier>"];

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
        let tls = url.starts_with("https:").then(|| connection::trusting(ca)).transpose()?;
        Ok(Self { script, address: address(url)?, tls, idle: VecDeque::new(), keys: Keys::default() })
    }

    pub(crate) fn call(&mut self) -> Result<Replayed> {
        while self.idle.len() < self.script.connections {
            self.idle.push_back(Connection::open(self.address, self.tls.as_ref())?);
        }
        let mut call = Call::new(self)?;
        for (at, event) in self.script.events.iter().enumerate() {
            let next = self.script.events.get(at + 1).and_then(Event::rid);
            let is_ahead = next.is_some() && next < event.rid();
            match event {
                // The server was quicker than when it was recorded: nothing would answer this.
                Event::Send { body, .. } if is_poll(body) && call.has_any(&[OFFERS_BIND]) => {}
                Event::Send { connection, head, body } => {
                    call.wait_for(if is_ahead { &[] } else { need_of(body) })?;
                    while call.open.len() >= WINDOW || call.is_open(*connection) {
                        call.receive()?;
                    }
                    if !call.busy.contains_key(connection) {
                        let kept = self.idle.pop_front().filter(Connection::is_open);
                        let open = || Connection::open(self.address, self.tls.as_ref());
                        call.busy.insert(*connection, kept.map_or_else(open, Ok)?);
                    }
                    let body = call.values.render(body, is_ahead, &mut self.keys)?;
                    call.send(*connection, head, &body)?;
                }
                Event::Receive { connection } => {
                    while call.is_open(*connection) {
                        call.receive()?;
                    }
                }
            }
        }
        call.wait_for(&BOUND)?;
        self.idle.extend(call.busy.into_values());
        Ok(Replayed { sid: call.values.sid, next_rid: call.values.next_rid, round_trips: call.round_trips })
    }
}

/// What happened so far.
struct Call {
    values: Values,
    busy: BTreeMap<usize, Connection>,
    /// The connections of the requests that are not answered, in the order of these, each with how many
    /// waits, one after the other, led to it.
    open: VecDeque<(usize, u32)>,
    /// The same, to what is known.
    round_trips: u32,
    replied: String,
    /// Connection and head of polls.
    last: (usize, String),
}

impl Call {
    fn new(replay: &Replay) -> Result<Self> {
        let (connection, head) = replay.script.last().ok_or("a script without a request")?;
        Ok(Self {
            values: Values::new()?,
            busy: BTreeMap::new(),
            open: VecDeque::new(),
            round_trips: 0,
            replied: String::new(),
            last: (connection, head.to_owned()),
        })
    }

    fn has_any(&self, signs: &[&str]) -> bool {
        signs.iter().any(|sign| self.replied.contains(sign))
    }

    fn is_open(&self, connection: usize) -> bool {
        self.open.iter().any(|(open, _)| *open == connection)
    }

    /// Waits until one of these has been replied.
    fn wait_for(&mut self, signs: &[&str]) -> Result<()> {
        let mut polls = 0;
        while !signs.is_empty() && !self.has_any(signs) {
            if self.open.is_empty() {
                if polls == MAX_POLLS {
                    let seen = ["<success", OFFERS_BIND].map(|sign| self.has_any(&[sign]));
                    return Err(
                        format!("no {signs:?} after {polls} polls; login and bind seen: {seen:?}").into()
                    );
                }
                polls += 1;
                let body = self.values.poll();
                let (connection, head) = self.last.clone();
                self.send(connection, &head, &body)?;
            }
            self.receive()?;
        }
        Ok(())
    }

    fn send(&mut self, connection: usize, head: &str, body: &str) -> Result<()> {
        let request = [&http::with_length(head, body.len()), body].concat();
        self.connection(connection)?.send(request.as_bytes())?;
        self.open.push_back((connection, self.round_trips + 1));
        Ok(())
    }

    /// The next reply.
    fn receive(&mut self) -> Result<()> {
        let (connection, waits) = self.open.pop_front().ok_or("a reply to no request")?;
        let reply = http::read(self.connection(connection)?)?.ok_or("a connection ended")?;
        if reply.body.contains("terminate") {
            return Err("the server ended the session".into());
        }
        self.values.learn(&reply.body);
        self.round_trips = self.round_trips.max(waits);
        self.replied.push_str(&reply.body);
        Ok(())
    }

    fn connection(&mut self, index: usize) -> Result<&mut Connection> {
        self.busy.get_mut(&index).ok_or_else(|| "a connection that was never used".into())
    }
}
