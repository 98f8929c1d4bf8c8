//! The connections of one process, and which of them carries which request.
//!
//! Prosody slows a connection down once it has carried the creation of a session: after each
//! request it does not read from it for a while (`limits.c2s.rate`). So what follows a creation
//! goes over another connection, and a creation over one that has rested.

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::connector::Exchange;
use super::{patience, tcp};
use crate::random;

/// For as many threads, or for one that logs in to Prosody without a pause: each of its creations
/// has a lane rest for some 80 ms.
const MAX_IDLE_LANES: usize = 64;

/// The oldest a connection may become; half of them only reach three quarters of it. A connection that
/// lasted for ever would lead to a server that the name has left.
pub(super) const MAX_AGE: Duration = Duration::from_secs(90);

/// How long one may be idle to carry the creation of a session, which must not be repeated if the
/// server closes the connection meanwhile: less than the 5 s after which Apache does. A server that
/// left one open for longer is known to be more patient.
const FRESH: Duration = Duration::from_secs(4);

/// Prosody's default: bytes a second.
const SLOW_RATE: f64 = 10_000.0;

/// One connection at a time.
pub(super) struct Lane {
    pub(super) agent: Agent,
    pub(super) link: Arc<Link>,
    /// Whether it has carried the creation of a session.
    has_created: bool,
    /// The bytes of the request it carried last.
    bytes: usize,
    used_at: Instant,
    expires_at: Instant,
}

impl Lane {
    pub(super) fn new(agent: Agent, link: Arc<Link>) -> Self {
        let now = Instant::now();
        let expires_at = now + MAX_AGE.mul_f64(0.5 + random::fraction() / 2.0);
        Self { agent, link, has_created: false, bytes: 0, used_at: now, expires_at }
    }

    /// Takes note of a request that was answered.
    pub(super) fn carried(&mut self, creates: bool, bytes: usize) {
        self.has_created |= creates;
        (self.bytes, self.used_at) = (bytes, Instant::now());
    }

    /// Until when a server does not read from it that slows down what has carried a creation.
    fn rests_until(&self) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^52 bytes")]
        let rest = Duration::from_secs_f64(self.bytes as f64 / SLOW_RATE);
        if self.has_created { self.used_at + rest } else { self.used_at }
    }
}

/// What a lane and its connector know of the connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Opened ahead, not used yet.
    ahead: Mutex<Option<Exchange>>,
    is_alive: Mutex<Weak<()>>,
    socket: Mutex<Weak<TcpStream>>,
    /// The address it leads to.
    peer: Mutex<Option<SocketAddr>>,
}

impl Link {
    /// Of a connection that this thread has just opened.
    pub(super) fn opened_ahead(exchange: Exchange) -> Arc<Self> {
        let link = Self::default();
        link.opens();
        *link.is_alive.lock().unwrap_or_else(PoisonError::into_inner) = exchange.life();
        *link.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
        Arc::new(link)
    }

    /// Takes note of the connection that this thread has opened last, even if TLS failed on it.
    fn opens(&self) {
        let (socket, peer) = tcp::latest();
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = socket;
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = peer;
    }

    pub(super) fn peer(&self) -> Option<SocketAddr> {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner)
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
        let exchange = self.chain.connect(details, chained);
        self.link.opens();
        let exchange = exchange?;
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
    /// The longest time, in milliseconds, for which the server was seen to leave one open.
    patience: AtomicU64,
}

impl Lanes {
    /// One that may carry a request now, if there is any.
    pub(super) fn take(&self, creates: bool) -> Option<Lane> {
        let now = Instant::now();
        patience::write(&self.idle, |idle| {
            let fresh = self.sort_out(idle, now);
            let is_ready = |lane: &Lane| self.is_ready(lane, creates, fresh, now);
            let is_of_its_kind = |lane: &Lane| is_ready(lane) && self.is_slow(lane) == creates;
            let at = idle.iter().position(is_of_its_kind).or_else(|| idle.iter().position(is_ready))?;
            Some(idle.remove(at))
        })?
    }

    /// The one that is ready first.
    pub(super) fn take_any(&self) -> Option<Lane> {
        patience::write(&self.idle, |idle| {
            self.sort_out(idle, Instant::now());
            let (at, _) = idle.iter().enumerate().min_by_key(|(_, lane)| lane.rests_until())?;
            Some(idle.remove(at))
        })?
    }

    fn is_slow(&self, lane: &Lane) -> bool {
        lane.has_created && self.is_slow_server()
    }

    fn is_ready(&self, lane: &Lane, creates: bool, fresh: Duration, now: Instant) -> bool {
        let is_stale = now.saturating_duration_since(lane.used_at) > fresh;
        let is_resting = self.is_slow(lane) && now < lane.rests_until();
        !(is_resting || (creates && is_stale))
    }

