//! SCRAM (RFC 5802) with SHA-1, SHA-256 (RFC 7677) and SHA-512, without channel binding: BOSH
//! hides the XMPP server's TLS from its clients.

mod cache;
mod hash;
mod message;

use std::ops::RangeInclusive;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::mutual::{Mutual, State};
use super::{Means, Message, Pace, prepare};
use crate::account::{Account, Proof, ScramKeys, ScramSecret};
use crate::error::{Check, Condition, Error, ErrorKind, Result, Retry, ScramCondition, Stage};
use crate::random::Random;
use crate::secret::Secret;
pub use cache::ScramCache;
use cache::{Derivation, Lease};
pub use hash::ScramHash;
use message::{ServerFinal, ServerFirst};

/// What arrived as the server's offer, to compare with what the server says it sent (XEP-0474).
#[derive(Default)]
pub(crate) struct Offer {
    mechanisms: Vec<String>,
    channel_bindings: Vec<String>,
}

impl Offer {
    pub(crate) fn new(mechanisms: &[String], channel_bindings: &[String]) -> Self {
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        Self { mechanisms: sorted(mechanisms), channel_bindings: sorted(channel_bindings) }
    }

    /// The text whose hash the server sends (XEP-0474 §4.1).
    fn signed_text(&self, between_names: &str, between_lists: &str) -> String {
        let mut text = self.mechanisms.join(between_names);
        if !self.channel_bindings.is_empty() {
            text.push_str(between_lists);
            text.push_str(&self.channel_bindings.join(between_names));
        }
        text
    }
}

type Key = Zeroizing<Vec<u8>>;

/// What a password comes down to (RFC 5802 §3).
struct Keys {
    client: Key,
    server: Key,
}

/// One SCRAM exchange.
pub(crate) struct Scram<'a> {
    hash: ScramHash,
    account: &'a Account,
    client_nonce: Secret,
    /// Says that no channel binding is known, and who to act as (RFC 5802 §7).
    gs2_header: String,
    client_first_bare: Secret,
    iterations: RangeInclusive<u32>,
    offer: Offer,
    /// Keys that are kept if the login succeeds.
    lease: Option<Lease>,
    state: State<Key>,
}

impl<'a> Scram<'a> {
    pub(crate) fn new(
        hash: ScramHash,
        account: &'a Account,
        iterations: RangeInclusive<u32>,
        random: &Random,
    ) -> Self {
        let name = prepare::saslname(&prepare::username(account.authcid()));
        let nonce = random.nonce.expose();
        Self {
            hash,
            account,
            client_nonce: nonce.into(),
            gs2_header: match account.authzid() {
                "" => "n,,".to_owned(),
                authzid => format!("n,a={},", prepare::saslname(authzid)),
            },
            client_first_bare: format!("n={name},r={nonce}").into(),
            iterations,
            offer: Offer::default(),
            lease: None,
            state: State::First,
        }
    }

    pub(crate) fn offered(&mut self, offer: Offer) {
        self.offer = offer;
    }

