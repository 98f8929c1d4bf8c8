//! The only two values of an exchange that must not be guessed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, ErrorKind, Result, Retry, Stage};
use crate::secret::Secret;

/// The first request ID and the client nonce of one exchange.
#[derive(Clone)]
pub struct Random {
    pub(crate) rid: u64,
    pub(crate) nonce: Secret,
}

impl Random {
    /// Asks the operating system, each time: a copy in memory would repeat itself after a fork.
    ///
    /// # Errors
    /// `Internal` if the operating system has none.
    pub fn from_os() -> Result<Self> {
        let mut bytes = [0; 8 + 18];
        fill(&mut bytes)?;
        let (rid, nonce) = bytes.split_at(8);
        let rid = rid.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Ok(Self { rid: FIRST_RID + rid % (LAST_RID - FIRST_RID), nonce: STANDARD.encode(nonce).into() })
    }

    /// Known values, for tests and recorded exchanges only: a RID that can be guessed lets others
    /// take the session over (XEP-0124 §19.3).
    ///
    /// # Panics
    /// If the RID is not below 2^52, which leaves none to count up to.
    #[must_use]
    pub fn fixed(rid: u64, nonce: &str) -> Self {
        assert!(rid < LAST_RID, "a first RID is below 2^52");
        Self { rid, nonce: nonce.into() }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(***)")
    }
}

/// Random bytes of the operating system's.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(
            ErrorKind::Internal,
            Stage::Configure,
            Retry::Later,
            format!("the operating system gave no random numbers: {error}"),
        )
    })
}

/// RIDs start well below 2^53, which they must never reach (XEP-0124 §14.1), and high enough not
/// to be guessed.
const FIRST_RID: u64 = 1 << 32;
const LAST_RID: u64 = 1 << 52;
