//! What the library sends, in which order and on which connections: seen by a proxy before a
//! server, so that whatever plan it follows can be repeated.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::{Result, http};

/// One call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Script {
    pub(crate) events: Vec<Event>,
    /// How many connections are kept.
    pub(crate) connections: usize,
}

impl Script {
    /// Connection and head of the last request.
    pub(crate) fn last(&self) -> Option<(usize, &str)> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Send { connection, head, .. } => Some((*connection, head.as_str())),
            Event::Receive { .. } => None,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Event {
    Send {
        connection: usize,
        head: String,
        body: String,
    },
    /// The reply arrived; later requests may depend on it.
    Receive {
        connection: usize,
    },
}

impl Event {
    pub(crate) fn connection(&self) -> usize {
        let (Self::Send { connection, .. } | Self::Receive { connection }) = self;
        *connection
    }
}

/// A proxy that listens.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recorder {
    /// It ends with the process.
    pub(crate) fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let recorder = Self { address: listener.local_addr()?, events: Arc::default() };
        let events = Arc::clone(&recorder.events);
        thread::spawn(move || {
            for (connection, near) in listener.incoming().flatten().enumerate() {
                if let Ok(far) = TcpStream::connect(target) {
                    let _ = carry_both(connection, near, far, &events);
                }
            }
        });
        Ok(recorder)
    }

    /// The events since it was asked last.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A usual one of several calls, neither that with the fewest polls nor that with the most, and how
/// many connections they used in all.
pub(crate) fn script(calls: &[Vec<Event>]) -> Result<Script> {
    let used: BTreeSet<usize> = calls.iter().flatten().map(Event::connection).collect();
    let mut by_length: Vec<_> = calls.iter().collect();
    by_length.sort_by_key(|call| call.len());
    let events = by_length.get(calls.len() / 2).copied().cloned().unwrap_or_default();
    if !matches!(events.first(), Some(Event::Send { .. })) {
        return Err("nothing was recorded: the library did not use its URL".into());
    }
    Ok(Script { events, connections: used.len() })
}

fn carry_both(
    connection: usize,
    near: TcpStream,
    far: TcpStream,
    events: &Arc<Mutex<Vec<Event>>>,
) -> io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_again, far_again) = (near.try_clone()?, far.try_clone()?);
    for (is_request, from, to) in [(true, near, far_again), (false, far, near_again)] {
        let events = Arc::clone(events);
        thread::spawn(move || carry(connection, is_request, from, to, &events));
    }
    Ok(())
}

/// One direction of a connection. An event is noted before anybody can react to it.
fn carry(
    connection: usize,
    is_request: bool,
    mut from: TcpStream,
    mut to: TcpStream,
    events: &Mutex<Vec<Event>>,
) {
    while let Ok(Some(message)) = http::read(&mut from) {
        let bytes = [message.head.as_bytes(), message.body.as_bytes()].concat();
        let event = if is_request {
            Event::Send { connection, head: message.head, body: message.body }
        } else {
            Event::Receive { connection }
        };
        events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}
