//! Tests the servers on the wire.

mod client;
mod command;
mod delay;
mod dns;
mod hostile;
mod relay;
mod replay;
mod script;
mod tls;
