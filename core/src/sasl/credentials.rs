//! The credentials of an account, and the mechanisms that they fit.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::digest_md5::DigestMd5;
use super::fast::{FastToken, HashedToken};
use super::mechanism::{Identity, Mechanism};
use super::prepare;
use super::scram::{KeySource, Keys, Means, Scram, ScramHash, StoredForm, StoredKeys};
use super::simple::{OAuthBearer, OneMessage, check_token};
use super::x_oauth2_issuer::XOAuth2Issuer;
use crate::config::PasswordMechanism;
use crate::error::{Error, Result};
use crate::jid::Jid;
use crate::secret::Secret;
#[cfg(feature = "client")]
use crate::token;
use crate::token::Issuer;
use crate::wire::sasl::is_mechanism_name;
use crate::wire::sasl2::TOKEN_MECHANISM;

/// The most bytes of a name (RFC 7622 §3.3).
const MAX_NAME: usize = 1023;

/// The most bytes of an address (RFC 7622 §3.1).
const MAX_JID: usize = 3071;

/// The most bytes of a password or a token, which is more than servers read.
pub(crate) const MAX_SECRET: usize = 64 * 1024;

/// The credentials of an account. `Debug` names their kind and hides the secret.
#[derive(Clone)]
pub struct Credentials {
    proof: Proof,
    fast_token: Option<FastToken>,
    authcid: Option<String>,
    authzid: Option<String>,
    nickname: Option<String>,
}

impl Credentials {
    /// A password. It is used with the strongest mechanism that both sides support: SCRAM, or else PLAIN.
    #[must_use]
    pub fn password(password: impl Into<Secret>) -> Self {
        Self::new(Proof::Password(password.into()))
    }

    /// A password or token that is sent as it is, by PLAIN (RFC 4616), even if the server offers a stronger
    /// mechanism. Use it for a JWT of ejabberd or `MongooseIM`, for a one-time token that the site itself
    /// verifies when the server asks, or for an administrator's password together with
    /// [`authzid`](Self::authzid).
    #[must_use]
    pub fn plain(secret: impl Into<Secret>) -> Self {
        Self::new(Proof::Plain(secret.into()))
    }

    /// A JWT that your site signs, so that the site needs no passwords. Each call issues a fresh token for
    /// the JID of the [account](crate::Account) and sends it by PLAIN. The chat server verifies it: ejabberd
    /// and `MongooseIM` can by themselves, and Prosody by a module.
    ///
    /// While keys rotate, ejabberd knows either the old or the new key. If it refuses the token of one key,
    /// the same call sends a token of the other key once, and the client remembers which key was accepted.
    #[must_use]
    pub fn jwt(issuer: Issuer) -> Self {
        Self::new(Proof::Jwt { issuer: issuer.into(), token: None })
    }

    /// The salted password of a SCRAM store (RFC 5802 §3, `SaltedPassword`), with its salt and iteration
    /// count. The site need not know the password.
    #[must_use]
    pub fn scram_salted_password(
        hash: ScramHash,
        salt: impl Into<Vec<u8>>,
        iterations: u32,
        salted_password: impl Into<Vec<u8>>,
    ) -> Self {
        let form = StoredForm::SaltedPassword(Zeroizing::new(salted_password.into()));
        Self::new(Proof::Scram(StoredKeys { hash, salt: salt.into(), iterations, form }))
    }

