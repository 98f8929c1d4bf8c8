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
use super::{cancel, outbox, phase};
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

    /// Takes over what was written. Neither buffer keeps a copy of it: it may be a password.
    fn keep(&mut self, amount: usize) {
        let length = self.unsent.len() + amount;
        if length > self.unsent.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length));
            larger.extend_from_slice(&self.unsent);
            self.unsent = larger;
        }
        let output = &mut self.transport.buffers().output()[..amount];
        self.unsent.extend_from_slice(output);
        output.zeroize();
    }

    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        outbox::writing(|| self.write(timeout))
    }

    fn write(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let mut rest = self.unsent.as_slice();
        while !rest.is_empty() {
            let output = self.transport.buffers().output();
            let amount = rest.len().min(output.len());
            output[..amount].copy_from_slice(&rest[..amount]);
            let sent = self.transport.transmit_output(amount, timeout);
            self.transport.buffers().output()[..amount].zeroize();
            sent?;
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
        self.keep(amount);
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

#[cfg(test)]
mod tests {
    use ureq::unversioned::transport::LazyBuffers;

    use super::*;

    /// Counts what was sent.
    struct Sink {
        buffers: LazyBuffers,
        sent: usize,
    }

    impl Transport for Sink {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
            assert!(self.buffers.output()[..amount].iter().all(|byte| *byte == b'x'));
            self.sent += amount;
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            assert!(self.sent > 0 && self.sent.is_multiple_of(6000), "{} bytes", self.sent);
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    impl fmt::Debug for Sink {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Sink")
        }
    }

    #[test]
    fn nothing_that_was_sent_stays_in_a_buffer() {
        let sink = Sink { buffers: LazyBuffers::new(1024, 3000), sent: 0 };
        let unsent = Zeroizing::new(Vec::with_capacity(USUAL));
        let mut exchange = Exchange { transport: Box::new(sink), unsent, life: Arc::default() };
        for _ in 0..2 {
            for _ in 0..2 {
                exchange.buffers().output()[..3000].fill(b'x');
                exchange.transmit_output(3000, NextTimeout::default()).unwrap();
                assert!(exchange.buffers().output().iter().all(|byte| *byte == 0));
            }
            assert_eq!(exchange.unsent.len(), 6000);
            exchange.await_input(NextTimeout::default()).unwrap();
            assert!(exchange.buffers().output().iter().all(|byte| *byte == 0));
            assert!(exchange.unsent.is_empty() && exchange.unsent.capacity() >= 6000);
        }
    }
}
