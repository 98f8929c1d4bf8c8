//! The virtual hosts, the accounts, and the mechanisms that each host offers.

use crate::Kind;

/// Hashed passwords, with PLAIN and SCRAM-SHA-1. It is the only domain of Vysper, with PLAIN and ANONYMOUS.
pub const LOCALHOST: &str = "localhost";
/// Passwords stored unencrypted, so that the server can offer more SCRAM variants.
pub const PLAIN: &str = "plain.local";
/// ANONYMOUS only.
pub const ANONYMOUS: &str = "anon.local";
/// PLAIN is disabled.
pub const ONLY_SCRAM: &str = "onlyscram.local";
/// A resource that is already bound is refused with `<conflict/>` instead of being taken over.
pub const REFUSE: &str = "refuse.local";
/// EXTERNAL with the client certificate, over https (Prosody).
pub const CERTIFICATE: &str = "cert.local";
/// SASL2 besides the older SASL (Prosody). Prosody 0.12 does not answer SASL2 over BOSH. This host is not in
/// the table of the mechanisms, because it offers each mechanism twice.
pub const SASL2: &str = "sasl2.local";
/// OAUTHBEARER (Prosody).
pub const BEARER: &str = "bearer.local";
/// DIGEST-MD5 and PLAIN, like a server that is too old for SCRAM (ejabberd).
pub const MD5: &str = "md5.local";
/// X-OAUTH2 besides PLAIN and SCRAM (ejabberd).
pub const OAUTH: &str = "oauth.local";
/// PLAIN with a JSON Web Token as the password (ejabberd).
pub const JWT: &str = "jwt.local";
/// PLAIN with the passwords that the command of [`Options::extauth`](crate::Options::extauth) accepts
/// (ejabberd). This host is not in the table of the mechanisms, because most servers do not have it.
pub const EXTAUTH: &str = "extauth.local";

/// PLAIN with a JSON Web Token for a password, where users may have accounts and nobody has one yet (ejabberd). It is not
/// in the table of the mechanisms, since it is for tests that make accounts.
pub const NO_ACCOUNTS: &str = "accounts.local";

/// User and password of every account. Each account exists on every host that keeps passwords.
pub const ACCOUNTS: [(&str, &str); 3] = [("alice", "wonder-1"), ("bob", "builder-1"), ("carol", "carrot-1")];

pub(crate) struct Host {
    pub(crate) name: &'static str,
    /// Whether this host keeps the passwords of the accounts.
    pub(crate) passwords: bool,
    prosody: Names,
    prosody13: Names,
    ejabberd: Names,
    vysper: Names,
}

impl Host {
    const fn without_passwords(mut self) -> Self {
        self.passwords = false;
        self
    }

    const fn on_vysper(mut self, mechanisms: Names) -> Self {
        self.vysper = mechanisms;
        self
    }

    /// The mechanisms that the server offers over https. There are none if the server does not have this
    /// host.
    pub(crate) fn mechanisms(&self, kind: Kind) -> Names {
        match kind {
            Kind::Prosody => self.prosody,
            Kind::Prosody13 => self.prosody13,
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => self.ejabberd,
            Kind::Vysper => self.vysper,
        }
    }
}

const SCRAM_1: &str = "SCRAM-SHA-1";
const SCRAM_256: &str = "SCRAM-SHA-256";
const SCRAM_512: &str = "SCRAM-SHA-512";

const BEARER_TOKEN: &str = "OAUTHBEARER";
const NONE: &[&str] = &[];

pub(crate) const HOSTS: [Host; 10] = [
    host(LOCALHOST, &["PLAIN", SCRAM_1], &[BEARER_TOKEN, "PLAIN", SCRAM_1], &["PLAIN", SCRAM_1])
        .on_vysper(&["ANONYMOUS", "PLAIN"]),
    host(
        PLAIN,
        &["PLAIN", SCRAM_1, SCRAM_256],
        &["PLAIN", SCRAM_1, SCRAM_256],
        &["PLAIN", SCRAM_1, SCRAM_256, SCRAM_512],
    ),
    host(ANONYMOUS, &["ANONYMOUS"], &["ANONYMOUS"], &["ANONYMOUS"]).without_passwords(),
    host(ONLY_SCRAM, &[SCRAM_1], &[BEARER_TOKEN, SCRAM_1], &[SCRAM_1]),
    host(REFUSE, &["PLAIN", SCRAM_1], &[BEARER_TOKEN, "PLAIN", SCRAM_1], &["PLAIN", SCRAM_1]),
    host(CERTIFICATE, &["EXTERNAL"], &["EXTERNAL"], NONE).without_passwords(),
    host(BEARER, &[BEARER_TOKEN], &[BEARER_TOKEN], NONE).without_passwords(),
    host(MD5, NONE, NONE, &["DIGEST-MD5", "PLAIN"]),
    host(OAUTH, NONE, NONE, &["PLAIN", SCRAM_1, "X-OAUTH2"]),
    host(JWT, NONE, NONE, &["PLAIN"]).without_passwords(),
];

type Names = &'static [&'static str];

const fn host(name: &'static str, prosody: Names, prosody13: Names, ejabberd: Names) -> Host {
    Host { name, passwords: true, prosody, prosody13, ejabberd, vysper: NONE }
}

/// The hosts that a server has.
pub(crate) fn of(kind: Kind) -> impl Iterator<Item = &'static Host> {
    HOSTS.iter().filter(move |host| !host.mechanisms(kind).is_empty())
}
