//! Who logs in, and how they prove it.

use std::fmt;

use zeroize::Zeroizing;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::fast::FastToken;
use crate::jid::Jid;
use crate::sasl::ScramHash;
use crate::sasl::prepare;
use crate::secret::Secret;
use crate::wire::sasl::is_mechanism_name;

/// An XMPP account: its address and what proves the right to use it.
#[derive(Debug, Clone)]
pub struct Account {
    jid: Jid,
    credentials: Credentials,
}

impl Account {
    /// An account at `jid`. A resource in it is asked for; without one the server makes one,
    /// different each time, which is what several tabs of one user need.
    ///
    /// # Errors
    /// `Config` if the JID is not legal, has no localpart where the credentials need a user, or a
    /// credential has a character that must not be sent.
    pub fn new(jid: &str, credentials: Credentials) -> Result<Self> {
        let jid = Jid::new(jid)?;
        credentials.check(&jid)?;
        Ok(Self { jid, credentials })
    }

    /// The address to log in as.
    #[must_use]
    pub fn jid(&self) -> &Jid {
        &self.jid
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The token to try first.
    pub(crate) fn fast_token(&self) -> Option<&FastToken> {
        self.credentials.fast_token.as_ref()
    }

    /// Whether SASL2 is wanted where it is offered: for a token, or to be given one.
    pub(crate) fn uses_sasl2(&self, config: &Config) -> bool {
        (config.fast_tokens || self.fast_token().is_some()) && self.credentials.may_have_token()
    }

    /// The resource to ask for.
    pub(crate) fn resource<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        self.jid.resource().or(config.resource.as_deref())
    }

    /// The user name for SASL: the configured one, else the JID's localpart.
    pub(crate) fn authcid(&self) -> &str {
        self.credentials.authcid.as_deref().or_else(|| self.jid.local()).unwrap_or_default()
    }

    /// The identity to act as; empty for one's own.
    pub(crate) fn authzid(&self) -> &str {
        self.credentials.authzid.as_deref().unwrap_or_default()
    }
}

/// The most bytes of a name (RFC 7622 §3.3).
const MAX_NAME: usize = 1023;

/// The most bytes of an address (RFC 7622 §3.1).
const MAX_JID: usize = 3071;

/// The most bytes of a password or a token: more than servers read.
pub(crate) const MAX_SECRET: usize = 64 * 1024;

/// What proves the right to use an account. `Debug` names the sort, never the secret.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) proof: Proof,
    fast_token: Option<FastToken>,
    authcid: Option<String>,
    authzid: Option<String>,
}

#[derive(Clone)]
pub(crate) enum Proof {
    Password(Secret),
    Plain(Secret),
    Scram(ScramSecret),
    OAuthBearer(Secret),
    XOAuth2(Secret),
    /// The token alone.
    Fast,
    Anonymous,
    External,
    Raw {
        mechanism: String,
        initial_response: Secret,
    },
}

/// Stored SCRAM secrets, bound to the salt and iteration count they were derived with.
#[derive(Clone)]
pub(crate) struct ScramSecret {
    pub(crate) hash: ScramHash,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
    pub(crate) keys: ScramKeys,
}

#[derive(Clone)]
pub(crate) enum ScramKeys {
    SaltedPassword(Zeroizing<Vec<u8>>),
    ClientAndServer { client_key: Zeroizing<Vec<u8>>, server_key: Zeroizing<Vec<u8>> },
}

impl Credentials {
    /// A password. The strongest mechanism both sides know is used: SCRAM, or PLAIN.
    #[must_use]
    pub fn password(password: impl Into<Secret>) -> Self {
        Self::new(Proof::Password(password.into()))
    }

    /// A password or token that is sent as it is, by PLAIN (RFC 4616) even if the server offers
    /// more: ejabberd's and `MongooseIM`'s JWT, a one-time token that the site itself verifies when
    /// the server asks, an administrator's password together with [`authzid`](Self::authzid).
    #[must_use]
    pub fn plain(secret: impl Into<Secret>) -> Self {
        Self::new(Proof::Plain(secret.into()))
    }

    /// The salted password of a SCRAM store, so that the site need not know the password
    /// (RFC 5802 §3, `SaltedPassword`), with the salt and iteration count it was made with.
    #[must_use]
    pub fn scram_salted_password(
        hash: ScramHash,
        salt: impl Into<Vec<u8>>,
        iterations: u32,
        salted_password: impl Into<Vec<u8>>,
    ) -> Self {
        let keys = ScramKeys::SaltedPassword(Zeroizing::new(salted_password.into()));
        Self::new(Proof::Scram(ScramSecret { hash, salt: salt.into(), iterations, keys }))
    }

