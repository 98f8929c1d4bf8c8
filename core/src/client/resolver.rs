//! Name lookups that keep to the deadline. The system's lookup cannot be interrupted, so it runs
//! on a thread of its own: at most one for a name, shared by all who wait, and nobody waits while
//! there is an answer that will do.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, time};
use ureq::{Error, Timeout};

use super::obstacle::{Obstacle, Obstructed};
use super::{cancel, phase};
use crate::config::{IpFamily, is_localhost};
use crate::error::Phase;

/// How long an answer is used as it is. The lookup runs before every request, also on a kept
/// connection.
const FRESH: Duration = Duration::from_secs(30);

/// How long it is used while another one is asked for, which may not come: the connections there
/// are do not need the name service.
const KEPT: Duration = Duration::from_secs(600);

/// How long an address that did not answer in time comes after the others of its name.
const AVOIDED: Duration = Duration::from_secs(60);

/// As many addresses as `ureq` keeps.
const MAX_ADDRESSES: usize = 16;

#[derive(Clone)]
pub(super) struct CachingResolver {
    family: IpFamily,
    shared: Arc<Shared>,
}

struct Shared {
    lookups: Mutex<HashMap<String, Lookup>>,
    /// Addresses that did not answer in time, and when that was.
    avoided: Mutex<Vec<(SocketAddr, Instant)>>,
    changed: Condvar,
    system: System,
}

/// The system's lookup.
type System = Box<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// What is known of a name.
#[derive(Default)]
struct Lookup {
    is_running: bool,
    asked_at: Option<Instant>,
    answer: Option<(Instant, Vec<SocketAddr>)>,
    /// Of the last one, if it failed.
    failure: Option<Obstructed>,
}

impl CachingResolver {
    pub(super) fn new(family: IpFamily) -> Self {
        Self { family, shared: Arc::new(Shared::new(Box::new(|name| Ok(name.to_socket_addrs()?.collect())))) }
    }

    /// From now on, and for a while, other addresses are tried before this one.
    pub(super) fn avoid(&self, address: SocketAddr) {
        let mut avoided = self.shared.avoided.lock().unwrap_or_else(PoisonError::into_inner);
        avoided.retain(|(other, at)| *other != address && at.elapsed() < AVOIDED);
        avoided.push((address, Instant::now()));
    }

    fn is_avoided(&self, address: SocketAddr) -> bool {
        let avoided = self.shared.avoided.lock().unwrap_or_else(PoisonError::into_inner);
        avoided.iter().any(|(other, at)| *other == address && at.elapsed() < AVOIDED)
    }

    fn usable(&self, host: &str, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let is_wanted = |address: &&SocketAddr| {
            let family = match self.family {
                IpFamily::Any => true,
                IpFamily::Ipv4 => address.is_ipv4(),
                IpFamily::Ipv6 => address.is_ipv6(),
            };
            // What is sent to localhost may be a password in the clear.
            family && (!is_localhost(host) || address.ip().is_loopback())
        };
        let mut usable: Vec<SocketAddr> = addresses.iter().filter(is_wanted).copied().collect();
        usable.sort_by_key(|address| self.is_avoided(*address));
        usable.truncate(MAX_ADDRESSES);
        usable
    }
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        phase::enter(Phase::Dns);
        let (scheme, authority) = uri.scheme().zip(uri.authority()).ok_or(Error::HostNotFound)?;
        let name = DefaultResolver::host_and_port(scheme, authority).ok_or(Error::HostNotFound)?;
        let host = authority.host();
        let addresses = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(_) => name.to_socket_addrs()?.collect(),
            Err(_) => self.shared.lookup(&name, timeout)?,
        };
        let usable = self.usable(host, &addresses);
        if usable.is_empty() {
            return Err(Error::HostNotFound);
        }
        let mut resolved = self.empty();
        for address in usable {
            resolved.push(address);
        }
        phase::enter(Phase::Tcp);
        Ok(resolved)
    }
}

impl Shared {
    fn new(system: System) -> Self {
        Self { lookups: Mutex::default(), avoided: Mutex::default(), changed: Condvar::new(), system }
    }

