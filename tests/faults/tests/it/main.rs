//! The servers, seen from the wire.

mod client;
mod hostile;
mod script;
mod tls;
