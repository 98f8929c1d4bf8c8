//! What only the process may use that made it: connections, and locks that another may hold.

use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::Resumption;
use ureq::http::Uri;
use ureq::unversioned::resolver::Resolver as _;
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, time};
use ureq::{Agent, Timeout};

use super::connector::{self, Exchange};
use super::fail_fast::FailFast;
use super::host::Host;
use super::http::Settings;
use super::lanes::{Lane, LaneConnector, Lanes, Link};
use super::resolver::CachingResolver;
use super::slots::Slots;
use super::tls::TlsConnector;

/// For the server and a proxy: `rustls` keeps eight for each.
const MAX_TLS_SESSIONS: usize = 16;

pub(super) struct Process {
    pub(super) id: u32,
    pub(super) lanes: Lanes,
    pub(super) fail_fast: FailFast,
    pub(super) slots: Arc<Slots>,
    pub(super) host: Option<Arc<Host>>,
    resolver: CachingResolver,
    chain: Arc<dyn Connector<(), Out = Exchange>>,
}

impl Process {
    pub(super) fn new(settings: &Settings) -> Self {
        let tls = settings.tls.as_ref().map(|tls| {
            let mut tls = ClientConfig::clone(tls);
            // Another process may hold the lock of the one there was.
            tls.resumption = Resumption::in_memory_sessions(MAX_TLS_SESSIONS);
            Arc::new(tls)
        });
        let host = Host::new(&settings.config).map(Arc::new);
        Self {
            id: process::id(),
            lanes: Lanes::default(),
            fail_fast: FailFast::new(&settings.config, host.clone()),
            slots: Slots::new(settings.config.max_calls),
            host,
            resolver: CachingResolver::new(settings.config.ip_family),
            chain: Arc::new(connector::chain(TlsConnector(tls))),
        }
    }

    /// Prefers other addresses to the one of this lane, which did not answer in time.
    pub(super) fn avoid(&self, peer: SocketAddr) {
        self.resolver.avoid(peer);
        self.lanes.leave(peer);
    }

    /// A lane with no connection yet, or the one that the link holds.
    pub(super) fn lane(&self, settings: &Settings, link: Arc<Link>) -> Lane {
        let connector = LaneConnector { link: Arc::clone(&link), chain: Arc::clone(&self.chain) };
        Lane::new(Agent::with_parts(settings.agent.clone(), connector, self.resolver.clone()), link)
    }

    /// Opens a connection now.
    pub(super) fn open(&self, settings: &Settings) -> Result<Lane, ureq::Error> {
        let uri: Uri = settings.url.parse().map_err(|_| ureq::Error::HostNotFound)?;
        let within =
            |time: Duration, reason| NextTimeout { after: time.into(), reason, ..NextTimeout::default() };
        let resolve = within(settings.config.resolve_timeout, Timeout::Resolve);
        let addrs = self.resolver.resolve(&uri, &settings.agent, resolve)?;
        let details = ConnectionDetails {
            uri: &uri,
            addrs,
            config: &settings.agent,
            request_level: false,
            resolver: &self.resolver,
            now: time::Instant::now(),
            timeout: within(settings.config.connect_timeout, Timeout::Connect),
            current_time: Arc::new(time::Instant::now),
            run_connector: Arc::new(|_| Err(ureq::Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        let exchange = self.chain.connect(&details, None)?.ok_or(ureq::Error::ConnectionFailed)?;
        Ok(self.lane(settings, Link::opened_ahead(exchange)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use crate::account::Account;
    use crate::client::Client;
    use crate::config::Config;
    use crate::sasl::Credentials;

    use super::*;

    /// A name with an address that takes connections and never answers.
    #[test]
    fn after_a_timeout_another_address_is_preferred() {
        let good = faults::serve(faults::Fault::NoHeaders.at(usize::MAX));
        let port: u16 = good.url.split(['/', ':']).nth(4).unwrap().parse().unwrap();
        let hanging = SocketAddr::from(([127, 0, 0, 2], port));
        let _listener = TcpListener::bind(hanging).unwrap();
        let mut config = Config::new(&format!("http://chat.example.org:{port}/http-bind")).unwrap();
        (config.allow_cleartext, config.fail_fast_after) = (true, 0);
        config.deadline = Duration::from_secs(1);
        let client = Client::new(config).unwrap();
        let addresses = vec![hanging, SocketAddr::from(([127, 0, 0, 1], port))];
        client.0.http.process().resolver.know(&format!("chat.example.org:{port}"), addresses);
        let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
        let results = [(); 6].map(|()| client.prebind(&account).is_ok());
        assert_eq!(results, [false, true, true, true, true, true], "only the first one waits for it");
    }
}
