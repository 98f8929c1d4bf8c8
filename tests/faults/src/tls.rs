//! Certificates made on the spot.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority of one server's own.
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

    /// For the names the servers have.
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
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect(VALID)
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.expect(VALID))
    }
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
