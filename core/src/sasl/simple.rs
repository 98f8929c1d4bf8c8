//! Mechanisms of one message: PLAIN (RFC 4616), X-OAUTH2, ANONYMOUS (RFC 4505), EXTERNAL
//! (RFC 4422 appendix A), any by its raw message; and OAUTHBEARER (RFC 7628), which adds an
//! explanation to a failure.

use zeroize::Zeroizing;

use super::{Message, early_success, prepare};
use crate::account::{Account, Proof};
use crate::error::{Error, Result, Stage, presentable};
use crate::secret::Secret;

pub(crate) struct OneMessage {
    name: String,
    message: Message,
    is_secret: bool,
}

impl OneMessage {
    pub(crate) fn new(name: &str, account: &Account) -> Result<Self> {
        let message = match &account.credentials().proof {
            // The server prepares them (RFC 4616 §2).
            Proof::Password(password) | Proof::Plain(password) => {
                plain(account.authzid(), account.authcid(), password.expose())
            }
            Proof::XOAuth2(token) => plain(account.authzid(), account.authcid(), token.expose()),
            Proof::Anonymous => Message::default(),
            Proof::External => bytes(account.authzid()),
            Proof::Raw { initial_response, .. } => bytes(initial_response.expose()),
            Proof::Scram(_) | Proof::OAuthBearer(_) | Proof::Fast => {
                return Err(Error::config("credentials", format!("do not fit the mechanism {name}")));
            }
        };
        let is_secret = !matches!(account.credentials().proof, Proof::Anonymous | Proof::External);
        Ok(Self { name: name.to_owned(), message, is_secret })
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.is_secret
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn message(&self) -> Message {
        self.message.clone()
    }
}

/// `authzid NUL authcid NUL password` (RFC 4616 §2).
fn plain(authzid: &str, user: &str, password: &str) -> Message {
    Zeroizing::new([authzid, user, password].join("\0").into_bytes())
}

fn bytes(text: &str) -> Message {
    Zeroizing::new(text.as_bytes().to_vec())
}

pub(crate) struct OAuthBearer {
    message: Secret,
    /// The `status` of the server's error, once it sent one (RFC 7628 §3.2.2).
    status: Option<String>,
}

impl OAuthBearer {
    pub(crate) fn new(account: &Account, token: &Secret) -> Self {
        // Prosody takes the user from the token or from here, so the account's address is sent
        // unless another identity is asked for.
        let bare = account.jid().bare().to_string();
        let authzid = if account.authzid().is_empty() { &bare } else { account.authzid() };
        let authzid = prepare::saslname(authzid);
        Self {
            message: ["n,a=", &authzid, ",\x01auth=Bearer ", token.expose(), "\x01\x01"].concat().into(),
            status: None,
        }
    }

    pub(crate) fn message(&self) -> Message {
        bytes(self.message.expose())
    }

    /// The server explains why it refuses; the failure follows after a dummy answer
    /// (RFC 7628 §3.2.3).
    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<Message> {
        let unexpected = || Error::protocol(Stage::Authenticate, "an OAUTHBEARER error", "something else");
        if self.status.is_some() {
            return Err(unexpected());
        }
        let error: serde_json::Value = serde_json::from_slice(challenge).map_err(|_| unexpected())?;
        let status = error.get("status").and_then(serde_json::Value::as_str).ok_or_else(unexpected)?;
        self.status = Some(presentable(status));
        Ok(bytes("\x01"))
    }

    pub(crate) fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    pub(crate) fn finish(&self) -> Result<()> {
        if self.status.is_some() { Err(early_success()) } else { Ok(()) }
    }
}
