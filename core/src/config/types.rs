//! The types of some options.

use std::fmt;

use crate::error::parsed;
use crate::secret::Secret;
use crate::text::named;

named! {
    /// A mechanism for passwords. Each is stronger than the one before. Mechanisms may be added.
    #[derive(PartialOrd, Ord)]
    #[non_exhaustive]
    PasswordMechanism {
        /// PLAIN (RFC 4616): the server learns the password.
        Plain = "PLAIN",
        /// DIGEST-MD5 (RFC 2831), if [`with_digest_md5`](crate::Config::with_digest_md5) allows it.
        DigestMd5 = "DIGEST-MD5",
        /// SCRAM-SHA-1 (RFC 5802): the server does not learn the password, and proves its own identity.
        ScramSha1 = "SCRAM-SHA-1",
        /// SCRAM-SHA-256 (RFC 7677).
        ScramSha256 = "SCRAM-SHA-256",
        /// SCRAM-SHA-512.
        ScramSha512 = "SCRAM-SHA-512",
    }
}

parsed!(PasswordMechanism, "weakest_mechanism");

named! {
    /// Which addresses of a host to use. The enum is exhaustive, because there are no other families.
    IpFamily {
        /// Both.
        Any = "any",
        /// IPv4 only.
        Ipv4 = "ipv4",
        /// IPv6 only.
        Ipv6 = "ipv6",
    }
}

parsed!(IpFamily, "ip_family");

/// A certificate for the client and its private key, both in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, followed by the intermediate certificates up to its authority.
    pub chain: Vec<u8>,
    /// The private key: PKCS#8, PKCS#1 or SEC1.
    pub key: Secret,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(***)")
    }
}
