//! The core's rules for the address that a chat server asks, with plain text in and out.

use std::collections::HashMap;

use prebind::binding::{self, contained};
use prebind::extauth::{self, MAX_QUESTION, Next};

use crate::web::{WebAnswer, told};
use crate::{Result, Value, named};

/// A request of a chat server, as the site's web framework knows it. As text it shows nothing of it.
#[derive(uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Inquiry {
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path; its last part counts.
    pub path: String,
    /// The address after its `?`, as it came.
    pub query: String,
    /// The IP address of the machine that asks, as the framework believes it with whatever proxy it trusts.
    pub address: String,
    /// Need only have those of [`asked_headers`].
    pub headers: HashMap<String, String>,
    /// Need not have more than [`asked_size`] bytes and one.
    pub body: Vec<u8>,
}

crate::shown!(Inquiry: Debug Display => |_: &Inquiry| "***".to_owned());

/// The headers of a request that matter.
#[uniffi::export]
#[must_use]
pub fn asked_headers() -> Vec<String> {
    extauth::Inquiry::HEADERS.map(String::from).into()
}

/// How many bytes a question has at most.
#[uniffi::export]
#[must_use]
pub fn asked_size() -> u64 {
    MAX_QUESTION as u64
}

/// What a chat server asked.
#[derive(uniffi::Object)]
pub struct Asked(extauth::Asked);

/// What the site has to find out for the answer.
#[derive(Debug, uniffi::Enum)]
pub enum AskedNext {
    /// Nothing: the answer is no.
    Refuse,
    /// Nothing: the answer is yes.
    Accept,
    /// Whether this is new to the site's cache, to which it is added in one step.
    Once {
        /// What to add.
        entry: AskedEntry,
    },
    /// Whether the user exists.
    Exists {
        /// The user's bare JID.
        jid: String,
        /// The name that the JID was made of, in lower case.
        user: String,
    },
}

/// A key of the site's cache.
#[derive(Debug, uniffi::Record)]
pub struct AskedEntry {
    /// The key.
    pub key: String,
    /// After how many seconds it may be forgotten.
    pub seconds: u64,
}

/// A line for the log.
#[derive(Debug, uniffi::Record)]
pub struct AskedComplaint {
    /// `warning` or `info`.
    pub level: String,
    /// The line.
    pub text: String,
}

fn entry(it: &extauth::Entry) -> AskedEntry {
    AskedEntry { key: it.key.clone(), seconds: it.seconds }
}

#[uniffi::export]
impl Asked {
    /// What was asked, by the settings of the site: `secret`, `jwt` and, if wanted, `addresses`. `now` is in seconds since
    /// 1970.
    ///
    /// # Errors
    /// `Config` if a setting is wrong.
    #[uniffi::constructor]
    #[expect(clippy::needless_pass_by_value, reason = "UniFFI hands a record over so")]
    pub fn new(settings: HashMap<String, Value>, inquiry: Inquiry, now: u64) -> Result<Self> {
        let given = extauth::Inquiry {
            method: &inquiry.method,
            path: &inquiry.path,
            query: &inquiry.query,
            address: &inquiry.address,
            body: &inquiry.body,
            ..extauth::Inquiry::default()
        };
        let headers = inquiry.headers.iter();
        let given = headers.fold(given, |given, (name, value)| given.with_header(name, value));
        let settings = binding::Value::Map(named(settings));
        Ok(Self(contained(|| binding::asked(settings, &given, now))?))
    }

    /// What has to be found out for the answer.
    #[must_use]
    pub fn next(&self) -> AskedNext {
        match self.0.next() {
            Next::Refuse => AskedNext::Refuse,
            Next::Accept => AskedNext::Accept,
            Next::Once(it) => AskedNext::Once { entry: entry(it) },
            Next::Exists(jid) => {
                AskedNext::Exists { jid: jid.to_string(), user: jid.to_user().unwrap_or_default() }
            }
        }
    }

    /// Where the question is counted if it is refused, by whether yes was found out.
    #[must_use]
    pub fn counter(&self, is_yes: bool) -> Option<AskedEntry> {
        self.0.counter(is_yes).as_ref().map(entry)
    }

    /// The answer, by whether yes was found out, and by the count of refused questions.
    #[must_use]
    pub fn answer(&self, is_yes: bool, count: Option<u64>) -> WebAnswer {
        told(&self.0.answer(is_yes, count))
    }

    /// What to log with the same answer.
    #[must_use]
    pub fn complaint(&self, is_yes: bool, count: Option<u64>) -> Option<AskedComplaint> {
        let (level, text) = self.0.complaint(is_yes, count)?;
        Some(AskedComplaint { level: level.to_string(), text })
    }

    /// The answer if the site's own code has failed.
    #[must_use]
    pub fn broken(&self) -> WebAnswer {
        told(&self.0.broken())
    }
}
