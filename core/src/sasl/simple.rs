//! The mechanisms of one message: PLAIN (RFC 4616), X-OAUTH2, ANONYMOUS (RFC 4505), EXTERNAL (RFC 4422
//! appendix A), and any other one by its raw message. OAUTHBEARER (RFC 7628) is here, too: it only adds an
//! explanation to a failure.

use std::mem;

use zeroize::Zeroizing;

use super::mechanism::{
    Authenticated, Identity, Input, Mechanism, Message, Output, early_success, unexpected_challenge,
};
use super::prepare;
use crate::error::{Error, Result, Stage, presentable};
use crate::secret::Secret;

pub(super) struct OneMessage {
    name: String,
    message: Message,
}

impl OneMessage {
    pub(super) fn new(name: &str, message: &str) -> Self {
        Self { name: name.to_owned(), message: bytes(message) }
    }

    /// The message is `authzid NUL authcid NUL password` (RFC 4616 §2). The server prepares these strings.
    pub(super) fn plain(name: &str, identity: Identity<'_>, password: &Secret) -> Self {
        let message = [identity.authzid, identity.authcid, password.expose()].join("\0");
        Self { name: name.to_owned(), message: Zeroizing::new(message.into_bytes()) }
    }
}

impl Mechanism for OneMessage {
    fn name(&self) -> &str {
        &self.name
    }

    fn resume(&mut self, input: Input<'_>) -> Result<Output> {
        match input {
            Input::Nothing => Ok(Output::LastMessage(mem::take(&mut self.message))),
            Input::Challenge { .. } => Err(unexpected_challenge()),
            Input::Success(_) => Ok(Output::Proof(Authenticated::by(self))),
        }
    }
}

pub(super) struct OAuthBearer {
    message: Message,
    /// The `status` of the server's error, once it sent one (RFC 7628 §3.2.2).
    status: Option<String>,
}

impl OAuthBearer {
    pub(super) const NAME: &'static str = "OAUTHBEARER";

    pub(super) fn new(identity: Identity<'_>, token: &Secret) -> Self {
        // Prosody takes the user from the token or from this field, so the account's JID is sent unless
        // another identity is asked for.
        let bare = identity.jid.bare().to_string();
        let authzid = if identity.authzid.is_empty() { &bare } else { identity.authzid };
        let authzid = prepare::saslname(authzid);
        let message = ["n,a=", &authzid, ",\x01auth=Bearer ", token.expose(), "\x01\x01"].concat();
        Self { message: Zeroizing::new(message.into_bytes()), status: None }
    }

    /// Reads the server's explanation of a refusal. The failure itself follows after a dummy answer (RFC 7628
    /// §3.2.3).
    fn explained(&mut self, challenge: &[u8]) -> Result<Message> {
        let unexpected = || Error::protocol(Stage::Authenticate, "an OAUTHBEARER error", "something else");
        if self.status.is_some() {
            return Err(unexpected());
        }
        let error: serde_json::Value = serde_json::from_slice(challenge).map_err(|_| unexpected())?;
        let status = error.get("status").and_then(serde_json::Value::as_str).ok_or_else(unexpected)?;
        self.status = Some(presentable(status));
        Ok(bytes("\x01"))
    }
}

impl Mechanism for OAuthBearer {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn resume(&mut self, input: Input<'_>) -> Result<Output> {
        match input {
            Input::Nothing => Ok(Output::LastMessage(mem::take(&mut self.message))),
            Input::Challenge { data, .. } => self.explained(data).map(Output::Message),
            Input::Success(_) if self.status.is_some() => Err(early_success()),
            Input::Success(_) => Ok(Output::Proof(Authenticated::by(self))),
        }
    }

    fn refusal(&self) -> Option<&str> {
        self.status.as_deref()
    }
}

fn bytes(text: &str) -> Message {
    Zeroizing::new(text.as_bytes().to_vec())
}

/// Checks that a token is visible ASCII. Any other character could break out of the message that carries the
/// token (RFC 7628 §3.1).
pub(super) fn check_token(token: &Secret) -> Result<()> {
    let token = token.expose();
    if !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Error::config(
            "token",
            "is empty or has a character that no token has, such as a space or a line break (RFC 7628 §3.1)",
        ))
    }
}