    /// The client key and the server key of a SCRAM store (RFC 5802 §3), with their salt and iteration count.
    /// The site need not know the password.
    #[must_use]
    pub fn scram_keys(
        hash: ScramHash,
        salt: impl Into<Vec<u8>>,
        iterations: u32,
        client_key: impl Into<Vec<u8>>,
        server_key: impl Into<Vec<u8>>,
    ) -> Self {
        let (client, server) = (Zeroizing::new(client_key.into()), Zeroizing::new(server_key.into()));
        let form = StoredForm::ClientAndServer(Keys { client, server });
        Self::new(Proof::Scram(StoredKeys { hash, salt: salt.into(), iterations, form }))
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

    /// An OAuth 2.0 token that ejabberd itself issues, by X-OAUTH2, so that the site knows no passwords. The client
    /// asks ejabberd for it, keeps it and renews it.
    #[must_use]
    pub fn x_oauth2_issuer(issuer: XOAuth2Issuer) -> Self {
        Self::new(Proof::XOAuth2By { issuer: issuer.into(), token: None })
    }

    /// A token from an earlier session and nothing else. If the server refuses the token, the login fails.
    #[must_use]
    pub fn fast(token: FastToken) -> Self {
        Self::new(Proof::Fast).fast_token(token)
    }

    /// An anonymous login (RFC 4505). The JID is only a domain then.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(Proof::Anonymous)
    }

    /// An identity that something outside SASL proves (RFC 4422 appendix A): a client certificate, or a
    /// header or cookie that the server checks.
    #[must_use]
    pub fn external() -> Self {
        Self::new(Proof::External)
    }

    /// Any mechanism of one message, given by that message.
    #[must_use]
    pub fn raw(mechanism: impl Into<String>, initial_response: impl Into<Secret>) -> Self {
        Self::new(Proof::Raw { mechanism: mechanism.into(), initial_response: initial_response.into() })
    }

    /// Adds a token from an earlier session, which is tried first. If the server refuses it or no longer
    /// accepts tokens, the login goes on with the other credentials.
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

    /// The identity to act as (RFC 4616 §2, RFC 5802 §5.1). Leave it unset if you can, because some servers
    /// accept any authzid. prebind always checks that the server bound the JID you asked for. Openfire, which
    /// lets an administrator act for others, considers the authzid only with [`plain`](Self::plain).
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> Self {
        self.authzid = Some(authzid.into());
        self
    }

    /// The name that other people see, for an account that the client
    /// [makes](crate::Config::with_accounts) by ejabberd's API. An account that is there keeps its own.
    #[must_use]
    pub fn nickname(mut self, nickname: impl Into<String>) -> Self {
        self.nickname = Some(nickname.into());
        self
    }

    fn new(proof: Proof) -> Self {
        Self { proof, fast_token: None, authcid: None, authzid: None, nickname: None }
    }

    /// The nickname of an account that is made.
    #[cfg(feature = "client")]
    pub(crate) fn nickname_of_new(&self) -> Option<&str> {
        self.nickname.as_deref()
    }

    /// Who logs in to this account: the configured user, or else the JID's localpart.
    pub(crate) fn identity<'a>(&'a self, jid: &'a Jid) -> Identity<'a> {
        Identity {
            authcid: self.authcid.as_deref().or_else(|| jid.local()).unwrap_or_default(),
            authzid: self.authzid.as_deref().unwrap_or_default(),
            jid,
        }
    }

    /// The token to try first.
    pub(crate) fn token(&self) -> Option<&FastToken> {
        self.fast_token.as_ref()
    }

