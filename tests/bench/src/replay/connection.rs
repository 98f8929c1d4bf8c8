//! A kept socket, with TLS where it is needed.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::Result;

/// As long as the library waits, so that what nothing answers is told.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Connection {
    tcp: TcpStream,
    stream: Box<dyn Stream>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Connection {
    pub(super) fn open(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let tcp = TcpStream::connect(address)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(tcp.try_clone()?),
            Some(tls) => {
                let name = ServerName::from(address.ip());
                let connection = ClientConnection::new(Arc::clone(tls), name)?;
                Box::new(StreamOwned::new(connection, tcp.try_clone()?))
            }
        };
        Ok(Self { tcp, stream })
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Whether the server has not closed it meanwhile.
    pub(super) fn is_open(&self) -> bool {
        let peek = || {
            self.tcp.set_nonblocking(true)?;
            let peeked = self.tcp.peek(&mut [0]);
            self.tcp.set_nonblocking(false)?;
            peeked
        };
        match peek() {
            Ok(amount) => amount > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

pub(super) fn trusting(ca: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
