//! The login inside an exchange: one mechanism, from its choice to its proof.

use std::mem;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::sasl::{Authenticated, Means, Mechanism, Message};
use crate::secret::Secret;
use crate::wire::sasl;
use crate::wire::sasl2::{self, Inline};
use crate::wire::stanza::Features;

/// How far the login is.
#[derive(Default)]
pub(super) enum Login<'a> {
    /// Not begun, or failed.
    #[default]
    Pending,
    /// The server's next message is awaited.
    Underway(Mechanism<'a>),
    /// A challenge was answered; the answer is not sent yet.
    Responding(Mechanism<'a>, Message),
    /// Accepted, and proven as far as the mechanism can.
    Done(Authenticated),
}

impl<'a> Login<'a> {
    /// The element that begins SASL with this mechanism (RFC 6120 §6.4.2, XEP-0388 §2.3).
    pub(super) fn begin(
        &mut self,
        mechanism: Mechanism<'a>,
        sasl2: Option<Inline>,
        user_agent: &str,
    ) -> Secret {
        let (name, initial) = (mechanism.name(), mechanism.initial_response());
        let initial = initial.as_ref().map(|message| message.as_slice());
        let auth = match sasl2 {
            None => sasl::auth(name, initial),
            Some(inline) => sasl2::authenticate(name, initial, inline, user_agent),
        };
        *self = Self::Underway(mechanism);
        auth
    }

    pub(super) fn challenged(&mut self, challenge: &[u8], stage: Stage, means: Means<'_>) -> Result<()> {
        let mut mechanism = self.take_underway(stage, "no SASL challenge")?;
        let response = mechanism.respond(challenge, means)?;
        *self = Self::Responding(mechanism, response);
        Ok(())
    }

    pub(super) fn succeeded(&mut self, additional_data: Option<&Message>, stage: Stage) -> Result<()> {
        let mechanism = self.take_underway(stage, "no SASL success")?;
        *self = Self::Done(mechanism.finish(additional_data.map(|data| data.as_slice()))?);
        Ok(())
    }

    /// The answer to a challenge, once.
    pub(super) fn due_response(&mut self) -> Option<Message> {
        match mem::take(self) {
            Self::Responding(mechanism, message) => {
                *self = Self::Underway(mechanism);
                Some(message)
            }
            login => {
                *self = login;
                None
            }
        }
    }

    /// Takes note of an offer that comes after the login began.
    pub(super) fn offered(&mut self, features: &Features, in_sasl2: bool) {
        if let Self::Underway(mechanism) = self {
            mechanism.offered(features, in_sasl2);
        }
    }

    pub(super) fn is_begun(&self) -> bool {
        !matches!(self, Self::Pending)
    }

    /// Whether a challenge waits to be answered.
    pub(super) fn is_challenged(&self) -> bool {
        matches!(self, Self::Responding(..))
    }

    /// Whether the client's last message is sent.
    pub(super) fn has_spoken(&mut self) -> bool {
        match self {
            Self::Underway(mechanism) => mechanism.has_spoken(),
            login => login.is_done(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// The proof, which makes a session.
    pub(super) fn take_proof(&mut self) -> Option<Authenticated> {
        match mem::take(self) {
            Self::Done(authenticated) => Some(authenticated),
            login => {
                *self = login;
                None
            }
        }
    }

    /// A failure, with what the mechanism learned about it before.
    pub(super) fn explain(&self, error: Error) -> Error {
        let Self::Underway(mechanism) = self else { return error };
        match (mechanism.failure_text(), error.condition()) {
            (Some(text), Some(condition)) if error.text().is_none() => {
                Error::refused(ErrorKind::Auth, error.stage(), Some(condition.clone()), Some(text))
            }
            _ => error,
        }
    }

    fn take_underway(&mut self, stage: Stage, otherwise_expected: &'static str) -> Result<Mechanism<'a>> {
        match mem::take(self) {
            Self::Underway(mechanism) => Ok(mechanism),
            _ => Err(Error::protocol(stage, otherwise_expected, "one")),
        }
    }
}
