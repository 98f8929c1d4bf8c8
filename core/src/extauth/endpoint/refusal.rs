//! Why a chat server's question is refused.

use crate::error::{address, shortened};
use crate::extauth::request::User;
use crate::text::shown;
use crate::token;

/// Why a question is refused, or answered with no. More may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It came from no address of the chat server's, or from one that the framework does not know.
    Address,
    /// It came through a proxy, and the framework took the proxy's address for the chat server's.
    Proxy,
    /// The secret is missing or wrong.
    Secret,
    /// The HTTP method is not that of the form.
    Method,
    /// It asks for a password or certificate, or wants to change an account.
    Command,
    /// It is no question of either form.
    Question,
    /// The token is refused.
    Token(token::Refusal),
    /// The token is good, and was used before.
    Used,
}

impl Refusal {
    /// Its name, which is the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "Address",
            Self::Proxy => "Proxy",
            Self::Secret => "Secret",
            Self::Method => "Method",
            Self::Command => "Command",
            Self::Question => "Question",
            Self::Token(refusal) => refusal.as_str(),
            Self::Used => "Used",
        }
    }

    /// What is wrong and how to mend it, for a log.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Address => {
                "it came from no address of the chat server's: add the address, or find out who asks"
            }
            Self::Proxy => {
                "a proxy passed it on, and the site took the proxy's address for the chat server's: configure the \
                 framework to trust this proxy, or let the chat server ask without it"
            }
            Self::Secret => "its secret is missing or wrong: give the site and the chat server the same one",
            Self::Method => "its HTTP method is wrong: configure the chat server as its guide says",
            Self::Command => {
                "the site has no passwords, and changes accounts itself: let the chat server use PLAIN, and turn \
                 registration off"
            }
            Self::Question => "it is no question of a chat server's: check the URL that the chat server has",
            Self::Token(refusal) => refusal.reason(),
            Self::Used => "the token was used before: issue one for each login",
        }
    }

    /// What to log of a question from this address, about this user if it could be read.
    pub(super) fn complaint(self, about: Option<&User>, from: &str) -> String {
        let reason = self.reason();
        match about {
            Some(user) => format!("{user} is refused: {reason}"),
            None => format!("a question from {} is refused: {reason}", origin(from)),
        }
    }

    /// Whether somebody has to mend something, and not only log in again.
    pub(super) const fn is_alarming(self) -> bool {
        !matches!(self, Self::Token(_) | Self::Used)
    }
}

shown!(Refusal);

/// What to log once the questions from this address are not logged.
pub(super) fn flood(from: &str, most: u64, seconds: u64) -> String {
    let from = origin(from);
    format!(
        "more than {most} questions from {from} were refused within {seconds} s: the next ones are not logged"
    )
}

fn origin(from: &str) -> String {
    let shown = shortened(&address(from), 60);
    if shown.is_empty() { "an unknown address".to_owned() } else { shown }
}
