//! The address of a site where a chat server asks who may log in and who exists.

mod answers;
mod asked;
mod inquiry;
mod networks;
mod refusal;

use std::time::SystemTime;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::token::{self, Verifier};

pub use asked::{Asked, Entry, Level, Next};
pub use inquiry::Inquiry;
pub use refusal::Refusal;

use asked::Verdict;
use inquiry::{Form, Question};
use networks::Network;

/// The fewest bytes of the secret that a site shares with its chat server.
const LEAST_SECRET: usize = 16;

/// The most secrets that are good at the same time, while they change.
const MAX_SECRETS: usize = 8;

/// The machine itself.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

/// What a site needs to answer its chat server: it verifies the tokens that it issued itself.
///
/// A question comes over HTTP in one of two forms. Ours is that of `prebind extauth` and of Prosody's
/// `mod_auth_prebind`: JSON by POST, see [`extauth::Question`](super::Question). The other one is that of `MongooseIM`'s
/// `http` method and of ejabberd-contrib's `ejabberd_auth_http`:
/// `GET …/check_password?user=…&server=…&pass=…` and `GET …/user_exists?…`, answered with `true` or `false`.
///
/// A question is answered only for a machine on the list of addresses that shows the secret. The answer to
/// a login depends on nothing but the token, so that it tells nobody which users exist.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use prebind::Jid;
/// use prebind::extauth::{Endpoint, Inquiry, Next};
/// use prebind::token::{Algorithm, Issuer, Key, Verifier};
///
/// let key = Key::from_secret(Algorithm::Hs256, *b"a secret of 32 bytes or more ...")?;
/// let issuer = Issuer::new([key.clone()])?.with_ids();
/// let endpoint = Endpoint::new(["a-long-random-text".into()], Verifier::new([key])?)?;
///
/// let now = SystemTime::now();
/// let token = issuer.issue(&Jid::new("alice@example.org")?, now)?;
/// let body = format!(
///     r#"{{"command": "auth", "user": "alice", "host": "example.org", "password": "{}"}}"#,
///     token.expose(),
/// );
/// let inquiry = Inquiry { method: "POST", address: "127.0.0.1", body: body.as_bytes(), ..Inquiry::default() }
///     .with_header("Authorization", "Bearer a-long-random-text");
/// let asked = endpoint.ask(&inquiry, now);
/// let Next::Once(entry) = asked.next() else { panic!("the token is good") };
/// // Here the site adds `entry.key` to its cache for `entry.seconds`, and learns whether it was there before.
/// assert_eq!(asked.answer(true, None).body(), r#"{"ok":true}"#);
/// # Ok::<(), prebind::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Endpoint {
    secrets: Vec<Secret>,
    networks: Vec<Network>,
    verifier: Verifier,
}

impl Endpoint {
    /// An endpoint for a chat server on the same machine that shows one of these secrets: as
    /// `Authorization: Bearer SECRET`, or as the password of `Authorization: Basic`.
    ///
    /// # Errors
    /// `Config` if there is no secret, more than eight, or one that is [too easy to guess](is_site_secret).
    pub fn new(secrets: impl IntoIterator<Item = Secret>, verifier: Verifier) -> Result<Self> {
        let secrets: Vec<Secret> = secrets.into_iter().take(MAX_SECRETS + 1).collect();
        let are_good = secrets.iter().all(|secret| is_site_secret(secret.expose()));
        if !(1..=MAX_SECRETS).contains(&secrets.len()) || !are_good {
            return Err(Error::config(
                "secret",
                format!(
                    "has to be {LEAST_SECRET} or more visible ASCII characters, or a list of up to {MAX_SECRETS} such \
                     texts: make a random one"
                ),
            ));
        }
        let networks = LOOPBACK.iter().map(|network| Network::new(network)).collect::<Result<_>>()?;
        Ok(Self { secrets, networks, verifier })
    }

    /// From where the chat server asks: IP addresses (`10.0.0.5`, `2001:db8::5`) and networks (`10.0.0.0/24`).
    ///
    /// # Errors
    /// `Config` if there is none, or one that is neither.
    pub fn with_addresses<A: AsRef<str>>(mut self, addresses: impl IntoIterator<Item = A>) -> Result<Self> {
        self.networks =
            addresses.into_iter().map(|address| Network::new(address.as_ref())).collect::<Result<_>>()?;
        if self.networks.is_empty() {
            return Err(Error::config(
                "addresses",
                "there is none: list the IP addresses from which the chat server asks",
            ));
        }
        Ok(self)
    }

    /// What is asked, and what has to be found out before it can be answered.
    #[must_use]
    pub fn ask(&self, inquiry: &Inquiry<'_>, now: SystemTime) -> Asked {
        let form = Form::of(inquiry);
        let (about, verdict) = match self.admit(inquiry).and_then(|()| form.read(inquiry)) {
            Ok(question) => (Some(question.user.clone()), self.judge(&question, now)),
            Err(refusal) => (None, Verdict::Refused(refusal)),
        };
        Asked::new(form, about, verdict, inquiry.address, now)
    }

    /// Checks where the question comes from, and its secret.
    fn admit(&self, inquiry: &Inquiry<'_>) -> Result<(), Refusal> {
        let address = inquiry.ip().filter(|ip| self.networks.iter().any(|network| network.has(*ip)));
        let address = address.ok_or(Refusal::Address)?;
        if address.is_loopback() && inquiry.is_from_elsewhere() {
            return Err(Refusal::Proxy);
        }
        let given = inquiry.secret();
        let given = Sha256::digest(given.as_ref().map_or("", Secret::expose));
        // Each is compared, and by hashes of one length, so that the time tells nothing.
        let is_known = self.secrets.iter().fold(subtle::Choice::from(0), |known, secret| {
            known | Sha256::digest(secret.expose()).as_slice().ct_eq(given.as_slice())
        });
        if is_known.into() { Ok(()) } else { Err(Refusal::Secret) }
    }

    fn judge(&self, question: &Question, now: SystemTime) -> Verdict {
        let Some(jid) = question.user.account() else {
            // Nobody can have such a name, so no token is that user's.
            return match question.password {
                Some(_) => Verdict::Refused(Refusal::Token(token::Refusal::OtherUser)),
                None => Verdict::Absence,
            };
        };
        match &question.password {
            None => Verdict::Existence(jid),
            Some(token) => match self.verifier.verify_of(&jid, token.expose(), now) {
                Ok(verified) => {
                    Verdict::Good(verified.id.map(|id| Entry::of_token(&id, verified.expires, now)))
                }
                Err(refusal) => Verdict::Refused(Refusal::Token(refusal)),
            },
        }
    }
}

/// Whether a text may be the secret that a site shares with its chat server: 16 or more visible ASCII characters.
#[must_use]
pub fn is_site_secret(text: &str) -> bool {
    text.len() >= LEAST_SECRET && text.bytes().all(|byte| byte.is_ascii_graphic())
}
