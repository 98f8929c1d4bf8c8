//! A scriptable BOSH server for behaviour that real servers cannot be made to show.
//!
//! ```
//! // This server misbehaves, at the first request or later:
//! let server = faults::serve(faults::Fault::HeadersDrip.at(3));
//! // This server sends exactly these replies, and remembers its requests:
//! let mut replies = faults::classic();
//! replies[1] = faults::Reply::new(503, "").header("Retry-After", "30");
//! let server = faults::script(replies);
//! println!("{}", server.url);
//! assert!(server.requests().is_empty());
//! ```
//!
//! It runs in plain threads on `127.0.0.1`, and ends when the [`Server`] is dropped.

#![forbid(unsafe_code)]

mod classic;
mod delay;
pub mod dns;
mod fault;
mod growth;
mod hostile;
mod peek;
mod relay;
mod replay;
mod request;
mod script;
mod server;
mod timed;
mod tls;
mod vector;
mod wire;

pub use classic::classic;
pub use delay::{Delay, delay, distance};
pub use fault::{ALL, Case, Fault, Strike};
pub use growth::{State, growth};
pub use hostile::serve;
pub use relay::{Loss, Relay, relay};
pub use replay::{Replay, replay};
pub use request::Recorded;
pub use script::{Reply, script, script_tls, script_tls_with};
pub use server::Server;
pub use timed::timed;
pub use tls::expired_certificate;
pub use vector::replayable;
