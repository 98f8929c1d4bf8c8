//! `prebind` for every language that UniFFI writes code for: converts arguments and results, asks now
//! and then whether to go on, and throws. Nothing is decided here.
//!
//! For the JVM there is more in `kotlin/`, where names, times and errors are what Kotlin and Java expect.

#![forbid(unsafe_code)]

use std::collections::HashMap;

use prebind::binding::{self, contained};
use prebind::{ErrorKind as Kind, FastToken};

// Languages would show whatever is in there.
macro_rules! shown {
    ($type:ty: $($trait:ident)+ => $show:expr) => {
        $(impl std::fmt::$trait for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&$show(self)) }
        })+
    };
}
pub(crate) use shown;

mod web;

pub use web::*;

uniffi::setup_scaffolding!();

type Result<T> = std::result::Result<T, PrebindError>;
type Watching = Option<std::sync::Arc<dyn Watch>>;

/// Opens a session with a password, on connections that the process keeps for that URL.
///
/// # Errors
/// Any [`PrebindError`]; no session is left behind on the server.
#[uniffi::export(default(watch = None))]
pub fn prebind(url: &str, jid: &str, password: String, watch: Watching) -> Result<Session> {
    watched(watch, || prebind::prebind(url, jid, password)).map(session)
}

/// The JID of a web site's user, whose name may hold characters that a JID must not have: they are
/// escaped (XEP-0106). JIDs ignore case: `Alice` and `alice` share one account. If your user names do not, give an
/// immutable id in place of the name.
///
/// # Errors
/// `Config` if the name or the domain is not allowed even so, or if the name has full-width or decomposed characters,
/// because it looks like another one.
#[uniffi::export]
pub fn jid_from_user(name: &str, domain: &str) -> Result<String> {
    Ok(contained(|| prebind::Jid::from_user(name, domain))?.to_string())
}

/// From now on messages name options in camel case, as Kotlin and Java have them.
#[uniffi::export]
pub fn speak_camel_case() {
    binding::Language::Kotlin.speak();
}

/// The options, the arguments of credentials and the fields of sessions and errors, as JSON: with the type and one
/// sentence for each, and the limits and the default of each option.
#[uniffi::export]
#[must_use]
pub fn schema_json() -> String {
    binding::schema_json()
}

/// Asked some twenty times a second while a call waits, on the thread that makes it.
#[uniffi::export(with_foreign)]
pub trait Watch: Send + Sync {
    /// Whether the call goes on. After the first no it ends its session and fails with `Connect`.
    fn goes_on(&self) -> bool;
}

fn watched<T>(watch: Watching, call: impl FnOnce() -> prebind::Result<T>) -> Result<T> {
    let goes_on = move || watch.as_ref().is_none_or(|it| it.goes_on());
    Ok(binding::interruptible(goes_on, || contained(call))?)
}

/// One chat service: its address, its trust, its deadlines and the connections to it. Make one for
/// the life of the process, and share it between threads.
#[derive(uniffi::Object)]
pub struct Client(prebind::Client, Watching);

#[uniffi::export]
impl Client {
    /// The options are those of the library's `Config`, by their names; those that are not given have
    /// its defaults. Nothing is sent.
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
    /// The credentials have exactly one proof: `password`, `token`, `oauthbearer`, `x_oauth2`, `anonymous`,
    /// `external`, `scram_keys`, `scram_salted_password`, or `mechanism` with its `initial_response`; a
    /// `fast_token` goes before any of them, and may stand alone. Beside it `authcid` and `authzid`, if
    /// wanted.
    ///
    /// # Errors
    /// `Config` with the argument's name, or `credentials` if there is no proof or more than one; any other
    /// [`PrebindError`]. No session is left behind on the server.
    pub fn prebind(&self, jid: &str, credentials: HashMap<String, Value>) -> Result<Session> {
        let credentials = || prebind::Credentials::from_named(named(credentials));
        let account = contained(|| prebind::Account::new(jid, credentials()?))?;
        watched(self.1.clone(), || self.0.prebind(&account)).map(session)
    }

    /// What was learned of the server, for the option `profile` of another client. Nothing in it is
    /// secret.
    #[must_use]
    pub fn profile(&self) -> String {
        self.0.profile()
    }

