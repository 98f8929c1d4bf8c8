//! Everything that a test needs to know about a running server.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Kind, ejabberd,
    error::{Error, Result},
    hosts, tokens,
};

/// A running server: its URLs, its accounts, and the certificates.
///
/// As JSON it can be passed to another process, which can ask the server the same questions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Info {
    /// The program.
    pub kind: Kind,
    /// The process id of the server itself.
    pub pid: u32,
    /// The BOSH URL without TLS.
    pub http_url: String,
    /// The BOSH URL over TLS, with a certificate for `localhost` and 127.0.0.1.
    pub https_url: String,
    /// The port of 127.0.0.1 for XMPP over TCP without TLS, with [`crate::Options::tcp`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_port: Option<u16>,
    /// The authority to trust.
    pub ca_pem: PathBuf,
    /// The certificate for EXTERNAL as alice@cert.local.
    pub client_cert: PathBuf,
    /// The key of that certificate.
    pub client_key: PathBuf,
    /// Every host with the mechanisms it offers over https, sorted by name.
    pub hosts: BTreeMap<String, Vec<String>>,
    /// The password of each user, which is the same on every host that keeps passwords.
    pub accounts: BTreeMap<String, String>,
    /// A token for each JID that logs in with a token: a JWT (as the password), X-OAUTH2 or OAUTHBEARER.
    pub tokens: BTreeMap<String, String>,
    /// The key, a JWK, that a site signs tokens with, with [`crate::Options::site_tokens`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_key: Option<String>,
    /// Where ejabberd's API is, which takes the credential of alice@localhost as the administrator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// The URL where the server answers questions about itself. Its path is a secret.
    pub(crate) control_url: String,
}

/// The users and sessions that are connected to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// The full JIDs that are bound.
    pub jids: Vec<String>,
    /// How many BOSH sessions there are, including those without a login. Vysper counts only sessions with a
    /// JID.
    pub streams: usize,
}

impl Info {
    /// Asks the server which users are connected.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn sessions(&self) -> Result<Sessions> {
        match self.kind {
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => ejabberd::sessions(&self.control_url),
            // This project's own module or handler answers.
            Kind::Prosody | Kind::Prosody13 | Kind::Vysper => sessions(&self.control_url),
        }
    }

    /// Waits until nobody is connected, because a server may close a session shortly after it has answered
    /// the request to end it. Returns the sessions that are left when the time limit is reached.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn wait_until_empty(&self, limit: Duration) -> Result<Sessions> {
        let deadline = Instant::now() + limit;
        loop {
            let sessions = self.sessions()?;
            if sessions.is_empty() || Instant::now() >= deadline {
                return Ok(sessions);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Issues a fresh token for X-OAUTH2 that is valid for an hour (ejabberd).
    ///
    /// # Errors
    /// If the server is not ejabberd, or does not answer.
    pub fn oauth_token(&self, jid: &str) -> Result<String> {
        match self.kind {
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => {
                ejabberd::oauth_token(&self.control_url, jid)
            }
            Kind::Prosody | Kind::Prosody13 | Kind::Vysper => {
                Err(Error::NotOffered(format!("{} issues no OAuth tokens", self.kind)))
            }
        }
    }

    /// Has ejabberd run a command of its API, with this JSON, as its operator.
    ///
    /// # Errors
    /// When the server is not ejabberd, or does not do it.
    pub fn command(&self, name: &str, arguments: &Value) -> Result<Value> {
        match self.kind {
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => {
                ejabberd::command(&self.control_url, name, arguments)
            }
            Kind::Prosody | Kind::Prosody13 | Kind::Vysper => {
                Err(Error::NotOffered(format!("{} has no such commands", self.kind)))
            }
        }
    }

    /// Makes an account (ejabberd).
    ///
    /// # Errors
    /// If the server is not ejabberd, or refuses the account.
    pub fn register(&self, host: &str, user: &str, password: &str) -> Result<()> {
        match self.kind {
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => {
                ejabberd::register(&self.control_url, host, user, password)
            }
            Kind::Prosody | Kind::Prosody13 | Kind::Vysper => {
                Err(Error::NotOffered(format!("{} makes accounts only at its start", self.kind)))
            }
        }
    }

    /// Makes ejabberd verify the tokens of `jwt.local` with this key (a JWK) from now on, instead of the key
    /// before.
    ///
    /// # Errors
    /// If the server is not ejabberd, or refuses the key.
    pub fn change_jwt_key(&self, jwk: &str) -> Result<()> {
        match self.kind {
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => {
                let file = self.ca_pem.with_file_name(ejabberd::JWT_KEY_FILE);
                fs::write(file, jwk).map_err(Error::io("write a key"))?;
                ejabberd::reload(&self.control_url)
            }
            Kind::Prosody | Kind::Prosody13 | Kind::Vysper => {
                Err(Error::NotOffered(format!("{} knows no JWT", self.kind)))
            }
        }
    }

    /// Issues a token for each account on the hosts where users log in with a token.
    pub(crate) fn issue_tokens(&mut self) -> Result<()> {
        for (user, _) in hosts::ACCOUNTS {
            let jids = |host| format!("{user}@{host}");
            match self.kind {
                Kind::Prosody | Kind::Prosody13 => {
                    self.tokens.insert(jids(hosts::BEARER), tokens::bearer(user));
                }
                Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => {
                    let (oauth, jwt) = (jids(hosts::OAUTH), jids(hosts::JWT));
                    self.tokens.insert(oauth.clone(), self.oauth_token(&oauth)?);
                    self.tokens.insert(jwt.clone(), tokens::jwt(&jwt, tokens::in_an_hour()));
                }
                Kind::Vysper => {}
            }
        }
        Ok(())
    }
}

impl Sessions {
    /// Whether nobody is connected, and nobody is about to be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jids.is_empty() && self.streams == 0
    }
}

fn sessions(control_url: &str) -> Result<Sessions> {
    let answer = ask(&format!("{control_url}/sessions"), None)?;
    serde_json::from_value(answer).map_err(|error| Error::Control {
        question: "who is connected".to_owned(),
        reason: error.to_string(),
    })
}

/// Asks the server a question about itself. Each question has its own connection, because an open connection
/// must not count among those that a test looks at.
pub(crate) fn ask(url: &str, body: Option<&Value>) -> Result<Value> {
    let unanswered = |reason: String| Error::Control {
        question: url.rsplit('/').next().unwrap_or_default().to_owned(),
        reason,
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .max_idle_connections(0)
        .proxy(None)
        .build()
        .into();
    let response = match body {
        None => agent.get(url).call(),
        Some(body) => agent.post(url).send(body.to_string()),
    };
    let text = response
        .and_then(|mut response| response.body_mut().read_to_string())
        .map_err(|error| unanswered(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unanswered(error.to_string()))
}
