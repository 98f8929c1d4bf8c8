//! SCRAM (RFC 5802) with SHA-1, SHA-256 (RFC 7677) and SHA-512, without channel binding: BOSH
//! hides the XMPP server's TLS from its clients.

mod message;

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Message, early_success, prepare};
use crate::account::{Account, Proof, ScramKeys};
use crate::condition::{Condition, ScramCondition};
use crate::error::{Check, Error, ErrorKind, Result, Stage};
use crate::random::Random;
use crate::secret::Secret;
use message::{ServerFinal, ServerFirst};

/// The hash of a SCRAM mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScramHash {
    /// SCRAM-SHA-1 (RFC 5802).
    Sha1,
    /// SCRAM-SHA-256 (RFC 7677).
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

/// Evaluates an expression with `$hash` standing for the hash's type.
macro_rules! with_hash {
    ($value:expr, $hash:ident => $body:expr) => {
        match $value {
            ScramHash::Sha1 => {
                type $hash = Sha1;
                $body
            }
            ScramHash::Sha256 => {
                type $hash = Sha256;
                $body
            }
            ScramHash::Sha512 => {
                type $hash = Sha512;
                $body
            }
        }
    };
}

impl ScramHash {
    /// Every hash.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The mechanism's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The hash of that name, alone (`SHA-256`) or in its mechanism's (`SCRAM-SHA-256`).
    ///
    /// # Errors
    /// `Config` if there is none.
    pub fn from_name(name: &str) -> Result<Self> {
        let is_named = |hash: &Self| hash.name() == name || hash.name().strip_prefix("SCRAM-") == Some(name);
        Self::ALL
            .into_iter()
            .find(is_named)
            .ok_or_else(|| Error::config("hash", "is one of SHA-1, SHA-256, SHA-512"))
    }

