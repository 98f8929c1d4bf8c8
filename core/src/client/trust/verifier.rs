//! Decides which certificates are trusted: those of the system, or those that the operator names. The
//! operator may name authorities, and also the certificates of the servers themselves.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificate::{Presented, common_name, refused};
use super::roots;

/// Trusts the certificates that the authorities signed, and the named certificates themselves. A self-signed
/// certificate from `openssl req -x509` says that it is an authority, and no server may present an
/// authority's certificate (RFC 5280 §4.2.1.9); but the operator named exactly this one. The error for a
/// refused certificate says what the server presented.
#[derive(Debug)]
pub(super) struct Trust {
    authorities: Arc<dyn ServerCertVerifier>,
    named: Vec<Named>,
}

#[derive(Debug)]
struct Named {
    certificate: CertificateDer<'static>,
    /// The common name. It counts if the certificate has no other name (RFC 6125 §6.4.4).
    common_name: Option<String>,
}

impl Trust {
    /// Trusts only the authorities of this verifier.
    pub(super) fn of(authorities: Arc<dyn ServerCertVerifier>) -> Self {
        Self { authorities, named: Vec::new() }
    }

    /// `None` if one of the certificates cannot be used.
    pub(super) fn new(certificates: Vec<CertificateDer<'static>>) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        let mut named = Vec::new();
        for certificate in certificates {
            roots.add(certificate.clone()).ok()?;
            let common_name = roots.roots.last().and_then(|anchor| common_name(&anchor.subject));
            let common_name = common_name.and_then(|name| String::from_utf8(name.to_vec()).ok());
            named.push(Named { certificate, common_name });
        }
        let provider = roots::provider();
        let authorities =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
        Some(Self { authorities, named })
    }
}

impl Named {
    fn is_for(&self, server: &ServerName<'_>) -> Result<(), Error> {
        let presented = verify_server_name(&ParsedCertificate::try_from(&self.certificate)?, server);
        let is_common_name = |name: &String| name.eq_ignore_ascii_case(&server.to_str());
        match &presented {
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented: names,
                ..
            })) if names.is_empty() && self.common_name.as_ref().is_some_and(is_common_name) => Ok(()),
            _ => presented,
        }
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let named = self.named.iter().find(|named| named.certificate == *end_entity);
        let verified = match (verified, named) {
            // These errors do not matter for a named certificate: neither who issued it, nor what it is for.
            // The dates were checked before.
            (
                Err(Error::InvalidCertificate(
                    CertificateError::Other(_)
                    | CertificateError::UnknownIssuer
                    | CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )),
                Some(named),
            ) => named.is_for(server_name).map(|()| ServerCertVerified::assertion()),
            (verified, _) => verified,
        };
        verified.map_err(|error| refused(error, || Presented::new(end_entity, intermediates)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.authorities.verify_tls12_signature(message, certificate, signature);
        verified.map_err(|error| refused(error, Presented::trusted))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.authorities.verify_tls13_signature(message, certificate, signature);
        verified.map_err(|error| refused(error, Presented::trusted))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
