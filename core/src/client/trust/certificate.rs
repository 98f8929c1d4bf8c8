//! Describes what a server presented when its certificate was not trusted. The verifiers only say that the
//! issuer is unknown. They do not say whether the intermediate certificate is missing, the authority is a
//! private one, or the certificate is self-signed.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error, OtherError};

use crate::error::{address, shortened};

/// The certificates that a server sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Presented {
    /// Whether the server sent only its own certificate.
    pub(super) is_alone: bool,
    /// Whether the server's own certificate is self-signed.
    pub(super) is_self_signed: bool,
    /// The name of the authority that issued the last certificate.
    pub(super) issuer: Option<String>,
    /// Whether the certificates were trusted, but the server did not prove that it has the key.
    pub(super) is_trusted: bool,
}

/// The error for a certificate that is not trusted, with what the server presented.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{problem}")]
pub(super) struct Refused {
    pub(super) problem: CertificateError,
    pub(super) presented: Presented,
}

impl Refused {
    /// Finds this error inside one of `rustls`.
    pub(super) fn inside(error: &CertificateError) -> Option<&Self> {
        let CertificateError::Other(OtherError(other)) = error else { return None };
        other.downcast_ref()
    }
}

/// Adds what was presented to an error that alone does not say what is wrong.
pub(super) fn refused(error: Error, presented: impl FnOnce() -> Presented) -> Error {
    match error {
        Error::InvalidCertificate(
            problem @ (CertificateError::UnknownIssuer | CertificateError::BadSignature),
        ) => {
            let refused = Refused { problem, presented: presented() };
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
        }
        error => error,
    }
}

impl Presented {
    pub(super) fn new(end_entity: &[u8], intermediates: &[CertificateDer<'_>]) -> Self {
        let (issuer, subject) = names(end_entity).unzip();
        let last = intermediates.last().map_or(issuer, |last| names(last).map(|(issuer, _)| issuer));
        Self {
            is_alone: intermediates.is_empty(),
            is_self_signed: issuer.is_some() && issuer == subject,
            issuer: last.and_then(readable),
            is_trusted: false,
        }
    }

    /// For a server that did not prove that it has the key of a trusted certificate.
    pub(super) fn trusted() -> Self {
        Self { is_trusted: true, ..Self::default() }
    }
}

/// Issuer and subject of a certificate (RFC 5280 §4.1).
fn names(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    const VERSION: u8 = 0xa0;
    let (_, to_be_signed, _) = element(element(certificate)?.1)?;
    let mut fields = to_be_signed;
    if element(fields)?.0 == VERSION {
        fields = element(fields)?.2;
    }
    let (_serial, _algorithm) = (take(&mut fields)?, take(&mut fields)?);
    let issuer = take(&mut fields)?;
    let _validity = take(&mut fields)?;
    Some((issuer, take(&mut fields)?))
}

/// The common name in a name, or the organization if there is no common name.
fn readable(name: &[u8]) -> Option<String> {
    const ORGANIZATION: u8 = 10;
    let text = common_name(name).or_else(|| attribute(name, ORGANIZATION))?;
    let text = address(&String::from_utf8_lossy(text));
    (!text.is_empty()).then(|| shortened(&text, 60))
}

/// The common name in a name (X.520 §6.2.2).
pub(super) fn common_name(name: &[u8]) -> Option<&[u8]> {
    attribute(name, 3)
}

/// The value of an attribute type of X.520 in a name.
fn attribute(name: &[u8], number: u8) -> Option<&[u8]> {
    let id = [6, 3, 0x55, 4, number];
    let at = name.windows(id.len()).position(|window| window == id)?;
    Some(element(&name[at + id.len()..])?.1)
}

fn take<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (_, content, rest) = element(from)?;
    *from = rest;
    Some(content)
}

/// Tag and content of the first element (X.690), and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x0f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
