//! Every option of [`Config`], once: its name, what it takes, and how it is set and read.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::named_value::NamedValue;
use super::nearest::nearest;
use super::parameter::{Parameter, ValueType};
use super::value::Value;
use crate::config::{ClientCertificate, Config, IpFamily, PasswordMechanism};
use crate::error::{Error, Result, address, shortened};
use crate::secret::Secret;

struct Row {
    name: &'static str,
    takes: ValueType,
    is_optional: bool,
    is_secret: bool,
    about: &'static str,
    set: fn(&mut Config, &NamedValue) -> Result<()>,
    value: fn(&Config) -> Value,
}

/// Rows that are named after the fields they stand for.
macro_rules! rows {
    ($($field:ident: $type:ty = $takes:expr, $about:literal;)+) => {
        &[$(Row {
            name: stringify!($field),
            takes: $takes,
            is_optional: <$type as Field>::IS_OPTIONAL,
            is_secret: <$type as Field>::IS_SECRET,
            about: $about,
            set: |config, given| <$type>::from_given(given).map(|value| config.$field = value),
            value: |config| config.$field.to_value(),
        }),+]
    };
}

/// No page waits longer: a time beyond an hour is a mistake.
const LONGEST: u32 = 3600;

/// No machine has more workers of one site: a number beyond that is a mistake.
const MANY: u32 = 10_000;

/// A time limit. Nothing can be done in no time.
const TIME: ValueType = ValueType::Seconds { zero: false, most: LONGEST };

static OPTIONS: &[Row] = rows! {
    lang: Option<String> = ValueType::Text,
        "The language of the server's messages (`xml:lang` of the session).";
    wait: u16 = ValueType::Count { least: 1, most: u16::MAX as u32 },
        "How many seconds the server may hold a request; this also applies to the browser, and many \
         proxies cut requests held longer than 60 s.";
    hold: u8 = ValueType::Count { least: 1, most: u8::MAX as u32 },
        "How many requests the server may hold; browser clients expect 1.";
    route: Option<String> = ValueType::Text,
        "Where a separate connection manager finds the XMPP server, for example `xmpp:example.org:9999`.";
    resource: Option<String> = ValueType::Text,
        "The resource to ask for if the JID has none; without it the server makes a new one each time, so \
         that tabs do not throw each other out.";
    weakest_mechanism: PasswordMechanism = ValueType::Choice { values: &PASSWORD_MECHANISMS },
        "The weakest mechanism a password may be used with.";
    digest_md5: bool = ValueType::Flag,
        "Whether to use the obsolete DIGEST-MD5 with a server that has no SCRAM.";
    allow_cleartext: bool = ValueType::Flag,
        "Whether to send a password or token over plain http to another machine.";
    fast_tokens: bool = ValueType::Flag,
        "Whether to log in by SASL2, where the server offers it, and to ask for a token that replaces the password \
         in later calls, `Session.fast_token` (FAST, XEP-0484; Prosody has it from version 13 on).";
    iterations: RangeInclusive<u32> = ValueType::Range { least: 1, most: u32::MAX },
        "The fewest and the most SCRAM iterations a server may ask for.";
    scram_cache: usize = ValueType::Count { least: 0, most: u32::MAX },
        "How many users' SCRAM keys, but not passwords, to cache from a login that succeeds until one with them \
         fails, so that they need not be derived at each login; 0 caches none.";
    headers: Vec<(String, Secret)> = ValueType::Headers,
        "HTTP headers to add to every request.";
    ca: Option<Vec<u8>> = ValueType::Pem,
        "CA certificates to trust instead of the operating system's.";
    client_certificate: Option<ClientCertificate> = ValueType::Certificate,
        "The client certificate to present to the server, with those that lead to its authority, and its private \
         key.";
    proxy: Option<Secret> = ValueType::Text,
        "The `http://`, `https://` or `socks5://` address of a proxy; environment variables are ignored.";
    ip_family: IpFamily = ValueType::Choice { values: &IP_FAMILIES },
        "Which addresses of the host to use.";
    deadline: Duration = TIME,
        "How long a call may take in all, including ending the session after a failure.";
    resolve_timeout: Duration = TIME,
        "How long a name lookup may take.";
    connect_timeout: Duration = TIME,
        "How long TCP and TLS may take to connect.";
    request_timeout: Duration = TIME,
        "How long one request may take.";
    max_calls: usize = ValueType::Count { least: 1, most: u32::MAX },
        "How many calls may open a session at once in each process; a call beyond that waits for up to half of its \
         `deadline`, then fails.";
    workers: u32 = ValueType::Count { least: 0, most: MANY },
        "How many requests this process of a web site serves at once, 1 for a sync worker of gunicorn or 5 for a \
         process of Puma with five threads; the processes with the same parent then open sessions with no more than \
         half of their workers, beyond which a call fails at once, and share what they know of a server that is \
         away; 0 if this is no web site.";
    max_host_calls: u32 = ValueType::Count { least: 0, most: MANY },
        "How many calls may open a session at once on this machine, in all processes of this user that set this or \
         `workers` for this URL, instead of half of the workers; 0 for half of the workers.";
    fail_fast_after: u32 = ValueType::Count { least: 0, most: u32::MAX },
        "How many calls, and at least half of the latest, must time out or fail to connect before calls fail at \
         once for `fail_fast_for`; 0 turns this off.";
    fail_fast_for: Duration = ValueType::Seconds { zero: true, most: LONGEST },
        "How long calls fail at once before one of them tries the server again; the pause doubles, up to a \
         minute, while it is not reached.";
    max_reply: usize = ValueType::Count { least: 1, most: u32::MAX },
        "The most bytes of one reply.";
    learn: bool = ValueType::Flag,
        "Whether to use the shorter exchange, one to four round trips instead of four or five, once this server has \
         proved to support it.";
    relearn_after: Duration = TIME,
        "How long, at most, to stay with the full exchange after a shorter one failed again and again.";
    profile: Option<String> = ValueType::Text,
        "What an earlier client of this URL learned, as `Client.profile` gave it; an unusable profile is ignored.";
};

