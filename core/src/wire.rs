//! Everything that goes over the wire: this writes requests and their elements, and reads replies.

// May import from `token` and the layers above, in the order of `core/tests/layers`.

#[cfg(feature = "client")]
pub(crate) mod add_user;
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
