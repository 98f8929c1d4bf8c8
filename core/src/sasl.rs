//! SASL (RFC 4422): credentials, and the mechanisms that they can be used with.
//!
//! The files are in the order in which they may import each other, and none of them imports from the exchange, which
//! chooses a mechanism and drives it by one contract, [`Mechanism`]: [`mechanism`], `prepare`, `simple`, `scram`,
//! `digest_md5`, `fast`, `credentials`.

// May import from `wire` and the layers above, in the order of `core/tests/layers`.

mod credentials;
mod digest_md5;
#[cfg(test)]
mod examples;
mod fast;
mod mechanism;
mod prepare;
mod scram;
mod simple;

pub use credentials::Credentials;
pub(crate) use credentials::{Beginning, Candidate, MAX_SECRET};
#[cfg(test)]
pub(crate) use examples::examples;
pub use fast::FastToken;
pub(crate) use mechanism::{Authenticated, Identity, Input, Mechanism, Message, Offer, Output};
#[cfg(feature = "client")]
pub(crate) use scram::Turn;
pub(crate) use scram::{Means, Pace};
pub use scram::{ScramCache, ScramHash};
