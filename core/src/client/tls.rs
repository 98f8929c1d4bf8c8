//! TLS by `rustls`. `ureq`'s own connector reads the system's certificates anew for each
//! connection once a request has timeouts of its own, and panics at a bad client certificate.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error as HttpError;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
    time,
};

use super::trust::Trust;
use super::{phase, roots};
use crate::config::Config;
use crate::error::{Error, Phase, Result};

/// Who is trusted and what is shown to the server.
///
/// # Errors
/// `Config` if a certificate or key cannot be used.
pub(super) fn configure(config: &Config) -> Result<Arc<ClientConfig>> {
    let builder = ClientConfig::builder_with_provider(roots::provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has them");
    let trust = match &config.ca {
        None => {
            Trust::of(roots::system().map_err(|error| no_system_certificates().caused_by(Arc::new(error)))?)
        }
        Some(pem) => certificates(pem).and_then(Trust::new).ok_or_else(no_authority)?,
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(trust));
    let mut config = match &config.client_certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let chain = certificates(&certificate.chain).ok_or_else(no_certificate)?;
            let key =
                PrivateKeyDer::from_pem_slice(certificate.key.expose().as_bytes()).map_err(|_| no_key())?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| mismatch().caused_by(Arc::new(error)))?
        }
    };
    // Each process remembers sessions of its own.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

pub(super) fn no_system_certificates() -> Error {
    Error::config(
        "ca",
        "this system has no CA certificates that can be used: install them (Debian: ca-certificates), or give them here",
    )
}

fn no_certificate() -> Error {
    let problem = "holds no certificate in PEM; such a text begins with -----BEGIN CERTIFICATE-----";
    Error::config("client_certificate", problem)
}

pub(super) fn no_key() -> Error {
    let problem = "holds no private key in PEM; such a text begins with -----BEGIN PRIVATE KEY-----";
    Error::config("client_certificate", problem)
}

pub(super) fn mismatch() -> Error {
    Error::config(
        "client_certificate",
        "certificate and key do not belong together: give the key of this certificate",
    )
}

fn no_authority() -> Error {
    let problem =
        "holds no certificate in PEM that can be used; such a text begins with -----BEGIN CERTIFICATE-----";
    Error::config("ca", problem)
}

/// Every certificate; `None` if there is none or one cannot be read.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates =
        CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<Vec<_>, _>>().ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

/// Wraps a connection to an https URL in TLS.
pub(super) struct TlsConnector(pub(super) Option<Arc<ClientConfig>>);

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> std::result::Result<Option<Self::Out>, HttpError> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let config = self.0.as_ref().ok_or(HttpError::TlsRequired)?;
        phase::enter(Phase::Tls);
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| HttpError::Tls("not a host name"))?;
        let mut connection = ClientConnection::new(config.clone(), name)
            .map_err(|_| HttpError::Tls("no connection can be made with this configuration"))?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(remaining(details));
        connection.complete_io(&mut socket)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned::new(connection, socket) })))
    }
}

/// What TCP left of the time to connect.
fn remaining(details: &ConnectionDetails<'_>) -> NextTimeout {
    use time::{Duration, Instant};
    let (Duration::Exact(granted), Instant::Exact(since), Instant::Exact(now)) =
        (details.timeout.after, details.now, (details.current_time)())
    else {
        return details.timeout;
    };
    let after = Duration::Exact(granted.saturating_sub(now.saturating_duration_since(since)));
    NextTimeout { after, ..details.timeout }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> std::result::Result<(), HttpError> {
        self.stream.sock.set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, HttpError> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}
