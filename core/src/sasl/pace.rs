//! How a key is derived without holding anything up: SCRAM's work is as long as the server says.

use super::ScramCache;
use crate::error::Result;

/// What a login has to derive the keys of a password with.
#[derive(Clone, Copy, Default)]
pub(crate) struct Means<'a> {
    /// Keys that were derived before.
    pub(crate) cache: Option<&'a ScramCache>,
    /// Who says when to begin and when to stop; without anyone it is done at once, and to its end.
    pub(crate) pace: Option<&'a (dyn Pace + Sync)>,
}

/// Says when a derivation may begin and whether it goes on.
pub(crate) trait Pace {
    /// Waits for the turn of this derivation.
    ///
    /// # Errors
    /// If it does not come in time.
    fn begin(&self) -> Result<Turn>;

    /// Asked some thousand times a second.
    ///
    /// # Errors
    /// If there is no time left.
    fn go_on(&self) -> Result<()>;
}

/// Held while a derivation runs: whatever it holds is for the next one as soon as it is dropped.
pub(crate) struct Turn(#[expect(dead_code, reason = "it is held")] pub(crate) Box<dyn Send>);