const PASSWORD_MECHANISMS: [&str; PasswordMechanism::ALL.len()] = {
    let mut names = [""; PasswordMechanism::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = PasswordMechanism::ALL[at].as_str();
        at += 1;
    }
    names
};

const IP_FAMILIES: [&str; IpFamily::ALL.len()] = {
    let mut names = [""; IpFamily::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = IpFamily::ALL[at].as_str();
        at += 1;
    }
    names
};

pub(super) fn is_name(name: &str) -> bool {
    OPTIONS.iter().any(|row| row.name == name)
}

/// Whether one line of text can say it, which may be seen by many: no secret, and nothing that programs
/// keep for each other.
pub(super) fn is_setting(name: &str) -> bool {
    let is_line = |takes| {
        use ValueType::{Certificate, Choice, Count, Flag, Headers, Pem, Range, Record, Seconds, Text};
        match takes {
            Flag | Count { .. } | Range { .. } | Seconds { .. } | Choice { .. } | Text => true,
            Pem | Certificate | Headers | Record { .. } => false,
        }
    };
    let row = OPTIONS.iter().find(|row| row.name == name && name != "profile");
    row.is_some_and(|row| !row.is_secret && is_line(row.takes))
}

impl Config {
    /// The options that [`from_named`](Self::from_named) takes, as data: one for each field but `url`,
    /// in their order.
    ///
    /// ```
    /// let wait = prebind::Config::options().find(|option| option.name == "wait").unwrap();
    /// assert_eq!(wait.takes.to_string(), "a whole number from 1 to 65,535");
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "there is a URL that is one")]
    pub fn options() -> impl Iterator<Item = Parameter> {
        let defaults = Self::new("https://localhost/").expect("the URL is one");
        OPTIONS.iter().map(move |row| Parameter {
            name: row.name,
            takes: row.takes,
            is_optional: row.is_optional,
            default: Some((row.value)(&defaults)),
            about: row.about,
        })
    }

    /// The configuration for the BOSH endpoint at `url` with these options, and the defaults for others.
    ///
    /// Times are numbers of seconds, `iterations` a list of the least and the most, `headers` a
    /// map, `client_certificate` a list of certificate and key, certificates bytes or text,
    /// `ip_family` one of `any`, `ipv4` and `ipv6`.
    ///
    /// # Errors
    /// As [`new`](Self::new); `Config` with the option's name if the value is of another type or beyond
    /// that type's limits, or with `options` if there is no option of that name. [`Client::new`] checks
    /// the rest, such as certificates.
    ///
    /// [`Client::new`]: crate::Client::new
    pub fn from_named(url: &str, options: impl IntoIterator<Item = (String, Value)>) -> Result<Self> {
        let mut config = Self::new(url)?;
        options.into_iter().try_for_each(|(name, value)| config.set(&name, value))?;
        Ok(config)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<()> {
        let Some(row) = OPTIONS.iter().find(|row| row.name == name) else {
            let known: Vec<_> = OPTIONS.iter().map(|row| row.name).collect();
            let unknown = shortened(&address(name), 40);
            let problem = nearest(name, &known).map_or_else(
                || format!("`{unknown}` is none of them; there are only {}", known.join(", ")),
                |near| format!("`{unknown}` is none of them; did you mean `{near}`?"),
            );
            return Err(Error::config("options", problem));
        };
        let given = NamedValue { name: row.name, takes: &row.takes, value };
        if row.takes.fits(&given.value) { (row.set)(self, &given) } else { Err(given.refused()) }
    }

    /// Refuses a field that is beyond the limits of its option.
    pub(crate) fn check_limits(&self) -> Result<()> {
        for row in OPTIONS.iter().filter(|row| row.takes.has_limits()) {
            let given = NamedValue { name: row.name, takes: &row.takes, value: (row.value)(self) };
            if !row.takes.fits(&given.value) {
                return Err(given.refused());
            }
        }
        Ok(())
    }
}

