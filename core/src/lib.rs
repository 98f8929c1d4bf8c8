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
//! Every call blocks until the session stands or the [deadline](Config::deadline) is over. In an async program it
//! belongs on a thread that may block; a [`Client`] is cheap to clone for that. With tokio:
//!
//! ```text
//! let client = client.clone();
//! let session = tokio::task::spawn_blocking(move || client.prebind(&account)).await??;
//! ```
//!
//! # Architecture
//!
//! - [`Config`] (one chat service) and [`Account`] (a JID and what proves the right to it) go in,
//!   a [`Session`] or an [`Error`] comes out.
//! - [`Negotiation`] is the protocol: a state machine that takes replies and gives requests. It
//!   knows no socket, no clock and no randomness; [`Random`] is handed to it, and a [`ScramCache`]
//!   may be.
//! - [`Plan`] is the exchange as data: which steps share a body, what must be answered before.
//!   The first with a server is the classic one; what it taught, [`Learned`], leads to the
//!   [shortest](Plan::shortest) for the next.
//! - [`Client`] (feature `client`) drives it over HTTP, within one deadline: two requests at most
//!   at once, over connections it chooses by what the server does to them. It remembers what each
//!   domain proved to be, falls back to the classic plan if another fails, and hands what it
//!   learned to the next process as a [profile](Client::profile).
//! - Bindings for other languages give options and credentials by name ([`Config::from_named`],
//!   [`Credentials::from_named`]), get sessions and errors by name ([`Session::to_named`],
//!   [`Error::to_named`]), compare what they offer with [`schema_json`], see to signals
//!   meanwhile ([`interruptible`]), write what happened to their own log ([`with_log`]) and contain
//!   what must not leave Rust ([`contained`]).
//! - A site's own endpoint asks [`web`], which is pure, too: who may open a session, what each outcome
//!   is answered with, and what a page tells its script.
//!
//! How many round trips a login takes, by a mechanism of one message and by SCRAM: with an unknown
//! server four and five, with Prosody one and two, with ejabberd two and four.
//!
//! Another HTTP library drives the state machine in the same way:
//!
//! ```
//! use prebind::{Account, Config, Credentials, Negotiation, Plan, Random, Reply, Session, Step};
//!
//! fn prebind(
//!     config: &Config,
//!     account: &Account,
//!     mut post: impl FnMut(&str) -> (u16, String),
//! ) -> Result<Session, prebind::Error> {
//!     let (mut negotiation, mut requests) =
//!         Negotiation::start(config, account, Plan::classic(), Random::from_os()?)?;
//!     loop {
//!         // The classic plan never has more than one request open.
//!         let request = requests.remove(0);
//!         let (status, body) = post(request.body());
//!         match negotiation.receive(&Reply::new(request.rid(), status, body)) {
//!             Ok(Step::Send(next, more)) => (negotiation, requests) = (next, more),
//!             Ok(Step::Wait(next)) => negotiation = next,
//!             Ok(Step::Done(session, _)) => return Ok(session),
//!             Err(failure) => {
//!                 if let Some(terminate) = failure.terminate {
//!                     post(terminate.body());
//!                 }
//!                 return Err(failure.error);
//!             }
//!         }
//!     }
//! }
//! # let config = Config::new("http://localhost:5280/http-bind")?;
//! # let account = Account::new("alice@localhost", Credentials::password("secret"))?;
//! # assert!(prebind(&config, &account, |_| (404, String::new())).is_err());
//! # Ok::<(), prebind::Error>(())
//! ```

#![forbid(unsafe_code)]

// What the tests of other crates share may be used in here, too.
#[cfg(test)]
extern crate self as prebind;

mod account;
mod body;
#[cfg(feature = "client")]
mod client;
mod condition;
mod config;
mod cookies;
mod error;
mod fast;
mod jid;
mod learned;
mod named;
mod negotiation;
#[cfg(feature = "client")]
mod observe;
mod plan;
mod random;
mod reply;
mod request;
mod sasl;
mod sasl2;
mod secret;
mod session;
mod stanza;
mod text;
#[cfg(feature = "client")]
mod trace;
mod vocabulary;
pub mod web;
mod xml;

pub use account::{Account, Credentials};
#[cfg(feature = "client")]
pub use client::{Client, contained, interruptible, prebind};
pub use condition::{
    BoshCondition, Condition, SaslCondition, ScramCondition, StanzaCondition, StreamCondition,
};
pub use config::{BoshUrl, ClientCertificate, Config, IpFamily, PasswordMechanism};
pub use error::{Check, Error, ErrorKind, Language, Phase, Result, Retry, Stage};
pub use fast::FastToken;
pub use jid::Jid;
pub use learned::Learned;
pub use named::{Field, FieldType, Parameter, Value, ValueType, schema_json};
pub use negotiation::{Failure, Negotiation, Step};
#[cfg(feature = "client")]
pub use observe::{LogEvent, with_log};
pub use plan::Plan;
pub use random::Random;
pub use reply::Reply;
pub use request::{CONTENT_TYPE, Request};
pub use sasl::{ScramCache, ScramHash};
pub use secret::Secret;
pub use session::{Cookie, Extra, Session};