    pub(crate) fn kind(&self) -> Kind<'_> {
        self.proof.kind()
    }

    /// The mechanisms that the credentials fit, strongest first. A token's mechanism is not among them.
    pub(crate) fn candidates(&self) -> Vec<Candidate<'_>> {
        let kind = self.kind();
        let for_password = PasswordMechanism::ALL.into_iter().rev().filter(|_| kind.is_password);
        for_password.map(Candidate::for_password).chain(kind.candidate).collect()
    }

    /// The issuer of a token for each call, if the credentials have one.
    pub(crate) fn issuer(&self) -> Option<&Issuer> {
        if let Proof::Jwt { issuer, .. } = &self.proof { Some(issuer) } else { None }
    }

    /// Whether they are a token that the site has, or makes for each login.
    #[cfg(feature = "client")]
    pub(crate) fn is_token(&self) -> bool {
        matches!(self.proof, Proof::Jwt { .. } | Proof::Plain(_))
    }

    /// Whether the token has an ID, by which a site knows that it was used.
    #[cfg(feature = "client")]
    pub(crate) fn is_for_one_login(&self) -> bool {
        match &self.proof {
            Proof::Jwt { issuer, .. } => issuer.has_ids(),
            Proof::Plain(token) => token::has_id(token.expose()),
            _ => false,
        }
    }

    /// The same credentials, whose tokens have IDs if they are made for each login: no two are the same.
    #[cfg(feature = "client")]
    pub(crate) fn with_id(mut self) -> Self {
        if let Proof::Jwt { issuer, .. } = &mut self.proof {
            *issuer = Arc::new(Issuer::clone(issuer).with_ids());
        }
        self
    }

    /// What has ejabberd issue tokens.
    #[cfg(feature = "client")]
    pub(crate) fn x_oauth2_issuer_of_tokens(&self) -> Option<&Arc<XOAuth2Issuer>> {
        if let Proof::XOAuth2By { issuer, .. } = &self.proof { Some(issuer) } else { None }
    }

    /// The same credentials with the token that ejabberd issued.
    #[cfg(feature = "client")]
    pub(crate) fn with_issued(mut self, issued: Secret) -> Self {
        if let Proof::XOAuth2By { token, .. } = &mut self.proof {
            *token = Some(issued);
        }
        self
    }

    /// The same credentials with a token that is signed by the issuer's key at this place. Credentials
    /// without an issuer stay as they are.
    ///
    /// # Errors
    /// As [`Issuer::issue`].
    pub(crate) fn issued(mut self, place: usize, jid: &Jid, now: SystemTime) -> Result<Self> {
        if let Proof::Jwt { issuer, token } = &mut self.proof {
            *token = issuer.issue_by(place, jid, now).transpose()?;
        }
        Ok(self)
    }

    /// Whether there are credentials besides a token.
    pub(crate) fn has_more_than_token(&self) -> bool {
        let kind = self.kind();
        kind.is_password || kind.candidate.is_some()
    }

    /// The mechanism of this name, with these credentials.
    ///
    /// # Errors
    /// `Config` if the credentials do not fit the mechanism.
    pub(crate) fn mechanism<'a>(
        &'a self,
        name: &str,
        jid: &'a Jid,
        nonce: &Secret,
        means: Means<'a>,
    ) -> Result<Box<dyn Mechanism + 'a>> {
        let identity = self.identity(jid);
        match &self.fast_token {
            Some(token) if name == TOKEN_MECHANISM => Ok(Box::new(HashedToken::new(identity.authcid, token))),
            _ => self.proof.mechanism(name, identity, nonce, means),
        }
    }

    /// Everything in the credentials that must not be repeated anywhere.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret = self.kind().secret.map(Secret::expose);
        secret.into_iter().chain(self.fast_token.as_ref().map(FastToken::secret))
    }

    /// Whether they prove the identity of the account itself, because only its user and the server have them.
    /// Tokens do not count, because the site can make one for anybody.
    pub(crate) fn prove_account(&self) -> bool {
        self.authcid.is_none() && self.authzid.is_none() && self.kind().is_personal
    }

    /// Whether a token may be used. A token belongs to the user who logs in, so it does not fit a login for
    /// somebody else.
    pub(crate) fn may_have_token(&self) -> bool {
        self.authzid.is_none() && self.kind().names_user
    }

    /// Refuses credentials that cannot be sent, or that do not fit this account.
    pub(crate) fn check(&self, jid: &Jid) -> Result<()> {
        let kind = self.kind();
        let names_user = self.authcid.is_some() || jid.local().is_some();
        if kind.names_user && !names_user {
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
        // Refuses values that are longer than servers accept before doing any work with them.
        let length = |name: &Option<String>| name.as_deref().map_or(0, str::len);
        for (field, length, most) in [
            ("authcid", length(&self.authcid), MAX_NAME),
            ("authzid", length(&self.authzid), MAX_JID),
            ("nickname", length(&self.nickname), MAX_NAME),
            (kind.option, kind.length, MAX_SECRET),
        ] {
            if length > most {
                return Err(Error::config(field, format!("has more than {most} bytes")));
            }
        }
        for (field, value) in
            [("authcid", &self.authcid), ("authzid", &self.authzid), ("nickname", &self.nickname)]
        {
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
        self.issuer().map_or(Ok(()), |issuer| issuer.check(jid))?;
        self.proof.check()
    }
}

/// A mechanism that credentials fit.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'a str,
    /// Its strength as a mechanism for passwords. `None` for credentials that are no password.
    pub(crate) strength: Option<PasswordMechanism>,
    pub(crate) begins: Beginning,
}

