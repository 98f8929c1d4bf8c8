//! A login under way: its mechanism, and the XML elements that carry its messages.

use crate::error::{Error, ErrorKind, Result};
use crate::sasl::{Authenticated, Input, Mechanism, Message, Output};
use crate::secret::Secret;
use crate::wire::sasl2::{self, Inline, TokenUse};
use crate::wire::{ns, sasl};

pub(super) struct Login<'a> {
    mechanism: Box<dyn Mechanism + 'a>,
    /// The message that is to be sent next.
    due: Option<Message>,
    /// Whether the mechanism has produced its last message.
    has_last: bool,
    /// What is sent with the login, if it is made by SASL2.
    pub(super) inline: Option<Inline>,
    /// Whether the login could also be made by the SASL of RFC 6120.
    has_alternative: bool,
}

impl<'a> Login<'a> {
    pub(super) fn new(
        mechanism: Box<dyn Mechanism + 'a>,
        inline: Option<Inline>,
        has_alternative: bool,
    ) -> Self {
        Self { mechanism, due: None, has_last: false, inline, has_alternative }
    }

    /// The element that begins the login (RFC 6120 §6.4.2, XEP-0388 §2.3), and the message in it.
    pub(super) fn begin(&mut self, user_agent: &str) -> Result<(Secret, Option<Message>)> {
        self.resume(Input::Nothing)?;
        let initial = self.due.take();
        let (name, response) = (self.mechanism.name(), initial.as_ref().map(|message| message.as_slice()));
        let auth = match self.inline {
            None => sasl::auth(name, response),
            Some(inline) => sasl2::authenticate(name, response, inline, user_agent),
        };
        Ok((auth, initial))
    }

    /// Resumes the mechanism with a message of the server. Returns the proof of the login once it has
    /// succeeded.
    pub(super) fn resume(&mut self, input: Input<'_>) -> Result<Option<Authenticated>> {
        let output = self.mechanism.resume(input)?;
        self.has_last = matches!(output, Output::LastMessage(_));
        match output {
            Output::Message(message) | Output::LastMessage(message) => self.due = Some(message),
            Output::Nothing => {}
            Output::Proof(authenticated) => return Ok(Some(authenticated)),
        }
        Ok(None)
    }

    /// The element that answers a challenge, and the message in it. They are returned once.
    pub(super) fn due_response(&mut self) -> Option<(Secret, Message)> {
        let response = self.due.take()?;
        let namespace = if self.inline.is_some() { ns::SASL2 } else { ns::SASL };
        Some((sasl::response(namespace, &response), response))
    }

    pub(super) fn mechanism(&self) -> &str {
        self.mechanism.name()
    }

    /// Whether a challenge is waiting to be answered.
    pub(super) fn is_challenged(&self) -> bool {
        self.due.is_some()
    }

    /// Whether the client's last message is sent.
    pub(super) fn has_spoken(&self) -> bool {
        self.has_last && self.due.is_none()
    }

    /// Whether the login is made by SASL2, and could also be made by the SASL of RFC 6120.
    pub(super) fn is_in_sasl2(&self) -> bool {
        self.has_alternative && self.inline.is_some()
    }

    pub(super) fn presents_token(&self) -> bool {
        self.inline.is_some_and(|inline| inline.token == TokenUse::Presented)
    }

    /// Adds to a failure what the mechanism has learned about it.
    pub(super) fn explain(&self, error: Error) -> Error {
        match (self.mechanism.refusal(), error.condition()) {
            (Some(text), Some(condition)) if error.text().is_none() && self.due.is_none() => {
                Error::refused(ErrorKind::Auth, error.stage(), Some(condition.clone()), Some(text))
            }
            _ => error,
        }
    }
}
