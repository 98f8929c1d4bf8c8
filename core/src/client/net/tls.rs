//! TLS by `rustls`, over a stream.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::obstacle::Cause;
use super::stream::Stream;

/// Does the TLS handshake with this host on the stream.
pub(super) fn shake_hands(stream: Stream, config: &Arc<ClientConfig>, host: &str) -> Result<Stream, Cause> {
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let name = name.map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let connection =
        ClientConnection::new(Arc::clone(config), name).map_err(|error| Cause::Tls(Box::new(error)))?;
    let mut tls = StreamOwned::new(connection, stream);
    tls.conn.complete_io(&mut tls.sock)?;
    Ok(Box::new(tls))
}
