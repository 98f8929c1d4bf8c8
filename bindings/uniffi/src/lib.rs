//! `prebind` for every language that UniFFI writes code for. This half converts arguments and results, asks
//! the caller from time to time whether to go on, and throws. It decides nothing.
//!
//! For the JVM, `kotlin/` adds the names, times and errors that Kotlin and Java expect.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::time::SystemTime;

use prebind::binding::{self, contained};
use prebind::token::Refusal;
use prebind::{ErrorKind as Kind, FastToken};

// Without this, languages would show all fields of a record.
macro_rules! shown {
    ($type:ty: $($trait:ident)+ => $show:expr) => {
        $(impl std::fmt::$trait for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&$show(self)) }
        })+
    };
}
pub(crate) use shown;

mod asked;
mod web;

pub use asked::*;
pub use web::*;

uniffi::setup_scaffolding!();

type Result<T> = std::result::Result<T, PrebindError>;
type Watching = Option<std::sync::Arc<dyn Watch>>;

/// Opens a session with a password, over connections that the process keeps for this URL.
///
/// # Errors
/// Any [`PrebindError`]; no session is left behind on the server.
#[uniffi::export(default(watch = None))]
pub fn prebind(url: &str, jid: &str, password: String, watch: Watching) -> Result<Session> {
    watched(watch, || prebind::prebind(url, jid, password)).map(session)
}

/// The JID of a web site's user. Characters of the name that a JID must not have are escaped (XEP-0106). JIDs
/// ignore case: `Alice` and `alice` share one account. If your user names are case-sensitive, pass an
/// immutable ID instead of the name.
///
/// # Errors
/// `Config` if the name or the domain is not allowed even then, or if the name has full-width or decomposed
/// characters, because it looks like another user's name.
#[uniffi::export]
pub fn jid_from_user(name: &str, domain: &str) -> Result<String> {
    Ok(contained(|| prebind::Jid::from_user(name, domain))?.to_string())
}

/// A token for an account, signed by what the credentials `jwt` have: for a client that logs in by itself. Anyone
/// holding it can log in as that user until it expires.
///
/// # Errors
/// `Config` if a key or another value cannot be used.
#[uniffi::export]
#[expect(clippy::implicit_hasher, reason = "UniFFI knows one sort of map")]
pub fn issue_token(jid: &str, jwt: HashMap<String, Value>) -> Result<String> {
    let jwt = binding::Value::Map(named(jwt));
    Ok(contained(|| binding::issue_token(jid, jwt, SystemTime::now()))?.expose().to_owned())
}

/// Why this token of the account is refused at that second since 1970, for example `Expired`; nothing if it is valid.
/// `keys` may be public ones here; `lifetime` and `claims` are ignored.
///
/// # Errors
/// `Config` if a key cannot be used.
#[uniffi::export]
#[expect(clippy::implicit_hasher, reason = "UniFFI knows one sort of map")]
pub fn refusal_of_token(
    token: &str,
    jid: &str,
    jwt: HashMap<String, Value>,
    now: u64,
) -> Result<Option<String>> {
    let jwt = binding::Value::Map(named(jwt));
    let refusal = contained(|| binding::refusal_of_token(token, jid, jwt, now))?;
    Ok(refusal.map(Refusal::as_str).map(str::to_owned))
}

/// A new key as a private JWK, for HS256 unless another algorithm is named. Its ID is random unless one is given. Anyone
/// who has the key can log in as anybody.
///
/// # Errors
/// `Config` if a value cannot be used.
#[uniffi::export]
#[expect(clippy::needless_pass_by_value, reason = "UniFFI hands over what it has read")]
pub fn new_key(algorithm: Option<String>, id: Option<String>) -> Result<String> {
    let key = contained(|| binding::new_key(algorithm.as_deref(), id.as_deref()))?;
    Ok(key.expose().to_owned())
}

