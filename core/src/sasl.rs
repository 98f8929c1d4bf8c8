//! SASL (RFC 4422): credentials, and the mechanisms that they fit.
//!
//! The exchange chooses a mechanism, and drives every mechanism by the same contract: [`Mechanism`].
//!
//! `wire` is below all of these files, and the account and the exchange are above them. In this list, each
//! file may import from the files before it: `mechanism`, `prepare`, `simple`, `scram/cache`, `scram`,
//! `scram_keys`, `digest_md5`, `fast`, `x_oauth2_issuer`, `credentials`.

// May import from `wire` and the layers above, in the order of `core/tests/layers`.

mod credentials;
mod digest_md5;
#[cfg(test)]
mod examples;
mod fast;
mod mechanism;
mod prepare;
mod scram;
mod scram_keys;
mod simple;
mod x_oauth2_issuer;

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
pub use scram_keys::ScramKeys;
pub use x_oauth2_issuer::XOAuth2Issuer;
