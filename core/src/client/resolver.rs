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

use super::{cancel, phase};
use crate::config::{IpFamily, is_localhost};
use crate::error::Phase;

/// How long an answer is used as it is. The lookup runs before every request, also on a kept
/// connection.
const FRESH: Duration = Duration::from_secs(30);

/// How long it is used while another one is asked for, which may not come: the connections there
/// are do not need the name service.
const KEPT: Duration = Duration::from_secs(600);

/// As many addresses as `ureq` keeps.
const MAX_ADDRESSES: usize = 16;

#[derive(Clone)]
pub(super) struct CachingResolver {
    family: IpFamily,
    shared: Arc<Shared>,
}

struct Shared {
    lookups: Mutex<HashMap<String, Lookup>>,
    changed: Condvar,
    system: System,
    fresh: Duration,
    kept: Duration,
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
    failure: Option<io::ErrorKind>,
}

impl CachingResolver {
    pub(super) fn new(family: IpFamily) -> Self {
        Self { family, shared: Arc::new(Shared::new(Box::new(|name| Ok(name.to_socket_addrs()?.collect())))) }
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
        addresses.iter().filter(is_wanted).take(MAX_ADDRESSES).copied().collect()
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
        Self { lookups: Mutex::default(), changed: Condvar::new(), system, fresh: FRESH, kept: KEPT }
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
            let kept = known.answer.as_ref().filter(|(at, _)| at.elapsed() < self.kept);
            let kept = kept.map(|(_, addresses)| addresses.clone());
            if let (None, false, Some(kind), true) = (&kept, known.is_running, known.failure, has_waited) {
                return Err(Error::Io(io::Error::from(kind)));
            }
            // Where the last answer will do, the name service is not asked at each request.
            let is_due = kept.is_none() || known.asked_at.is_none_or(|at| at.elapsed() >= self.fresh);
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
                Err(error) => known.failure = Some(error.kind()),
            }
            drop(lookups);
            shared.changed.notify_all();
        };
        thread::Builder::new().name("prebind-dns".to_owned()).spawn(lookup)?;
        Ok(())
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

    const FRESH: Duration = Duration::from_millis(500);

    /// Answers with a port that tells how often it was asked, and not at all from then on, nor fails
    /// while the gate is locked.
    fn shared(fails_from: u16, gate: Arc<Mutex<()>>) -> (Arc<Shared>, Arc<AtomicU16>) {
        let asked = Arc::new(AtomicU16::new(0));
        let counter = Arc::clone(&asked);
        let system = move |name: &str| {
            assert_eq!(name, "chat.example.org:443");
            let times = counter.fetch_add(1, Relaxed) + 1;
            if times >= fails_from {
                drop(gate.lock());
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], times))])
        };
        let shared = Shared { fresh: FRESH, kept: 4 * FRESH, ..Shared::new(Box::new(system)) };
        (Arc::new(shared), asked)
    }

    fn port(shared: &Arc<Shared>) -> Result<u16, Error> {
        let timeout = NextTimeout {
            after: Duration::from_secs(5).into(),
            reason: Timeout::Resolve,
            ..NextTimeout::default()
        };
        Ok(shared.lookup("chat.example.org:443", timeout)?[0].port())
    }

    #[test]
    fn one_answer_serves_many_requests_and_is_renewed_beside_them() {
        let (shared, asked) = shared(u16::MAX, Arc::default());
        for _ in 0..12 {
            assert_eq!(port(&shared).unwrap(), 1);
        }
        assert_eq!(asked.load(Relaxed), 1);
        thread::sleep(FRESH);
        assert_eq!(port(&shared).unwrap(), 1, "nobody waits");
        let is_renewed = (0..1000).any(|_| {
            thread::sleep(Duration::from_millis(5));
            port(&shared).unwrap() == 2
        });
        assert!(is_renewed);
        assert_eq!(asked.load(Relaxed), 2);
    }

    #[test]
    fn an_outage_of_the_name_service_is_outlasted_for_a_while() {
        let gate = Arc::new(Mutex::new(()));
        let (shared, asked) = shared(2, Arc::clone(&gate));
        assert_eq!(port(&shared).unwrap(), 1);
        thread::sleep(FRESH);
        let locked = gate.lock().unwrap();
        for _ in 0..10 {
            assert_eq!(port(&shared).unwrap(), 1, "nobody waits");
        }
        drop(locked);
        thread::sleep(2 * FRESH);
        assert_eq!(port(&shared).unwrap(), 1);
        assert!((2..=4).contains(&asked.load(Relaxed)), "asked {} times", asked.load(Relaxed));
        thread::sleep(2 * FRESH);
        let error = port(&shared).unwrap_err();
        assert!(matches!(&error, Error::Io(io) if io.kind() == io::ErrorKind::NotFound), "{error}");
    }
}