/// What a chat server (`ejabberd` or `prosody`) needs to verify the tokens of a domain's accounts, by names: `path`,
/// `file`, `configuration`, `reload` and `instructions`.
///
/// # Errors
/// `Config` if a key or another value cannot be used.
#[uniffi::export]
#[expect(clippy::implicit_hasher, reason = "UniFFI knows one sort of map")]
pub fn server_side(
    server: &str,
    domain: &str,
    jwt: HashMap<String, Value>,
) -> Result<HashMap<String, String>> {
    let jwt = binding::Value::Map(named(jwt));
    let side = contained(|| binding::server_side(server.parse()?, domain, jwt))?;
    let text =
        |value| if let binding::Value::Text(text) = value { text.expose().to_owned() } else { String::new() };
    Ok(side.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// From now on, messages name options in camel case, as in Kotlin and Java.
#[uniffi::export]
pub fn speak_camel_case() {
    binding::Language::Kotlin.speak();
}

/// The options, the arguments of credentials and the fields of sessions and errors, as JSON. Each has its
/// type and one sentence, and each option has its limits and its default.
#[uniffi::export]
#[must_use]
pub fn schema_json() -> String {
    binding::schema_json()
}

/// The SCRAM keys of a password, to keep in its place.
#[derive(uniffi::Record)]
pub struct ScramKeys {
    /// The hash function.
    pub hash: String,
    /// The salt.
    pub salt: Vec<u8>,
    /// The iteration count.
    pub iterations: i32,
    /// What logs in.
    pub client_key: Vec<u8>,
    /// What the server proves itself by.
    pub server_key: Vec<u8>,
    /// What the server keeps instead of the client key.
    pub stored_key: Vec<u8>,
}

/// Derives the SCRAM keys of a password, with the salt and the count that the server has for the account; without a
/// salt a new one is drawn.
///
/// # Errors
/// `Config` if a value cannot be used.
#[uniffi::export]
#[expect(clippy::needless_pass_by_value, reason = "UniFFI hands over what it has read")]
pub fn scram_keys(password: String, hash: &str, iterations: i32, salt: Option<Vec<u8>>) -> Result<ScramKeys> {
    let derive = || {
        let (password, count) = (password.into(), iterations.try_into().unwrap_or_default());
        prebind::ScramKeys::derive(hash.parse()?, &password, salt.as_deref(), count)
    };
    let keys = contained(derive)?;
    Ok(ScramKeys {
        hash: keys.hash().hash_name().to_owned(),
        salt: keys.salt().to_vec(),
        iterations,
        client_key: keys.client_key().to_vec(),
        server_key: keys.server_key().to_vec(),
        stored_key: keys.stored_key().to_vec(),
    })
}

/// Asked about twenty times a second while a call waits, on the thread that makes the call.
#[uniffi::export(with_foreign)]
pub trait Watch: Send + Sync {
    /// Whether the call goes on. After the first `false` it ends its session and fails with `Connect`.
    fn goes_on(&self) -> bool;
}

fn watched<T>(watch: Watching, call: impl FnOnce() -> prebind::Result<T>) -> Result<T> {
    let goes_on = move || watch.as_ref().is_none_or(|it| it.goes_on());
    Ok(binding::interruptible(goes_on, || contained(call))?)
}

/// A client of one chat service. It holds the options and the open connections. Make one for the life of the
/// process, and share it between threads.
#[derive(uniffi::Object)]
pub struct Client(prebind::Client, Watching);

#[uniffi::export]
impl Client {
    /// Makes a client. The options are those of the core's `Config`, by their names, with the same defaults.
    /// It sends nothing yet.
    ///
    /// # Errors
    /// `Config` if the URL or an option has a value that cannot work.
    #[uniffi::constructor(default(watch = None, options))]
    pub fn new(url: &str, options: HashMap<String, Value>, watch: Watching) -> Result<Self> {
        let client = || prebind::Client::new(prebind::Config::from_named(url, named(options))?);
        Ok(Self(contained(client)?, watch))
    }

    /// Opens an authenticated session for an account.
    ///
    /// The credentials have exactly one of these: `password`, `token`, `jwt`, `oauthbearer`, `x_oauth2`,
    /// `x_oauth2_issuer`, `anonymous`, `external`, `scram_keys`, `scram_salted_password`, or `mechanism` with its
    /// `initial_response`. A `fast_token` is tried first, and may also stand alone. `authcid`, `authzid`
    /// and `nickname` may be added.
    ///
    /// # Errors
    /// `Config` with the argument's name, or `credentials` if there is none of them or more than one; any
    /// other [`PrebindError`]. No session is left behind on the server.
    pub fn prebind(&self, jid: &str, credentials: HashMap<String, Value>) -> Result<Session> {
        let credentials = || prebind::Credentials::from_named(named(credentials));
        let account = contained(|| prebind::Account::new(jid, credentials()?))?;
        watched(self.1.clone(), || self.0.prebind(&account)).map(session)
    }

    /// What the doctor finds by another login.
    ///
    /// # Errors
    /// What the login fails with, unless the outcome says it.
    pub fn web_next_login(
        &self,
        jid: &str,
        first: HashMap<String, Value>,
        next: HashMap<String, Value>,
    ) -> Result<WebOutcome> {
        let (first, next) = (named(first), named(next));
        outcome(watched(self.1.clone(), || binding::doctor::next_login(&self.0, jid, first, next)))
    }

    /// What the doctor finds by a request that is too long.
    ///
    /// # Errors
    /// `Config` if the credentials are none.
    pub fn web_body_limit(&self, credentials: HashMap<String, Value>, url: &str) -> Result<WebOutcome> {
        let credentials = named(credentials);
        outcome(watched(self.1.clone(), || binding::doctor::body_limit(&self.0, credentials, url)))
    }

    /// What the client has learned of the server, for the option `profile` of another client. It holds
    /// nothing secret.
    #[must_use]
    pub fn profile(&self) -> String {
        self.0.profile()
    }

    /// Ends a session that no browser has attached to yet.
    ///
    /// # Errors
    /// `Terminated` with `item-not-found` if the server does not know the session or does not expect this
    /// RID; the kinds of a failed connection.
    pub fn terminate(&self, session: &Session) -> Result<()> {
        watched(self.1.clone(), || self.0.terminate(&session.opened.0))
    }

    /// Ends a session by its SID and the RID to send next.
    ///
    /// # Errors
    /// As [`terminate`](Self::terminate).
    pub fn terminate_by(&self, sid: &str, rid: u64) -> Result<()> {
        watched(self.1.clone(), || self.0.terminate_by(sid, rid))
    }
}

/// What the doctor found, and the words of its text.
#[derive(uniffi::Record)]
pub struct WebOutcome {
    /// The name.
    pub name: String,
    /// The words, by their names.
    pub words: HashMap<String, String>,
}

fn outcome(found: Result<binding::doctor::Outcome>) -> Result<WebOutcome> {
    let (name, words) = found?;
    Ok(WebOutcome { name: name.to_owned(), words: words.into_iter().collect() })
}

/// The value of an option or a credential. Times are numbers of seconds. Its text never shows the value.
#[derive(uniffi::Enum)]
#[uniffi::export(Debug, Display)]
pub enum Value {
    /// No value, for an option whose default is some value.
    Nothing,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Decimal(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Several values.
    Several(Vec<Value>),
    /// Values that have names.
    Fields(HashMap<String, Value>),
}

fn named(given: HashMap<String, Value>) -> Vec<(String, binding::Value)> {
    given.into_iter().map(|(name, value)| (name, converted(value))).collect()
}

fn converted(given: Value) -> binding::Value {
    match given {
        Value::Nothing => binding::Value::Nothing,
        Value::Flag(flag) => flag.into(),
        Value::Whole(number) => number.into(),
        Value::Decimal(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Bytes(bytes) => bytes.into(),
        Value::Several(values) => binding::Value::List(values.into_iter().map(converted).collect()),
        Value::Fields(fields) => binding::Value::Map(named(fields)),
    }
}

macro_rules! session {
    ($it:ident => $($(#[$about:meta])* $name:ident: $type:ty = $get:expr,)+) => {
        /// An authenticated session, ready for a browser to attach to. Anyone who knows SID and RID can take
        /// it over, so its text shows neither of them, and no cookies or token.
        #[derive(uniffi::Record)]
        #[uniffi::export(Debug, Display)]
        pub struct Session { $($(#[$about])* pub $name: $type,)+ }

        // All fields are copied at once, because in some languages reading a field costs more than the call
        // itself.
        fn session($it: prebind::Session) -> Session { Session { $($name: $get,)+ } }

        #[uniffi::export]
        impl Session {
            /// `{"jid":…,"sid":…,"rid":…}`, the three values that browser clients need.
            pub fn to_json(&self) -> String { self.opened.0.to_json() }
        }
    };
}

session! { it =>
    /// The full JID that the server bound.
    jid: String = it.jid().to_string(),
    /// The session ID.
    sid: String = it.sid().to_owned(),
    /// The request ID to send next. `attach` of Strophe and Converse expects this one.
    rid: u64 = it.rid(),
    /// The last request ID that was sent, for clients that add 1 themselves.
    last_rid: u64 = it.last_rid(),
    /// The time within which the browser must attach, if the server said so.
    inactivity: Option<std::time::Duration> = it.inactivity(),
    /// How long the server may hold a request.
    wait: std::time::Duration = it.wait(),
    /// How many requests the server may hold.
    hold: u32 = it.hold(),
    /// How many requests may be open at once, if the server said so.
    requests: Option<u32> = it.requests(),
    /// The SASL mechanism that was used.
    mechanism: String = it.mechanism().to_owned(),
    /// How many round trips the login took.
    round_trips: u32 = it.round_trips(),
    /// The cookies that a load balancer in front of the server set. If the browser reaches the server through
    /// the same load balancer, it must send them too.
    cookies: Vec<Cookie> = it.cookies().iter().map(cookie).collect(),
    /// The token for the next login. Store it for this account and protect it like a password. null means
    /// that the stored token cannot be used any more.
    fast_token: Option<String> = it.fast_token().map(FastToken::to_text),
    /// The session itself.
    opened: std::sync::Arc<Opened> = Opened(it).into(),
}

/// A cookie that a load balancer in front of the server set. As text it shows only its name.
#[derive(uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Cookie {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The path that the cookie is for. It is empty if the load balancer gave none.
    pub path: String,
}

fn cookie(it: &prebind::Cookie) -> Cookie {
    Cookie { name: it.name.clone(), value: it.value().to_owned(), path: it.path.clone() }
}

/// The core's session.
#[derive(uniffi::Object)]
pub struct Opened(prebind::Session);

shown!(Session: Debug Display => |it: &Session| format!("{:?}", it.opened.0));
shown!(Cookie: Debug Display => |it: &Cookie| it.name.clone());
shown!(Value: Debug Display => |_: &Value| "***".to_owned());

macro_rules! errors {
    ($($(#[$about:meta])* $kind:ident { $($field:ident: $type:ty = $get:expr),* })+) => {
        /// Why no session could be opened. The message gives the cause and the remedy. Neither the message
        /// nor any field holds a secret.
        #[derive(Debug, thiserror::Error, uniffi::Error)]
        #[error("{}", .details.message)]
        #[expect(missing_docs, reason = "the names of the fields say what they are")]
        pub enum PrebindError { $($(#[$about])* $kind { details: Box<Details>, $($field: $type,)* },)+ }

        impl From<prebind::Error> for PrebindError {
            fn from(it: prebind::Error) -> Self {
                let (kind, stage, retry) = (it.kind().clone(), it.stage().to_string(), it.retry().to_string());
                let (condition, text) = (it.condition().map(ToString::to_string), it.text().map(str::to_owned));
                let (message, retry_after) = (it.to_string(), it.retry_after());
                let details = Box::new(Details { message, stage, condition, text, retry, retry_after });
                match kind { $(Kind::$kind { $($field),* } => Self::$kind { details, $($field: $get,)* },)+ }
            }
        }
    };
}

errors! {
    /// A URL, JID, credential or option is wrong. Nothing was sent.
    Config { field: String = field.into() }
    /// No connection could be opened (name lookup, TCP, TLS or proxy), or it broke.
    Connect { phase: String = phase.to_string() }
    /// The call timed out, or calls fail at once after repeated failures to connect.
    Timeout { phase: String = phase.to_string() }
    /// The answer is not BOSH: it has another status, or it is a web page or a redirect.
    Http { status: u16 = status, location: Option<String> = location }
    /// The answer is not XML, or it breaks the rules of XEP-0124 or XEP-0206.
    Protocol { expected: String = expected.into() }
    /// The server ended the session; see the condition.
    Terminated {}
    /// There is no SASL mechanism that both sides accept.
    Mechanism { offered: Vec<String> = offered, allowed: Vec<String> = allowed }
    /// The server refused the login; see the condition.
    Auth {}
    /// The server did not prove that it knows the account's secret, or the offer was tampered with.
    ServerUnverified { check: String = check.to_string() }
    /// The server refused to bind a resource, or bound somebody else's JID.
    Bind {}
    /// prebind has a defect.
    Internal {}
}

/// What every error has.
#[derive(Debug, uniffi::Record)]
pub struct Details {
    /// The cause and the remedy.
    pub message: String,
    /// The stage of the exchange.
    pub stage: String,
    /// The condition that the server named, for example `not-authorized`.
    pub condition: Option<String>,
    /// The server's own words.
    pub text: Option<String>,
    /// What may be done next: `no`, `after-config-change`, `fresh-session` (at once) or `later`.
    pub retry: String,
    /// How long to wait before the next call. The server asked for it (`Retry-After`), or it is the time
    /// until other calls have ended.
    pub retry_after: Option<std::time::Duration>,
}
