//! The servers, seen from the wire.

mod client;
mod command;
mod dns;
mod hostile;
mod replay;
mod script;
mod tls;
