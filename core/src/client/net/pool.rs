//! The connections of one process, and the choice of one for each request.
//!
//! Prosody slows down a connection that has carried the creation of a session: after each request it does not
//! read from that connection for a while (`limits.c2s.rate`). So the requests after a creation use another
//! connection, and a creation uses one that has rested.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use ureq::Agent;

use super::stream::Connection;
use crate::client::patience;
use crate::random;

/// The most idle lanes to keep. It is enough for as many threads, or for one thread that logs in to Prosody
/// without a pause: each creation makes its lane rest for some 80 ms.
const MAX_IDLE_LANES: usize = 64;

/// The oldest that a connection may become; half of the connections reach at most three quarters of it. A
/// connection that was kept for ever would lead to an old server after the name moved to a new one.
pub(super) const MAX_AGE: Duration = Duration::from_secs(90);

/// A connection that was idle for longer does not carry the creation of a session, because a creation must
/// not be repeated if the server closes the connection at that moment. Apache closes after 5 s. A server that
/// has left a connection open for longer is known to be more patient.
const FRESH: Duration = Duration::from_secs(4);

/// Prosody's default limit, in bytes per second.
const SLOW_RATE: f64 = 10_000.0;

/// A connection and its HTTP agent. It carries one request at a time.
pub(in crate::client) struct Lane {
    /// Speaks HTTP on the connection.
    pub(super) agent: Agent,
    pub(super) connection: Arc<Connection>,
    /// Whether the connection can carry no further request.
    is_over: bool,
    /// Whether it has carried the creation of a session.
    has_created: bool,
    /// The size of the last request, in bytes.
    bytes: usize,
    used_at: Instant,
    expires_at: Instant,
}

impl Lane {
    pub(super) fn new(agent: Agent, connection: Arc<Connection>) -> Self {
        let now = Instant::now();
        let expires_at = now + MAX_AGE.mul_f64(0.5 + random::fraction() / 2.0);
        Self { agent, connection, is_over: false, has_created: false, bytes: 0, used_at: now, expires_at }
    }

    /// Records a request that the lane has carried. The connection may be unusable after it.
    pub(super) fn carried(&mut self, creates: bool, bytes: usize, is_over: bool) {
        self.has_created |= creates;
        (self.bytes, self.is_over, self.used_at) = (bytes, is_over, Instant::now());
    }

    /// Whether the lane can carry another request.
    pub(super) fn is_open(&self) -> bool {
        !self.is_over && self.connection.is_quiet()
    }

    /// The moment until which a server does not read from this lane, if it slows down lanes that carried a
    /// creation.
    fn rests_until(&self) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^52 bytes")]
        let rest = Duration::from_secs_f64(self.bytes as f64 / SLOW_RATE);
        if self.has_created { self.used_at + rest } else { self.used_at }
    }
}

/// The idle lanes, the least recently used first.
#[derive(Default)]
pub(in crate::client) struct Lanes {
    idle: RwLock<Vec<Lane>>,
    /// Whether the server slows down the connections that create sessions.
    has_slow: AtomicBool,
    /// The longest time, in milliseconds, for which the server is known to have left an idle connection open.
    patience: AtomicU64,
}

impl Lanes {
    /// Takes a lane that can carry a request now, if there is one.
    pub(super) fn take(&self, creates: bool) -> Option<Lane> {
        self.take_open(|idle| {
            let now = Instant::now();
            let fresh = self.sort_out(idle, now);
            let is_ready = |lane: &Lane| self.is_ready(lane, creates, fresh, now);
            let is_of_its_kind =
                |lane: &Lane| is_ready(lane) && (lane.has_created && self.is_slow_server()) == creates;
            idle.iter().position(is_of_its_kind).or_else(|| idle.iter().position(is_ready))
        })
    }

    /// Takes the lane that is ready first.
    pub(in crate::client) fn take_any(&self) -> Option<Lane> {
        self.take_open(|idle| {
            self.sort_out(idle, Instant::now());
            let (at, _) = idle.iter().enumerate().min_by_key(|(_, lane)| lane.rests_until())?;
            Some(at)
        })
    }

    fn take_open(&self, choose: impl Fn(&mut Vec<Lane>) -> Option<usize>) -> Option<Lane> {
        loop {
            let taken = patience::write(&self.idle, |idle| choose(idle).map(|at| idle.remove(at)));
            let lane = taken.flatten()?;
            if lane.is_open() {
                return Some(lane);
            }
        }
    }

    fn is_ready(&self, lane: &Lane, creates: bool, fresh: Duration, now: Instant) -> bool {
        let is_stale = now.saturating_duration_since(lane.used_at) > fresh;
        let is_resting = lane.has_created && self.is_slow_server() && now < lane.rests_until();
        !(is_resting || (creates && is_stale))
    }

