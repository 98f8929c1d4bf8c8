//! The tokens that ejabberd issued, until shortly before they expire.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::api::{Answer, Api};
use super::patience;
use super::recent::Recent;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result, Retry, Stage};
use crate::jid::Jid;
use crate::sasl::XOAuth2Issuer;
use crate::secret::Secret;

/// A site has one; a caller that makes them up must not fill the memory.
const MAX_ISSUERS: usize = 64;

/// JIDs come from accounts; a caller that makes them up must not fill the memory.
const MAX_TOKENS: usize = 10_000;

/// How long before it expires a token is replaced, at most: longer than a login takes.
const MARGIN: Duration = Duration::from_secs(60);

/// The issuers that accounts have named, each with its tokens.
#[derive(Debug, Default)]
pub(super) struct Issued(RwLock<Vec<Arc<Tokens>>>);

#[derive(Debug)]
pub(super) struct Tokens {
    issuer: Arc<XOAuth2Issuer>,
    api: Api,
    by_jid: RwLock<Recent<String, Token>>,
}

#[derive(Debug)]
struct Token {
    secret: Secret,
    /// When it is to be replaced.
    until: Instant,
}

impl Issued {
    /// The tokens of this issuer.
    ///
    /// # Errors
    /// `Config` if its API cannot be reached like this.
    pub(super) fn by(&self, issuer: &Arc<XOAuth2Issuer>, config: &Config) -> Result<Arc<Tokens>> {
        let find = |all: &Vec<Arc<Tokens>>| all.iter().find(|tokens| tokens.issuer == *issuer).cloned();
        if let Some(known) = patience::read(&self.0, find).flatten() {
            return Ok(known);
        }
        let made = Arc::new(Tokens {
            issuer: Arc::clone(issuer),
            api: Api::new(config, XOAuth2Issuer::ARGUMENT, &issuer.api)?,
            by_jid: RwLock::new(Recent::new(MAX_TOKENS)),
        });
        patience::write(&self.0, |all| {
            if all.len() >= MAX_ISSUERS {
                all.remove(0);
            }
            all.push(Arc::clone(&made));
        });
        Ok(made)
    }
}

impl Tokens {
    /// The token for this account that is kept, if there is one.
    pub(super) fn kept(&self, jid: &Jid) -> Option<Secret> {
        let jid = jid.bare().to_string();
        let good = |tokens: &Recent<String, Token>| {
            let token = tokens.get(&jid).filter(|token| Instant::now() < token.until)?;
            Some(token.secret.clone())
        };
        patience::read(&self.by_jid, good).flatten()
    }

    /// A new token for this account, which is kept.
    ///
    /// # Errors
    /// What the API answers instead, or why it does not.
    pub(super) fn fetch(&self, jid: &Jid, until: Instant) -> Result<Secret> {
        let lifetime = self.issuer.lifetime;
        let (jid, asked_at) = (jid.bare().to_string(), Instant::now());
        // A list of one is what every version takes.
        let arguments = IssueToken { jid: &jid, ttl: lifetime.as_secs(), scopes: ["sasl_auth"] };
        let answer = match self.api.run("oauth_issue_token", &arguments, "", until)? {
            Answer::Done(answer) => answer,
            Answer::Failed(error) => return Err(error),
            Answer::Conflict => return Err(no_token()),
        };
        let secret =
            answer.get("token").and_then(serde_json::Value::as_str).filter(|token| !token.is_empty());
        let secret = Secret::from(secret.ok_or_else(no_token)?);
        let use_for = lifetime.saturating_sub(MARGIN.min(lifetime / 4));
        let token = Token { secret: secret.clone(), until: asked_at + use_for };
        patience::write(&self.by_jid, |tokens| tokens.put(jid, token));
        Ok(secret)
    }
}

#[derive(Serialize)]
struct IssueToken<'a> {
    jid: &'a str,
    ttl: u64,
    scopes: [&'a str; 1],
}

fn no_token() -> Error {
    let kind = ErrorKind::Http { status: 200, location: None };
    let message = "what answers oauth_issue_token sends no token: check that the `url` of `x_oauth2_issuer` is ejabberd's \
                   API";
    Error::new(kind, Stage::Create, Retry::AfterConfigChange, message).of_another_server()
}

#[cfg(test)]
pub(super) fn examples() -> [Error; 1] {
    [no_token()]
}
