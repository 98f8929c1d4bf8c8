//! Name lookups that keep to the deadline. The system's lookup cannot be interrupted, so it runs
//! on a thread of its own: at most one for a name, shared by all who wait, and not at all while
//! its last answer is fresh.

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

/// How long an answer is used. The lookup runs before every request, also on a kept connection.
const FRESH: Duration = Duration::from_secs(30);

/// As many addresses as `ureq` keeps.
const MAX_ADDRESSES: usize = 16;

#[derive(Clone)]
pub(super) struct CachingResolver {
    family: IpFamily,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    lookups: Mutex<HashMap<String, Lookup>>,
    changed: Condvar,
}

enum Lookup {
    Running,
    Answered { at: Instant, addresses: Vec<SocketAddr> },
    Failed(io::ErrorKind),
}

impl CachingResolver {
    pub(super) fn new(family: IpFamily) -> Self {
        Self { family, shared: Arc::default() }
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
    fn lookup(self: &Arc<Self>, name: &str, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
        let until = match timeout.after {
            time::Duration::Exact(after) => Instant::now() + after,
            time::Duration::NotHappening => Instant::now() + FRESH,
        };
        let mut has_waited = false;
        loop {
            let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
            match lookups.get(name) {
                Some(Lookup::Answered { at, addresses }) if at.elapsed() < FRESH => {
                    return Ok(addresses.clone());
                }
                Some(Lookup::Failed(kind)) if has_waited => return Err(Error::Io(io::Error::from(*kind))),
                Some(Lookup::Running) => {}
                _ => {
                    self.start(name)?;
                    lookups.insert(name.to_owned(), Lookup::Running);
                }
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

    fn start(self: &Arc<Self>, name: &str) -> Result<(), Error> {
        let (shared, name) = (Arc::clone(self), name.to_owned());
        let lookup = move || {
            let lookup = match name.to_socket_addrs() {
                Ok(addresses) => Lookup::Answered { at: Instant::now(), addresses: addresses.collect() },
                Err(error) => Lookup::Failed(error.kind()),
            };
            shared.lookups.lock().unwrap_or_else(PoisonError::into_inner).insert(name, lookup);
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
