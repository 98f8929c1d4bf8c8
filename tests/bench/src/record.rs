//! What the library sends, in which order and on which connections: seen by a proxy before a
//! server, so that whatever plan it follows can be repeated.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
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

/// The best of several calls, and how many connections they used in all. Of those with the fewest
/// round trips, that with the most requests: what turns out not to be needed can be left out again.
pub(crate) fn script(calls: &[Vec<Event>]) -> Result<Script> {
    let used: BTreeSet<usize> = calls.iter().flatten().map(Event::connection).collect();
    let is_whole = |call: &&Vec<Event>| matches!(call.first(), Some(Event::Send { .. }));
    let best = calls.iter().filter(is_whole).min_by_key(|call| (round_trips(call), Reverse(call.len())));
    let mut events = best.ok_or("nothing was recorded: the library did not use its URL")?.clone();
    in_order(&mut events);
    Ok(Script { events, connections: used.len() })
}

impl Event {
    /// The RID of what is sent.
    pub(crate) fn rid(&self) -> Option<u64> {
        match self {
            Self::Send { body, .. } => attribute(body, "rid").and_then(|rid| rid.parse().ok()),
            Self::Receive { .. } => None,
        }
    }
}

/// Whether this is the restart that the library sends after the bind, although its RID is lower.
fn is_overtaken(event: &Event) -> bool {
    matches!(event, Event::Send { body, .. } if attribute(body, "xmpp:version") == Some("0.9"))
}

/// Puts requests that were sent at the same time, and noted by chance, in the order in which they are sent.
fn in_order(events: &mut [Event]) {
    let place = |event: &Event| {
        let rid = event.rid()?;
        Some(if is_overtaken(event) { (rid + 1, true) } else { (rid, false) })
    };
    let places: Vec<usize> = (0..events.len()).filter(|at| place(&events[*at]).is_some()).collect();
    let mut sent: Vec<Event> = places.iter().map(|at| events[*at].clone()).collect();
    sent.sort_by_key(place);
    for (at, event) in places.into_iter().zip(sent) {
        events[at] = event;
    }
}

/// The value of the first attribute of that name, in whatever quotes.
pub(crate) fn attribute<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!(" {name}="))? + name.len() + 2;
    let quote = xml[start..].chars().next()?;
    xml[start + 1..].split(quote).next()
}

/// How many waits, one after the other, there were.
fn round_trips(call: &[Event]) -> u32 {
    let (mut waits, mut known) = (BTreeMap::new(), 0);
    for event in call {
        match event {
            Event::Send { connection, .. } => {
                waits.insert(connection, known + 1);
            }
            Event::Receive { connection } => {
                known = known.max(waits.get(connection).copied().unwrap_or_default());
            }
        }
    }
    known
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
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(connection: usize, rid: u64) -> Event {
        Event::Send { connection, head: String::new(), body: format!("<body rid=\"{rid}\"/>") }
    }

    fn receive(connection: usize) -> Event {
        Event::Receive { connection }
    }

    #[test]
    fn the_best_call_is_the_one_that_waits_least_and_asks_most() {
        let one_by_one = vec![send(0, 1), receive(0), send(1, 2), receive(1), send(1, 3), receive(1)];
        let in_pairs = vec![send(0, 1), receive(0), send(1, 2), send(2, 3), receive(1), receive(2)];
        let shorter = vec![send(0, 1), receive(0), send(1, 2), receive(1)];
        assert_eq!([&one_by_one, &in_pairs, &shorter].map(|call| round_trips(call)), [3, 2, 2]);
        let script = script(&[one_by_one, shorter, in_pairs, Vec::new()]).unwrap();
        assert_eq!((script.events.len(), round_trips(&script.events)), (6, 2));
        assert_eq!(script.connections, 3);
    }

    #[test]
    fn a_bind_ahead_of_its_turn_stays_there() {
        let restart = Event::Send {
            connection: 0,
            head: String::new(),
            body: "<body rid=\"2\" xmpp:version=\"0.9\"/>".to_owned(),
        };
        let noted = [
            vec![send(0, 1), receive(0), restart.clone(), send(1, 3), receive(0), receive(1)],
            vec![send(0, 1), receive(0), send(1, 3), restart, receive(0), receive(1)],
        ];
        for call in noted {
            let rids: Vec<u64> = script(&[call]).unwrap().events.iter().filter_map(Event::rid).collect();
            assert_eq!(rids, [1, 3, 2]);
        }
    }

    #[test]
    fn requests_sent_together_are_repeated_in_their_order() {
        let noted = [vec![send(0, 1), receive(0), send(2, 3), send(1, 2), receive(1), receive(2)]];
        let connections: Vec<usize> = script(&noted).unwrap().events.iter().map(Event::connection).collect();
        assert_eq!(connections, [0, 0, 1, 2, 1, 2]);
    }
}