    /// Drops those that cannot be used any more. How long one may have been idle to carry a creation
    /// is what was known before: the server may close them at this moment.
    fn sort_out(&self, idle: &mut Vec<Lane>, now: Instant) -> Duration {
        let fresh = FRESH.max(Duration::from_millis(self.patience.load(Relaxed)));
        idle.retain(|lane| {
            let age = now.saturating_duration_since(lane.used_at);
            lane.link.is_alive() && now < lane.expires_at && (age < FRESH || self.is_left_open(lane, age))
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
            let count = |creates| idle.iter().filter(|lane| self.is_ready(lane, creates, fresh, now)).count();
            count(true) > 0 && count(false) > 1
        })
        .unwrap_or(true)
    }

    /// Puts one back.
    pub(super) fn put(&self, lane: Lane) {
        if lane.link.is_alive() {
            // Closed once the lock is free.
            drop(patience::write(&self.idle, |idle| {
                let oldest = (idle.len() >= MAX_IDLE_LANES).then(|| idle.remove(0));
                idle.push(lane);
                oldest
            }));
        }
    }

    /// From now on creations are known to slow their connection down.
    pub(super) fn slow_down(&self) {
        self.has_slow.store(true, Relaxed);
    }

    pub(super) fn is_slow_server(&self) -> bool {
        self.has_slow.load(Relaxed)
    }

    /// Closes the connections to an address that did not answer in time.
    pub(super) fn leave(&self, peer: SocketAddr) {
        drop(patience::write(&self.idle, |idle| {
            idle.extract_if(.., |lane| lane.link.peer() == Some(peer)).collect::<Vec<_>>()
        }));
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
    use crate::account::Account;
    use crate::client::Client;
    use crate::config::Config;
    use crate::sasl::Credentials;

    /// As if nobody had used the idle lanes for so much longer.
    fn rest(lanes: &Lanes, time: Duration) {
        patience::write(&lanes.idle, |idle| {
            for lane in idle {
                lane.used_at = lane.used_at.checked_sub(time).unwrap();
            }
        });
    }

    /// A lane with a connection that is open as long as the others live.
    fn lane(listener: &TcpListener) -> (Lane, Arc<()>, Arc<TcpStream>) {
        let (life, socket) =
            (Arc::default(), Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap()));
        let link = Link {
            ahead: Mutex::default(),
            is_alive: Mutex::new(Arc::downgrade(&life)),
            socket: Mutex::new(Arc::downgrade(&socket)),
            peer: Mutex::new(socket.peer_addr().ok()),
        };
        (Lane::new(Agent::new_with_defaults(), Arc::new(link)), life, socket)
    }

    #[test]
    fn no_further_connection_is_needed_where_the_server_is_known_to_leave_two_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (lanes, both) = (Lanes::default(), [lane(&listener), lane(&listener)]);
        let idle_for = |seconds| {
            patience::write(&lanes.idle, |idle| {
                for lane in idle {
                    lane.used_at = Instant::now();
                }
            });
            rest(&lanes, Duration::from_secs(seconds));
        };
        let _open = both.map(|(lane, life, socket)| {
            lanes.put(lane);
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

    /// A creation must not be repeated, so it only takes a connection that is sure to be open still.
    #[test]
    fn how_long_a_server_leaves_connections_open_is_learned() {
        let server = faults::script((0..3).flat_map(|_| faults::classic()).collect());
        let client = Client::new(Config::new(&server.url).unwrap()).unwrap();
        let account = Account::new("alice@localhost", Credentials::plain("wonder-1")).unwrap();
        let connections = [0, 4600, 4300].map(|pause| {
            rest(&client.0.http.process().lanes, Duration::from_millis(pause));
            client.prebind(&account).unwrap();
            server.connections()
        });
        assert_eq!(connections, [1, 2, 2], "at first Apache's 5 s are feared");
    }

    #[test]
    fn the_oldest_has_to_go_where_there_are_too_many() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        let mut open = Vec::new();
        for _ in 0..=MAX_IDLE_LANES {
            let (lane, life, socket) = lane(&listener);
            open.push((Arc::clone(&lane.link), life, socket));
            lanes.put(lane);
        }
        let mut left = Vec::new();
        while let Some(lane) = lanes.take(false) {
            left.push(lane.link);
        }
        assert_eq!(left.len(), MAX_IDLE_LANES);
        assert!(left.iter().zip(&open[1..]).all(|(left, (link, ..))| Arc::ptr_eq(left, link)));
    }

    /// How many lanes are left that were idle for so long, and how long the server is known to wait.
    fn sorted_out(listener: &TcpListener, age: Duration, is_alive: bool) -> (usize, u64) {
        let lanes = Lanes::default();
        let (mut lane, life, _socket) = lane(listener);
        let now = Instant::now();
        lane.used_at = now.checked_sub(age).unwrap();
        lane.expires_at = lane.expires_at.checked_sub(age).unwrap();
        let _life = is_alive.then_some(life);
        let mut idle = vec![lane];
        lanes.sort_out(&mut idle, now);
        (idle.len(), lanes.patience.load(Relaxed))
    }

    #[test]
    fn a_connection_is_kept_for_a_while_and_looked_at_if_the_server_may_have_closed_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let just_before = |age: Duration| age.saturating_sub(Duration::from_nanos(1));
        for (age, is_alive, expected) in [
            (Duration::ZERO, true, (1, 0)),
            (Duration::ZERO, false, (0, 0)),
            (just_before(FRESH), true, (1, 0)),
            (FRESH, true, (1, 4000)),
            (just_before(MAX_AGE / 2), true, (1, 44_999)),
            (MAX_AGE, true, (0, 0)),
        ] {
            assert_eq!(sorted_out(&listener, age, is_alive), expected, "{age:?}, {is_alive}");
        }
    }

