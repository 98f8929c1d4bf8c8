//! The HTTP driver: it sends one POST and reads its answer, over connections that are kept. It knows nothing
//! of BOSH.
//!
//! Read the modules in this order. [`http`] sends a request and reads the answer, on a lane of the [`pool`]
//! or on a new connection. [`connect`] opens a connection: it looks up the name, races the addresses, passes
//! a proxy and does the [`tls`] handshake. [`stream`] is the open connection. [`obstacle`] says why a request
//! has no answer.
//!
//! `ureq` writes the requests and reads the answers, but it does not open or keep connections here. By itself
//! it opens a connection only for a request, and decides alone which connection carries which request. A
//! login needs control of both:
//!
//! - The connection for the requests after the creation is opened while the server works on the creation.
//!   This saves one or two round trips (with ejabberd the third).
//! - The exchange stays on the connection that carried the creation, except with Prosody. Prosody does not
//!   read from that connection for as long as the bytes of the last request take at 10 kB/s, so that
//!   connection rests for exactly this time: a fixed time would be too short for long headers and too long
//!   for many logins.
//! - A creation uses only a connection that the server is known to leave open for so long, because a password
//!   that was lost on the way must not be sent again.
//!
//! So each lane has an agent of its own and lends its connection to it, by one connector, one transport, and
//! a resolver that does nothing. A name is looked up when a connection is opened; if the name service is
//! down, the last answer is used. The thread-local holds no results, only the caller to ask whether to go on
//! ([`give_up`](super::give_up)).

mod connect;
mod http;
mod obstacle;
mod pool;
mod stream;
mod tls;

pub(super) use http::Http;
pub(super) use obstacle::{Cause, Obstacle, Spoken};
pub(super) use pool::Lane;
