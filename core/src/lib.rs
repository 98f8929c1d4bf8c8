//! Opens an authenticated XMPP session over BOSH (XEP-0124, XEP-0206) on behalf of a user that a
//! web site has logged in, and returns what a browser client needs to attach to it: JID, SID, RID.
//!
//! ```no_run
//! # #[cfg(feature = "client")] {
//! let session = prebind::prebind("https://chat.example.org/http-bind", "alice@example.org", "secret")?;
//! println!("{}", session.to_json());
//! # }
//! # Ok::<(), prebind::Error>(())
//! ```
//!
//! Every call blocks until the session stands or the [deadline](Config::with_deadline) is over. In an async program it
//! belongs on a thread that may block; a [`Client`] is cheap to clone for that. With tokio:
//!
//! ```text
//! let client = client.clone();
//! let session = tokio::task::spawn_blocking(move || client.prebind(&account)).await??;
//! ```
//!
//! # Architecture
//!
//! [`Config`] (one chat service) and [`Account`] (a JID and what proves the right to it) go in, a [`Session`] or an
//! [`Error`] comes out. [`Client`] (feature `client`) drives the [`protocol`] over HTTP, within one deadline. It
//! remembers what each domain proved to be, and hands that to the next process as a [profile](Client::profile).
//! A site that knows no passwords signs a [`token`] for each login. A site's own endpoint asks [`web`]; a chat server
//! that asks the site is answered with [`extauth`]; a binding to another language is made with [`binding`].
//!
//! How many round trips a login takes, by a mechanism of one message and by SCRAM: with an unknown
//! server four and five, with Prosody one and two, with ejabberd two and four.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "client"),
    allow(rustdoc::broken_intra_doc_links, reason = "they lead to the client")
)]

// What the tests of other crates share may be used in here, too.
#[cfg(test)]
extern crate self as prebind;

mod account;
pub mod binding;
#[cfg(feature = "client")]
mod client;
mod config;
mod error;
pub mod extauth;
mod jid;
mod lock;
mod named;
mod negotiation;
pub mod protocol;
mod random;
mod sasl;
mod secret;
mod session;
mod text;
pub mod token;
pub mod web;
mod wire;

pub use account::Account;
#[cfg(feature = "client")]
pub use client::{Client, prebind};
pub use config::{BoshUrl, ClientCertificate, Config, IpFamily, PasswordMechanism};
pub use error::{
    BoshCondition, Check, Condition, Error, ErrorKind, Phase, Result, Retry, SaslCondition, ScramCondition,
    Stage, StanzaCondition, StreamCondition,
};
pub use jid::Jid;
pub use sasl::{Credentials, FastToken, ScramHash};
pub use secret::Secret;
pub use session::{Extra, Session};
pub use wire::cookies::Cookie;