    /// Drops the lanes that cannot be used any more. Returns how long a lane may have been idle to carry a
    /// creation. What this look teaches counts only next time, because the server may be closing these lanes
    /// right now.
    fn sort_out(&self, idle: &mut Vec<Lane>, now: Instant) -> Duration {
        let fresh = FRESH.max(Duration::from_millis(self.patience.load(Relaxed)));
        idle.retain(|lane| {
            let age = now.saturating_duration_since(lane.used_at);
            let is_left_open = now < lane.expires_at && (age < FRESH || lane.is_open());
            if is_left_open {
                self.patience.fetch_max(u64::try_from(age.as_millis()).unwrap_or(u64::MAX), Relaxed);
            }
            is_left_open
        });
        fresh
    }

    /// Whether there is a lane for a creation and another for the requests after it.
    pub(super) fn has_two(&self) -> bool {
        let now = Instant::now();
        patience::write(&self.idle, |idle| {
            let fresh = self.sort_out(idle, now);
            let count = |creates| idle.iter().filter(|lane| self.is_ready(lane, creates, fresh, now)).count();
            count(true) > 0 && count(false) > 1
        })
        .unwrap_or(true)
    }

    /// Puts a lane back.
    pub(in crate::client) fn put(&self, lane: Lane) {
        if !lane.is_over {
            // The oldest lane is closed after the lock is released.
            drop(patience::write(&self.idle, |idle| {
                let oldest = (idle.len() >= MAX_IDLE_LANES).then(|| idle.remove(0));
                idle.push(lane);
                oldest
            }));
        }
    }

    /// Records that this server slows down the connections that create sessions.
    pub(in crate::client) fn slow_down(&self) {
        self.has_slow.store(true, Relaxed);
    }

    pub(in crate::client) fn is_slow_server(&self) -> bool {
        self.has_slow.load(Relaxed)
    }

    /// Closes the connections to an address that did not answer in time.
    pub(super) fn leave(&self, peer: SocketAddr) {
        drop(patience::write(&self.idle, |idle| {
            idle.extract_if(.., |lane| lane.connection.peer == Some(peer)).collect::<Vec<_>>()
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::net::TcpListener;

    use super::*;

    /// Changes the idle lanes as if nobody had used them for so long.
    fn rest(lanes: &Lanes, time: Duration) {
        patience::write(&lanes.idle, |idle| {
            for lane in idle {
                lane.used_at = Instant::now().checked_sub(time).unwrap();
            }
        });
    }

    fn lane(listener: &TcpListener) -> Lane {
        Lane::new(Agent::new_with_defaults(), Arc::new(Connection::to(listener)))
    }

    #[test]
    fn no_further_connection_is_needed_where_the_server_is_known_to_leave_two_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        let idle_for = |seconds| rest(&lanes, Duration::from_secs(seconds));
        for _ in 0..2 {
            lanes.put(lane(&listener));
        }
        assert!(lanes.has_two());
        idle_for(30);
        assert!(!lanes.has_two(), "at first the server may close after 5 s, like Apache");
        idle_for(29);
        assert!(lanes.has_two());
        idle_for(31);
        assert!(!lanes.has_two());
    }

    /// A creation must not be repeated, so it only uses a connection that is sure to be open still.
    #[test]
    fn how_long_a_server_leaves_connections_open_is_learned() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        lanes.put(lane(&listener));
        let has_one = [4600, 4300].map(|pause| {
            rest(&lanes, Duration::from_millis(pause));
            lanes.take(true).is_some()
        });
        assert_eq!(has_one, [false, true], "at first the server may close after 5 s, like Apache");
    }

    #[test]
    fn the_oldest_lane_is_dropped_if_there_are_too_many() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        let connections: Vec<_> = (0..=MAX_IDLE_LANES)
            .map(|_| {
                let lane = lane(&listener);
                let connection = Arc::clone(&lane.connection);
                lanes.put(lane);
                connection
            })
            .collect();
        let left: Vec<_> = iter::from_fn(|| lanes.take(false)).map(|lane| lane.connection).collect();
        assert_eq!(left.len(), MAX_IDLE_LANES);
        assert!(left.iter().zip(&connections[1..]).all(|(left, connection)| Arc::ptr_eq(left, connection)));
    }

    /// Sorts out one lane that was idle for so long. Returns how many are left, and the patience known of the
    /// server.
    fn sorted_out(listener: &TcpListener, age: Duration) -> (usize, u64) {
        let (lanes, mut lane, now) = (Lanes::default(), lane(listener), Instant::now());
        lane.used_at = now.checked_sub(age).unwrap();
        lane.expires_at = lane.expires_at.checked_sub(age).unwrap();
        let mut idle = vec![lane];
        lanes.sort_out(&mut idle, now);
        (idle.len(), lanes.patience.load(Relaxed))
    }

    #[test]
    fn a_connection_is_kept_for_a_while_and_looked_at_if_the_server_may_have_closed_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let just_before = |age: Duration| age.saturating_sub(Duration::from_nanos(1));
        for (age, expected) in [
            (Duration::ZERO, (1, 0)),
            (just_before(FRESH), (1, 3999)),
            (FRESH, (1, 4000)),
            (just_before(MAX_AGE / 2), (1, 44_999)),
            (MAX_AGE, (0, 0)),
        ] {
            assert_eq!(sorted_out(&listener, age), expected, "{age:?}");
        }
    }

