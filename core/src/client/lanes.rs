//! The connections of one process, and which of them carries which request.
//!
//! Prosody slows a connection down once it has carried the creation of a session: after each
//! request it does not read from it for a while (`limits.c2s.rate`). So what follows a creation
//! goes over another connection, and a creation over one that has rested.

use std::fmt;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::connector::Exchange;
use super::{patience, tcp};

/// For as many threads, or for one that logs in to Prosody without a pause: each of its creations
/// has a lane rest for some 80 ms.
const MAX_IDLE_LANES: usize = 64;

/// How long a connection is kept that nobody uses.
pub(super) const KEPT: Duration = Duration::from_secs(120);

/// How long one may be idle to carry the creation of a session, which must not be repeated if the
/// server closes the connection meanwhile: less than the 5 s after which Apache does. A server that
/// left one open for longer is known to be more patient.
const FRESH: Duration = Duration::from_secs(4);

/// Prosody's default: bytes a second.
const SLOW_RATE: f64 = 10_000.0;

/// The rest of a connection of which it is not known what it carried.
const UNKNOWN_REST: Duration = Duration::from_millis(150);

/// One connection at a time.
pub(super) struct Lane {
    pub(super) agent: Agent,
    link: Arc<Link>,
    /// Whether it has carried the creation of a session that slowed it down.
    is_slow: bool,
    rests_until: Instant,
    used_at: Instant,
}

impl Lane {
    pub(super) fn new(agent: Agent, link: Arc<Link>) -> Self {
        let now = Instant::now();
        Self { agent, link, is_slow: false, rests_until: now, used_at: now }
    }

    fn is_ready(&self, creates: bool, fresh: Duration, now: Instant) -> bool {
        let is_stale = now.saturating_duration_since(self.used_at) > fresh;
        self.rests_until <= now && !(creates && is_stale)
    }

    fn rest(&mut self, bytes: usize) {
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^52 bytes")]
        let rest = Duration::from_secs_f64(bytes as f64 / SLOW_RATE);
        self.rests_until = self.used_at + rest;
    }
}

/// What a lane and its connector know of the connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Opened ahead, not used yet.
    ahead: Mutex<Option<Exchange>>,
    is_alive: Mutex<Weak<()>>,
    socket: Mutex<Weak<TcpStream>>,
}

impl Link {
    /// Of a connection that this thread has just opened.
    pub(super) fn opened_ahead(exchange: Exchange) -> Arc<Self> {
        let (is_alive, socket) = (Mutex::new(exchange.life()), Mutex::new(tcp::latest()));
        Arc::new(Self { ahead: Mutex::new(Some(exchange)), is_alive, socket })
    }

    /// Whether the server has left it open, and sent nothing that was not asked for.
    fn is_quiet(&self) -> bool {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        socket.is_some_and(|socket| tcp::is_quiet(&socket))
    }

    fn is_alive(&self) -> bool {
        self.is_alive.lock().unwrap_or_else(PoisonError::into_inner).strong_count() > 0
    }
}

/// Opens the connection of a lane, unless that was done ahead.
pub(super) struct LaneConnector {
    pub(super) link: Arc<Link>,
    pub(super) chain: Arc<dyn Connector<(), Out = Exchange>>,
}

impl Connector<()> for LaneConnector {
    type Out = Exchange;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Exchange>, ureq::Error> {
        if let Some(ahead) = self.link.ahead.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(Some(ahead));
        }
        let exchange = self.chain.connect(details, chained)?;
        if let Some(exchange) = &exchange {
            *self.link.socket.lock().unwrap_or_else(PoisonError::into_inner) = tcp::latest();
            *self.link.is_alive.lock().unwrap_or_else(PoisonError::into_inner) = exchange.life();
        }
        Ok(exchange)
    }
}

/// The lanes that nobody uses at the moment, the least recently used first.
#[derive(Default)]
pub(super) struct Lanes {
    idle: RwLock<Vec<Lane>>,
    /// Whether the server slows down the connections that create sessions.
    has_slow: AtomicBool,
    /// The longest time, in milliseconds, for which the server was seen to leave one open.
    patience: AtomicU64,
}

impl Lanes {
    /// One that may carry a request now, if there is any.
    pub(super) fn take(&self, creates: bool) -> Option<Lane> {
        let now = Instant::now();
        patience::write(&self.idle, |idle| {
            let fresh = self.sort_out(idle, now);
            let is_ready = |lane: &Lane| lane.is_ready(creates, fresh, now);
            let is_of_its_kind = |lane: &Lane| is_ready(lane) && lane.is_slow == creates;
            let at = idle.iter().position(is_of_its_kind).or_else(|| idle.iter().position(is_ready))?;
            Some(idle.remove(at))
        })?
    }

