//! How connections are made: proxy if asked for, TCP, TLS; each step noted as the phase, and each
//! wait for input open to giving up.

use std::fmt;
use std::sync::{Arc, Weak};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, SocksConnector, Transport,
};
use zeroize::{Zeroize as _, Zeroizing};

use super::tcp::TcpConnector;
use super::tls::TlsConnector;
use super::{cancel, phase};
use crate::error::Phase;

/// The chain that `ureq` runs for a new connection.
pub(super) fn chain(tls: TlsConnector) -> impl Connector<(), Out = Exchange> {
    ().chain(Entering)
        .chain(SocksConnector::default())
        .chain(ConnectProxyConnector::default())
        .chain(TcpConnector)
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

/// Wraps a connection to note when a request goes out on it, and to send it in one piece: a server
/// that reads the head first may make the body wait.
#[derive(Debug)]
struct Exchanging;

impl<In: Transport> Connector<In> for Exchanging {
    type Out = Exchange;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Exchange>, Error> {
        let exchange = |transport| Exchange {
            transport: Box::new(transport),
            unsent: Zeroizing::new(Vec::with_capacity(USUAL)),
            life: Arc::default(),
        };
        Ok(chained.map(exchange))
    }
}

/// Longer than most requests.
const USUAL: usize = 4096;

pub(super) struct Exchange {
    transport: Box<dyn Transport>,
    unsent: Zeroizing<Vec<u8>>,
    life: Arc<()>,
}

impl Exchange {
    /// Lasts as long as the connection.
    pub(super) fn life(&self) -> Weak<()> {
        Arc::downgrade(&self.life)
    }

    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let mut rest = self.unsent.as_slice();
        while !rest.is_empty() {
            let output = self.transport.buffers().output();
            let amount = rest.len().min(output.len());
            output[..amount].copy_from_slice(&rest[..amount]);
            self.transport.transmit_output(amount, timeout)?;
            rest = &rest[amount..];
        }
        self.unsent.zeroize();
        Ok(())
    }
}

impl Transport for Exchange {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        phase::enter(Phase::Headers);
        self.unsent.extend_from_slice(&self.transport.buffers().output()[..amount]);
        if self.unsent.len() > 4 * USUAL { self.send(timeout) } else { Ok(()) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.send(timeout)?;
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}
