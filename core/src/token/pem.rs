//! Keys in PEM (RFC 7468): PKCS#8, PKCS#1, SEC 1 and public keys.

use pkcs8::der::Decode;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use ring::signature::{Ed25519KeyPair, RsaKeyPair};
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use super::material::{Material, broken};
use crate::error::{Error, Result};

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The keys of all sections; what goes before, between and after them is ignored.
pub(super) fn read(text: &str) -> Result<Vec<Material>> {
    let sections = pem::parse_many(text).map_err(|_| not_pem())?;
    let mut keys = Vec::new();
    for section in sections {
        let is_encrypted = section.headers().get("Proc-Type").is_some();
        let tag = section.tag().to_owned();
        let der = Zeroizing::new(section.into_contents());
        keys.extend(if is_encrypted { Err(encrypted()) } else { key(&tag, &der) }?);
    }
    if keys.is_empty() { Err(not_pem()) } else { Ok(keys) }
}

/// The key of a section; `None` if it says something about another section.
fn key(tag: &str, der: &[u8]) -> Result<Option<Material>> {
    match tag {
        "PRIVATE KEY" => pkcs8(der),
        "RSA PRIVATE KEY" => Material::rsa(RsaKeyPair::from_der(der).map_err(|_| broken("RSA"))?),
        "EC PRIVATE KEY" => sec1(der, None),
        "PUBLIC KEY" => spki(der),
        "RSA PUBLIC KEY" => Material::rsa_public(der),
        "EC PARAMETERS" => return Ok(None),
        "ENCRYPTED PRIVATE KEY" => Err(encrypted()),
        "CERTIFICATE" => Err(Error::config(
            "key",
            "a certificate is no key: take the public key out of it (openssl x509 -pubkey -noout)",
        )),
        _ => Err(not_pem()),
    }
    .map(Some)
}

fn pkcs8(der: &[u8]) -> Result<Material> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| broken("private"))?;
    match info.algorithm.oid {
        RSA => Material::rsa(RsaKeyPair::from_pkcs8(der).map_err(|_| broken("RSA"))?),
        EC => sec1(info.private_key.as_bytes(), info.algorithm.parameters_oid().ok()),
        ED25519 => {
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Material::ed).map_err(|_| broken("Ed25519"))
        }
        _ => Err(other_sort()),
    }
}

/// The curve stands in the key or, in PKCS#8, beside it.
fn sec1(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<Material> {
    let key = EcPrivateKey::from_der(der).map_err(|_| broken("EC"))?;
    let own_curve = key.parameters.and_then(sec1::EcParameters::named_curve);
    if curve.or(own_curve) != Some(P256) {
        return Err(other_sort());
    }
    let Some(public) = key.public_key else {
        return Err(Error::config(
            "key",
            "the EC key lacks its public part: have it added (openssl pkey -in KEY -out NEW)",
        ));
    };
    Material::ec(key.private_key, public)
}

fn spki(der: &[u8]) -> Result<Material> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| broken("public"))?;
    let public = info.subject_public_key.as_bytes().ok_or_else(|| broken("public"))?;
    match (info.algorithm.oid, info.algorithm.parameters_oid().ok()) {
        (RSA, _) => Material::rsa_public(public),
        (EC, Some(P256)) => Material::ec_public(public),
        (ED25519, _) => Material::ed_public(public),
        _ => Err(other_sort()),
    }
}

fn not_pem() -> Error {
    Error::config(
        "key",
        "is no key in PEM: such a text has -----BEGIN and then PRIVATE KEY, RSA PRIVATE KEY, EC PRIVATE KEY, PUBLIC KEY or \
         RSA PUBLIC KEY",
    )
}

fn encrypted() -> Error {
    Error::config("key", "is an ENCRYPTED PRIVATE KEY: decrypt it (openssl pkey -in KEY -out NEW)")
}

/// For keys of algorithms that are not supported.
pub(super) fn other_sort() -> Error {
    Error::config("key", "is of a sort that signs no token here: take RSA, EC with P-256, or Ed25519")
}
