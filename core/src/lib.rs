//! prebind signs your site's users in to an XMPP chat server from the backend and hands the open session to
//! the chat client in the page. It opens an authenticated session over BOSH (XEP-0124, XEP-0206) and returns
//! the three values that the chat client needs to attach to it: JID, SID and RID.
//!
//! ```no_run
//! # #[cfg(feature = "client")] {
//! let session = prebind::prebind("https://chat.example.org/http-bind", "alice@example.org", "secret")?;
//! println!("{}", session.to_json());
//! # }
//! # Ok::<(), prebind::Error>(())
//! ```
//!
//! Every call blocks until the session is open or the [deadline](Config::with_deadline) has passed. In an
//! async program, make the call on a thread that may block; a [`Client`] is cheap to clone into it. With
//! tokio:
//!
//! ```text
//! let client = client.clone();
//! let session = tokio::task::spawn_blocking(move || client.prebind(&account)).await??;
//! ```
//!
//! # Architecture
//!
//! You pass a [`Config`] (one chat service) and an [`Account`] (a JID and its credentials), and get a
//! [`Session`] or an [`Error`]. [`Client`] (feature `client`) runs the [`protocol`] over HTTP within one
//! deadline. It remembers what it learned of each domain, and passes that on to the next process as a
//! [profile](Client::profile).
//!
//! - [`token`]: signs a token for each login, for a site that knows no passwords.
//! - [`web`]: the rules of a site's endpoint that the page asks for a session.
//! - [`extauth`]: answers a chat server that asks the site whether a login is right.
//! - [`binding`]: the building blocks of a binding to another language.
//! - [`guide`]: from a chat server to a chat in the page, and what can go wrong.
//!
//! A login takes this many round trips:
//!
//! | server | mechanism of one message | SCRAM |
//! |---|---|---|
//! | not yet known | 4 | 5 |
//! | Prosody | 1 | 2 |
//! | ejabberd | 2 | 4 |
//!
//! # Features
//!
//! - `client`, on by default: [`Client`], which needs an HTTP client and TLS. Without it, the crate has the [`protocol`]
//!   for a driver of your own, [`token`], [`extauth`] and [`web`], and depends on neither.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "client"),
    allow(rustdoc::broken_intra_doc_links, reason = "they link to the client")
)]

// Files that this crate's unit tests share with other tests name it `prebind`.
#[cfg(test)]
extern crate self as prebind;

mod account;
pub mod binding;
#[cfg(feature = "client")]
mod client;
mod config;
mod error;
pub mod extauth;
pub mod guide;
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
pub use config::{Accounts, BoshUrl, ClientCertificate, Config, IpFamily, PasswordMechanism};
pub use error::{
    BoshCondition, Check, Condition, Error, ErrorKind, Phase, Result, Retry, SaslCondition, ScramCondition,
    Stage, StanzaCondition, StreamCondition,
};
pub use jid::Jid;
pub use sasl::{Credentials, FastToken, ScramHash, ScramKeys, XOAuth2Issuer};
pub use secret::Secret;
pub use session::{Extra, Session};
pub use wire::cookies::Cookie;
