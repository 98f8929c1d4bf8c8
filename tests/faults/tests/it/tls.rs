//! Tests the faults in TLS with a strict client.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::{CREATION, End, QUIET, connect, exchange, receive};
use faults::{Fault, Server};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Opens a connection that trusts the server's own CA, and does the handshake.
fn handshake(server: &Server) -> io::Result<Tls> {
    handshake_by(config(server), server)
}

fn handshake_by(config: Arc<ClientConfig>, server: &Server) -> io::Result<Tls> {
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut tls = ClientConnection::new(config, name).expect("a client");
    let mut tcp = connect(&server.url);
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(tls, tcp))
}

fn config(server: &Server) -> Arc<ClientConfig> {
    let pem = server.ca_pem().expect("a TLS server");
    let ca = CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    let mut roots = RootCertStore::empty();
    roots.add(ca).expect("a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn refused(fault: Fault) -> String {
    let server = faults::serve(fault);
    assert!(server.url.starts_with("https://127.0.0.1:"));
    handshake(&server).expect_err("no handshake").to_string()
}

#[test]
fn certificates_nobody_should_accept() {
    for (fault, reason) in [
        (Fault::TlsUnknownCa, "UnknownIssuer"),
        (Fault::TlsWrongName, "not valid for"),
        (Fault::TlsExpired, "expired"),
        (Fault::TlsNotTls, "corrupt message"),
    ] {
        let error = refused(fault);
        assert!(error.contains(reason), "{fault:?}: {error}");
    }
}

#[test]
fn a_handshake_never_answered() {
    let server = faults::serve(Fault::TlsSilent);
    let mut tcp = connect(&server.url);
    tcp.write_all(b"\x16\x03\x01").unwrap();
    assert_eq!(receive(&tcp, QUIET), (String::new(), End::Quiet));
}

#[test]
fn a_handshake_that_drips() {
    let server = faults::serve(Fault::TlsDrips);
    let tcp = connect(&server.url);
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut tls = ClientConnection::new(config(&server), name).expect("a client");
    let begun = Instant::now();
    tls.write_tls(&mut &tcp).unwrap();
    for _ in 0..3 {
        assert_eq!((&tcp).read(&mut [0; 100]).unwrap(), 1);
    }
    assert!(begun.elapsed() > Duration::from_millis(300));
}

#[test]
fn a_certificate_that_changes_in_mid_session() {
    let server = faults::serve(Fault::TlsUnknownCa.at(2));
    let mut pooled = handshake(&server).unwrap();
    let mut first = handshake(&server).unwrap();
    assert!(exchange(&mut first, CREATION).0.starts_with("HTTP/1.1 200"));
    // Session tickets arrive, then the end.
    pooled.sock.read_to_end(&mut Vec::new()).unwrap();
    assert!(handshake(&server).is_err());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_script_over_tls() {
    let server = faults::script_tls(faults::classic());
    let mut tls = handshake(&server).unwrap();
    assert!(exchange(&mut tls, CREATION).1.contains("faults-sid"));
}

#[test]
fn a_resumed_handshake_is_reported() {
    let server = faults::script_tls(vec![faults::Reply::xml("1"), faults::Reply::xml("2")]);
    let config = config(&server);
    for body in ["1", "2"] {
        let mut tls = handshake_by(Arc::clone(&config), &server).expect("a handshake");
        assert_eq!(exchange(&mut tls, CREATION).1, body);
    }
    let resumed: Vec<bool> = server.requests().iter().map(|request| request.is_resumed).collect();
    assert_eq!(resumed, [false, true]);
}