/// What the first message of a mechanism reveals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// The password or token itself, or a message that anyone who sees it can send again.
    Secret,
    /// Nothing. The server answers with a challenge.
    Challenged,
    /// Nothing secret. It is the only message.
    Harmless,
    /// There is no first message: the server begins.
    ServerFirst,
}

impl<'a> Candidate<'a> {
    /// The mechanism of a token.
    pub(crate) const TOKEN: Candidate<'static> = Candidate::new(TOKEN_MECHANISM, Beginning::Secret);

    const fn new(name: &'a str, begins: Beginning) -> Self {
        Self { name, strength: None, begins }
    }

    fn for_password(strength: PasswordMechanism) -> Self {
        let begins = match strength {
            PasswordMechanism::Plain => Beginning::Secret,
            PasswordMechanism::DigestMd5 => Beginning::ServerFirst,
            PasswordMechanism::ScramSha1
            | PasswordMechanism::ScramSha256
            | PasswordMechanism::ScramSha512 => Beginning::Challenged,
        };
        Self { name: strength.as_str(), strength: Some(strength), begins }
    }
}

/// The properties of one kind of credentials that matter outside a mechanism.
pub(crate) struct Kind<'a> {
    /// The name of the kind, for `Debug`.
    label: &'a str,
    /// The option that holds the secret.
    pub(crate) option: &'static str,
    /// The length of the secret in bytes.
    length: usize,
    secret: Option<&'a Secret>,
    /// Whether the credentials need the name of a user.
    names_user: bool,
    /// Whether only the user and the server have them.
    is_personal: bool,
    /// Whether the credentials fit every mechanism for passwords.
    pub(crate) is_password: bool,
    /// The only mechanism that fits, if they are no password.
    pub(crate) candidate: Option<Candidate<'a>>,
    /// The remedy if the server refuses the login.
    pub(crate) if_refused: &'static str,
    /// The remedy if the server does not offer the `{mechanism}` for this `{domain}`.
    pub(crate) if_not_offered: &'static str,
}

#[derive(Clone)]
enum Proof {
    Password(Secret),
    Plain(Secret),
    Jwt {
        issuer: Arc<Issuer>,
        /// The token of this call.
        token: Option<Secret>,
    },
    Scram(StoredKeys),
    OAuthBearer(Secret),
    XOAuth2(Secret),
    XOAuth2By {
        #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "only the client asks it"))]
        issuer: Arc<XOAuth2Issuer>,
        /// That of this call.
        token: Option<Secret>,
    },
    /// Only the token in `fast_token`.
    Fast,
    Anonymous,
    External,
    Raw {
        mechanism: String,
        initial_response: Secret,
    },
}

