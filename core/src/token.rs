//! Tokens that a site signs for its users, so that it needs no chat passwords: JSON Web Tokens (RFC 7519).
//!
//! A [`Key`] signs and verifies. An [`Issuer`] issues a token for each login. A [`Verifier`] says whose token it was given, or why it [refuses](Refusal) it.
//! Nothing here opens a file, a connection or a clock: the time is an argument.
//!
//! ```
//! use prebind::Jid;
//! use prebind::token::{Algorithm, Issuer, Key, Refusal, Verifier};
//! use std::time::{Duration, SystemTime};
//!
//! let key = Key::from_secret(Algorithm::Hs256, *b"a secret of 32 bytes or more ...")?;
//! let issuer = Issuer::new([key.clone()])?.with_audience("chat");
//! let verifier = Verifier::new([key])?.with_audience("chat");
//!
//! let (alice, now) = (Jid::new("alice@example.org")?, SystemTime::now());
//! let token = issuer.issue(&alice, now)?;
//! assert_eq!(verifier.verify(token.expose(), now).unwrap().jid, alice);
//! let later = now + Duration::from_secs(60);
//! assert_eq!(verifier.verify(token.expose(), later), Err(Refusal::Expired));
//! # Ok::<(), prebind::Error>(())
//! ```

// May import from `config` and the layers above, in the order of `core/tests/layers`.

mod algorithm;
mod compact;
#[cfg(test)]
mod examples;
mod issuer;
mod jwk;
mod key;
mod material;
mod pem;
mod public;
mod refusal;
mod setup;
mod verifier;

pub use algorithm::Algorithm;
#[cfg(feature = "client")]
pub(crate) use compact::has_id;
#[cfg(test)]
pub(crate) use examples::examples;
pub use issuer::Issuer;
pub use key::Key;
pub use refusal::Refusal;
pub use setup::ServerSide;
pub use verifier::{User, Verified, Verifier};