    /// The one that is ready first.
    pub(super) fn take_any(&self) -> Option<Lane> {
        patience::write(&self.idle, |idle| {
            self.sort_out(idle, Instant::now());
            let (at, _) = idle.iter().enumerate().min_by_key(|(_, lane)| lane.rests_until)?;
            Some(idle.remove(at))
        })?
    }

    /// Drops those that are of no use any more. How long one may have been idle to carry a creation
    /// is what was known before: the server may close them at this moment.
    fn sort_out(&self, idle: &mut Vec<Lane>, now: Instant) -> Duration {
        let fresh = FRESH.max(Duration::from_millis(self.patience.load(Relaxed)));
        idle.retain(|lane| {
            let age = now.saturating_duration_since(lane.used_at);
            lane.link.is_alive() && age < KEPT && (age < FRESH || self.is_left_open(lane, age))
        });
        fresh
    }

    /// Looks, and takes note of how long the server is known to wait.
    fn is_left_open(&self, lane: &Lane, age: Duration) -> bool {
        let is_quiet = lane.link.is_quiet();
        if is_quiet {
            self.patience.fetch_max(u64::try_from(age.as_millis()).unwrap_or(u64::MAX), Relaxed);
        }
        is_quiet
    }

    /// Whether there is one for a creation and another for what follows.
    pub(super) fn has_two(&self) -> bool {
        let now = Instant::now();
        patience::write(&self.idle, |idle| {
            let fresh = self.sort_out(idle, now);
            let count = |creates| idle.iter().filter(|lane| lane.is_ready(creates, fresh, now)).count();
            count(true) > 0 && count(false) > 1
        })
        .unwrap_or(true)
    }

    /// Puts one back that has carried so many bytes of a request.
    pub(super) fn put(&self, mut lane: Lane, creates: bool, bytes: usize) {
        lane.used_at = Instant::now();
        lane.is_slow |= creates && self.has_slow.load(Relaxed);
        if lane.is_slow {
            lane.rest(bytes);
        }
        if lane.link.is_alive() {
            // Closed once the lock is free.
            drop(patience::write(&self.idle, |idle| {
                let oldest = (idle.len() >= MAX_IDLE_LANES).then(|| idle.remove(0));
                idle.push(lane);
                oldest
            }));
        }
    }

    /// From now on creations slow their connection down; who knows which did before.
    pub(super) fn slow_down(&self) {
        if self.has_slow.swap(true, Relaxed) {
            return;
        }
        let rests_until = Instant::now() + UNKNOWN_REST;
        patience::write(&self.idle, |idle| {
            for lane in idle {
                (lane.is_slow, lane.rests_until) = (true, rests_until);
            }
        });
    }
}

impl fmt::Debug for LaneConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LaneConnector")
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A lane with a connection that is open as long as the others live.
    fn lane(listener: &TcpListener) -> (Lane, Arc<()>, Arc<TcpStream>) {
        let (life, socket) =
            (Arc::default(), Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap()));
        let link = Link {
            ahead: Mutex::default(),
            is_alive: Mutex::new(Arc::downgrade(&life)),
            socket: Mutex::new(Arc::downgrade(&socket)),
        };
        (Lane::new(Agent::new_with_defaults(), Arc::new(link)), life, socket)
    }

    #[test]
    fn no_further_connection_is_needed_where_the_server_is_known_to_leave_two_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (lanes, both) = (Lanes::default(), [lane(&listener), lane(&listener)]);
        let idle_for = |seconds| {
            let since = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
            patience::write(&lanes.idle, |idle| idle.iter_mut().for_each(|lane| lane.used_at = since));
        };
        let _open = both.map(|(lane, life, socket)| {
            lanes.put(lane, false, 0);
            (life, socket)
        });
        assert!(lanes.has_two());
        idle_for(30);
        assert!(!lanes.has_two(), "at first Apache's 5 s are feared");
        idle_for(29);
        assert!(lanes.has_two());
        idle_for(31);
        assert!(!lanes.has_two());
    }

    #[test]
    fn the_oldest_has_to_go_where_there_are_too_many() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        let mut open = Vec::new();
        for _ in 0..=MAX_IDLE_LANES {
            let (lane, life, socket) = lane(&listener);
            open.push((Arc::clone(&lane.link), life, socket));
            lanes.put(lane, false, 0);
        }
        let mut left = Vec::new();
        while let Some(lane) = lanes.take(false) {
            left.push(lane.link);
        }
        assert_eq!(left.len(), MAX_IDLE_LANES);
        assert!(left.iter().zip(&open[1..]).all(|(left, (link, ..))| Arc::ptr_eq(left, link)));
    }
}
