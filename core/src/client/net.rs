//! The HTTP driver: one POST and its answer, over connections that are kept.
//!
//! Read it in this order. [`http`] sends a request over a lane of the [`pool`] or over a connection that [`connect`] opens
//! (name, race of addresses, proxy, [`tls`]), and reads the answer. [`obstacle`] is what it returns where there is none.
//!
//! `ureq` writes requests and reads answers; it opens and keeps no connections. An agent of `ureq`'s opens one only
//! together with a request, and decides alone which of its connections carries which request. A login depends on
//! both: the connection for what follows a creation is opened while the server thinks (with ejabberd that saves the third
//! round trip), the rest of an exchange stays on the connection of its creation, and Prosody slows down the one that
//! carried a creation. So each request gets an agent of its own, whose connector lends it the connection of a lane, and
//! its transport is the one place that knows when a request goes out and what comes back. These needs were questioned,
//! and stay: Prosody reads nothing from a connection for as long as its last request's bytes last (a fixed pause is
//! too short for long headers, and too long for many logins); a creation goes only over a connection that the server is
//! known to leave open for so long (what is lost with a password in it fails the call); what was looked up outlasts
//! an outage of the name service. Nothing here knows BOSH, and what a failure means to an operator is for the caller.

mod connect;
mod http;
mod obstacle;
mod pool;
mod stream;
mod tls;

pub(super) use http::Http;
pub(super) use obstacle::{Cause, Obstacle, Spoken};
pub(super) use pool::Lane;
pub(super) use tls::{Presented, Refused};
#[cfg(test)]
pub(super) use tls::{mismatch, no_key, no_system_certificates};
