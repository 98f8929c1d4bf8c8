//! The connections of one process, and which of them carries which request.
//!
//! Prosody slows a connection down once it has carried the creation of a session: after each
//! request it does not read from it for a while (`limits.c2s.rate`). So what follows a creation
//! goes over another connection, and a creation over one that has rested.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::connector::Exchange;
use super::patience;

/// For as many threads.
const MAX_IDLE_LANES: usize = 32;

/// How long a connection is kept that nobody uses.
pub(super) const KEPT: Duration = Duration::from_secs(60);

/// How long one may be idle to carry the creation of a session, which must not be repeated if the
/// server closes the connection meanwhile: less than the 5 s after which Apache does.
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
}

impl Link {
    pub(super) fn opened_ahead(exchange: Exchange) -> Arc<Self> {
        let is_alive = Mutex::new(exchange.life());
        Arc::new(Self { ahead: Mutex::new(Some(exchange)), is_alive })
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
}

impl Lanes {
    /// One that may carry a request now, if there is any.
    pub(super) fn take(&self, creates: bool) -> Option<Lane> {
        let now = Instant::now();
        patience::write(&self.idle, |idle| {
            idle.retain(|lane| lane.link.is_alive() && now - lane.used_at < KEPT);
            let is_ready = |lane: &Lane| lane.rests_until <= now && !(creates && now - lane.used_at > FRESH);
            let is_of_its_kind = |lane: &Lane| is_ready(lane) && lane.is_slow == creates;
            let at = idle.iter().position(is_of_its_kind).or_else(|| idle.iter().position(is_ready))?;
            Some(idle.remove(at))
        })?
    }

    /// Whether there is one for a creation and another for what follows.
    pub(super) fn has_two(&self) -> bool {
        let now = Instant::now();
        let is_ready = |lane: &&Lane| lane.rests_until <= now && now - lane.used_at < FRESH;
        patience::read(&self.idle, |idle| idle.iter().filter(is_ready).count() > 1).unwrap_or(true)
    }

    /// Puts one back that has carried so many bytes of a request.
    pub(super) fn put(&self, mut lane: Lane, creates: bool, bytes: usize) {
        lane.used_at = Instant::now();
        lane.is_slow |= creates && self.has_slow.load(Relaxed);
        if lane.is_slow {
            lane.rest(bytes);
        }
        if lane.link.is_alive() {
            patience::write(&self.idle, |idle| {
                if idle.len() < MAX_IDLE_LANES {
                    idle.push(lane);
                }
            });
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
