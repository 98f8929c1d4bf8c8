//! Makes an authority, a certificate for the server and one for a client.

use std::{fs, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    OtherNameValue, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::{
    error::{Error, Result},
    hosts,
};

/// `id-on-xmppAddr` (RFC 6120 §13.7.1.4): the JID that a certificate is for.
const XMPP_ADDRESS: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 8, 5];

/// The JID that the client certificate is for.
pub(crate) const CLIENT_JID: &str = "alice@cert.local";

/// Writes `ca.pem`, `server.pem` (key and certificate), `server.key`, `client.pem`, `client.key`.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let authority = CertifiedIssuer::self_signed(authority()?, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let certificate = server()?.signed_by(&key, &authority)?;
    put(directory, "ca.pem", &authority.pem())?;
    put(directory, "server.key", &key.serialize_pem())?;
    put(directory, "server.pem", &(certificate.pem() + &key.serialize_pem()))?;

    let key = KeyPair::generate()?;
    put(directory, "client.key", &key.serialize_pem())?;
    put(directory, "client.pem", &client()?.signed_by(&key, &authority)?.pem())
}

fn authority() -> Result<CertificateParams> {
    let mut params = lasting("Throw-away test authority", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn server() -> Result<CertificateParams> {
    let mut names = vec!["127.0.0.1".to_owned()];
    names.extend(hosts::HOSTS.iter().map(|host| host.name.to_owned()));
    lasting("localhost", names)
}

/// The client certificate. It has no extended key usage: Prosody's `mod_auth_ccert` checks it like a server's
/// certificate, and refuses one that is only for clients.
fn client() -> Result<CertificateParams> {
    let mut params = lasting("alice", Vec::new())?;
    let address = OtherNameValue::Utf8String(CLIENT_JID.to_owned());
    params.subject_alt_names = vec![SanType::OtherName((XMPP_ADDRESS.to_vec(), address))];
    Ok(params)
}

/// Parameters that are valid long enough that ejabberd does not warn of an early end.
fn lasting(name: &str, names: Vec<String>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(30);
    Ok(params)
}

fn put(directory: &Path, name: &str, text: &str) -> Result<()> {
    fs::write(directory.join(name), text).map_err(Error::io("write a certificate"))
}