/// Everything that depends on the kind of proof is here. Nothing else in the crate asks which kind it is.
impl Proof {
    fn kind(&self) -> Kind<'_> {
        const CHECK_TOKEN: &str = "check the token: that it is this user's and has not expired, and that the server knows its issuer";
        match self {
            Self::Password(password) => Kind {
                is_personal: true,
                is_password: true,
                if_refused: "check the user name and the password",
                if_not_offered: "enable SCRAM or PLAIN for {domain} on the server",
                ..Kind::of_secret("password", "password", password)
            },
            Self::Plain(secret) => Kind {
                candidate: Some(Candidate::for_password(PasswordMechanism::Plain)),
                if_refused: "check the user name and the token: that it is this user's and has not expired, and that \
                             the server knows who signed it",
                if_not_offered: "`token` is sent by PLAIN: enable PLAIN for {domain} on the server",
                ..Kind::of_secret("PLAIN", "password", secret)
            },
            Self::Jwt { token, .. } => Kind {
                secret: token.as_ref(),
                candidate: Some(Candidate::for_password(PasswordMechanism::Plain)),
                if_refused: "check that the server knows the key that signs, that the clocks of both machines agree, and that \
                             ejabberd caches no tokens (auth_use_cache: false)",
                if_not_offered: "`jwt` is sent by PLAIN: enable PLAIN for {domain} on the server",
                ..Kind::new("JWT")
            },
            Self::Scram(keys) => Kind {
                length: keys.salt.len(),
                is_personal: true,
                candidate: PasswordMechanism::ALL
                    .into_iter()
                    .find(|mechanism| mechanism.as_str() == keys.hash.as_str())
                    .map(Candidate::for_password),
                if_refused: "check the user name, and that the stored keys are those of the present password",
                if_not_offered: "the stored keys are for {mechanism}: enable that on the server, or store keys for \
                                 what it offers",
                ..Kind::new(keys.hash.as_str())
            },
            Self::OAuthBearer(token) => Kind {
                candidate: Some(Candidate::new(OAuthBearer::NAME, Beginning::Secret)),
                if_refused: CHECK_TOKEN,
                ..Kind::of_secret(OAuthBearer::NAME, "token", token)
            },
            Self::XOAuth2(token) => Kind {
                candidate: Some(Candidate::new("X-OAUTH2", Beginning::Secret)),
                if_refused: CHECK_TOKEN,
                ..Kind::of_secret("X-OAUTH2", "token", token)
            },
            Self::XOAuth2By { token, .. } => Kind {
                option: XOAuth2Issuer::ARGUMENT,
                secret: token.as_ref(),
                candidate: Some(Candidate::new("X-OAUTH2", Beginning::Secret)),
                if_refused: "ejabberd issued the token itself: check that the `url` of `x_oauth2_issuer` is the API of \
                             the server, or the cluster, that users log in to",
                if_not_offered: "enable X-OAUTH2 for {domain} on ejabberd: take it out of `disable_sasl_mechanisms`, and \
                                 install erlang-p1-oauth2",
                ..Kind::new("X-OAUTH2")
            },
            Self::Fast => Kind {
                is_personal: true,
                if_refused: "the token has expired or was revoked; log in by other credentials to get a new one",
                if_not_offered: "the server takes no tokens (HT-SHA-256-NONE): log in by other credentials, or enable \
                                 FAST on the server",
                ..Kind::new("FAST token")
            },
            Self::Anonymous => Kind {
                names_user: false,
                candidate: Some(Candidate::new("ANONYMOUS", Beginning::Harmless)),
                if_refused: "allow anonymous logins for {domain} on the server",
                if_not_offered: "enable anonymous logins for {domain} on the server (Prosody: authentication = \
                                 \"anonymous\", ejabberd: auth_method: anonymous)",
                ..Kind::new("ANONYMOUS")
            },
            Self::External => Kind {
                names_user: false,
                candidate: Some(Candidate::new("EXTERNAL", Beginning::Harmless)),
                if_refused: "check that the server trusts what proves the user, such as `client_certificate`, and \
                             that it is of this user",
                if_not_offered: "enable EXTERNAL on the server, and give the proof that it checks, such as \
                                 `client_certificate`",
                ..Kind::new("EXTERNAL")
            },
            Self::Raw { mechanism, initial_response } => Kind {
                names_user: false,
                candidate: Some(Candidate::new(mechanism, Beginning::Secret)),
                if_refused: "check the user name and the `initial_response`",
                ..Kind::of_secret(mechanism, "initial_response", initial_response)
            },
        }
    }

    fn mechanism<'a>(
        &'a self,
        name: &str,
        identity: Identity<'a>,
        nonce: &Secret,
        means: Means<'a>,
    ) -> Result<Box<dyn Mechanism + 'a>> {
        let scram = |hash, source| Box::new(Scram::new(hash, identity, source, nonce, means));
        Ok(match (self, ScramHash::from_mechanism(name)) {
            (Self::Password(password), Some(hash)) => scram(hash, KeySource::Password(password)),
            (Self::Password(password), None) if name == DigestMd5::NAME => {
                Box::new(DigestMd5::new(identity, password, nonce))
            }
            (Self::Scram(keys), Some(hash)) if hash == keys.hash => scram(hash, KeySource::Stored(keys)),
            (Self::Password(secret) | Self::Plain(secret), None) if name == "PLAIN" => {
                Box::new(OneMessage::plain(name, identity, secret))
            }
            (Self::Jwt { token, .. }, None) if name == "PLAIN" => {
                let token = token.as_ref().ok_or_else(not_issued)?;
                Box::new(OneMessage::plain(name, identity, token))
            }
            (Self::XOAuth2(token), None) => Box::new(OneMessage::plain(name, identity, token)),
            (Self::XOAuth2By { token, .. }, None) => {
                let token = token.as_ref().ok_or_else(not_fetched)?;
                Box::new(OneMessage::plain(name, identity, token))
            }
            (Self::OAuthBearer(token), None) if name == OAuthBearer::NAME => {
                Box::new(OAuthBearer::new(identity, token))
            }
            (Self::Anonymous, None) => Box::new(OneMessage::new(name, "")),
            (Self::External, None) => Box::new(OneMessage::new(name, identity.authzid)),
            (Self::Raw { initial_response, .. }, _) => {
                Box::new(OneMessage::new(name, initial_response.expose()))
            }
            _ => return Err(Error::config("credentials", format!("do not fit the mechanism {name}"))),
        })
    }

    fn check(&self) -> Result<()> {
        match self {
            Self::Password(password) => prepare::password(password.expose()).map(drop),
            Self::Plain(secret) if secret.expose().is_empty() || secret.expose().contains('\0') => {
                Err(Error::config("password", "must not be empty or hold a NUL (RFC 4616 §2)"))
            }
            Self::OAuthBearer(token) | Self::XOAuth2(token) => check_token(token),
            Self::Raw { mechanism, .. } if !is_mechanism_name(mechanism) => Err(Error::config(
                "mechanism",
                "is a name of 1 to 20 characters A-Z, 0-9, - and _ (RFC 4422 §3.1)",
            )),
            Self::Scram(keys) => keys.check(),
            Self::Plain(_)
            | Self::Jwt { .. }
            | Self::XOAuth2By { .. }
            | Self::Fast
            | Self::Anonymous
            | Self::External
            | Self::Raw { .. } => Ok(()),
        }
    }
}

