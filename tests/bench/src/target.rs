//! What the calls are made to.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use faults::Delay;
use prebind::{Account, Client, Config, Credentials, ErrorKind};
use servers::Server;
use url::Url;

use crate::{Error, Result};

/// How the password is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    Plain,
    Scram,
}

impl Login {
    pub(crate) const BOTH: [Self; 2] = [Self::Plain, Self::Scram];

    pub(crate) fn account(self, jid: &str, password: &str) -> Result<Account> {
        let credentials = match self {
            Self::Plain => Credentials::plain(password),
            Self::Scram => Credentials::password(password),
        };
        Ok(Account::new(jid, credentials)?)
    }
}

impl FromStr for Login {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::BOTH.into_iter().find(|login| login.to_string() == name);
        known.ok_or_else(|| format!("no login is called {name}").into())
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Plain { "PLAIN" } else { "SCRAM" })
    }
}

pub(crate) const JID: &str = "alice@localhost";
pub(crate) const PASSWORD: &str = "wonder-1";

/// A server at the end of a path.
pub(crate) struct Target<'a> {
    pub(crate) server: &'a Server,
    pub(crate) login: Login,
    pub(crate) is_https: bool,
    pub(crate) delay: Duration,
    pub(crate) url: String,
    path: Option<Delay>,
    profile: String,
    /// Ends sessions, not over the path.
    client: Client,
}

impl<'a> Target<'a> {
    /// Right before it.
    pub(crate) fn new(server: &'a Server, login: Login, is_https: bool) -> Result<Self> {
        let url = if is_https { &server.https_url } else { &server.http_url };
        Ok(Self {
            server,
            login,
            is_https,
            delay: Duration::ZERO,
            url: url.clone(),
            path: None,
            profile: String::new(),
            client: Client::new(Config::new(&server.http_url)?)?,
        })
    }

    /// The same at the end of a path, on which a round trip takes `delay`, and each way up to
    /// `jitter` more.
    pub(crate) fn delayed(mut self, delay: Duration, jitter: Duration) -> Result<Self> {
        if delay.is_zero() && jitter.is_zero() {
            return Ok(self);
        }
        let path = self.path.insert(faults::delay(address(&self.url)?, delay / 2, jitter));
        self.url = path.through(&self.url);
        self.delay = delay;
        Ok(self)
    }

    /// The same, reached by another URL.
    pub(crate) fn reached_by(mut self, url: String) -> Self {
        self.url = url;
        self
    }

    /// The same, known from what another process learned of it.
    pub(crate) fn known(mut self, calls: usize) -> Result<Self> {
        let client = Client::new(config(&self.url, &self.server.ca_pem)?)?;
        let account = self.login.account(JID, PASSWORD)?;
        for _ in 0..calls {
            let session = client.prebind(&account)?;
            self.end(&[(session.sid().to_owned(), session.rid())])?;
        }
        self.profile = client.profile();
        Ok(self)
    }

    pub(crate) fn environment(&self) -> [(&'static str, OsString); 6] {
        [
            ("PREBIND_URL", self.url.clone().into()),
            ("PREBIND_JID", JID.into()),
            ("PREBIND_PASSWORD", PASSWORD.into()),
            ("PREBIND_MECHANISM", self.login.to_string().into()),
            ("PREBIND_CA", self.server.ca_pem.clone().into()),
            ("PREBIND_PROFILE", self.profile.clone().into()),
        ]
    }

    /// Ends sessions, so that none is pushed out by the server later, in somebody's measured time.
    /// Some may be gone already: ejabberd keeps ten of a user.
    pub(crate) fn end(&self, sessions: &[(String, u64)]) -> Result<()> {
        for (sid, rid) in sessions {
            match self.client.terminate_by(sid, *rid) {
                Err(error) if *error.kind() != ErrorKind::Terminated => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{} {scheme} {} {} ms", self.server.kind, self.login, self.delay.as_millis())
    }
}

/// The options that every client of the library is given here.
pub(crate) fn config(url: &str, ca: &std::path::Path) -> Result<Config> {
    let mut config = Config::new(url)?;
    config.ca = Some(fs::read(ca)?);
    // A machine under load is measured as well.
    config.deadline = Duration::from_secs(30);
    config.request_timeout = Duration::from_secs(30);
    config.fail_fast_after = 0;
    Ok(config)
}

pub(crate) fn address(url: &str) -> Result<SocketAddr> {
    let url = Url::parse(url)?;
    Ok(*url.socket_addrs(|| None)?.first().ok_or("a URL without an address")?)
}
