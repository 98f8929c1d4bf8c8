//! Why a request has no answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ureq::Error as HttpError;

use crate::error::{Phase, Source};

/// Why a request has no answer, and how far it got.
#[derive(Debug)]
pub(in crate::client) struct Obstacle {
    /// What the request was doing.
    pub(in crate::client) phase: Phase,
    pub(in crate::client) cause: Cause,
    /// What the answer began with.
    pub(in crate::client) spoken: Spoken,
    /// The part of the answer's body that arrived.
    pub(in crate::client) partial: Vec<u8>,
    /// The address that was connected to.
    pub(in crate::client) peer: Option<SocketAddr>,
}

impl Obstacle {
    pub(in crate::client) fn new(phase: Phase, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        Self { phase, cause, spoken: Spoken::Nothing, partial: Vec::new(), peer: None }
    }
}

#[derive(Debug)]
pub(in crate::client) enum Cause {
    /// The request timed out.
    Timeout,
    /// The name service knows no such host.
    NoSuchHost(io::Error),
    /// The name service did not answer, or answered with an error.
    NameService(io::Error),
    /// The host has no usable address.
    NoUsableAddress,
    /// The system refused to start another thread.
    NoThread,
    /// The proxy wants a login.
    ProxyLogin,
    /// The proxy refused to connect to the server.
    ProxyRefused,
    Tls(Box<rustls::Error>),
    /// The answer is not HTTP.
    NotHttp,
    LargeHeader,
    /// The connection broke, or could not be opened.
    Broken(io::Error),
}

impl Cause {
    /// The cause of a failed name lookup. With glibc, musl, macOS and Windows only the text of the error
    /// tells it.
    pub(super) fn of_lookup(error: io::Error) -> Self {
        const UNKNOWN: [&str; 4] = ["not known", "not resolve", "no address", "no such host"];
        let text = error.to_string().to_lowercase();
        let is_unknown = UNKNOWN.iter().any(|words| text.contains(words));
        if is_unknown { Self::NoSuchHost(error) } else { Self::NameService(error) }
    }

    /// The error of the name service, of TLS or of the system. Other errors are not passed on: they may
    /// repeat what the server sent.
    pub(in crate::client) fn into_source(self) -> Option<Source> {
        match self {
            Self::NoSuchHost(error) | Self::NameService(error) => Some(Arc::new(error)),
            Self::Tls(error) => Some(Arc::new(*error)),
            Self::Broken(error) if error.get_ref().is_none() => Some(Arc::new(error)),
            _ => None,
        }
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Timeout,
            _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error) => Self::Tls(Box::new(error.clone())),
                None => Self::Broken(error),
            },
        }
    }
}

impl From<HttpError> for Cause {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Io(error) => error.into(),
            HttpError::Protocol(_) | HttpError::Http(_) => Self::NotHttp,
            HttpError::LargeResponseHeader(..) => Self::LargeHeader,
            _ => Self::Broken(io::ErrorKind::Other.into()),
        }
    }
}

/// The protocol that the first bytes of an answer belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::client) enum Spoken {
    /// No byte came.
    #[default]
    Nothing,
    /// A record of TLS (RFC 8446 §5.1), such as an alert.
    Tls,
    /// An XML stream (RFC 6120 §4.2).
    Xmpp,
    /// HTTP.
    Http,
    /// Anything else.
    Other,
}

impl Spoken {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::Nothing,
            [0x14..=0x17, 3, ..] => Self::Tls,
            bytes if bytes.starts_with(b"<?xml") || bytes.starts_with(b"<stream:") => Self::Xmpp,
            bytes if bytes.starts_with(b"HTTP/") => Self::Http,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_not_a_name_service_that_is_down() {
        const PREFIX: &str = "failed to lookup address information: ";
        for (text, is_unknown) in [
            ("Name or service not known", true),
            ("No address associated with hostname", true),
            ("Name does not resolve", true),
            ("nodename nor servname provided, or not known", true),
            ("No such host is known. (os error 11001)", true),
            ("Temporary failure in name resolution", false),
            ("Non-recoverable failure in name resolution", false),
            ("Try again", false),
            ("Too many open files (os error 24)", false),
        ] {
            let cause = Cause::of_lookup(io::Error::other(format!("{PREFIX}{text}")));
            assert_eq!(matches!(cause, Cause::NoSuchHost(_)), is_unknown, "{text}");
            assert_eq!(matches!(cause, Cause::NameService(_)), !is_unknown, "{text}");
        }
    }

    #[test]
    fn an_error_of_the_system_is_a_timeout_one_of_tls_or_a_broken_connection() {
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::WouldBlock] {
            assert!(matches!(Cause::from(io::Error::from(kind)), Cause::Timeout));
        }
        let tls = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        assert!(matches!(Cause::from(tls), Cause::Tls(error) if *error == rustls::Error::DecryptError));
        assert!(matches!(Cause::from(io::Error::from(io::ErrorKind::NotFound)), Cause::Broken(_)));
    }

    #[test]
    fn a_protocol_is_recognized_by_its_first_bytes() {
        for (bytes, spoken) in [
            (&b""[..], Spoken::Nothing),
            (b"\x15\x03\x01\0\x02\x02", Spoken::Tls),
            (b"<?xml version='1.0'?>", Spoken::Xmpp),
            (b"<stream:stream>", Spoken::Xmpp),
            (b"HTTP/1.1 200 OK", Spoken::Http),
            (b"SSH-2.0-OpenSSH", Spoken::Other),
        ] {
            assert_eq!(Spoken::of(bytes), spoken);
        }
    }
}
