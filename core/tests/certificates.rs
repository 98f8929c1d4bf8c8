//! Certificates that the operator names, as the tools make them that operators have.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;
use std::{env, fs, process};

use faults::Server;
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Phase};

/// A certificate and its key, made by `openssl req -x509` with these arguments.
fn made(name: &str, arguments: &[&str]) -> (String, String) {
    let folder = env::temp_dir().join(format!("prebind-certificates-{}-{name}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout"]).arg(&key).arg("-out");
    let output = openssl.arg(&certificate).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pem = (fs::read_to_string(&certificate).unwrap(), fs::read_to_string(&key).unwrap());
    fs::remove_dir_all(&folder).unwrap();
    pem
}

fn serve((certificate, key): &(String, String)) -> Server {
    faults::script_tls_with(faults::classic(), certificate, key)
}

fn login(server: &Server, host: &str, ca: &str) -> Result<(), Error> {
    let config = Config::new(&server.url.replace("127.0.0.1", host)).unwrap().with_ca(Some(ca.into()));
    let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
    Client::new(config)?.prebind(&account).map(drop)
}

fn refused(result: Result<(), Error>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect { phase: Phase::Tls }, "{error}");
}

const SAN: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1";

#[test]
fn the_very_certificate_of_a_server_is_trusted() {
    // The names that `prosodyctl cert generate` gives (XEP-0178 §3, RFC 4985).
    let prosodys = format!(
        "{SAN},otherName:1.3.6.1.5.5.7.8.5;UTF8:localhost,otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-client.localhost"
    );
    let no_authority = "basicConstraints=critical,CA:FALSE";
    for (name, arguments) in [
        ("authority", &["-days", "3", "-subj", "/CN=localhost", "-addext", SAN][..]),
        ("no-authority", &["-days", "3", "-subj", "/CN=localhost", "-addext", SAN, "-addext", no_authority]),
        ("prosody", &["-days", "3", "-subj", "/CN=localhost", "-addext", &prosodys]),
        ("without-names", &["-days", "3", "-subj", "/O=Some Company/CN=localhost"]),
        (
            "usage",
            &["-days", "3", "-subj", "/CN=x", "-addext", SAN, "-addext", "keyUsage=critical,keyCertSign"],
        ),
    ] {
        let pem = made(name, arguments);
        let server = serve(&pem);
        login(&server, "localhost", &pem.0).unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_for_address = arguments.iter().any(|argument| argument.starts_with(SAN));
        assert_eq!(login(&serve(&pem), "127.0.0.1", &pem.0).is_ok(), is_for_address, "{name}");
    }
}

#[test]
fn one_with_another_name_or_another_date_is_not() {
    let other = "subjectAltName=DNS:elsewhere.invalid";
    let named = made("other-name", &["-days", "3", "-subj", "/CN=localhost", "-addext", other]);
    refused(login(&serve(&named), "localhost", &named.0));
    let common = made("other-common-name", &["-days", "3", "-subj", "/CN=elsewhere.invalid"]);
    refused(login(&serve(&common), "localhost", &common.0));
    let expired = faults::expired_certificate();
    refused(login(&serve(&expired), "localhost", &expired.0));
}

/// The certificates look alike, but they are not the same.
#[test]
fn another_certificate_with_the_same_name_is_not() {
    let arguments = ["-days", "3", "-subj", "/CN=localhost", "-addext", SAN];
    let (ours, theirs) = (made("ours", &arguments), made("theirs", &arguments));
    refused(login(&serve(&theirs), "localhost", &ours.0));
    login(&serve(&theirs), "localhost", &[ours.0, theirs.0.clone()].concat()).unwrap();
}
