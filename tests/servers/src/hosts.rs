//! The virtual hosts, the accounts and what each host offers.

use crate::Kind;

/// Hashed passwords: PLAIN and SCRAM-SHA-1.
pub const LOCALHOST: &str = "localhost";
/// Passwords in the clear, so that more SCRAM variants can be offered.
pub const PLAIN: &str = "plain.local";
/// ANONYMOUS only.
pub const ANONYMOUS: &str = "anon.local";
/// PLAIN is disabled.
pub const ONLY_SCRAM: &str = "onlyscram.local";
/// A resource already bound is refused with `<conflict/>` instead of taken over.
pub const REFUSE: &str = "refuse.local";
/// EXTERNAL with the client certificate, over https (Prosody).
pub const CERTIFICATE: &str = "cert.local";
/// OAUTHBEARER (Prosody).
pub const BEARER: &str = "bearer.local";
/// DIGEST-MD5 and PLAIN, like a server that is too old for SCRAM (ejabberd).
pub const MD5: &str = "md5.local";
/// X-OAUTH2 besides PLAIN and SCRAM (ejabberd).
pub const OAUTH: &str = "oauth.local";
/// PLAIN with a JSON Web Token for a password (ejabberd).
pub const JWT: &str = "jwt.local";

/// User and password of every account; each exists on every host that keeps passwords.
pub const ACCOUNTS: [(&str, &str); 3] = [("alice", "wonder-1"), ("bob", "builder-1"), ("carol", "carrot-1")];

pub(crate) struct Host {
    pub(crate) name: &'static str,
    /// Whether the accounts have their passwords here.
    pub(crate) passwords: bool,
    prosody: &'static [&'static str],
    ejabberd: &'static [&'static str],
}

impl Host {
    /// The mechanisms offered over https; none where the server lacks this host.
    pub(crate) fn mechanisms(&self, kind: Kind) -> &'static [&'static str] {
        match kind {
            Kind::Prosody => self.prosody,
            Kind::Ejabberd => self.ejabberd,
        }
    }
}

const SCRAM_1: &str = "SCRAM-SHA-1";
const SCRAM_256: &str = "SCRAM-SHA-256";
const SCRAM_512: &str = "SCRAM-SHA-512";

pub(crate) const HOSTS: [Host; 10] = [
    Host { name: LOCALHOST, passwords: true, prosody: &["PLAIN", SCRAM_1], ejabberd: &["PLAIN", SCRAM_1] },
    Host {
        name: PLAIN,
        passwords: true,
        prosody: &["PLAIN", SCRAM_1, SCRAM_256],
        ejabberd: &["PLAIN", SCRAM_1, SCRAM_256, SCRAM_512],
    },
    Host { name: ANONYMOUS, passwords: false, prosody: &["ANONYMOUS"], ejabberd: &["ANONYMOUS"] },
    Host { name: ONLY_SCRAM, passwords: true, prosody: &[SCRAM_1], ejabberd: &[SCRAM_1] },
    Host { name: REFUSE, passwords: true, prosody: &["PLAIN", SCRAM_1], ejabberd: &["PLAIN", SCRAM_1] },
    Host { name: CERTIFICATE, passwords: false, prosody: &["EXTERNAL"], ejabberd: &[] },
    Host { name: BEARER, passwords: false, prosody: &["OAUTHBEARER"], ejabberd: &[] },
    Host { name: MD5, passwords: true, prosody: &[], ejabberd: &["DIGEST-MD5", "PLAIN"] },
    Host { name: OAUTH, passwords: true, prosody: &[], ejabberd: &["PLAIN", SCRAM_1, "X-OAUTH2"] },
    Host { name: JWT, passwords: false, prosody: &[], ejabberd: &["PLAIN"] },
];

/// The hosts a server has.
pub(crate) fn of(kind: Kind) -> impl Iterator<Item = &'static Host> {
    HOSTS.iter().filter(move |host| !host.mechanisms(kind).is_empty())
}
