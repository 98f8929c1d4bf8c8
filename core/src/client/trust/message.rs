//! Says what is wrong with a server's certificate or its TLS, and how to fix it. `rustls` itself only gives
//! the names of its types.

use rustls::{AlertDescription, CertificateError, Error};

use super::certificate::{Presented, Refused};
use crate::error::{address, shortened};

/// The cause and the remedy. `has_ca` says whether the option `ca` is set.
pub(in crate::client) fn message(error: &Error, host: &str, has_ca: bool) -> String {
    match error {
        Error::InvalidCertificate(problem) => untrusted(problem, host, has_ca),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } | Error::PeerSentOversizedRecord => {
            "the port does not speak TLS: begin `url` with http://, or give the port for https".to_owned()
        }
        Error::AlertReceived(alert) => refused(*alert, host),
        Error::PeerIncompatible(_) => too_old(host),
        Error::NoCertificatesPresented => format!("{host} presents no certificate: give the server one"),
        _ => format!("the TLS handshake with {host} failed: see the server's log"),
    }
}

fn untrusted(problem: &CertificateError, host: &str, has_ca: bool) -> String {
    use CertificateError as Problem;
    if let Some(Refused { problem, presented }) = Refused::inside(problem) {
        return match problem {
            Problem::BadSignature => bad_signature(presented, host, has_ca),
            _ => unknown_issuer(presented, host, has_ca),
        };
    }
    match problem {
        Problem::Expired | Problem::ExpiredContext { .. } => {
            format!("the certificate of {host} has expired: renew it, and check the clock of this machine")
        }
        Problem::NotValidYet | Problem::NotValidYetContext { .. } => {
            format!(
                "the certificate of {host} is not valid yet: check the clocks of this machine and of the server"
            )
        }
        Problem::Revoked => format!("the certificate of {host} was revoked: get the server a new one"),
        Problem::NotValidForName => other_name(host, &[]),
        Problem::NotValidForNameContext { presented, .. } => other_name(host, presented),
        Problem::InvalidPurpose | Problem::InvalidPurposeContext { .. } => {
            format!("the certificate of {host} is not for servers: get one with the purpose serverAuth")
        }
        Problem::UnsupportedSignatureAlgorithmContext { .. }
        | Problem::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            format!(
                "the certificate of {host} is signed in a way that is not accepted, such as with SHA-1: renew it"
            )
        }
        Problem::Other(inner) if format!("{inner:?}").contains("CaUsedAsEndEntity") => of_authority(host),
        _ => format!(
            "the certificate of {host} cannot be accepted: get the server one that browsers accept, too"
        ),
    }
}

fn bad_signature(presented: &Presented, host: &str, has_ca: bool) -> String {
    if presented.is_trusted {
        return format!(
            "{host} did not prove that its certificate is its own: the key is too short to be accepted (RSA below 2048 \
             bits), or someone is intercepting the connection; get a certificate with a longer key"
        );
    }
    if presented.is_self_signed {
        // A different certificate with the same name is trusted.
        return unknown_issuer(presented, host, has_ca);
    }
    format!(
        "the certificate of {host} is not signed by the authority it names: someone may be intercepting the \
         connection, or `ca` holds another authority of that name"
    )
}

fn of_authority(host: &str) -> String {
    format!(
        "the certificate of {host} is that of an authority (CA:TRUE), not of a server: give the server one with \
         CA:FALSE, or give exactly this one in `ca`"
    )
}

fn unknown_issuer(presented: &Presented, host: &str, has_ca: bool) -> String {
    let issuer = presented.issuer.as_ref().map_or_else(String::new, |issuer| format!(" \"{issuer}\""));
    let instead = if has_ca { "add it to `ca`" } else { "give it in `ca`" };
    if presented.is_self_signed {
        return format!("the certificate of {host} is self-signed: {instead}, or get one from an authority");
    }
    if presented.is_alone {
        return format!(
            "{host} sends its certificate without the intermediate one, or its authority{issuer} is not known here: \
             install the whole chain on the server (fullchain.pem), or, if the authority is your own, {instead}"
        );
    }
    format!("the authority{issuer} of the certificate of {host} is not trusted here: {instead}")
}

