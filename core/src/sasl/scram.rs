//! SCRAM (RFC 5802) with SHA-1, SHA-256 (RFC 7677) and SHA-512. There is no channel binding, because BOSH
//! hides the XMPP server's TLS from its clients.
//!
//! ```text
//! C: n,,n=user,r=nonce                     the user, and a nonce
//! S: r=nonce+more,s=salt,i=iterations      what the password was hashed with
//! C: c=biws,r=nonce+more,p=proof           that the client knows the password
//! S: v=signature                           that the server knows it, too
//! ```

mod cache;

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::mechanism::{
    Authenticated, Identity, Input, Mechanism, Message, Offer, Output, early_success, unexpected_challenge,
};
use super::prepare;
use crate::error::{Check, Condition, Error, ErrorKind, Result, Retry, ScramCondition, Stage};
use crate::secret::Secret;
use crate::text::{named, shown};
pub(super) use cache::Keys;
pub use cache::ScramCache;
use cache::{Derivation, Key, Lease};

/// Where the keys come from.
#[derive(Clone, Copy)]
pub(super) enum KeySource<'a> {
    Password(&'a Secret),
    Stored(&'a StoredKeys),
}

/// Keys of a SCRAM store, bound to the salt and iteration count they were derived with.
#[derive(Clone)]
pub(super) struct StoredKeys {
    pub(super) hash: ScramHash,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    pub(super) form: StoredForm,
}

#[derive(Clone)]
pub(super) enum StoredForm {
    SaltedPassword(Key),
    ClientAndServer(Keys),
}

/// How keys may be derived from a password. The server decides how much work that is.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    /// The iteration counts that are neither too weak nor too much work.
    pub(crate) iterations: &'a RangeInclusive<u32>,
    /// Keys that were derived before.
    pub(crate) cache: Option<&'a ScramCache>,
    /// Decides when a derivation begins and stops. Without it, a derivation begins at once and runs to its
    /// end.
    pub(crate) pace: Option<&'a (dyn Pace + Sync)>,
}

/// Decides when a derivation may begin and whether it goes on.
pub(crate) trait Pace {
    /// Waits for the turn of this derivation.
    ///
    /// # Errors
    /// If the turn does not come in time.
    fn begin(&self) -> Result<Turn>;

    /// Whether to go on. It is called some thousand times a second.
    ///
    /// # Errors
    /// If there is no time left.
    fn go_on(&self) -> Result<()>;
}

/// Held while a derivation runs. Dropping it lets the next derivation begin.
pub(crate) struct Turn(#[expect(dead_code, reason = "it is held")] pub(crate) Box<dyn Send>);

/// One SCRAM exchange.
pub(super) struct Scram<'a> {
    hash: ScramHash,
    identity: Identity<'a>,
    source: KeySource<'a>,
    means: Means<'a>,
    client_nonce: Secret,
    /// Says that the client supports no channel binding, and names the user to act as (RFC 5802 §7).
    gs2_header: String,
    client_first_bare: Secret,
    /// The keys that are kept if the login succeeds.
    lease: Option<Lease>,
    state: State,
}

enum State {
    /// Waits for the server's first message.
    First,
    /// Waits for the server's signature, which must have this value.
    Proving(Key),
    Proven,
}

impl Mechanism for Scram<'_> {
    fn name(&self) -> &str {
        self.hash.as_str()
    }

    fn resume(&mut self, input: Input<'_>) -> Result<Output> {
        match (&self.state, input) {
            (State::First, Input::Nothing) => {
                let message = [&self.gs2_header, self.client_first_bare.expose()].concat();
                Ok(Output::Message(Zeroizing::new(message.into_bytes())))
            }
            (State::First, Input::Challenge { data, offer }) => {
                let (message, signature) = self.answer(data, offer)?;
                self.state = State::Proving(signature);
                Ok(Output::LastMessage(message))
            }
            (State::Proving(signature), Input::Challenge { data, .. }) => {
                verify(data, signature)?;
                self.state = State::Proven;
                Ok(Output::LastMessage(Message::default()))
            }
            (State::Proving(signature), Input::Success(Some(data))) => {
                verify(data, signature)?;
                Ok(self.proof())
            }
            (State::Proven, Input::Success(None | Some([]))) => Ok(self.proof()),
            (_, Input::Success(_)) => Err(early_success()),
            (_, Input::Nothing | Input::Challenge { .. }) => Err(unexpected_challenge()),
        }
    }
}

