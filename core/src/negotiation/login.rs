//! The login inside an exchange: one mechanism, from its choice to its proof.

use std::mem;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::sasl::{Authenticated, Input, Mechanism, Message, Output};
use crate::sasl2::{self, Inline};
use crate::secret::Secret;
use crate::stanza;

/// How far the login is.
#[derive(Default)]
pub(super) enum Login<'a> {
    /// Not begun, or failed.
    #[default]
    Pending,
    /// The server's next message is awaited.
    Underway(Exchange<'a>),
    /// A challenge was answered; the answer is not sent yet.
    Responding(Exchange<'a>, Message),
    /// Accepted, and proven as far as the mechanism can.
    Done(Authenticated),
}

/// A mechanism, and whether its last message was made.
pub(super) struct Exchange<'a> {
    mechanism: Box<dyn Mechanism + 'a>,
    has_spoken: bool,
}

impl Exchange<'_> {
    fn resume(&mut self, input: Input<'_>) -> Result<Output> {
        let output = self.mechanism.resume(input)?;
        self.has_spoken = matches!(output, Output::LastMessage(_));
        Ok(output)
    }
}

impl<'a> Login<'a> {
    /// The element that begins SASL with this mechanism (RFC 6120 §6.4.2, XEP-0388 §2.3), and its message.
    pub(super) fn begin(
        &mut self,
        mechanism: Box<dyn Mechanism + 'a>,
        sasl2: Option<Inline>,
        user_agent: &str,
    ) -> Result<(Secret, Option<Message>)> {
        let mut exchange = Exchange { mechanism, has_spoken: false };
        let initial = match exchange.resume(Input::Nothing)? {
            Output::Message(message) | Output::LastMessage(message) => Some(message),
            Output::Nothing | Output::Proof(_) => None,
        };
        let (name, response) =
            (exchange.mechanism.name(), initial.as_ref().map(|message| message.as_slice()));
        let auth = match sasl2 {
            None => stanza::auth(name, response),
            Some(inline) => sasl2::authenticate(name, response, inline, user_agent),
        };
        *self = Self::Underway(exchange);
        Ok((auth, initial))
    }

    /// Goes on with what the server says.
    pub(super) fn resume(&mut self, input: Input<'_>, stage: Stage) -> Result<()> {
        let otherwise_expected = match input {
            Input::Success(_) => "no SASL success",
            Input::Nothing | Input::Challenge { .. } => "no SASL challenge",
        };
        let Self::Underway(mut exchange) = mem::take(self) else {
            return Err(Error::protocol(stage, otherwise_expected, "one"));
        };
        *self = match exchange.resume(input)? {
            Output::Nothing => Self::Underway(exchange),
            Output::Message(message) | Output::LastMessage(message) => Self::Responding(exchange, message),
            Output::Proof(authenticated) => Self::Done(authenticated),
        };
        Ok(())
    }

    /// The answer to a challenge, once.
    pub(super) fn due_response(&mut self) -> Option<Message> {
        match mem::take(self) {
            Self::Responding(exchange, message) => {
                *self = Self::Underway(exchange);
                Some(message)
            }
            login => {
                *self = login;
                None
            }
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
    pub(super) fn has_spoken(&self) -> bool {
        match self {
            Self::Underway(exchange) => exchange.has_spoken,
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
        let Self::Underway(exchange) = self else { return error };
        match (exchange.mechanism.refusal(), error.condition()) {
            (Some(text), Some(condition)) if error.text().is_none() => {
                Error::refused(ErrorKind::Auth, error.stage(), Some(condition.clone()), Some(text))
            }
            _ => error,
        }
    }
}