    /// The client key and the server key of a SCRAM store (RFC 5802 §3), with the salt and
    /// iteration count they were made with.
    #[must_use]
    pub fn scram_keys(
        hash: ScramHash,
        salt: impl Into<Vec<u8>>,
        iterations: u32,
        client_key: impl Into<Vec<u8>>,
        server_key: impl Into<Vec<u8>>,
    ) -> Self {
        let keys = ScramKeys::ClientAndServer {
            client_key: Zeroizing::new(client_key.into()),
            server_key: Zeroizing::new(server_key.into()),
        };
        Self::new(Proof::Scram(ScramSecret { hash, salt: salt.into(), iterations, keys }))
    }

    /// An OAuth 2.0 bearer token by OAUTHBEARER (RFC 7628).
    #[must_use]
    pub fn oauthbearer(token: impl Into<Secret>) -> Self {
        Self::new(Proof::OAuthBearer(token.into()))
    }

    /// An OAuth 2.0 token by X-OAUTH2 (ejabberd).
    #[must_use]
    pub fn x_oauth2(token: impl Into<Secret>) -> Self {
        Self::new(Proof::XOAuth2(token.into()))
    }

    /// A token from an earlier session and nothing else: once the server refuses it, the login fails.
    #[must_use]
    pub fn fast(token: FastToken) -> Self {
        Self::new(Proof::Fast).fast_token(token)
    }

    /// No identity (RFC 4505); the JID then is only a domain.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(Proof::Anonymous)
    }

    /// The identity that something outside SASL proves (RFC 4422 appendix A): a client
    /// certificate, or a header or cookie that the server looks at.
    #[must_use]
    pub fn external() -> Self {
        Self::new(Proof::External)
    }

    /// Any mechanism that ends after one message, by that message.
    #[must_use]
    pub fn raw(mechanism: impl Into<String>, initial_response: impl Into<Secret>) -> Self {
        Self::new(Proof::Raw { mechanism: mechanism.into(), initial_response: initial_response.into() })
    }

    /// A token from an earlier session, to try before anything else. If the server refuses it, or
    /// no longer takes tokens, the login goes on with the rest of the credentials.
    #[must_use]
    pub fn fast_token(mut self, token: FastToken) -> Self {
        self.fast_token = Some(token);
        self
    }

    /// Logs in under another user name than the JID's localpart, together with
    /// [`authzid`](Self::authzid) as an administrator who may act for others.
    #[must_use]
    pub fn authcid(mut self, authcid: impl Into<String>) -> Self {
        self.authcid = Some(authcid.into());
        self
    }

    /// The identity to act as (RFC 4616 §2, RFC 5802 §5.1). Empty by default, and better so:
    /// some servers trust it more than they should. The bound JID is checked in any case. Openfire,
    /// which lets an administrator act for others, considers only that of [`plain`](Self::plain).
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> Self {
        self.authzid = Some(authzid.into());
        self
    }

    /// Everything in the credentials that must not be repeated anywhere.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let secret = match &self.proof {
            Proof::Password(secret)
            | Proof::Plain(secret)
            | Proof::OAuthBearer(secret)
            | Proof::XOAuth2(secret) => Some(secret.expose()),
            Proof::Raw { initial_response, .. } => Some(initial_response.expose()),
            Proof::Scram(_) | Proof::Fast | Proof::Anonymous | Proof::External => None,
        };
        secret.into_iter().chain(self.fast_token.as_ref().map(FastToken::secret)).collect()
    }

    /// Whether they prove the account itself, by what only its user and the server have. The site may make
    /// tokens for anybody.
    pub(crate) fn prove_account(&self) -> bool {
        let is_their_own = self.authcid.is_none() && self.authzid.is_none();
        is_their_own && matches!(self.proof, Proof::Password(_) | Proof::Scram(_) | Proof::Fast)
    }

    /// Whether there is something besides a token.
    pub(crate) fn has_more_than_token(&self) -> bool {
        !matches!(self.proof, Proof::Fast)
    }

    /// Tokens are of the user who logs in, so they do not go with acting for somebody else.
    fn may_have_token(&self) -> bool {
        self.authzid.is_none()
            && !matches!(self.proof, Proof::Anonymous | Proof::External | Proof::Raw { .. })
    }

    fn new(proof: Proof) -> Self {
        Self { proof, fast_token: None, authcid: None, authzid: None }
    }

    fn check(&self, jid: &Jid) -> Result<()> {
        let names_user = self.authcid.is_some() || jid.local().is_some();
        let needs_user = !matches!(self.proof, Proof::Anonymous | Proof::External | Proof::Raw { .. });
        if needs_user && !names_user {
            let is_split = jid.resource().is_some_and(|resource| resource.contains('@'));
            return Err(Error::config(
                "jid",
                if is_split {
                    "has a / before its @, where the resource begins: make the JID of such a user name by \
                     `jid_from_user`"
                } else {
                    "these credentials need the address of a user, like alice@example.org"
                },
            ));
        }
        self.check_lengths()?;
        for (field, value) in [("authcid", &self.authcid), ("authzid", &self.authzid)] {
            if value.as_deref().is_some_and(|value| value.is_empty() || value.contains(char::is_control)) {
                return Err(Error::config(field, "must not be empty or hold a control character"));
            }
        }
        if self.fast_token.is_some() && !self.may_have_token() {
            return Err(Error::config(
                "fast_token",
                "does not go with `authzid`, `anonymous`, `external` or `mechanism`: leave it out",
            ));
        }
        match &self.proof {
            Proof::Password(password) => prepare::password(password.expose()).map(drop),
            Proof::Plain(secret) if secret.expose().is_empty() || secret.expose().contains('\0') => {
                Err(Error::config("password", "must not be empty or hold a NUL (RFC 4616 §2)"))
            }
            Proof::OAuthBearer(token) | Proof::XOAuth2(token) => check_token(token.expose()),
            Proof::Raw { mechanism, .. } if !is_mechanism_name(mechanism) => Err(Error::config(
                "mechanism",
                "is a name of 1 to 20 characters A-Z, 0-9, - and _ (RFC 4422 §3.1)",
            )),
            Proof::Scram(secret) => secret.check(),
            Proof::Plain(_) | Proof::Fast | Proof::Anonymous | Proof::External | Proof::Raw { .. } => Ok(()),
        }
    }
}

