//! The contract between a mechanism and the exchange that it is part of.

use zeroize::Zeroizing;

use crate::error::{Check, Error, Result, Stage};
use crate::jid::Jid;

/// A message to the server.
pub(crate) type Message = Zeroizing<Vec<u8>>;

/// One SASL exchange (RFC 4422 §3), from the client's first message to the server's success.
///
/// A mechanism does nothing by itself: it is resumed with what happened, and says what follows.
///
/// | the mechanism is resumed with | it answers with |
/// |---|---|
/// | [`Input::Nothing`], once, first | the message that goes with its name, or nothing where the server speaks first |
/// | [`Input::Challenge`], as often as the server asks | the message that answers it |
/// | [`Input::Success`], once, last | the proof that the login succeeded |
///
/// The answer is an error wherever the server breaks the mechanism's rules or fails to prove itself. The exchange has
/// ended then. It ends without another word to the mechanism if the server refuses the login.
pub(crate) trait Mechanism: Send + Sync {
    /// The name that the server knows it by.
    fn name(&self) -> &str;

    /// Goes on to the client's next message, or to the end.
    fn resume(&mut self, input: Input<'_>) -> Result<Output>;

    /// Why the server is about to refuse the login, as far as it said so inside the mechanism.
    fn refusal(&self) -> Option<&str> {
        None
    }
}

/// What a mechanism is resumed with.
pub(crate) enum Input<'a> {
    Nothing,
    Challenge {
        data: &'a [u8],
        offer: Offer<'a>,
    },
    /// The server's success and what it sent with it.
    Success(Option<&'a [u8]>),
}

/// What the server offered to log in by, as it arrived.
#[derive(Clone, Copy, Default)]
pub(crate) struct Offer<'a> {
    pub(crate) mechanisms: &'a [String],
    pub(crate) channel_bindings: &'a [String],
}

/// What a mechanism answers with.
pub(crate) enum Output {
    Nothing,
    Message(Message),
    /// A message that the server can answer with success.
    LastMessage(Message),
    Proof(Authenticated),
}

/// That the server accepted the login and, where the mechanism lets it, proved itself.
///
/// Only mechanisms make one, and no [`Session`](crate::Session) can be made without.
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
    /// The user whose credentials they are.
    pub(crate) authcid: &'a str,
    /// The user to act as; empty for the same one.
    pub(crate) authzid: &'a str,
    /// The account, at the domain that is logged in to.
    pub(crate) jid: &'a Jid,
}

/// Why a challenge is refused after the mechanism's last message.
pub(super) fn unexpected_challenge() -> Error {
    Error::protocol(Stage::Authenticate, "SASL success or failure", "a challenge")
}

/// Why a success that comes before the server has proven itself is refused.
pub(super) fn early_success() -> Error {
    Error::unverified(
        Check::Signature,
        "it reported success without proving that it knows the password: check that `url` leads to your server, as someone \
         may be intercepting the connection",
    )
}