    fn lookup(self: &Arc<Self>, name: &str, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
        let until = match timeout.after {
            time::Duration::Exact(after) => Instant::now() + after,
            time::Duration::NotHappening => Instant::now() + FRESH,
        };
        let mut has_waited = false;
        loop {
            let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
            let known = lookups.entry(name.to_owned()).or_default();
            let kept = known.answer.as_ref().filter(|(at, _)| at.elapsed() < KEPT);
            let kept = kept.map(|(_, addresses)| addresses.clone());
            if let (None, false, Some(failure), true) = (&kept, known.is_running, &known.failure, has_waited)
            {
                return Err(Error::Io(failure.clone().into()));
            }
            // Where the last answer will do, the name service is not asked at each request.
            let is_due = kept.is_none() || known.asked_at.is_none_or(|at| at.elapsed() >= FRESH);
            if is_due && !known.is_running {
                match self.ask(name) {
                    Ok(()) => (known.is_running, known.asked_at) = (true, Some(Instant::now())),
                    Err(error) if kept.is_none() => return Err(error),
                    Err(_) => {}
                }
            }
            if let Some(addresses) = kept {
                return Ok(addresses);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Timeout(Timeout::Resolve));
            }
            let slice = left.min(cancel::SLICE);
            drop(self.changed.wait_timeout(lookups, slice).unwrap_or_else(PoisonError::into_inner));
            cancel::ask()?;
            has_waited = true;
        }
    }

    fn ask(self: &Arc<Self>, name: &str) -> Result<(), Error> {
        let (shared, name) = (Arc::clone(self), name.to_owned());
        let lookup = move || {
            let result = (shared.system)(&name);
            let mut lookups = shared.lookups.lock().unwrap_or_else(PoisonError::into_inner);
            let known = lookups.entry(name).or_default();
            known.is_running = false;
            match result {
                Ok(addresses) => (known.answer, known.failure) = (Some((Instant::now(), addresses)), None),
                Err(error) => known.failure = Some(Obstructed::by_lookup(error)),
            }
            drop(lookups);
            shared.changed.notify_all();
        };
        thread::Builder::new()
            .name("prebind-dns".to_owned())
            .spawn(lookup)
            .map_err(|_| Error::Io(Obstacle::NoThread.into()))?;
        Ok(())
    }
}

#[cfg(test)]
impl CachingResolver {
    /// As if the name had been looked up.
    pub(super) fn know(&self, name: &str, addresses: Vec<SocketAddr>) {
        let known = Lookup {
            asked_at: Some(Instant::now()),
            answer: Some((Instant::now(), addresses)),
            ..Lookup::default()
        };
        self.shared.lookups.lock().unwrap().insert(name.to_owned(), known);
    }
}