impl Credentials {
    /// Refuses what is longer than anything that a server takes, before any work is done with it.
    fn check_lengths(&self) -> Result<()> {
        let length = |name: &Option<String>| name.as_deref().map_or(0, str::len);
        let (field, secret) = match &self.proof {
            Proof::Password(secret) | Proof::Plain(secret) => ("password", secret.expose().len()),
            Proof::OAuthBearer(secret) | Proof::XOAuth2(secret) => ("token", secret.expose().len()),
            Proof::Raw { initial_response, .. } => ("initial_response", initial_response.expose().len()),
            Proof::Scram(secret) => ("credentials", secret.salt.len()),
            Proof::Fast | Proof::Anonymous | Proof::External => ("credentials", 0),
        };
        for (field, length, most) in [
            ("authcid", length(&self.authcid), MAX_NAME),
            ("authzid", length(&self.authzid), MAX_JID),
            (field, secret, MAX_SECRET),
        ] {
            if length > most {
                return Err(Error::config(field, format!("has more than {most} bytes")));
            }
        }
        Ok(())
    }
}

impl ScramSecret {
    fn check(&self) -> Result<()> {
        let length = self.hash.output_length();
        let fits = match &self.keys {
            ScramKeys::SaltedPassword(salted) => salted.len() == length,
            ScramKeys::ClientAndServer { client_key, server_key } => {
                client_key.len() == length && server_key.len() == length
            }
        };
        if fits && !self.salt.is_empty() && self.iterations > 0 {
            Ok(())
        } else {
            Err(Error::config(
                "credentials",
                format!(
                    "keys of {} have {length} bytes each, a salt, and an iteration count above 0: check that they are \
                     not base64 or hexadecimal text",
                    self.hash.as_str()
                ),
            ))
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sort = match &self.proof {
            Proof::Password(_) => "password",
            Proof::Plain(_) => "PLAIN",
            Proof::Scram(secret) => secret.hash.as_str(),
            Proof::OAuthBearer(_) => "OAUTHBEARER",
            Proof::XOAuth2(_) => "X-OAUTH2",
            Proof::Fast => "FAST token",
            Proof::Anonymous => "ANONYMOUS",
            Proof::External => "EXTERNAL",
            Proof::Raw { mechanism, .. } => mechanism,
        };
        f.debug_struct("Credentials").field("proof", &sort).finish_non_exhaustive()
    }
}

/// Visible ASCII, which tokens are made of: anything else could break out of the message a token is
/// sent in (RFC 7628 §3.1).
fn check_token(token: &str) -> Result<()> {
    if !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Error::config(
            "token",
            "is empty or has a character that no token has, such as a space or a line break (RFC 7628 §3.1)",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const TOKEN: &str = "{\"mechanism\":\"HT-SHA-256-NONE\",\"token\":\"hidden\",\
        \"user_agent\":\"d4565fa7-4d72-4749-b3d3-740edbf87770\"}";

    fn token() -> FastToken {
        FastToken::from_text(TOKEN).unwrap()
    }

    /// The option that is refused, if any.
    fn refused(jid: &str, credentials: Credentials) -> Option<&'static str> {
        match Account::new(jid, credentials).err()?.kind() {
            ErrorKind::Config { field } => Some(field),
            kind => panic!("{kind:?}"),
        }
    }

    fn of_alice(credentials: Credentials) -> Option<&'static str> {
        refused("alice@localhost", credentials)
    }