    #[test]
    fn a_connection_that_the_server_closed_is_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for age in [Duration::ZERO, FRESH] {
            let (lanes, mut lane) = (Lanes::default(), lane(&listener));
            drop(listener.accept().unwrap());
            // This waits until the end of the connection has arrived.
            lane.connection.wait();
            lane.used_at = Instant::now().checked_sub(age).unwrap();
            lanes.put(lane);
            assert!(lanes.take(false).is_none());
            assert_eq!(lanes.patience.load(Relaxed), 0);
        }
    }

    #[test]
    fn a_connection_that_carries_no_further_request_is_not_kept() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (lanes, mut lane) = (Lanes::default(), lane(&listener));
        lane.carried(false, 1, true);
        assert!(!lane.is_open());
        lanes.put(lane);
        assert!(lanes.take_any().is_none());
    }

    #[test]
    fn a_creation_goes_over_a_connection_that_is_neither_resting_nor_stale() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut lane = lane(&listener);
        let (lanes, now, instant) = (Lanes::default(), Instant::now(), Duration::from_nanos(1));
        lanes.slow_down();
        let ready = |lane: &Lane| [true, false].map(|creates| lanes.is_ready(lane, creates, FRESH, now));
        lane.used_at = now.checked_sub(FRESH).unwrap();
        assert_eq!(ready(&lane), [true, true]);
        lane.used_at -= instant;
        assert_eq!(ready(&lane), [false, true]);
        lane.carried(true, 10_000, false);
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
        // With this patience no lane is too old for a creation, however long this test is held up.
        lanes.patience.store(3_600_000, Relaxed);
        lanes.slow_down();
        let [slow, quick] = [(true, 0), (false, 1_000_000)].map(|(creates, bytes)| {
            let mut lane = lane(&listener);
            lane.carried(creates, bytes, false);
            let connection = Arc::clone(&lane.connection);
            (lane, connection)
        });
        lanes.put(slow.0);
        lanes.put(quick.0);
        let taken = |creates| lanes.take(creates).unwrap();
        let (for_creation, other) = (taken(true), taken(false));
        assert!(for_creation.has_created && Arc::ptr_eq(&for_creation.connection, &slow.1));
        assert!(!other.has_created && Arc::ptr_eq(&other.connection, &quick.1));
        assert!(lanes.take(true).is_none() && lanes.take_any().is_none());
        lanes.put(other);
        assert!(Arc::ptr_eq(&taken(true).connection, &quick.1), "rather than a new connection");
    }

    #[test]
    fn a_slow_connection_rests_for_as_long_as_prosody_does_not_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        let mut first = lane(&listener);
        first.carried(true, 1_000_000, false);
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
        for listener in [&bad, &good, &bad] {
            lanes.put(lane(listener));
        }
        lanes.leave(bad.local_addr().unwrap());
        let left = lanes.take_any().unwrap();
        assert_eq!(left.connection.peer, good.local_addr().ok());
        assert!(lanes.take_any().is_none());
    }

    #[test]
    fn connections_grow_old_at_different_times() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ages: Vec<Duration> = (0..64)
            .map(|_| {
                let lane = lane(&listener);
                lane.expires_at - lane.used_at
            })
            .collect();
        assert!(ages.iter().all(|age| (MAX_AGE / 2..=MAX_AGE).contains(age)), "{ages:?}");
        assert!(ages.iter().any(|age| age.abs_diff(ages[0]) > Duration::from_secs(1)), "{ages:?}");
    }

    #[test]
    fn the_lane_that_is_ready_first_is_taken_if_any_will_do() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lanes = Lanes::default();
        lanes.slow_down();
        for bytes in [3_000_000, 1_000_000, 2_000_000] {
            let mut lane = lane(&listener);
            lane.carried(true, bytes, false);
            lanes.put(lane);
        }
        let rests = [(); 3].map(|()| {
            let lane = lanes.take_any().unwrap();
            (lane.rests_until() - lane.used_at).as_secs()
        });
        assert_eq!(rests, [100, 200, 300]);
    }
}
