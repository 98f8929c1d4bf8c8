//! How connections are made: proxy if asked for, TCP, TLS; each step noted as the phase, and each
//! wait for input open to giving up.

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, SocksConnector, TcpConnector,
    Transport,
};

use super::tls::TlsConnector;
use super::{cancel, phase};
use crate::error::Phase;

/// The chain that `ureq` runs for a new connection.
pub(super) fn chain(tls: TlsConnector) -> impl Connector {
    ().chain(Entering)
        .chain(SocksConnector::default())
        .chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(Asking)
        .chain(tls)
        .chain(Exchanging)
}

/// Notes that the connection is being opened.
#[derive(Debug)]
struct Entering;

impl Connector for Entering {
    type Out = ();

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<()>) -> Result<Option<()>, Error> {
        phase::enter(Phase::Tcp);
        Ok(chained)
    }
}

/// Wraps a connection to ask, while it waits for input, whether to go on.
#[derive(Debug)]
struct Asking;

impl<In: Transport> Connector<In> for Asking {
    type Out = Asked<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Asked<In>>, Error> {
        Ok(chained.map(Asked))
    }
}

#[derive(Debug)]
struct Asked<In>(In);

impl<In: Transport> Transport for Asked<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        cancel::sliced(timeout, |timeout| self.0.await_input(timeout))
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

/// Wraps a connection to note when a request goes out on it.
#[derive(Debug)]
struct Exchanging;

impl<In: Transport> Connector<In> for Exchanging {
    type Out = Exchange;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Exchange>, Error> {
        Ok(chained.map(|transport| Exchange(Box::new(transport))))
    }
}

#[derive(Debug)]
struct Exchange(Box<dyn Transport>);

impl Transport for Exchange {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        phase::enter(Phase::Headers);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
