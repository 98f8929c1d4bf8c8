//! The contract between a mechanism and the exchange that drives it.

use zeroize::Zeroizing;

use crate::error::{Check, Error, Result, Stage};
use crate::jid::Jid;

/// A message to the server.
pub(crate) type Message = Zeroizing<Vec<u8>>;

/// One SASL exchange (RFC 4422 §3), from the client's first message to the server's success.
///
/// A mechanism does nothing by itself. The exchange resumes it with each input, and it returns the output.
///
/// | the mechanism is resumed with | it answers with |
/// |---|---|
/// | [`Input::Nothing`], once, first | the message that is sent with its name, or nothing if the server sends the first message |
/// | [`Input::Challenge`], as often as the server asks | the message that answers it |
/// | [`Input::Success`], once, last | the proof that the login succeeded |
///
/// The output is an error if the server breaks the mechanism's rules or fails to prove its identity; then the
/// exchange ends. If the server refuses the login, the exchange ends without resuming the mechanism.
pub(crate) trait Mechanism: Send + Sync {
    /// The name of the mechanism, as the server knows it.
    fn name(&self) -> &str;

    /// Goes on to the client's next message, or to the end.
    fn resume(&mut self, input: Input<'_>) -> Result<Output>;

    /// Why the server is about to refuse the login, if it said so inside the mechanism.
    fn refusal(&self) -> Option<&str> {
        None
    }
}

/// The input that a mechanism is resumed with.
pub(crate) enum Input<'a> {
    Nothing,
    Challenge {
        data: &'a [u8],
        offer: Offer<'a>,
    },
    /// The server's success and the data sent with it.
    Success(Option<&'a [u8]>),
}

/// The server's offer, as it arrived.
#[derive(Clone, Copy, Default)]
pub(crate) struct Offer<'a> {
    pub(crate) mechanisms: &'a [String],
    pub(crate) channel_bindings: &'a [String],
}

/// The output of a mechanism.
pub(crate) enum Output {
    Nothing,
    Message(Message),
    /// A message that the server can answer with success.
    LastMessage(Message),
    Proof(Authenticated),
}

/// The proof that the server accepted the login and, if the mechanism can do that, proved its identity.
///
/// Only mechanisms can make one, and a [`Session`](crate::Session) cannot be made without it.
#[derive(Debug)]
pub(crate) struct Authenticated {
    mechanism: String,
}

impl Authenticated {
    pub(super) fn by(mechanism: &dyn Mechanism) -> Self {
        Self { mechanism: mechanism.name().to_owned() }
    }

    pub(crate) fn mechanism(&self) -> &str {
        &self.mechanism
    }

    pub(crate) fn into_mechanism(self) -> String {
        self.mechanism
    }
}

/// Who logs in.
#[derive(Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// The user that the credentials belong to.
    pub(crate) authcid: &'a str,
    /// The user to act as. It is empty for the same user.
    pub(crate) authzid: &'a str,
    /// The JID of the account.
    pub(crate) jid: &'a Jid,
}

/// The error for a challenge after the mechanism's last message.
pub(super) fn unexpected_challenge() -> Error {
    Error::protocol(Stage::Authenticate, "SASL success or failure", "a challenge")
}

/// The error for a success that comes before the server has proved its identity.
pub(super) fn early_success() -> Error {
    Error::unverified(
        Check::Signature,
        "it reported success without proving that it knows the password: check that `url` leads to your server, as someone \
         may be intercepting the connection",
    )
}