impl<'a> Scram<'a> {
    pub(super) fn new(
        hash: ScramHash,
        identity: Identity<'a>,
        source: KeySource<'a>,
        nonce: &Secret,
        means: Means<'a>,
    ) -> Self {
        let name = prepare::saslname(&prepare::username(identity.authcid));
        Self {
            hash,
            identity,
            source,
            means,
            client_nonce: nonce.clone(),
            gs2_header: match identity.authzid {
                "" => "n,,".to_owned(),
                authzid => format!("n,a={},", prepare::saslname(authzid)),
            },
            client_first_bare: format!("n={name},r={}", nonce.expose()).into(),
            lease: None,
            state: State::First,
        }
    }

    /// Checks the server's first message and proves the password (RFC 5802 §3 and §5). Returns the answer,
    /// and the signature that the server has to send.
    fn answer(&mut self, challenge: &[u8], offer: Offer<'_>) -> Result<(Message, Key)> {
        let first = ServerFirst::parse(challenge)?;
        self.check_nonce(first.nonce)?;
        self.check_iterations(first.iterations)?;
        self.check_offer(&first, offer)?;
        let keys = self.keys(&first)?;

        let without_proof = format!("c={},r={}", STANDARD.encode(&self.gs2_header), first.nonce);
        let auth_message =
            Secret::from(format!("{},{},{without_proof}", self.client_first_bare.expose(), first.text));
        let auth_message = auth_message.expose().as_bytes();
        let stored_key = Zeroizing::new(self.hash.hash(&keys.client));
        let client_signature = self.hash.hmac(&stored_key, auth_message);
        // The proof is wiped after use, because anyone who has it and saw the rest of the login can compute
        // the client's key.
        let proof: Key = Zeroizing::new(
            keys.client.iter().zip(client_signature.iter()).map(|(key, sign)| key ^ sign).collect(),
        );
        let proof = Zeroizing::new(STANDARD.encode(&proof));
        let signature = self.hash.hmac(&keys.server, auth_message);
        let message = [without_proof.as_bytes(), b",p=", proof.as_bytes()].concat();
        Ok((Zeroizing::new(message), signature))
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

    /// Checks the iteration count. A low count makes the password easy to guess for someone who intercepts
    /// the login. A high count only takes time.
    fn check_iterations(&self, count: u32) -> Result<()> {
        let (least, most) = (self.means.iterations.start(), self.means.iterations.end());
        let name = self.name();
        if count > *most {
            let message = format!(
                "the server wants {count} iterations of {name} for this account, more than the {most} that are \
                 allowed: set `iterations.most` to {count}, or lower the count on the server and set the password \
                 again"
            );
            let kind = ErrorKind::Mechanism { offered: vec![name.to_owned()], allowed: Vec::new() };
            return Err(Error::new(kind, Stage::Authenticate, Retry::AfterConfigChange, message));
        }
        if count < *least {
            let problem = format!(
                "it wants {count} iterations of {name}, which is too weak: set the password again with at least \
                 {least} on the server, or set `iterations.least` to {count}; if it is set to more, \
                 someone is intercepting the connection"
            );
            return Err(Error::unverified(Check::Iterations, problem));
        }
        Ok(())
    }

    /// Checks that nobody on the way has removed a mechanism from the offer (XEP-0474 §4.2).
    fn check_offer(&self, first: &ServerFirst<'_>, offer: Offer<'_>) -> Result<()> {
        let is_same = |sent: Option<&str>, between_names, between_lists| {
            sent.is_none_or(|sent| {
                let text = signed_text(offer, between_names, between_lists);
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

    fn keys(&mut self, first: &ServerFirst<'_>) -> Result<Arc<Keys>> {
        let password = match self.source {
            KeySource::Stored(stored) => return stored.keys(first).map(Arc::new),
            KeySource::Password(password) => password.expose(),
        };
        let (hash, pace) = (self.hash, self.means.pace);
        let derive = || {
            let prepared = prepare::password(password)?;
            let _turn = pace.map(Pace::begin).transpose()?;
            let go_on = || pace.map_or(Ok(()), Pace::go_on);
            let salted = hash.salted_password(prepared.expose(), &first.salt, first.iterations, go_on)?;
            Ok(hash.keys_of(&salted))
        };
        let Some(cache) = self.means.cache else { return derive().map(Arc::new) };
        let derivation = Derivation {
            mechanism: hash.as_str(),
            user: self.identity.authcid,
            domain: self.identity.jid.domain(),
            password,
            salt: &first.salt,
            iterations: first.iterations,
        };
        let lease = cache.lease(&derivation, derive)?;
        Ok(self.lease.insert(lease).keys())
    }

    /// Keeps the keys for the next login, because this one succeeded.
    fn proof(&mut self) -> Output {
        if let Some(lease) = self.lease.take() {
            lease.keep();
        }
        Output::Proof(Authenticated::by(self))
    }
}

/// Checks the server's last message: `v=…` or `e=…`, and extensions.
fn verify(message: &[u8], expected: &Key) -> Result<()> {
    let mut attributes = utf8(message)?.split(',').map(attribute);
    let Some(Ok((name @ ('v' | 'e'), value))) = attributes.next() else {
        return Err(Error::unverified(Check::Signature, "it did not send its signature"));
    };
    for extension in attributes {
        if matches!(extension?, ('v' | 'e' | 'm', _)) {
            return Err(malformed("its final message repeats an attribute"));
        }
    }
    if name == 'e' {
        let condition = Condition::Scram(ScramCondition::from(value));
        return Err(Error::refused(ErrorKind::Auth, Stage::Authenticate, Some(condition), None));
    }
    let signature = STANDARD.decode(value);
    let signature =
        signature.map_err(|_| Error::unverified(Check::Signature, "its signature is not base64"))?;
    if signature.ct_eq(expected.as_slice()).into() {
        return Ok(());
    }
    Err(Error::unverified(
        Check::Signature,
        "its signature is wrong: it does not know the password of this account; check that `url` leads to your server, \
         as someone may be intercepting the connection",
    ))
}

/// The text whose hash the server sends (XEP-0474 §4.1).
fn signed_text(offer: Offer<'_>, between_names: &str, between_lists: &str) -> String {
    let [mechanisms, channel_bindings] = [offer.mechanisms, offer.channel_bindings].map(|names| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names.join(between_names)
    });
    let between_lists = if offer.channel_bindings.is_empty() { "" } else { between_lists };
    [&mechanisms, between_lists, &channel_bindings].concat()
}

impl StoredKeys {
    fn keys(&self, first: &ServerFirst<'_>) -> Result<Keys> {
        let checks = [
            (Check::Salt, self.salt == first.salt),
            (Check::Iterations, self.iterations == first.iterations),
        ];
        if let Some((check, _)) = checks.into_iter().find(|(_, is_same)| !is_same) {
            return Err(Error::unverified(
                check,
                "its salt and iteration count are not those that the stored keys were made with: the password was \
                 changed since; take the keys from the server's store again",
            ));
        }
        Ok(match &self.form {
            StoredForm::SaltedPassword(salted) => self.hash.keys_of(salted),
            StoredForm::ClientAndServer(keys) => keys.clone(),
        })
    }

    pub(super) fn check(&self) -> Result<()> {
        let length = self.hash.output_length();
        let fits = match &self.form {
            StoredForm::SaltedPassword(salted) => salted.len() == length,
            StoredForm::ClientAndServer(keys) => keys.client.len() == length && keys.server.len() == length,
        };
        if fits && !self.salt.is_empty() && self.iterations > 0 {
            return Ok(());
        }
        let name = self.hash.as_str();
        let problem = format!(
            "keys of {name} have {length} bytes each, a salt, and an iteration count above 0: check that they are not \
             base64 or hexadecimal text"
        );
        Err(Error::config("credentials", problem))
    }
}

/// The longest nonce or salt, which is longer than servers send and still cheap.
const MAX_PART: usize = 1024;

/// The server's first message: `r=…,s=…,i=…` and extensions.
struct ServerFirst<'a> {
    text: &'a str,
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
    /// The hash of the offered mechanisms (XEP-0474 since 0.4).
    offer_hash: Option<&'a str>,
    /// The hash of the offered mechanisms in the form of XEP-0474 0.3.
    old_offer_hash: Option<&'a str>,
}

impl<'a> ServerFirst<'a> {
    fn parse(message: &'a [u8]) -> Result<Self> {
        let text = utf8(message)?;
        let mut attributes = text.split(',').map(attribute);
        let mut mandatory = |name| match attributes.next() {
            Some(Ok((found, value))) if found == name => Ok(value),
            Some(Ok(('m', _))) => Err(malformed("it demands an extension (m=)")),
            Some(Err(error)) => Err(error),
            _ => Err(malformed("its first message does not begin with r=, s=, i= in this order")),
        };
        let nonce = mandatory('r')?;
        let salt = mandatory('s')?;
        let iterations = mandatory('i')?;

        let (mut offer_hash, mut old_offer_hash) = (None, None);
        for extension in attributes {
            let (name, value) = extension?;
            let known = match name {
                'r' | 's' | 'i' | 'm' => return Err(malformed("its first message repeats an attribute")),
                'h' => &mut offer_hash,
                'd' => &mut old_offer_hash,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return Err(malformed("its first message repeats an attribute"));
            }
        }
        if nonce.len() > MAX_PART || !nonce.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::unverified(Check::Nonce, "its nonce is too long or not printable"));
        }
        let salt = STANDARD
            .decode(salt)
            .ok()
            .filter(|salt| (1..=MAX_PART).contains(&salt.len()))
            .ok_or_else(|| Error::unverified(Check::Salt, "its salt is empty, too long or not base64"))?;
        Ok(Self { text, nonce, salt, iterations: posit_number(iterations)?, offer_hash, old_offer_hash })
    }
}

fn utf8(message: &[u8]) -> Result<&str> {
    std::str::from_utf8(message).map_err(|_| malformed("its message is not UTF-8"))
}

/// Reads one attribute: a letter, `=`, and a value that is not empty.
fn attribute(text: &str) -> Result<(char, &str)> {
    let mut characters = text.chars();
    match (characters.next(), characters.next(), characters.as_str()) {
        (Some(name), Some('='), value) if name.is_ascii_alphabetic() && !value.is_empty() => {
            Ok((name, value))
        }
        // An empty salt is refused later, with a better message.
        (Some('s'), Some('='), "") => Ok(('s', "")),
        _ => Err(malformed("its message is not made of attributes like r=…")),
    }
}

/// Reads a `posit-number`, which has no sign and no leading zero.
fn posit_number(text: &str) -> Result<u32> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let refused =
        || Error::unverified(Check::Iterations, "its iteration count is not a number, or beyond all bounds");
    if is_number { text.parse().map_err(|_| refused()) } else { Err(refused()) }
}

