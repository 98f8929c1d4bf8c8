//! What only the process may use that made it: connections, and locks that another may hold.

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
use super::http::Settings;
use super::lanes::{Lane, LaneConnector, Lanes, Link};
use super::resolver::CachingResolver;
use super::tls::TlsConnector;

/// For one server, and a few connections at once.
const MAX_TLS_SESSIONS: usize = 32;

pub(super) struct Process {
    pub(super) id: u32,
    pub(super) lanes: Lanes,
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
        Self {
            id: process::id(),
            lanes: Lanes::default(),
            resolver: CachingResolver::new(settings.config.ip_family),
            chain: Arc::new(connector::chain(TlsConnector(tls))),
        }
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
