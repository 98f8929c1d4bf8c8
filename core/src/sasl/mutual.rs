//! What SCRAM and DIGEST-MD5 have in common: after the client, the server proves that it knows the
//! password, and no login is done before it has.

use super::{Means, Message, early_success};
use crate::error::{Error, Result, Stage};

/// How far the two proofs are.
pub(super) enum State<Expected> {
    /// The server's challenge is awaited.
    First,
    /// The client has proven itself; the server's proof is awaited and must be this one.
    Final(Expected),
    /// The server has proven itself.
    Verified,
}

pub(super) trait Mutual {
    /// What the server's proof is compared with.
    type Expected;

    fn state(&mut self) -> &mut State<Self::Expected>;

    /// The client's proof, and what the server's must be.
    fn answer(&mut self, challenge: &[u8], means: Means<'_>) -> Result<(Message, Self::Expected)>;

    /// Compares the server's proof.
    fn verify(message: &[u8], expected: &Self::Expected) -> Result<()>;

    fn respond(&mut self, challenge: &[u8], means: Means<'_>) -> Result<Message> {
        match self.state() {
            State::First => {
                let (message, expected) = self.answer(challenge, means)?;
                *self.state() = State::Final(expected);
                Ok(message)
            }
            State::Final(expected) => {
                Self::verify(challenge, expected)?;
                *self.state() = State::Verified;
                Ok(Message::default())
            }
            State::Verified => {
                Err(Error::protocol(Stage::Authenticate, "SASL success or failure", "a challenge"))
            }
        }
    }

    /// The server's success, which may carry its proof.
    fn finish(&mut self, additional_data: Option<&[u8]>) -> Result<()> {
        match (self.state(), additional_data) {
            (State::Final(expected), Some(proof)) => Self::verify(proof, expected),
            (State::Verified, None | Some([])) => Ok(()),
            _ => Err(early_success()),
        }
    }
}
