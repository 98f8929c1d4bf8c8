//! Starts real XMPP servers for tests: Prosody and ejabberd as Debian 12 and Debian 13 package them, and
//! Apache Vysper. They run on free loopback ports and in temporary directories, with throw-away accounts,
//! over http and https. This crate also starts reverse proxies ([`Proxy`]), load balancers ([`Balancer`]) and
//! connection managers ([`Manager`]) in front of them, and an identity provider ([`IdentityProvider`]) beside
//! them.
//!
//! ```no_run
//! use servers::{Kind, Server};
//!
//! # fn main() -> servers::Result<()> {
//! let server = Server::start(Kind::Prosody)?;
//! println!("{} trusts {}", server.https_url, server.ca_pem.display());
//! assert!(server.sessions()?.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! Dropping a [`Server`] stops it and deletes its directory. The same happens when the process that holds it
//! dies in any way, even by SIGKILL. So a `static` can hold one server for all tests of a file:
//!
//! ```no_run
//! use std::sync::LazyLock;
//! use servers::{Kind, Server};
//!
//! static PROSODY: LazyLock<Server> =
//!     LazyLock::new(|| Server::start(Kind::Prosody).unwrap_or_else(|error| panic!("{error}")));
//! ```
//!
//! The parts, from the outside in: [`Server`] picks ports and writes a directory. `prosody`, `ejabberd` or
//! `vysper` makes its files and its command line from `config/`. `guardian` runs the server and never lets it
//! outlive this process. [`Info`] is everything that a test needs to know about it, and can be passed to
//! another process as JSON. `program` starts the programs in front of servers.

mod balancer;
mod certificates;
mod cluster;
mod ejabberd;
mod error;
mod guardian;
pub mod hosts;
mod identity;
mod info;
mod install;
mod manager;
mod program;
mod prosody;
mod proxy;
mod server;
mod setup;
mod signing;
mod tokens;
mod trixie;
mod version;
mod vysper;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use balancer::Balancer;
pub use cluster::Cluster;
pub use error::{Error, Result};
pub use identity::IdentityProvider;
pub use info::{Info, Sessions};
pub use manager::{Manager, ManagerKind};
pub use program::Program;
pub use proxy::{Front, Proxy, Route};
pub use server::Server;
pub use signing::SigningKey;
pub use tokens::{JWT_KEY, jwt};

/// A server program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Prosody 0.12, with `prosody-modules`.
    Prosody,
    /// Prosody 13, with SASL2, Bind 2 and FAST (XEP-0388, 0386, 0484) of `prosody-modules`.
    Prosody13,
    /// ejabberd 23.01, with `erlang-p1-oauth2`.
    Ejabberd,
    /// ejabberd 24.12, with `erlang-p1-oauth2`.
    Ejabberd24,
    /// ejabberd 26.07 or newer, with `erlang-p1-oauth2`.
    Ejabberd26,
    /// Apache Vysper 0.7, which has one domain.
    Vysper,
}

impl Kind {
    /// The version, for example `0.12`.
    ///
    /// # Errors
    /// If the server is not installed, or its packages have not been fetched.
    pub fn version(self) -> Result<String> {
        match self {
            Self::Prosody => version::of_package("prosody"),
            Self::Ejabberd => version::of_package("ejabberd"),
            Self::Prosody13 | Self::Ejabberd24 | Self::Ejabberd26 => trixie::version(self),
            Self::Vysper => vysper::version(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prosody => "prosody",
            Self::Prosody13 => "prosody13",
            Self::Ejabberd => "ejabberd",
            Self::Ejabberd24 => "ejabberd24",
            Self::Ejabberd26 => "ejabberd26",
            Self::Vysper => "vysper",
        })
    }
}

/// How a server differs from the usual set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each says something else")]
pub struct Options {
    /// Keep the rate limits of Debian's configuration (default: yes; Vysper has none).
    ///
    /// With the limits, Prosody pauses a connection that carried a session creation after each request, for
    /// some 30 ms per 300 bytes. ejabberd slows down a client after its first 20,000 bytes.
    pub limits: bool,
    /// Offer SASL mechanisms over plain http (default: yes).
    ///
    /// Prosody hides the mechanisms and offers only `<starttls/>`, unless `consider_bosh_secure` is set. The
    /// other servers have no such setting and always offer them.
    pub mechanisms_on_http: bool,
    /// Speak XMPP over TCP as well, without TLS, for a [`Manager`] in front of it (default: no; Prosody).
    pub tcp: bool,
    /// Log everything, for a test that looks for secrets in the log (default: no; Prosody).
    pub debug_log: bool,
    /// Have `localhost` take, beside its passwords, the tokens that a site signs with the key of [`Info::site_key`]
    /// (default: no; not Vysper). It then offers PLAIN, and no SCRAM.
    pub site_tokens: bool,
    /// The command that ejabberd asks whether a user may log in to `extauth.local`. It runs in 16 processes.
    /// Without a command there is no such host (default: none; ejabberd).
    pub extauth: Option<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: true,
            mechanisms_on_http: true,
            tcp: false,
            debug_log: false,
            site_tokens: false,
            extauth: None,
        }
    }
}