    pub(crate) fn name(&self) -> &'static str {
        self.hash.as_str()
    }

    pub(crate) fn client_first_message(&self) -> Message {
        let message = format!("{}{}", self.gs2_header, self.client_first_bare.expose());
        Zeroizing::new(message.into_bytes())
    }

    fn check_nonce(&self, nonce: &str) -> Result<()> {
        let ours = self.client_nonce.expose();
        if nonce.len() > ours.len() && nonce.starts_with(ours) {
            Ok(())
        } else {
            Err(Error::unverified(
                Check::Nonce,
                "its nonce does not extend the one that was sent to it: the server is broken, or someone is intercepting the \
                 connection",
            ))
        }
    }

    /// Too few make the password easy to guess for someone who intercepts the login. Too many only take time.
    fn check_iterations(&self, count: u32) -> Result<()> {
        let (least, most) = (self.iterations.start(), self.iterations.end());
        let name = self.name();
        if count > *most {
            let message = format!(
                "the server wants {count} iterations of {name} for this account, more than the {most} that are \
                 allowed: set `iterations.most` to {count}, or lower the count on the server and set the password anew"
            );
            let kind = ErrorKind::Mechanism { offered: vec![name.to_owned()], allowed: Vec::new() };
            return Err(Error::new(kind, Stage::Authenticate, Retry::AfterConfigChange, message));
        }
        if count < *least {
            let problem = format!(
                "it wants {count} iterations of {name}, which is too weak: set the password anew with at least \
                 {least} on the server, or set `iterations.least` to {count}; if it is set to more, \
                 someone is intercepting the connection"
            );
            return Err(Error::unverified(Check::Iterations, problem));
        }
        Ok(())
    }

    /// XEP-0474 §4.2: nobody between removed a mechanism from the offer.
    fn check_offer(&self, first: &ServerFirst<'_>) -> Result<()> {
        let is_same = |sent: Option<&str>, between_names, between_lists| {
            sent.is_none_or(|sent| {
                let text = self.offer.signed_text(between_names, between_lists);
                let ours = STANDARD.encode(self.hash.hash(text.as_bytes()));
                ours.as_bytes().ct_eq(sent.as_bytes()).into()
            })
        };
        if is_same(first.offer_hash, "\u{1e}", "\u{1f}") && is_same(first.old_offer_hash, ",", "|") {
            return Ok(());
        }
        Err(Error::unverified(
            Check::Downgrade,
            "the login mechanisms that it signed are not those that arrived: someone is intercepting the connection, or a \
             proxy changes what the server sends",
        ))
    }

    /// The login succeeded: the next one need not derive its keys.
    pub(crate) fn keep_keys(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.keep();
        }
    }

    fn keys(&mut self, first: &ServerFirst<'_>, means: Means<'_>) -> Result<Arc<Keys>> {
        match &self.account.credentials().proof {
            Proof::Scram(stored) => self.stored_keys(stored, first).map(Arc::new),
            Proof::Password(password) => {
                let derive = || {
                    let prepared = prepare::password(password.expose())?;
                    let _turn = means.pace.map(Pace::begin).transpose()?;
                    let go_on = || means.pace.map_or(Ok(()), Pace::go_on);
                    let (salt, iterations) = (&first.salt, first.iterations);
                    let salted = self.hash.salted_password(prepared.expose(), salt, iterations, go_on)?;
                    Ok(self.keys_of(&salted))
                };
                let Some(cache) = means.cache else { return derive().map(Arc::new) };
                let derivation = Derivation {
                    hash: self.hash,
                    user: self.account.authcid(),
                    domain: self.account.jid().domain(),
                    password: password.expose(),
                    salt: &first.salt,
                    iterations: first.iterations,
                };
                let lease = cache.lease(&derivation, derive)?;
                Ok(self.lease.insert(lease).keys())
            }
            _ => Err(Error::config("credentials", format!("do not fit the mechanism {}", self.name()))),
        }
    }

    fn stored_keys(&self, stored: &ScramSecret, first: &ServerFirst<'_>) -> Result<Keys> {
        let checks = [
            (Check::Salt, stored.salt == first.salt),
            (Check::Iterations, stored.iterations == first.iterations),
        ];
        if let Some((check, _)) = checks.into_iter().find(|(_, is_same)| !is_same) {
            return Err(Error::unverified(
                check,
                "its salt and iteration count are not those that the stored keys were made with: the password was \
                 changed since; take the keys from the server's store again",
            ));
        }
        Ok(match &stored.keys {
            ScramKeys::SaltedPassword(salted) => self.keys_of(salted),
            ScramKeys::ClientAndServer { client_key, server_key } => {
                Keys { client: client_key.clone(), server: server_key.clone() }
            }
        })
    }

    fn keys_of(&self, salted_password: &[u8]) -> Keys {
        Keys {
            client: self.hash.hmac(salted_password, b"Client Key"),
            server: self.hash.hmac(salted_password, b"Server Key"),
        }
    }
}

const WRONG_PASSWORD: &str = "its signature is wrong: it does not know the password of this account; check that `url` \
     leads to your server, as someone may be intercepting the connection";

impl Mutual for Scram<'_> {
    type Expected = Key;

    fn state(&mut self) -> &mut State<Key> {
        &mut self.state
    }

    /// RFC 5802 §3 and §5: checks the server's first message, then proves the password.
    fn answer(&mut self, challenge: &[u8], means: Means<'_>) -> Result<(Message, Key)> {
        let first = ServerFirst::parse(challenge)?;
        self.check_nonce(first.nonce)?;
        self.check_iterations(first.iterations)?;
        self.check_offer(&first)?;
        let keys = self.keys(&first, means)?;

        let without_proof = format!("c={},r={}", STANDARD.encode(&self.gs2_header), first.nonce);
        let auth_message =
            Secret::from(format!("{},{},{without_proof}", self.client_first_bare.expose(), first.text));
        let auth_message = auth_message.expose().as_bytes();
        let stored_key = Zeroizing::new(self.hash.hash(&keys.client));
        let client_signature = self.hash.hmac(&stored_key, auth_message);
        // Anyone who has this and saw the rest of the login has the client's key.
        let proof: Key = Zeroizing::new(
            keys.client.iter().zip(client_signature.iter()).map(|(key, sign)| key ^ sign).collect(),
        );
        let proof = Zeroizing::new(STANDARD.encode(&proof));
        let expected = self.hash.hmac(&keys.server, auth_message);
        let message = [without_proof.as_bytes(), b",p=", proof.as_bytes()].concat();
        Ok((Zeroizing::new(message), expected))
    }

    fn verify(server_final: &[u8], expected: &Key) -> Result<()> {
        match ServerFinal::parse(server_final)? {
            ServerFinal::Signature(signature) if bool::from(signature.ct_eq(expected.as_slice())) => Ok(()),
            ServerFinal::Signature(_) => Err(Error::unverified(Check::Signature, WRONG_PASSWORD)),
            ServerFinal::Error(error) => {
                let condition = Condition::Scram(ScramCondition::from(error));
                Err(Error::refused(ErrorKind::Auth, Stage::Authenticate, Some(condition), None))
            }
        }
    }
}