    pub(crate) fn from_mechanism(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// How many bytes a key has.
    pub(crate) fn output_length(self) -> usize {
        with_hash!(self, H => <H as Digest>::output_size())
    }

    fn hash(self, data: &[u8]) -> Vec<u8> {
        with_hash!(self, H => H::digest(data).to_vec())
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Key {
        with_hash!(self, H => {
            let mut mac = Hmac::<H>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.update(data);
            Zeroizing::new(mac.finalize().into_bytes().to_vec())
        })
    }

    fn salted_password(self, password: &str, salt: &[u8], iterations: u32) -> Key {
        let mut output = Zeroizing::new(vec![0; self.output_length()]);
        with_hash!(self, H => pbkdf2::pbkdf2_hmac::<H>(password.as_bytes(), salt, iterations, &mut output));
        output
    }
}

/// What arrived as the server's offer, to compare with what the server says it sent (XEP-0474).
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

/// One SCRAM exchange.
pub(crate) struct Scram {
    hash: ScramHash,
    proof: Proof,
    client_nonce: Secret,
    /// Says that no channel binding is known, and who to act as (RFC 5802 §7).
    gs2_header: String,
    client_first_bare: Secret,
    iterations: RangeInclusive<u32>,
    offer: Offer,
    state: State,
}

enum State {
    /// The server's first message is awaited.
    First,
    /// The server's signature is awaited; it must be this one.
    Final(Key),
    /// The server has proven that it knows the password.
    Verified,
}

impl Scram {
    pub(crate) fn new(
        hash: ScramHash,
        account: &Account,
        iterations: RangeInclusive<u32>,
        random: &Random,
        offer: Offer,
    ) -> Self {
        let name = prepare::saslname(&prepare::username(account.authcid()));
        let nonce = random.nonce.expose();
        Self {
            hash,
            proof: account.credentials().proof.clone(),
            client_nonce: nonce.into(),
            gs2_header: match account.authzid() {
                "" => "n,,".to_owned(),
                authzid => format!("n,a={},", prepare::saslname(authzid)),
            },
            client_first_bare: format!("n={name},r={nonce}").into(),
            iterations,
            offer,
            state: State::First,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.hash.name()
    }

    pub(crate) fn client_first_message(&self) -> Message {
        let message = format!("{}{}", self.gs2_header, self.client_first_bare.expose());
        Zeroizing::new(message.into_bytes())
    }

    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<Message> {
        match &self.state {
            State::First => self.client_final_message(challenge),
            State::Final(_) => {
                self.verify(challenge)?;
                Ok(Message::default())
            }
            State::Verified => {
                Err(Error::protocol(Stage::Authenticate, "SASL success or failure", "a challenge"))
            }
        }
    }

    pub(crate) fn finish(&mut self, additional_data: Option<&[u8]>) -> Result<()> {
        match (&self.state, additional_data) {
            (State::Final(_), Some(server_final)) => self.verify(server_final),
            (State::Verified, None | Some([])) => Ok(()),
            _ => Err(early_success()),
        }
    }

    /// RFC 5802 §3 and §5: checks the server's first message, then proves the password.
    fn client_final_message(&mut self, challenge: &[u8]) -> Result<Message> {
        let first = ServerFirst::parse(challenge)?;
        self.check_nonce(first.nonce)?;
        if !self.iterations.contains(&first.iterations) {
            let (least, most) = (self.iterations.start(), self.iterations.end());
            let problem = format!(
                "its iteration count {} is not between {least} and {most} (option iterations)",
                first.iterations
            );
            return Err(Error::unverified(Check::Iterations, problem));
        }
        self.check_offer(&first)?;
        let (client_key, server_key) = self.keys(&first)?;

        let without_proof = format!("c={},r={}", STANDARD.encode(&self.gs2_header), first.nonce);
        let auth_message =
            Secret::from(format!("{},{},{without_proof}", self.client_first_bare.expose(), first.text));
        let auth_message = auth_message.expose().as_bytes();
        let stored_key = self.hash.hash(&client_key);
        let client_signature = self.hash.hmac(&stored_key, auth_message);
        let proof: Vec<u8> =
            client_key.iter().zip(client_signature.iter()).map(|(key, sign)| key ^ sign).collect();
        self.state = State::Final(self.hash.hmac(&server_key, auth_message));
        Ok(Zeroizing::new(format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes()))
    }

    fn check_nonce(&self, nonce: &str) -> Result<()> {
        let ours = self.client_nonce.expose();
        if nonce.len() > ours.len() && nonce.starts_with(ours) {
            Ok(())
        } else {
            Err(Error::unverified(Check::Nonce, "its nonce does not extend the one sent to it"))
        }
    }

    /// XEP-0474 §4.2: nobody between removed a mechanism from the offer.
    fn check_offer(&self, first: &ServerFirst<'_>) -> Result<()> {
        let is_same = |sent: Option<&str>, text: String| {
            let ours = STANDARD.encode(self.hash.hash(text.as_bytes()));
            sent.is_none_or(|sent| ours.as_bytes().ct_eq(sent.as_bytes()).into())
        };
        if is_same(first.offer_hash, self.offer.signed_text("\u{1e}", "\u{1f}"))
            && is_same(first.old_offer_hash, self.offer.signed_text(",", "|"))
        {
            return Ok(());
        }
        Err(Error::unverified(
            Check::Downgrade,
            "the login mechanisms it signed are not those that arrived: somebody between changes them",
        ))
    }

    fn keys(&self, first: &ServerFirst<'_>) -> Result<(Key, Key)> {
        let from_salted =
            |salted: &[u8]| (self.hash.hmac(salted, b"Client Key"), self.hash.hmac(salted, b"Server Key"));
        match &self.proof {
            Proof::Scram(stored) => {
                let changed = "are not those the stored keys were made with: the password was changed since, derive \
                               the keys again";
                if stored.salt != first.salt {
                    return Err(Error::unverified(
                        Check::Salt,
                        format!("its salt and iteration count {changed}"),
                    ));
                }
                if stored.iterations != first.iterations {
                    return Err(Error::unverified(
                        Check::Iterations,
                        format!("its salt and iteration count {changed}"),
                    ));
                }
                Ok(match &stored.keys {
                    ScramKeys::SaltedPassword(salted) => from_salted(salted),
                    ScramKeys::ClientAndServer { client_key, server_key } => {
                        (client_key.clone(), server_key.clone())
                    }
                })
            }
            Proof::Password(password) => {
                let password = prepare::password(password.expose())?;
                let salted = self.hash.salted_password(password.expose(), &first.salt, first.iterations);
                Ok(from_salted(&salted))
            }
            _ => Err(Error::config("credentials", format!("do not fit the mechanism {}", self.name()))),
        }
    }

    fn verify(&mut self, server_final: &[u8]) -> Result<()> {
        let State::Final(expected) = &self.state else { return Err(early_success()) };
        match ServerFinal::parse(server_final)? {
            ServerFinal::Signature(signature) if bool::from(signature.ct_eq(expected.as_slice())) => {
                self.state = State::Verified;
                Ok(())
            }
            ServerFinal::Signature(_) => Err(Error::unverified(
                Check::Signature,
                "its signature is wrong: it does not know the password of this account",
            )),
            ServerFinal::Error(error) => {
                let condition = Condition::Scram(ScramCondition::from(error));
                Err(Error::refused(ErrorKind::Auth, Stage::Authenticate, Some(condition), None))
            }
        }
    }
}