/// The error if a driver other than the client starts an exchange without a token.
fn not_issued() -> Error {
    Error::config(
        "jwt",
        "has no token yet: start each exchange with the account that `Account::issued` returns",
    )
}

/// The same of a token that is asked for over a network.
fn not_fetched() -> Error {
    Error::config(
        XOAuth2Issuer::ARGUMENT,
        "only a client asks ejabberd for tokens: another driver gives one as `x_oauth2`",
    )
}

impl<'a> Kind<'a> {
    fn new(label: &'a str) -> Self {
        Self {
            label,
            option: "credentials",
            length: 0,
            secret: None,
            names_user: true,
            is_personal: false,
            is_password: false,
            candidate: None,
            if_refused: "",
            if_not_offered: "enable {mechanism} for {domain} on the server",
        }
    }

    fn of_secret(label: &'a str, option: &'static str, secret: &'a Secret) -> Self {
        Self { option, length: secret.expose().len(), secret: Some(secret), ..Self::new(label) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("proof", &self.kind().label).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::error::ErrorKind;
    use crate::token::{Algorithm, Key};

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
    fn a_token_is_only_for_credentials_of_the_user_himself() {
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
    fn credentials_that_cannot_be_sent_are_refused() {
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

    fn jwt() -> Credentials {
        Credentials::jwt(Issuer::new([Key::from_secret(Algorithm::Hs256, [7; 32]).unwrap()]).unwrap())
    }

    #[test]
    fn each_exchange_has_a_token_of_its_own() {
        let account = Account::new("alice@localhost", jwt()).unwrap();
        let second = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let token = |seconds| {
            let issued = account.issued(second(seconds)).unwrap();
            issued.credentials().secrets().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(account.credentials().secrets().next().is_none(), "there is none yet");
        assert_eq!(token(1).len(), 1);
        assert!(token(1) == token(1) && token(1) != token(2));
        let other = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
        assert!(other.issued(second(1)).unwrap().credentials().secrets().eq(["secret"]));
    }

    #[test]
    fn a_token_that_is_too_long_is_refused_before_a_call() {
        let key = Key::from_secret(Algorithm::Hs256, [7; 32]).unwrap();
        let of_length = |length: usize| {
            let claims = format!("{{\"x\":\"{}\"}}", "x".repeat(length));
            Issuer::new([key.clone()]).unwrap().with_claims(&claims).unwrap()
        };
        let issue = |length| {
            let (issuer, jid) = (of_length(length), Jid::new("alice@localhost").unwrap());
            let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
            issuer.issue(&jid, now).map(|token| token.expose().len())
        };
        let longest = (1..1000).take_while(|length| issue(*length).is_ok()).last().unwrap();
        assert!((1021..=1023).contains(&issue(longest).unwrap()));
        assert_eq!(of_alice(Credentials::jwt(of_length(longest))), None);
        assert_eq!(of_alice(Credentials::jwt(of_length(longest + 1))), Some("claims"));
        assert_eq!(refused("localhost", jwt()), Some("jid"));
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
    fn every_secret_is_listed_as_a_secret() {
        for credentials in [
            Credentials::password("secret"),
            Credentials::plain("secret"),
            Credentials::oauthbearer("secret"),
            Credentials::x_oauth2("secret"),
            Credentials::raw("X-A", "secret"),
        ] {
            assert!(credentials.secrets().eq(["secret"]));
            assert!(credentials.fast_token(token()).secrets().eq(["secret", "hidden"]));
        }
        assert!(Credentials::fast(token()).secrets().eq(["hidden"]));
        assert_eq!(Credentials::anonymous().secrets().next(), None);
    }

    /// The names of the mechanisms that the credentials can be used with.
    fn fitting(credentials: &Credentials) -> Vec<&'static str> {
        const NAMES: [&str; 10] = [
            "SCRAM-SHA-1",
            "SCRAM-SHA-256",
            "DIGEST-MD5",
            "PLAIN",
            "OAUTHBEARER",
            "X-OAUTH2",
            "ANONYMOUS",
            "EXTERNAL",
            "X-A",
            TOKEN_MECHANISM,
        ];
        let jid = Jid::new("alice@localhost").unwrap();
        let nonce = Secret::from("nonce");
        let means = Means { iterations: &(1..=1), cache: None, pace: None };
        let fits = |name: &&str| match credentials.mechanism(name, &jid, &nonce, means) {
            Ok(mechanism) => {
                assert_eq!(mechanism.name(), *name);
                true
            }
            Err(error) => {
                assert!(error.to_string().contains(&format!("do not fit the mechanism {name}")), "{error}");
                false
            }
        };
        NAMES.into_iter().filter(fits).collect()
    }

    /// Whatever a server that is intercepted offers.
    #[test]
    fn a_secret_is_given_only_to_the_mechanisms_that_it_is_for() {
        let keys = Credentials::scram_keys(ScramHash::Sha256, "s", 1, vec![1; 32], vec![1; 32]);
        for (credentials, names) in [
            (Credentials::password("secret"), &["SCRAM-SHA-1", "SCRAM-SHA-256", "DIGEST-MD5", "PLAIN"][..]),
            (Credentials::plain("secret"), &["PLAIN"]),
            (keys.clone(), &["SCRAM-SHA-256"]),
            (keys.fast_token(token()), &["SCRAM-SHA-256", TOKEN_MECHANISM]),
            (jwt().issued(0, &Jid::new("alice@localhost").unwrap(), SystemTime::now()).unwrap(), &["PLAIN"]),
            (Credentials::oauthbearer("secret"), &["OAUTHBEARER"]),
            (Credentials::fast(token()), &[TOKEN_MECHANISM]),
        ] {
            assert_eq!(fitting(&credentials), names, "{credentials:?}");
        }
    }

    /// So the JID that the server has bound may differ from the one that was asked for in upper and lower case.
    #[test]
    fn only_what_the_user_and_the_server_alone_have_proves_the_account() {
        let keys = Credentials::scram_salted_password(ScramHash::Sha1, "s", 1, vec![1; 20]);
        for (credentials, is_proven) in [
            (Credentials::password("secret"), true),
            (keys, true),
            (Credentials::fast(token()), true),
            (Credentials::password("secret").authcid("admin"), false),
            (Credentials::password("secret").authzid("alice@localhost"), false),
            (Credentials::plain("secret"), false),
            (jwt(), false),
            (Credentials::oauthbearer("secret"), false),
            (Credentials::x_oauth2("secret"), false),
            (Credentials::anonymous(), false),
            (Credentials::external(), false),
            (Credentials::raw("X-A", "secret"), false),
        ] {
            assert_eq!(credentials.prove_account(), is_proven, "{credentials:?}");
        }
    }

    #[test]
    fn what_a_salt_may_be_is_bounded() {
        let keys = |length: usize| {
            Credentials::scram_salted_password(ScramHash::Sha1, vec![1; length], 1, vec![1; 20])
        };
        assert_eq!(of_alice(keys(MAX_SECRET + 1)), Some("credentials"));
    }

    #[test]
    fn a_user_name_with_a_slash_is_told_from_a_missing_one() {
        let problem = |jid| Account::new(jid, Credentials::password("secret")).unwrap_err().to_string();
        assert!(problem("example.org/alice@example.org").contains("has a / before its @"));
        assert!(!problem("example.org/phone").contains("has a / before its @"));
        assert!(!problem("example.org").contains("has a / before its @"));
    }

    #[test]
    fn whether_something_follows_a_token_that_is_refused() {
        for (credentials, follows) in [
            (Credentials::fast(token()), false),
            (Credentials::password("secret").fast_token(token()), true),
            (Credentials::plain("secret").fast_token(token()), true),
        ] {
            assert_eq!(credentials.has_more_than_token(), follows, "{credentials:?}");
        }
    }

    #[test]
    fn every_sort_of_credentials_has_remedies_of_its_own() {
        let keys = Credentials::scram_salted_password(ScramHash::Sha1, "s", 1, vec![1; 20]);
        for (credentials, if_refused, if_not_offered) in [
            (Credentials::password("secret"), "the user name and the password", "enable SCRAM or PLAIN"),
            (Credentials::plain("secret"), "who signed it", "`token` is sent by PLAIN"),
            (jwt(), "the key that signs", "`jwt` is sent by PLAIN"),
            (
                keys,
                "the stored keys are those of the present password",
                "the stored keys are for {mechanism}",
            ),
            (Credentials::oauthbearer("secret"), "knows its issuer", "enable {mechanism}"),
            (Credentials::x_oauth2("secret"), "knows its issuer", "enable {mechanism}"),
            (Credentials::fast(token()), "has expired or was revoked", "the server takes no tokens"),
            (Credentials::anonymous(), "allow anonymous logins", "enable anonymous logins"),
            (Credentials::external(), "trusts what proves the user", "enable EXTERNAL"),
            (Credentials::raw("X-A", "secret"), "`initial_response`", "enable {mechanism}"),
        ] {
            let kind = credentials.kind();
            assert!(kind.if_refused.contains(if_refused), "{credentials:?}: {}", kind.if_refused);
            assert!(kind.if_not_offered.contains(if_not_offered), "{credentials:?}: {}", kind.if_not_offered);
        }
    }
}
