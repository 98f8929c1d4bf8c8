//! Decides the answer to each request.

use std::time::SystemTime;

use prebind::Secret;
use prebind::extauth::{Request, User, UserList};
use prebind::token::Refusal;

use super::keys::KeyRing;
use super::provider::Provider;
use super::serve::Service;
use super::site::Site;
use super::watched::Live;

/// Answers by the rules of the options.
pub(crate) struct Answers {
    pub(crate) tokens: Tokens,
    pub(crate) site: Option<Site>,
    /// Whether the site is asked for logins.
    pub(crate) asks: bool,
    pub(crate) exists: Exists,
}

/// How tokens are verified.
pub(crate) enum Tokens {
    Keys(KeyRing),
    Provider(Provider),
    /// Tokens are not verified here: only the site decides.
    Nothing,
}

/// Which users exist.
pub(crate) enum Exists {
    All,
    Nobody,
    Listed(Live<UserList>),
    /// The users that the site knows.
    Site,
}

/// What the keys say about a password.
enum Verdict {
    Good,
    Bad(&'static str),
    /// The password is no token, so the keys do not decide.
    Unknown,
}

impl Service for Answers {
    #[cfg(target_os = "linux")]
    fn begins(&self) {
        super::pool::look();
    }

    fn may_wait(&self, request: &Request) -> bool {
        match request {
            Request::Auth(..) => self.asks || matches!(self.tokens, Tokens::Provider(_)),
            Request::IsUser(_) => matches!(self.exists, Exists::Site),
            Request::Change(_) | Request::Unknown => false,
        }
    }

    fn answer(&self, request: &Request) -> bool {
        match request {
            Request::Auth(user, password) => self.accepts(user, password),
            Request::IsUser(user) => self.knows(user),
            Request::Change(command) => {
                tracing::info!("{command} is refused: the site changes accounts, not the chat server");
                false
            }
            Request::Unknown => {
                tracing::warn!(
                    "a request is refused that is not ejabberd's: nothing else may run this program"
                );
                false
            }
        }
    }
}

impl Answers {
    /// Reads the files now, so that the log says what is wrong with them.
    pub(crate) fn prepare(&self) {
        match &self.tokens {
            Tokens::Keys(keys) => drop(keys.verifier()),
            Tokens::Provider(provider) => drop(provider.verifier()),
            Tokens::Nothing => {}
        }
        if let Exists::Listed(list) = &self.exists {
            list.get();
        }
    }

    fn accepts(&self, user: &User, password: &Secret) -> bool {
        match (self.tokens.verdict(user, password), &self.site) {
            (Verdict::Good, _) => true,
            (Verdict::Unknown, Some(site)) if self.asks => site.accepts(user, password),
            (Verdict::Unknown, _) => {
                tracing::info!("{user} is refused: {}", Refusal::Malformed.reason());
                false
            }
            (Verdict::Bad(reason), _) => {
                tracing::info!("{user} is refused: {reason}");
                false
            }
        }
    }

    fn knows(&self, user: &User) -> bool {
        match (&self.exists, &self.site) {
            (Exists::All, _) => true,
            (Exists::Listed(list), _) => list.get().is_some_and(|list| list.has(user)),
            (Exists::Site, Some(site)) => site.knows(user),
            (Exists::Nobody | Exists::Site, _) => false,
        }
    }
}

impl Tokens {
    fn verdict(&self, user: &User, password: &Secret) -> Verdict {
        let (token, now) = (password.expose(), SystemTime::now());
        let verified = match self {
            Self::Keys(keys) => keys.verifier().map(|verifier| verifier.verify(token, now)),
            Self::Provider(provider) => provider.verify(token, now),
            Self::Nothing => return Verdict::Unknown,
        };
        match verified {
            Some(Ok(token)) if user.is(&token.jid) => Verdict::Good,
            Some(Ok(_)) => Verdict::Bad(Refusal::OtherUser.reason()),
            Some(Err(Refusal::Malformed)) => Verdict::Unknown,
            Some(Err(refusal)) => Verdict::Bad(refusal.reason()),
            None => Verdict::Bad("there is no key that could verify tokens: see above"),
        }
    }
}
