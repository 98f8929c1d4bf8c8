//! What the calls are made to.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use faults::Delay;
use prebind::{Account, Client, Config, Credentials, ErrorKind, FastToken};
use servers::{Server, hosts};
use url::Url;

use crate::{Error, Result};

/// How the right to the account is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    Plain,
    Scram,
    /// Without an account.
    Anonymous,
    /// By a token of OAuth.
    XOAuth2,
    /// By a token in place of the password.
    Fast,
}

impl Login {
    pub(crate) const ALL: [Self; 5] = [Self::Plain, Self::Scram, Self::Anonymous, Self::XOAuth2, Self::Fast];
    pub(crate) const WITH_PASSWORD: [Self; 2] = [Self::Plain, Self::Scram];

    /// The password, or a token that the server gives for it.
    pub(crate) fn proof(self, server: &Server) -> Result<String> {
        match self {
            Self::Plain | Self::Scram | Self::Anonymous => return Ok(PASSWORD.to_owned()),
            Self::XOAuth2 => return Ok(server.oauth_token(self.jid())?),
            Self::Fast => {}
        }
        let client = Client::new(config(&server.http_url, &server.ca_pem, self)?)?;
        let session = client.prebind(&Self::Scram.account(self.jid(), PASSWORD)?)?;
        client.terminate(&session)?;
        Ok(session.fast_token().ok_or("the server gave no token")?.to_text())
    }

    /// The account that logs in so, or its domain.
    pub(crate) fn jid(self) -> &'static str {
        match self {
            Self::Plain | Self::Scram | Self::Fast => "alice@localhost",
            Self::Anonymous => hosts::ANONYMOUS,
            Self::XOAuth2 => "alice@oauth.local",
        }
    }

    pub(crate) fn account(self, jid: &str, proof: &str) -> Result<Account> {
        let credentials = match self {
            Self::Plain => Credentials::plain(proof),
            Self::Scram => Credentials::password(proof),
            Self::Anonymous => Credentials::anonymous(),
            Self::XOAuth2 => Credentials::x_oauth2(proof),
            Self::Fast => Credentials::fast(FastToken::from_text(proof)?),
        };
        Ok(Account::new(jid, credentials)?)
    }
}

impl FromStr for Login {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|login| login.to_string() == name);
        known.ok_or_else(|| format!("no login is called {name}").into())
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "PLAIN",
            Self::Scram => "SCRAM",
            Self::Anonymous => "ANONYMOUS",
            Self::XOAuth2 => "X-OAUTH2",
            Self::Fast => "FAST",
        })
    }
}

pub(crate) const PASSWORD: &str = "wonder-1";

/// A server at the end of a path.
pub(crate) struct Target<'a> {
    pub(crate) server: &'a Server,
    pub(crate) login: Login,
    pub(crate) is_https: bool,
    pub(crate) delay: Duration,
    pub(crate) url: String,
    proof: String,
    path: Option<Delay>,
    profile: String,
    /// Ends sessions, not over the path.
    client: Client,
}

impl<'a> Target<'a> {
    /// Right before it.
    pub(crate) fn new(server: &'a Server, login: Login, proof: &str, is_https: bool) -> Result<Self> {
        let url = if is_https { &server.https_url } else { &server.http_url };
        Ok(Self {
            server,
            login,
            is_https,
            delay: Duration::ZERO,
            url: url.clone(),
            proof: proof.to_owned(),
            path: None,
            profile: String::new(),
            client: Client::new(Config::new(&server.http_url)?)?,
        })
    }

    /// The same at the end of a path, on which a round trip takes `delay`, opening a connection takes
    /// one more, and each way takes up to `jitter` more.
    pub(crate) fn delayed(mut self, delay: Duration, jitter: Duration) -> Result<Self> {
        if delay.is_zero() && jitter.is_zero() {
            return Ok(self);
        }
        let path = self.path.insert(faults::distance(address(&self.url)?, delay / 2, jitter));
        self.url = path.through(&self.url);
        self.delay = delay;
        Ok(self)
    }

    /// The same, reached by way of a proxy before it.
    pub(crate) fn reached_by(mut self, proxy: SocketAddr) -> Result<Self> {
        let port = address(&self.url)?.port().to_string();
        self.url = self.url.replace(&port, &proxy.port().to_string());
        Ok(self)
    }

    /// The same, known from what another process learned of it.
    pub(crate) fn known(mut self, calls: usize) -> Result<Self> {
        let client = Client::new(config(&self.url, &self.server.ca_pem, self.login)?)?;
        let account = self.login.account(self.login.jid(), &self.proof)?;
        for _ in 0..calls {
            let session = client.prebind(&account)?;
            self.end(&[(session.sid().to_owned(), session.rid())])?;
        }
        self.profile = client.profile();
        Ok(self)
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    pub(crate) fn environment(&self) -> [(&'static str, OsString); 6] {
        [
            ("PREBIND_URL", self.url.clone().into()),
            ("PREBIND_JID", self.login.jid().into()),
            ("PREBIND_PASSWORD", self.proof.clone().into()),
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
        write!(f, "{} {} {} {} ms", self.server.kind, self.scheme(), self.login, self.delay.as_millis())
    }
}

/// The options that every client of the library is given here.
pub(crate) fn config(url: &str, ca: &Path, login: Login) -> Result<Config> {
    // A machine under load is measured as well.
    let patience = Duration::from_secs(30);
    Ok(Config::new(url)?
        .with_fast_tokens(login == Login::Fast)
        .with_ca(Some(fs::read(ca)?))
        .with_deadline(patience)?
        .with_request_timeout(patience)?
        .with_fail_fast_after(0))
}

pub(crate) fn address(url: &str) -> Result<SocketAddr> {
    let url = Url::parse(url)?;
    Ok(*url.socket_addrs(|| None)?.first().ok_or("a URL without an address")?)
}
