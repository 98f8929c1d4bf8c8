//! The random values of an exchange: two that nobody must be able to guess, and one that must not repeat.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result, Retry, Stage};
use crate::secret::Secret;

/// The first request ID, the client nonce, and the ID of the user agent (XEP-0388), which is needed to
/// request the first FAST token.
#[derive(Clone)]
pub struct Random {
    pub(crate) rid: u64,
    pub(crate) nonce: Secret,
    pub(crate) user_agent: String,
}

impl Random {
    /// Draws new values from the operating system. A generator in memory would repeat itself after a fork.
    ///
    /// # Errors
    /// `Internal` if the operating system gives no random numbers.
    pub fn from_os() -> Result<Self> {
        let (mut rid, mut nonce, mut user_agent) = ([0; 8], [0; 18], [0; 16]);
        fill(&mut rid)?;
        fill(&mut nonce)?;
        fill(&mut user_agent)?;
        Ok(Self {
            rid: FIRST_RID + u64::from_be_bytes(rid) % (LAST_RID - FIRST_RID),
            nonce: STANDARD.encode(nonce).into(),
            user_agent: uuid(user_agent),
        })
    }

    /// Fixed values, only for tests and recorded exchanges. With a RID that can be guessed, others can take
    /// over the session (XEP-0124 §19.3).
    ///
    /// # Panics
    /// If the RID is not below 2^52, because too few RIDs would be left.
    #[must_use]
    pub fn fixed(rid: u64, nonce: &str) -> Self {
        assert!(rid < LAST_RID, "a first RID is below 2^52");
        Self { rid, nonce: nonce.into(), user_agent: uuid([0; 16]) }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(***)")
    }
}

/// A number from 0 to 1, to spread out what many clients must not do at the same moment.
#[cfg(feature = "client")]
pub(crate) fn fraction() -> f64 {
    let mut byte = [128];
    // If the operating system gives no random number, the fixed one will do.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 256.0
}

/// Fills `bytes` with random bytes of the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| no_random_numbers().caused_by(Arc::new(error)))
}

pub(crate) fn no_random_numbers() -> Error {
    Error::new(
        ErrorKind::Internal,
        Stage::Configure,
        Retry::Later,
        "the operating system gave no random numbers: check that this process may read them (getrandom, /dev/urandom)",
    )
}

/// The range of the first RID. It is high enough not to be guessed, and well below 2^53, which RIDs must
/// never reach (XEP-0124 §14.1).
const FIRST_RID: u64 = 1 << 32;
const LAST_RID: u64 = 1 << 52;

/// Random bytes as a UUID of version 4 (RFC 9562 §5.4).
fn uuid(bytes: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Whether this is a UUID of 8-4-4-4-12 hexadecimal digits. The other ways to write a UUID do not count.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_has_a_uuid_of_version_4() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        let drawn = || Random::from_os().unwrap().user_agent;
        assert!(is_uuid(&drawn()) && drawn() != drawn());
    }

    #[test]
    fn only_a_uuid_counts_as_one() {
        assert!(is_uuid("D4565fa7-4d72-4749-b3d3-740edbf87770"));
        for other in ["", "d4565fa7-4d72-4749-b3d3-740edbf8777g", "d4565fa74-d72-4749-b3d3-740edbf87770"] {
            assert!(!is_uuid(other), "{other}");
        }
    }

    #[test]
    fn a_first_rid_is_drawn_from_all_of_its_range() {
        let rids = [(); 64].map(|()| Random::from_os().unwrap().rid);
        assert!(rids.iter().all(|rid| (FIRST_RID..LAST_RID).contains(rid)), "{rids:?}");
        // By chance, each of these fails once in 2^64 runs.
        assert!(rids.iter().any(|rid| *rid < LAST_RID / 2), "{rids:?}");
        assert!(rids.iter().any(|rid| *rid > LAST_RID / 2), "{rids:?}");
        assert!(rids.iter().any(|rid| rid % 2 == 0) && rids.iter().any(|rid| rid % 2 == 1), "{rids:?}");
        assert_eq!((FIRST_RID, LAST_RID), (4_294_967_296, 4_503_599_627_370_496));
    }

    #[test]
    fn a_nonce_is_drawn_anew() {
        let nonces = [(); 2].map(|()| Random::from_os().unwrap().nonce);
        assert!(nonces[0] != nonces[1] && nonces[0].expose().len() == 24);
    }
}
