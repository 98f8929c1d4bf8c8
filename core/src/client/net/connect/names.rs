//! Name lookups that keep to the deadline. The system's lookup cannot be interrupted, so it runs on a thread
//! of its own. If a lookup fails, the last answer is used again, so that a short outage of the name service
//! goes unnoticed.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::give_up;
use crate::client::net::obstacle::Cause;
use crate::config::{IpFamily, is_localhost};

/// How long an answer is used while the name service gives no new one.
const KEPT: Duration = Duration::from_secs(600);

/// How long an address that did not answer in time is tried only after the others of its name.
const AVOIDED: Duration = Duration::from_secs(60);

pub(in crate::client::net) struct Names {
    family: IpFamily,
    system: System,
    /// When each name was last looked up, and the addresses found.
    known: Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>,
    /// The addresses that did not answer in time, and when that happened.
    avoided: Mutex<HashMap<SocketAddr, Instant>>,
}

/// The system's lookup.
type System = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

impl Names {
    pub(in crate::client::net) fn new(family: IpFamily) -> Self {
        Self::by(family, Arc::new(|host: &str, port| Ok((host, port).to_socket_addrs()?.collect())))
    }

    fn by(family: IpFamily, system: System) -> Self {
        Self { family, system, known: Mutex::default(), avoided: Mutex::default() }
    }