    #[test]
    fn a_connection_that_the_server_closed_is_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut lane, _life, socket) = lane(&listener);
        drop(listener.accept().unwrap());
        // The end has arrived once it can be waited for.
        socket.peek(&mut [0]).unwrap();
        let (lanes, now) = (Lanes::default(), Instant::now());
        lane.used_at = now.checked_sub(FRESH).unwrap();
        let mut idle = vec![lane];
        lanes.sort_out(&mut idle, now);
        assert_eq!((idle.len(), lanes.patience.load(Relaxed)), (0, 0));
    }

    #[test]
    fn a_creation_goes_over_a_connection_that_is_neither_resting_nor_stale() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut lane, ..) = lane(&listener);
        let (lanes, now, instant) = (Lanes::default(), Instant::now(), Duration::from_nanos(1));
        lanes.slow_down();
        let ready = |lane: &Lane| [true, false].map(|creates| lanes.is_ready(lane, creates, FRESH, now));
        lane.used_at = now.checked_sub(FRESH).unwrap();
        assert_eq!(ready(&lane), [true, true]);
        lane.used_at -= instant;
        assert_eq!(ready(&lane), [false, true]);
        lane.carried(true, 10_000);
        let second = Duration::from_secs(1);
        lane.used_at = now.checked_sub(second).unwrap();
        assert_eq!(ready(&lane), [true, true]);
        lane.used_at += instant;
        assert_eq!(ready(&lane), [false, false]);
    }

    #[test]
    fn creations_and_what_follows_take_different_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        // However long this test is held up, none of them is too old for a creation.
        lanes.patience.store(3_600_000, Relaxed);
        lanes.slow_down();
        let [slow, quick] = [(true, 0), (false, 1_000_000)].map(|(creates, bytes)| {
            let (mut lane, life, socket) = lane(&listener);
            lane.carried(creates, bytes);
            let link = Arc::clone(&lane.link);
            (lane, link, (life, socket))
        });
        lanes.put(slow.0);
        lanes.put(quick.0);
        let taken = |creates| lanes.take(creates).unwrap();
        let (for_creation, other) = (taken(true), taken(false));
        assert!(for_creation.has_created && Arc::ptr_eq(&for_creation.link, &slow.1));
        assert!(!other.has_created && Arc::ptr_eq(&other.link, &quick.1));
        assert!(lanes.take(true).is_none() && lanes.take_any().is_none());
        lanes.put(other);
        assert!(Arc::ptr_eq(&taken(true).link, &quick.1), "rather than a new connection");
    }

    #[test]
    fn a_slow_connection_rests_for_as_long_as_prosody_does_not_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        let (mut first, _life, _socket) = lane(&listener);
        first.carried(true, 1_000_000);
        lanes.put(first);
        let first = lanes.take(false).expect("no server is known to be slow");
        lanes.put(first);
        lanes.slow_down();
        assert!(lanes.take(true).is_none() && lanes.take(false).is_none());
        let any = lanes.take_any().expect("even one that rests");
        assert_eq!(any.rests_until() - any.used_at, Duration::from_secs(100));
    }

    #[test]
    fn connections_to_an_address_that_hangs_are_closed() {
        let [bad, good] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let lanes = Lanes::default();
        let _open = [&bad, &good, &bad].map(|listener| {
            let (lane, life, socket) = lane(listener);
            lanes.put(lane);
            (life, socket)
        });
        lanes.leave(bad.local_addr().unwrap());
        let left = lanes.take_any().unwrap();
        assert_eq!(left.link.peer(), good.local_addr().ok());
        assert!(lanes.take_any().is_none());
    }

    #[test]
    fn connections_grow_old_at_different_times() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ages: Vec<Duration> = (0..64)
            .map(|_| {
                let (lane, ..) = lane(&listener);
                lane.expires_at - lane.used_at
            })
            .collect();
        assert!(ages.iter().all(|age| (MAX_AGE / 2..=MAX_AGE).contains(age)), "{ages:?}");
        assert!(ages.iter().any(|age| age.abs_diff(ages[0]) > Duration::from_secs(1)), "{ages:?}");
    }

    #[test]
    fn the_one_that_is_ready_first_is_taken_if_any_will_do() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        lanes.slow_down();
        let _open = [3_000_000, 1_000_000, 2_000_000].map(|bytes| {
            let (mut lane, life, socket) = lane(&listener);
            lane.carried(true, bytes);
            lanes.put(lane);
            (life, socket)
        });
        let rests = [(); 3].map(|()| {
            let lane = lanes.take_any().unwrap();
            (lane.rests_until() - lane.used_at).as_secs()
        });
        assert_eq!(rests, [100, 200, 300]);
    }
}