fn other_name(host: &str, presented: &[String]) -> String {
    // `rustls` shows `DnsName("…")`, `IpAddress(…)` and the like.
    let name = |shown: &String| {
        let inner = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(shown);
        shortened(&address(inner.trim_matches('"')), 60)
    };
    let names: Vec<String> = presented.iter().take(3).map(name).collect();
    match names.as_slice() {
        [] => format!(
            "the certificate has no host name in subjectAltName (a common name does not count): get a certificate \
             for {host}"
        ),
        [name] if !name.starts_with('*') => format!(
            "the certificate is for {name} and not for {host}: use that name in `url`, or get a certificate for {host}"
        ),
        names => format!(
            "the certificate is for {} and not for {host}: use a name in `url` that the certificate covers, or get a \
             certificate for {host}",
            names.join(", ")
        ),
    }
}

/// The server's reason to end the handshake (RFC 8446 §6.2).
fn refused(alert: AlertDescription, host: &str) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::ProtocolVersion | Alert::InsufficientSecurity => too_old(host),
        Alert::CertificateRequired | Alert::NoCertificate => {
            format!("{host} wants a client certificate: give one that it trusts in `client_certificate`")
        }
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => {
            format!(
                "{host} does not accept the client certificate: give one that it trusts in `client_certificate`"
            )
        }
        Alert::UnrecognisedName => {
            format!(
                "the server has no certificate for the name {host}: use a name in `url` that it has one for"
            )
        }
        Alert::HandshakeFailure => format!(
            "{host} refuses the TLS handshake: it shares no cipher with prebind, knows no such host name, or wants \
             a client certificate (`client_certificate`)"
        ),
        alert => format!("{host} ended the TLS handshake (alert {}): see the server's log", u8::from(alert)),
    }
}

fn too_old(host: &str) -> String {
    format!("{host} speaks only TLS that is too old or too weak: enable TLS 1.2 or 1.3 there")
}

#[cfg(test)]
pub(in crate::client) fn examples(host: &str) -> Vec<String> {
    let presented = |is_alone, is_self_signed| {
        let issuer = Some("Our CA".to_owned());
        unknown_issuer(&Presented { is_alone, is_self_signed, issuer, is_trusted: false }, host, false)
    };
    vec![
        bad_signature(&Presented { is_trusted: true, ..Presented::default() }, host, false),
        bad_signature(&Presented::default(), host, false),
        presented(true, true),
        presented(true, false),
        presented(false, false),
        unknown_issuer(&Presented::default(), host, true),
        other_name(host, &["DnsName(\"other.example.org\")".to_owned()]),
        other_name(host, &["DnsName(\"*.example.net\")".to_owned()]),
        of_authority(host),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_issuer_is_missing_private_or_the_certificate_itself() {
        let presented = |is_alone, is_self_signed| Presented {
            is_alone,
            is_self_signed,
            issuer: Some("Our CA".to_owned()),
            is_trusted: false,
        };
        for (presented, told) in [
            (presented(true, true), "is self-signed: give it in `ca`"),
            (presented(true, false), "without the intermediate one, or its authority \"Our CA\""),
            (presented(false, false), "the authority \"Our CA\" of the certificate"),
            (Presented { issuer: None, ..presented(false, false) }, "the authority of the certificate"),
        ] {
            let message = unknown_issuer(&presented, "chat.example.org", false);
            assert!(message.contains(told), "{message}");
        }
        assert!(unknown_issuer(&presented(false, false), "h", true).contains("add it to `ca`"));
    }

    #[test]
    fn names_are_shown_as_names() {
        let presented = ["DnsName(\"a.example.org\")", "b.example.org"].map(str::to_owned);
        let message = other_name("chat.example.org", &presented);
        assert!(
            message.contains("is for a.example.org, b.example.org and not for chat.example.org: "),
            "{message}"
        );
        let address = ["IpAddress(192.0.2.1)".to_owned()];
        assert!(other_name("h", &address).contains("is for 192.0.2.1 and not for h: use that name"));
        let wildcard = ["DnsName(\"*.example.org\")".to_owned()];
        assert!(other_name("h", &wildcard).contains("use a name in `url` that the certificate covers"));
        assert!(other_name("chat.example.org", &[]).contains("a common name does not count"));
    }

    #[test]
    fn a_bad_signature_is_of_the_authority_or_of_a_short_key() {
        let told = |is_self_signed, is_trusted| {
            bad_signature(&Presented { is_self_signed, is_trusted, ..Presented::default() }, "h", false)
        };
        assert!(told(true, false).contains("is self-signed"));
        assert!(told(false, true).contains("RSA below 2048"));
        assert!(told(false, false).contains("not signed by the authority it names"));
    }
}
