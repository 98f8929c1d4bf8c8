//! Examples of every message about a connection and about the options of a client.

use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

use super::lost::{Lost, defect};
use super::net::{Cause, Obstacle, Spoken};
use super::{Client, accounts, api, fail_fast, give_up, issued, no_place, no_slot, terminate, trust, turns};
use crate::config::{ClientCertificate, Config};
use crate::error::{Error, ErrorKind, Phase, Retry, Stage};
use crate::wire::reply::Reply;

pub(crate) fn examples() -> Vec<Error> {
    let mut errors = losses();
    errors.extend(handshakes());
    errors.extend(settings());
    errors.extend(api::examples());
    errors.extend(accounts::examples());
    errors.extend(issued::examples());
    errors.push(defect(Stage::Create));
    errors.push(turns::too_late());
    errors.push(give_up::given_up(Phase::Headers, Stage::Create));
    errors.push(crate::random::no_random_numbers());
    errors.push(fail_fast::refusal(3, Duration::from_secs(5), Stage::Create, "chat.example.org"));
    errors.push(no_slot(32, "chat.example.org"));
    errors.extend([1, 4].map(|most| no_place(most, "chat.example.org")));
    errors.extend(terminate::request("", 1000, None).err());
    let config = Config::new("https://chat.example.org/http-bind").unwrap();
    let repeated = Reply::new(1, 200, "<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>");
    errors.extend(terminate::verify(&terminate::request("s", 1000, None).unwrap(), &repeated, &config).err());
    errors
}

fn losses() -> Vec<Error> {
    use std::io::{Error as Io, ErrorKind as Kind};
    let config = |url: &str| Config::new(url).unwrap();
    let (https, http) =
        (config("https://chat.example.org/http-bind"), config("http://chat.example.org:5280/http-bind"));
    let behind = Config { proxy: Some("http://proxy.example.net:3128".into()), ..https.clone() };
    let mut errors = Vec::new();
    let mut of = |config: &Config, phase, stage, cause: Cause| {
        errors.push(Lost::new(Obstacle::new(phase, cause), stage, config).error);
    };
    let io = |kind: Kind| Cause::from(Io::from(kind));
    for phase in [Phase::Dns, Phase::Tcp, Phase::Tls, Phase::Headers, Phase::Body] {
        of(&https, phase, Stage::Bind, Cause::Timeout);
        of(&https, phase, Stage::Bind, io(Kind::ConnectionReset));
    }
    let said = || io::Error::other("it said");
    let of_names = [Cause::NoSuchHost(said()), Cause::NameService(said())];
    for cause in of_names.into_iter().chain([Cause::NoUsableAddress, Cause::NoThread]) {
        of(&https, Phase::Dns, Stage::Create, cause);
    }
    for kind in
        [Kind::ConnectionRefused, Kind::NetworkUnreachable, Kind::PermissionDenied, Kind::AddrNotAvailable]
    {
        of(&https, Phase::Tcp, Stage::Create, io(kind));
    }
    #[cfg(unix)]
    of(&https, Phase::Tcp, Stage::Create, Io::from_raw_os_error(24).into());
    of(&behind, Phase::Tcp, Stage::Create, io(Kind::ConnectionRefused));
    of(&behind, Phase::Tcp, Stage::Create, Cause::ProxyLogin);
    of(&behind, Phase::Tcp, Stage::Create, Cause::ProxyRefused);
    of(&http, Phase::Headers, Stage::Create, io(Kind::UnexpectedEof));
    of(&http, Phase::Headers, Stage::Create, Cause::LargeHeader);
    of(&http, Phase::Headers, Stage::Bind, Cause::NotHttp);
    for spoken in [Spoken::Tls, Spoken::Xmpp, Spoken::Other] {
        let obstacle = Obstacle { spoken, ..Obstacle::new(Phase::Headers, Cause::NotHttp) };
        errors.push(Lost::new(obstacle, Stage::Create, &http).error);
    }
    errors
}

fn handshakes() -> Vec<Error> {
    use CertificateError as Problem;
    let mut all: Vec<rustls::Error> = [
        Problem::Expired,
        Problem::NotValidYet,
        Problem::Revoked,
        Problem::NotValidForName,
        Problem::InvalidPurpose,
        Problem::BadEncoding,
        Problem::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: Vec::new(),
            supported_algorithms: Vec::new(),
        },
    ]
    .map(rustls::Error::InvalidCertificate)
    .into();
    all.extend([
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType),
        rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
        rustls::Error::NoCertificatesPresented,
        rustls::Error::DecryptError,
    ]);
    all.extend(
        [
            AlertDescription::ProtocolVersion,
            AlertDescription::CertificateRequired,
            AlertDescription::UnknownCA,
            AlertDescription::UnrecognisedName,
            AlertDescription::HandshakeFailure,
            AlertDescription::InternalError,
        ]
        .map(rustls::Error::AlertReceived),
    );
    let host = "chat.example.org";
    let mut messages: Vec<String> = all.iter().map(|error| trust::message(error, host, false)).collect();
    messages.extend(trust::examples(host));
    let error = |message| {
        Error::new(ErrorKind::Connect { phase: Phase::Tls }, Stage::Create, Retry::AfterConfigChange, message)
    };
    messages.into_iter().map(error).collect()
}

/// Errors about options that only a client reads.
fn settings() -> Vec<Error> {
    let mut errors = Vec::new();
    let mut of = |change: fn(&mut Config)| {
        let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
        change(&mut config);
        errors.extend(Client::new(config).err());
    };
    of(|config| config.proxy = Some("ftp://proxy".into()));
    of(|config| config.headers = vec![("Content-Type".to_owned(), "a".into())]);
    of(|config| config.headers = vec![("X-Own".to_owned(), "a\nb".into())]);
    of(|config| config.headers = vec![("X-Own".to_owned(), "a".repeat(9000).into())]);
    of(|config| config.headers = vec![("X-Own".to_owned(), "a".repeat(8000).into()); 9]);
    of(|config| config.ca = Some(b"/etc/ssl/ca.pem".into()));
    let certificate =
        |chain: &[u8], key: &str| Some(ClientCertificate { chain: chain.into(), key: key.into() });
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    config.client_certificate = certificate(b"client.pem", "client.key");
    errors.push(Client::new(config).unwrap_err());
    errors.extend([trust::no_system_certificates(), trust::mismatch(), trust::no_key()]);
    errors
}
