//! What is on the wire, and nothing else: requests and their elements are written, replies are read.

// May import from `token` and the layers above, in the order of `core/tests/layers`.

pub(crate) mod bind;
pub(crate) mod body;
pub(crate) mod cookies;
pub(crate) mod ns;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod sasl;
pub(crate) mod sasl2;
pub(crate) mod server;
pub(crate) mod stanza;
#[cfg(feature = "client")]
pub(crate) mod trace;
pub(crate) mod xml;