/// The type of a field of [`Config`].
trait Field: Sized {
    /// Whether nothing is a value.
    const IS_OPTIONAL: bool = false;

    /// Whether a value may hold a secret.
    const IS_SECRET: bool = false;

    /// The field's value for one that fits its option.
    fn from_given(given: &NamedValue) -> Result<Self>;

    /// What would be given for this value.
    fn to_value(&self) -> Value;
}

impl Field for bool {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.flag()
    }

    fn to_value(&self) -> Value {
        (*self).into()
    }
}

macro_rules! counts {
    ($($type:ty)+) => {$(
        impl Field for $type {
            fn from_given(given: &NamedValue) -> Result<Self> {
                given.count()
            }

            fn to_value(&self) -> Value {
                Value::Whole(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )+};
}

counts! { u8 u16 u32 usize }

impl Field for RangeInclusive<u32> {
    fn from_given(given: &NamedValue) -> Result<Self> {
        let [least, most] = given.pair()?;
        Ok(least.count()?..=most.count()?)
    }

    fn to_value(&self) -> Value {
        Value::List(vec![self.start().to_value(), self.end().to_value()])
    }
}

impl Field for Duration {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.seconds()
    }

    fn to_value(&self) -> Value {
        match i64::try_from(self.as_secs()) {
            Ok(seconds) if self.subsec_nanos() == 0 => seconds.into(),
            _ => self.as_secs_f64().into(),
        }
    }
}

impl Field for PasswordMechanism {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.one_of(&Self::ALL, Self::as_str)
    }

    fn to_value(&self) -> Value {
        self.as_str().to_owned().into()
    }
}

impl Field for IpFamily {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.one_of(&Self::ALL, Self::as_str)
    }

    fn to_value(&self) -> Value {
        self.as_str().to_owned().into()
    }
}

impl Field for String {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.text()
    }

    fn to_value(&self) -> Value {
        self.clone().into()
    }
}

impl Field for Secret {
    const IS_SECRET: bool = true;

    fn from_given(given: &NamedValue) -> Result<Self> {
        given.secret()
    }

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Field for Vec<u8> {
    fn from_given(given: &NamedValue) -> Result<Self> {
        given.bytes()
    }

    fn to_value(&self) -> Value {
        self.clone().into()
    }
}

impl Field for ClientCertificate {
    const IS_SECRET: bool = true;

    fn from_given(given: &NamedValue) -> Result<Self> {
        let [chain, key] = given.pair()?;
        // What is not text is no PEM, which is found out where both are read.
        let key = Secret::from(String::from_utf8_lossy(&key.bytes()?).into_owned());
        Ok(Self { chain: chain.bytes()?, key })
    }

    fn to_value(&self) -> Value {
        Value::List(vec![self.chain.to_value(), self.key.to_value()])
    }
}

impl Field for Vec<(String, Secret)> {
    const IS_SECRET: bool = true;

    fn from_given(given: &NamedValue) -> Result<Self> {
        given.fields()?.into_iter().map(|(name, value)| Ok((name, value.secret()?))).collect()
    }

    fn to_value(&self) -> Value {
        Value::Map(self.iter().map(|(name, value)| (name.clone(), value.to_value())).collect())
    }
}

impl<T: Field> Field for Option<T> {
    const IS_OPTIONAL: bool = true;
    const IS_SECRET: bool = T::IS_SECRET;

    fn from_given(given: &NamedValue) -> Result<Self> {
        match given.value {
            Value::Nothing => Ok(None),
            _ => T::from_given(given).map(Some),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Nothing, T::to_value)
    }
}

#[cfg(test)]
mod tests;