fn malformed(problem: &str) -> Error {
    let blame = "the server is broken, or someone is intercepting the connection";
    Error::unverified(Check::Message, format!("{problem}; {blame}"))
}

named! {
    /// A hash, named after the SCRAM mechanism that uses it. Hashes may be added.
    #[non_exhaustive]
    ScramHash {
        /// SCRAM-SHA-1 (RFC 5802).
        Sha1 = "SCRAM-SHA-1",
        /// SCRAM-SHA-256 (RFC 7677).
        Sha256 = "SCRAM-SHA-256",
        /// SCRAM-SHA-512.
        Sha512 = "SCRAM-SHA-512",
    }
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

shown!(ScramHash);

impl FromStr for ScramHash {
    type Err = Error;

    /// Finds a hash by its own name (`SHA-256`) or by its mechanism's name (`SCRAM-SHA-256`).
    fn from_str(name: &str) -> Result<Self> {
        let bare = name.strip_prefix("SCRAM-").unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|hash| hash.hash_name() == bare)
            .ok_or_else(|| Error::config("hash", "is one of SHA-1, SHA-256, SHA-512"))
    }
}

impl ScramHash {
    /// The hash's own name, such as `SHA-256`.
    #[must_use]
    pub fn hash_name(self) -> &'static str {
        self.as_str().trim_start_matches("SCRAM-")
    }

    pub(super) fn from_mechanism(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.as_str() == name)
    }

    /// How many bytes a key has.
    fn output_length(self) -> usize {
        with_hash!(self, H => <H as Digest>::output_size())
    }

    pub(super) fn hash(self, data: &[u8]) -> Vec<u8> {
        with_hash!(self, H => H::digest(data).to_vec())
    }

    pub(super) fn hmac(self, key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
        with_hash!(self, H => {
            let mut mac = Hmac::<H>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.update(data);
            Zeroizing::new(mac.finalize().into_bytes().to_vec())
        })
    }

    pub(super) fn keys_of(self, salted_password: &[u8]) -> Keys {
        Keys {
            client: self.hmac(salted_password, b"Client Key"),
            server: self.hmac(salted_password, b"Server Key"),
        }
    }

    /// `Hi` (RFC 5802 §2.2), which is PBKDF2 (RFC 8018 §5.2) of one block.
    ///
    /// # Errors
    /// The error of `go_on`, which is called after each slice.
    pub(super) fn salted_password(
        self,
        password: &str,
        salt: &[u8],
        iterations: u32,
        mut go_on: impl FnMut() -> Result<()>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        // The number of iterations in a slice, which take about a tenth of a millisecond.
        const SLICE: u32 = 128;
        with_hash!(self, H => {
            let keyed = Hmac::<H>::new_from_slice(password.as_bytes()).expect("HMAC takes keys of any length");
            let mut block = keyed.clone().chain_update(salt).chain_update(1_u32.to_be_bytes());
            let mut round = Zeroizing::new([0; 64]);
            let mut salted = Zeroizing::new(vec![0; self.output_length()]);
            for iteration in 1..=iterations {
                let code = block.finalize().into_bytes();
                let round = &mut round[..code.len()];
                round.copy_from_slice(&code);
                salted.iter_mut().zip(round.iter()).for_each(|(sum, byte)| *sum ^= byte);
                block = keyed.clone().chain_update(&round);
                if iteration % SLICE == 0 {
                    go_on()?;
                }
            }
            Ok(salted)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_salted_password_is_that_of_pbkdf2() {
        for iterations in [1, 2, 127, 128, 129, 4096] {
            for hash in ScramHash::ALL {
                let ours = hash.salted_password("pencil", b"salt", iterations, || Ok(())).unwrap();
                let mut theirs = vec![0; hash.output_length()];
                with_hash!(hash, H => pbkdf2::pbkdf2_hmac::<H>(b"pencil", b"salt", iterations, &mut theirs));
                assert_eq!(*ours, theirs, "{hash:?}, {iterations}");
            }
        }
    }

    #[test]
    fn a_derivation_stops_when_it_is_told_to() {
        let mut asked = 0;
        let stop = || Error::new(ErrorKind::Internal, Stage::Authenticate, Retry::No, String::new());
        let result = ScramHash::Sha512.salted_password("pencil", b"salt", u32::MAX, || {
            asked += 1;
            if asked < 3 { Ok(()) } else { Err(stop()) }
        });
        assert!(result.is_err() && asked == 3);
    }

    #[test]
    fn the_error_says_what_is_wrong_with_a_first_message() {
        for (message, told) in [
            ("hello", "not made of attributes"),
            ("r=nonce,hello", "not made of attributes"),
            ("s=c2FsdA==,r=nonce,i=4096", "does not begin with r="),
            ("m=more,r=nonce", "demands an extension"),
        ] {
            let error = ServerFirst::parse(message.as_bytes()).err().unwrap().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
