//! Starts real XMPP servers for tests: Prosody and ejabberd as Debian 12 packages them, and Prosody
//! as Debian 13 does, on free loopback ports, in temporary directories, with throw-away accounts,
//! http and https.
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
//! A server stops, and its directory goes, when its [`Server`] is dropped, and just as well when
//! the process that holds it dies in any way, SIGKILL included. A `static` is therefore fine for
//! one server shared by all tests of a file:
//!
//! ```no_run
//! use std::sync::LazyLock;
//! use servers::{Kind, Server};
//!
//! static PROSODY: LazyLock<Server> =
//!     LazyLock::new(|| Server::start(Kind::Prosody).unwrap_or_else(|error| panic!("{error}")));
//! ```
//!
//! How it is built, from the outside in: [`Server`] picks ports and writes a directory, with the
//! files and the command line that `prosody` or `ejabberd` make of the templates in `config/`;
//! `guardian` runs it and never lets it outlive us; [`Info`] is all that a test needs to know
//! about it, and can be handed to another process as JSON.

mod certificates;
mod ejabberd;
mod error;
mod guardian;
pub mod hosts;
mod info;
mod prosody;
mod server;
mod setup;
mod tokens;
mod trixie;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use error::{Error, Result};
pub use info::{Info, Sessions};
pub use server::Server;
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
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prosody => "prosody",
            Self::Prosody13 => "prosody13",
            Self::Ejabberd => "ejabberd",
        })
    }
}

/// How a server departs from the usual set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Keep the rate limits of Debian's configuration (default: yes).
    ///
    /// With them, Prosody pauses a connection that carried a session creation after each request,
    /// some 30 ms for 300 bytes, and ejabberd slows a client down after its first 20,000 bytes.
    pub limits: bool,
    /// Offer SASL mechanisms over plain http (default: yes).
    ///
    /// Prosody hides them unless `consider_bosh_secure` is set, and offers `<starttls/>` alone;
    /// ejabberd has no such setting and always offers them.
    pub mechanisms_on_http: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: true, mechanisms_on_http: true }
    }
}