impl fmt::Debug for CachingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachingResolver")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

    use super::*;

    /// Longer than anything takes, on a busy machine too.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Answers with a port that tells how often it was asked, and not at all from then on. After the first
    /// answer it waits while the gate is locked.
    fn shared(fails_from: u16, gate: Arc<Mutex<()>>) -> (Arc<Shared>, Arc<AtomicU16>) {
        let asked = Arc::new(AtomicU16::new(0));
        let counter = Arc::clone(&asked);
        let system = move |name: &str| {
            assert_eq!(name, "chat.example.org:443");
            let times = counter.fetch_add(1, Relaxed) + 1;
            if times > 1 {
                drop(gate.lock());
            }
            if times >= fails_from {
                return Err(io::Error::other("Name or service not known"));
            }
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], times))])
        };
        (Arc::new(Shared::new(Box::new(system))), asked)
    }

    fn port(shared: &Arc<Shared>) -> Result<u16, Error> {
        let timeout =
            NextTimeout { after: PATIENCE.into(), reason: Timeout::Resolve, ..NextTimeout::default() };
        Ok(shared.lookup("chat.example.org:443", timeout)?[0].port())
    }

    /// As if that much time had gone by.
    fn age(shared: &Shared, time: Duration) {
        for known in shared.lookups.lock().unwrap().values_mut() {
            let asked_at = known.asked_at.iter_mut();
            let answered_at = known.answer.iter_mut().map(|(at, _)| at);
            asked_at.chain(answered_at).for_each(|at| *at = at.checked_sub(time).unwrap());
        }
    }

    /// Until the lookup that runs beside the others has ended.
    fn settle(shared: &Shared) {
        let until = Instant::now() + PATIENCE;
        while shared.lookups.lock().unwrap().values().any(|known| known.is_running) {
            assert!(Instant::now() < until, "a lookup does not end");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn one_answer_serves_many_requests_and_is_renewed_beside_them() {
        let gate = Arc::new(Mutex::new(()));
        let (shared, asked) = shared(u16::MAX, Arc::clone(&gate));
        for _ in 0..12 {
            assert_eq!(port(&shared).unwrap(), 1);
        }
        assert_eq!(asked.load(Relaxed), 1);
        age(&shared, FRESH);
        let locked = gate.lock().unwrap();
        assert_eq!(port(&shared).unwrap(), 1, "nobody waits");
        drop(locked);
        settle(&shared);
        assert_eq!(port(&shared).unwrap(), 2);
        assert_eq!(asked.load(Relaxed), 2);
    }

    #[test]
    fn an_outage_of_the_name_service_is_outlasted_for_a_while() {
        let gate = Arc::new(Mutex::new(()));
        let (shared, asked) = shared(2, Arc::clone(&gate));
        assert_eq!(port(&shared).unwrap(), 1);
        for times in [2, 3] {
            age(&shared, FRESH);
            let locked = gate.lock().unwrap();
            for _ in 0..10 {
                assert_eq!(port(&shared).unwrap(), 1, "nobody waits");
            }
            drop(locked);
            settle(&shared);
            assert_eq!(asked.load(Relaxed), times, "once for all who ask");
        }
        age(&shared, KEPT);
        let error = port(&shared).unwrap_err();
        assert!(
            matches!(&error, Error::Io(io) if Obstacle::inside(io) == Some(Obstacle::NoSuchHost)),
            "{error}"
        );
    }

    #[test]
    fn an_address_that_did_not_answer_comes_last_for_a_while() {
        let addresses: Vec<SocketAddr> =
            ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"].map(|text| text.parse().unwrap()).into();
        let [first, second, third] = [addresses[0], addresses[1], addresses[2]];
        let resolver = CachingResolver::new(IpFamily::Any);
        let order = || resolver.usable("chat.example.org", &addresses);
        resolver.avoid(first);
        assert_eq!(order(), [second, third, first]);
        resolver.avoid(second);
        assert_eq!(order(), [third, first, second]);
        for (_, at) in resolver.shared.avoided.lock().unwrap().iter_mut() {
            *at = at.checked_sub(AVOIDED).unwrap();
        }
        assert_eq!(order(), addresses);
    }

    #[test]
    fn what_is_called_localhost_stays_on_this_machine() {
        let addresses: Vec<SocketAddr> = ["127.0.0.1:1", "[::1]:1", "192.0.2.1:1", "[2001:db8::1]:1"]
            .map(|text| text.parse().unwrap())
            .into();
        let usable = |family, host| {
            let usable = CachingResolver::new(family).usable(host, &addresses);
            usable.iter().map(|address| addresses.iter().position(|all| all == address).unwrap()).collect()
        };
        for (family, host, expected) in [
            (IpFamily::Any, "chat.example.org", vec![0, 1, 2, 3]),
            (IpFamily::Ipv4, "chat.example.org", vec![0, 2]),
            (IpFamily::Ipv6, "chat.example.org", vec![1, 3]),
            (IpFamily::Any, "localhost", vec![0, 1]),
            (IpFamily::Ipv6, "chat.localhost.", vec![1]),
        ] {
            let found: Vec<usize> = usable(family, host);
            assert_eq!(found, expected, "{family:?}, {host}");
        }
        let many = vec![addresses[0]; 20];
        assert_eq!(CachingResolver::new(IpFamily::Any).usable("chat.example.org", &many).len(), 16);
    }
}
