//! Certificates that are made when they are needed.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The certificate authority of one server.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, key()).expect(VALID))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A valid certificate for the names of the servers.
    pub(crate) fn trusted(&self) -> Arc<ServerConfig> {
        self.config(&params(OWN_NAMES))
    }

    pub(crate) fn wrong_name(&self) -> Arc<ServerConfig> {
        self.config(&params(&["elsewhere.invalid"]))
    }

    pub(crate) fn expired(&self) -> Arc<ServerConfig> {
        let mut params = params(OWN_NAMES);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.config(&params)
    }

    fn config(&self, params: &CertificateParams) -> Arc<ServerConfig> {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect(VALID);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        presenting(vec![certificate.der().clone()], key)
    }
}

/// An expired self-signed certificate for the names of the servers, and its key, both in PEM.
///
/// # Panics
///
/// Never, because nothing here depends on input.
#[must_use]
pub fn expired_certificate() -> (String, String) {
    let key = key();
    let mut params = params(OWN_NAMES);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    (params.self_signed(&key).expect(VALID).pem(), key.serialize_pem())
}

/// The TLS configuration with this certificate and key, both in PEM.
pub(crate) fn given(certificate: &str, key: &str) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    presenting(chain.expect("certificates in PEM"), key.expect("a private key in PEM"))
}

fn presenting(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect(VALID)
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.expect("a certificate and its key"))
}

const OWN_NAMES: &[&str] = &["127.0.0.1", "localhost"];

/// Nothing here depends on input.
const VALID: &str = "fixed, valid parameters";

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    CertificateParams::new(names).expect(VALID)
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a P-256 key")
}