    /// The usable addresses of a host, at least one.
    pub(super) fn look_up(&self, host: &str, port: u16, until: Instant) -> Result<Vec<SocketAddr>, Cause> {
        let addresses = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self.look_up_name(host, port, until)?,
        };
        let usable = self.usable(host, &addresses);
        if usable.is_empty() { Err(Cause::NoUsableAddress) } else { Ok(usable) }
    }

    fn look_up_name(&self, host: &str, port: u16, until: Instant) -> Result<Vec<SocketAddr>, Cause> {
        match self.ask(host, port, until) {
            Ok(addresses) => {
                locked(&self.known).insert(host.to_owned(), (Instant::now(), addresses.clone()));
                Ok(addresses)
            }
            Err(cause) => {
                let known = locked(&self.known);
                let kept = known.get(host).filter(|(at, _)| at.elapsed() < KEPT && !give_up::is_stopped());
                kept.map(|(_, addresses)| addresses.clone()).ok_or(cause)
            }
        }
    }

    fn ask(&self, host: &str, port: u16, until: Instant) -> Result<Vec<SocketAddr>, Cause> {
        let (sender, answer) = channel();
        let (system, host) = (Arc::clone(&self.system), host.to_owned());
        // The send fails if the deadline has passed, because nobody waits any more.
        let ask = move || drop(sender.send(system(&host, port)));
        let thread = thread::Builder::new().name("prebind-dns".to_owned());
        thread.spawn(ask).map_err(|_| Cause::NoThread)?;
        let found = give_up::waiting(until, false, |slice| Ok::<_, Cause>(answer.recv_timeout(slice).ok()))?;
        found.map_err(Cause::of_lookup)
    }

    /// Tries other addresses before this one from now on, for a while.
    pub(in crate::client::net) fn avoid(&self, address: SocketAddr) {
        let mut avoided = locked(&self.avoided);
        avoided.retain(|_, at| at.elapsed() < AVOIDED);
        avoided.insert(address, Instant::now());
    }

    fn usable(&self, host: &str, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let is_wanted = |address: &&SocketAddr| {
            let other_family = if address.is_ipv4() { IpFamily::Ipv6 } else { IpFamily::Ipv4 };
            // Passwords may be sent to localhost unencrypted, so that name must not lead to another machine.
            self.family != other_family && (!is_localhost(host) || address.ip().is_loopback())
        };
        let mut usable: Vec<SocketAddr> = addresses.iter().filter(is_wanted).copied().collect();
        let avoided = locked(&self.avoided);
        usable.sort_by_key(|address| avoided.get(address).is_some_and(|at| at.elapsed() < AVOIDED));
        usable
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl Names {
    /// Finds these addresses for every name.
    pub(in crate::client::net) fn fixed(addresses: Vec<SocketAddr>) -> Self {
        Self::by(IpFamily::Any, Arc::new(move |_: &str, _| Ok(addresses.clone())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;

    const HOST: &str = "chat.example.org";

    /// A deadline that nothing reaches, even on a busy machine.
    fn in_time() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_short_outage_of_the_name_service_goes_unnoticed() {
        let is_down = Arc::new(AtomicBool::new(false));
        let outage = Arc::clone(&is_down);
        let system = move |host: &str, port| {
            assert_eq!(host, HOST);
            let failure = || io::Error::other("Temporary failure in name resolution");
            if outage.load(Relaxed) {
                Err(failure())
            } else {
                Ok(vec![SocketAddr::from(([192, 0, 2, 1], port))])
            }
        };
        let names = Names::by(IpFamily::Any, Arc::new(system));
        let look_up = || names.look_up(HOST, 443, in_time());
        assert_eq!(look_up().unwrap(), [address("192.0.2.1:443")]);
        is_down.store(true, Relaxed);
        assert_eq!(look_up().unwrap(), [address("192.0.2.1:443")]);
        let at = |known: &mut (Instant, _)| known.0 = known.0.checked_sub(KEPT).unwrap();
        locked(&names.known).values_mut().for_each(at);
        assert!(matches!(look_up(), Err(Cause::NameService(_))));
    }

    #[test]
    fn a_name_service_that_does_not_answer_is_not_waited_for() {
        let (open, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let hanging = move |_: &str, _| {
            let _ = locked(&gate).recv();
            Ok(Vec::new())
        };
        let names = Names::by(IpFamily::Any, Arc::new(hanging));
        let until = Instant::now() + Duration::from_millis(20);
        assert!(matches!(names.look_up(HOST, 443, until), Err(Cause::Timeout)));
        drop(open);
    }

    #[test]
    fn an_address_that_did_not_answer_comes_last_for_a_while() {
        let addresses = ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"].map(address);
        let [first, second, third] = addresses;
        let names = Names::new(IpFamily::Any);
        let order = || names.usable(HOST, &addresses);
        names.avoid(first);
        assert_eq!(order(), [second, third, first]);
        names.avoid(second);
        assert_eq!(order(), [third, first, second]);
        for at in locked(&names.avoided).values_mut() {
            *at = at.checked_sub(AVOIDED).unwrap();
        }
        assert_eq!(order(), addresses);
    }

    #[test]
    fn the_name_localhost_leads_only_to_this_machine() {
        let addresses = ["127.0.0.1:1", "[::1]:1", "192.0.2.1:1", "[2001:db8::1]:1"].map(address);
        let usable = |family, host| {
            let usable = Names::new(family).usable(host, &addresses);
            usable.iter().map(|address| addresses.iter().position(|all| all == address).unwrap()).collect()
        };
        for (family, host, expected) in [
            (IpFamily::Any, HOST, vec![0, 1, 2, 3]),
            (IpFamily::Ipv4, HOST, vec![0, 2]),
            (IpFamily::Ipv6, HOST, vec![1, 3]),
            (IpFamily::Any, "localhost", vec![0, 1]),
            (IpFamily::Ipv6, "chat.localhost.", vec![1]),
        ] {
            let found: Vec<usize> = usable(family, host);
            assert_eq!(found, expected, "{family:?}, {host}");
        }
    }

    #[test]
    fn an_address_needs_no_name_service() {
        let names = Names::by(IpFamily::Ipv6, Arc::new(|_: &str, _| unreachable!("nobody is asked")));
        assert_eq!(names.look_up("[::1]", 5280, in_time()).unwrap(), [address("[::1]:5280")]);
        assert!(matches!(names.look_up("127.0.0.1", 5280, in_time()), Err(Cause::NoUsableAddress)));
    }
}
