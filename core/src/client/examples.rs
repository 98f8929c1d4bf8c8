//! Every message about a connection, and what needs one.

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};
use ureq::Timeout;

use super::obstacle::Obstacle;
use super::*;
use crate::config::ClientCertificate;
use crate::error::Phase;

pub(crate) fn examples() -> Vec<Error> {
    let mut errors = losses();
    errors.extend(handshakes());
    errors.extend(settings());
    errors.push(defect(Stage::Create));
    errors.push(turns::too_late());
    errors.push(lost::given_up(Phase::Headers, Stage::Create));
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
    let mut of = |config: &Config, phase, stage, error: ureq::Error| {
        phase::enter(phase);
        errors.push(Lost::new(error, stage, config).error);
    };
    let io = |kind: Kind| ureq::Error::Io(kind.into());
    phase::asked();
    for phase in [Phase::Dns, Phase::Tcp, Phase::Tls, Phase::Headers, Phase::Body] {
        of(&https, phase, Stage::Bind, ureq::Error::Timeout(Timeout::Global));
        of(&https, phase, Stage::Bind, io(Kind::ConnectionReset));
    }
    for obstacle in
        [Obstacle::NoSuchHost, Obstacle::NameService, Obstacle::NoUsableAddress, Obstacle::NoThread]
    {
        of(&https, Phase::Dns, Stage::Create, ureq::Error::Io(obstacle.into()));
    }
    for kind in
        [Kind::ConnectionRefused, Kind::NetworkUnreachable, Kind::PermissionDenied, Kind::AddrNotAvailable]
    {
        of(&https, Phase::Tcp, Stage::Create, io(kind));
    }
    #[cfg(unix)]
    of(&https, Phase::Tcp, Stage::Create, ureq::Error::Io(Io::from_raw_os_error(24)));
    of(&behind, Phase::Tcp, Stage::Create, io(Kind::ConnectionRefused));
    for said in ["407", "403"] {
        of(&behind, Phase::Tcp, Stage::Create, ureq::Error::ConnectProxyFailed(said.to_owned()));
    }
    of(&http, Phase::Headers, Stage::Create, io(Kind::UnexpectedEof));
    of(&http, Phase::Headers, Stage::Create, ureq::Error::LargeResponseHeader(2, 1));
    for answer in [&b"\x15\x03\x01"[..], b"<?xml", b"SSH"] {
        phase::asked();
        phase::answered(answer);
        of(&http, Phase::Headers, Stage::Create, io(Kind::UnexpectedEof));
    }
    phase::asked();
    of(&http, Phase::Headers, Stage::Bind, ureq::Error::Http(bad_header()));
    errors
}

fn bad_header() -> ureq::http::Error {
    ureq::http::HeaderName::try_from("").unwrap_err().into()
}

fn handshakes() -> Vec<Error> {
    use CertificateError as Problem;
    let mut all: Vec<rustls::Error> = [
        Problem::Expired,
        Problem::NotValidYet,
        Problem::Revoked,
        Problem::BadSignature,
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
    let mut messages: Vec<String> = all.iter().map(|error| tls_error::message(error, host, false)).collect();
    messages.extend(tls_error::examples(host));
    let error = |message| {
        Error::new(ErrorKind::Connect { phase: Phase::Tls }, Stage::Create, Retry::AfterConfigChange, message)
    };
    messages.into_iter().map(error).collect()
}

/// Options that only a client looks at.
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
    errors.extend([tls::no_system_certificates(), tls::mismatch(), tls::no_key()]);
    errors
}
