//! TLS by `rustls`: CA certificates to trust, the client certificate to present, and the remedy for a
//! handshake that failed.

mod certificate;
mod message;
mod roots;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Config;
use crate::error::Error;
#[cfg(test)]
pub(super) use message::examples;
pub(super) use message::message;
use verifier::Trust;

/// Enough for the server and a proxy: `rustls` keeps eight sessions for each.
const MAX_SESSIONS: usize = 16;

/// The TLS configuration for one process, with a session cache of its own. A forked process must not share
/// the cache, because a thread of its parent may hold the lock.
pub(super) fn with_sessions(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
    Arc::new(config)
}

/// The TLS configuration: CA certificates to trust, and the client certificate to present.
///
/// # Errors
/// `Config` if a certificate or key cannot be used.
pub(super) fn configure(config: &Config) -> Result<Arc<ClientConfig>, Error> {
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

/// All certificates of a PEM text. Returns `None` if there is none, or if one cannot be read.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().ok()?;
    (!certificates.is_empty()).then_some(certificates)
}