    /// Ends a session that no browser has attached to yet.
    ///
    /// # Errors
    /// `Terminated` with `item-not-found` if the server does not know the session, or not with this RID;
    /// the kinds of a failed connection.
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

/// The value of an option or a credential. Times are numbers of seconds. As text it shows nothing of it.
#[derive(uniffi::Enum)]
#[uniffi::export(Debug, Display)]
pub enum Value {
    /// None, where an option has a default that is something.
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
        /// An authenticated session, ready for a browser to attach to. Who knows SID and RID has it: as text
        /// it shows neither, nor cookies and token.
        #[derive(uniffi::Record)]
        #[uniffi::export(Debug, Display)]
        pub struct Session { $($(#[$about])* pub $name: $type,)+ }

        // All at once: what has to be asked for costs some languages more than the call itself.
        fn session($it: prebind::Session) -> Session { Session { $($name: $get,)+ } }

        #[uniffi::export]
        impl Session {
            /// `{"jid":…,"sid":…,"rid":…}`: what browser clients ask for.
            pub fn to_json(&self) -> String { self.opened.0.to_json() }
        }
    };
}

session! { it =>
    /// The full JID the server bound.
    jid: String = it.jid().to_string(),
    /// The session ID.
    sid: String = it.sid().to_owned(),
    /// The request ID to send next: what Strophe's and Converse's `attach` take.
    rid: u64 = it.rid(),
    /// The request ID that was sent last, for clients that add one themselves.
    last_rid: u64 = it.last_rid(),
    /// Within which the browser must attach, if the server said so.
    inactivity: Option<std::time::Duration> = it.inactivity(),
    /// How long the server may hold a request.
    wait: std::time::Duration = it.wait(),
    /// How many requests the server may hold.
    hold: u32 = it.hold(),
    /// How many requests may be open at once, if the server said so.
    requests: Option<u32> = it.requests(),
    /// The SASL mechanism that was used.
    mechanism: String = it.mechanism().to_owned(),
    /// How many times a request was sent and its answer waited for.
    round_trips: u32 = it.round_trips(),
    /// The cookies that a load balancer in front of the server set. Where the browser reaches the server
    /// through it, it must present them too.
    cookies: Vec<Cookie> = it.cookies().iter().map(cookie).collect(),
    /// The token to log in with next time, to be kept for this account as carefully as a password; none
    /// if what was kept cannot be used.
    fast_token: Option<String> = it.fast_token().map(FastToken::to_text),
    /// The session itself.
    opened: std::sync::Arc<Opened> = Opened(it).into(),
}

/// A cookie that a load balancer in front of the server set. As text it shows only its name.
#[derive(uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The path for which it was set; empty if the balancer gave none.
    pub path: String,
}

fn cookie(it: &prebind::Cookie) -> Cookie {
    Cookie { name: it.name.clone(), value: it.value().to_owned(), path: it.path.clone() }
}

/// A session as the library has it.
#[derive(uniffi::Object)]
pub struct Opened(prebind::Session);

shown!(Session: Debug Display => |it: &Session| format!("{:?}", it.opened.0));
shown!(Cookie: Debug Display => |it: &Cookie| it.name.clone());
shown!(Value: Debug Display => |_: &Value| "***".to_owned());

macro_rules! errors {
    ($($(#[$about:meta])* $kind:ident { $($field:ident: $type:ty = $get:expr),* })+) => {
        /// Why there is no session. The message names the cause and the remedy in one sentence; no secret is
        /// in it or in anything else here.
        #[derive(Debug, thiserror::Error, uniffi::Error)]
        #[error("{}", .details.message)]
        #[expect(missing_docs, reason = "the fields are said to be what they are by their names")]
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
    /// A bad URL, JID, credential or option; nothing was sent.
    Config { field: String = field.into() }
    /// No connection: name lookup, TCP, TLS, proxy; or it broke.
    Connect { phase: String = phase.to_string() }
    /// The time was over, or calls fail at once after repeated failures to connect.
    Timeout { phase: String = phase.to_string() }
    /// The answer is not BOSH: another status, a web page, a redirect.
    Http { status: u16 = status, location: Option<String> = location }
    /// The answer is not XML, or not what XEP-0124 and XEP-0206 say.
    Protocol { expected: String = expected.into() }
    /// The server ended the session; see the condition.
    Terminated {}
    /// No SASL mechanism that both sides accept.
    Mechanism { offered: Vec<String> = offered, allowed: Vec<String> = allowed }
    /// The server refused the login; see the condition.
    Auth {}
    /// The server did not prove that it knows the account's secret, or was tampered with.
    ServerUnverified { check: String = check.to_string() }
    /// The server refused to bind a resource, or bound a JID of somebody else.
    Bind {}
    /// A defect of this library.
    Internal {}
}

/// What every error has.
#[derive(Debug, uniffi::Record)]
pub struct Details {
    /// Cause and remedy in one sentence.
    pub message: String,
    /// Where in the exchange.
    pub stage: String,
    /// The condition that the server named, for example `not-authorized`.
    pub condition: Option<String>,
    /// The server's own words.
    pub text: Option<String>,
    /// What may be done next: `no`, `after-config-change`, `fresh-session` (at once) or `later`.
    pub retry: String,
    /// How long to wait before the next call: as the server asks (`Retry-After`), or until other calls have ended.
    pub retry_after: Option<std::time::Duration>,
}
