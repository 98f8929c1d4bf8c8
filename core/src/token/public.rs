//! Keys written down for those who verify: as JWK (RFC 7517) and as PEM.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pem::Pem;
use pkcs8::SubjectPublicKeyInfoRef;
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::asn1::BitStringRef;
use pkcs8::der::{Decode, Encode};
use pkcs8::spki::AlgorithmIdentifier;
use zeroize::Zeroizing;

use super::material::Material;
use super::pem::{EC, ED25519, P256, RSA};

impl Material {
    /// The members of the JWK that verifies (RFC 7518 §6, RFC 8037 §2).
    pub(super) fn verifying_members(&self) -> Zeroizing<String> {
        match self {
            Self::Secret(secret) => oct(secret),
            Self::Rsa { public, .. } => {
                let key = pkcs1::RsaPublicKeyRef::from_der(public);
                let (n, e) = key.as_ref().map_or((&[][..], &[][..]), |key| {
                    (key.modulus.as_bytes(), key.public_exponent.as_bytes())
                });
                members("RSA", None, &[("n", n), ("e", e)])
            }
            Self::Ec { public, .. } => {
                let (x, y) = public.get(1..).and_then(|point| point.split_at_checked(32)).unwrap_or_default();
                members("EC", Some("P-256"), &[("x", x), ("y", y)])
            }
            Self::Ed { public, .. } => members("OKP", Some("Ed25519"), &[("x", public)]),
        }
    }

    /// The public key; `None` for a secret.
    pub(super) fn public_pem(&self) -> Option<String> {
        let (oid, parameters, public) = match self {
            Self::Secret(_) => return None,
            Self::Rsa { public, .. } => (RSA, Some(AnyRef::NULL), public),
            Self::Ec { public, .. } => (EC, Some(AnyRef::from(&P256)), public),
            Self::Ed { public, .. } => (ED25519, None, public),
        };
        let algorithm = AlgorithmIdentifier { oid, parameters };
        let subject_public_key = BitStringRef::from_bytes(public).ok()?;
        let der = SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().ok()?;
        Some(pem::encode(&Pem::new("PUBLIC KEY", der)).replace("\r\n", "\n"))
    }
}

/// The members of an HMAC key.
pub(super) fn oct(secret: &[u8]) -> Zeroizing<String> {
    members("oct", None, &[("k", secret)])
}

/// The members of a key with these numbers.
pub(super) fn members(kty: &str, curve: Option<&str>, numbers: &[(&str, &[u8])]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("\"kty\":\"{kty}\""));
    if let Some(curve) = curve {
        text.push_str(",\"crv\":\"");
        text.push_str(curve);
        text.push('"');
    }
    for (name, bytes) in numbers {
        text.push_str(",\"");
        text.push_str(name);
        text.push_str("\":\"");
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        text.push('"');
    }
    text
}