    #[test]
    fn a_user_is_named_where_one_is_needed() {
        let password = || Credentials::password("secret");
        assert_eq!(refused("localhost", password()), Some("jid"));
        assert_eq!(refused("localhost", password().authcid("alice")), None);
        assert_eq!(refused("localhost", Credentials::fast(token())), Some("jid"));
        for userless in
            [Credentials::anonymous(), Credentials::external(), Credentials::raw("X-A", "anything")]
        {
            assert_eq!(refused("localhost", userless), None);
        }
        for bad in ["", "a\u{7}"] {
            assert_eq!(of_alice(password().authcid(bad)), Some("authcid"));
            assert_eq!(of_alice(password().authzid(bad)), Some("authzid"));
        }
    }

    #[test]
    fn a_token_goes_only_with_what_logs_in_the_user_himself() {
        for credentials in
            [Credentials::password("a"), Credentials::plain("a"), Credentials::oauthbearer("a")]
        {
            assert_eq!(of_alice(credentials.clone().fast_token(token())), None);
            assert_eq!(of_alice(credentials.authzid("bob").fast_token(token())), Some("fast_token"));
        }
        for credentials in [Credentials::anonymous(), Credentials::external(), Credentials::raw("X-A", "a")] {
            assert_eq!(of_alice(credentials.fast_token(token())), Some("fast_token"));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert_eq!(of_alice(Credentials::password("")), Some("password"));
        for (secret, is_refused) in [("", true), ("a\0b", true), ("a b\u{7}", false)] {
            assert_eq!(of_alice(Credentials::plain(secret)), is_refused.then_some("password"));
        }
        for (token, is_refused) in [("", true), ("a b", true), ("a\u{7f}", true), ("é", true), ("!~", false)]
        {
            assert_eq!(of_alice(Credentials::oauthbearer(token)), is_refused.then_some("token"));
            assert_eq!(of_alice(Credentials::x_oauth2(token)), is_refused.then_some("token"));
        }
        let (longest, too_long) = ("X".repeat(20), "X".repeat(21));
        for (name, is_refused) in
            [("X", false), ("A-Z_09", false), (&longest, false), (&too_long, true), ("", true), ("x", true)]
        {
            assert_eq!(of_alice(Credentials::raw(name, "a")), is_refused.then_some("mechanism"), "{name}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        const MAX: usize = 65_536;
        let text = |length: usize| "x".repeat(length);
        for (field, made, most) in [
            ("password", Credentials::password as fn(String) -> Credentials, MAX),
            ("password", Credentials::plain, MAX),
            ("token", Credentials::oauthbearer, MAX),
            ("token", Credentials::x_oauth2, MAX),
            ("initial_response", |text| Credentials::raw("X-A", text), MAX),
            ("authcid", |text| Credentials::password("a").authcid(text), 1023),
            ("authzid", |text| Credentials::password("a").authzid(text), 3071),
        ] {
            assert_eq!(of_alice(made(text(most))), None, "{field}");
            assert_eq!(of_alice(made(text(most + 1))), Some(field));
        }
    }

    #[test]
    fn stored_keys_have_the_length_of_their_hash() {
        let hash = ScramHash::Sha1;
        let keys = |salt: &str, iterations, client: usize, server: usize| {
            Credentials::scram_keys(hash, salt, iterations, vec![1; client], vec![1; server])
        };
        let salted = |length: usize| Credentials::scram_salted_password(hash, "s", 1, vec![1; length]);
        for (credentials, is_refused) in [
            (keys("s", 1, 20, 20), false),
            (keys("s", 2, 20, 20), false),
            (keys("s", 0, 20, 20), true),
            (keys("", 1, 20, 20), true),
            (keys("s", 1, 19, 20), true),
            (keys("s", 1, 20, 21), true),
            (salted(20), false),
            (salted(32), true),
        ] {
            assert_eq!(of_alice(credentials), is_refused.then_some("credentials"));
        }
    }

    #[test]
    fn every_secret_is_known_to_be_one() {
        for credentials in [
            Credentials::password("secret"),
            Credentials::plain("secret"),
            Credentials::oauthbearer("secret"),
            Credentials::x_oauth2("secret"),
            Credentials::raw("X-A", "secret"),
        ] {
            assert_eq!(credentials.secrets(), ["secret"]);
            assert_eq!(credentials.fast_token(token()).secrets(), ["secret", "hidden"]);
        }
        assert_eq!(Credentials::fast(token()).secrets(), ["hidden"]);
        assert_eq!(Credentials::anonymous().secrets(), [""; 0]);
    }
}
