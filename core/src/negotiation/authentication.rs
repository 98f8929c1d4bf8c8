//! The login among the other steps: how it begins, what comes with its success, and a token that is
//! refused.

use super::{Login, Negotiation};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::fast::FastToken;
use crate::plan::Plan;
use crate::sasl::{Mechanism, Way};
use crate::sasl2::{self, Success, TokenUse};
use crate::secret::Secret;
use crate::session::Session;
use crate::stanza::{self, Features};

impl Negotiation<'_> {
    pub(super) fn begin_login(&mut self) -> Result<Secret> {
        let (config, account) = (self.config, self.account);
        let way = match (&self.features, &self.plan.early) {
            (None, Some(way)) => way.clone(),
            (features, _) => {
                let none = Features::default();
                Way::choose(config, account, features.as_ref().unwrap_or(&none), !self.is_token_refused)?
            }
        };
        let mut mechanism = Mechanism::start(&way.mechanism, config, account, &self.random)?;
        if let Some(features) = &self.features {
            mechanism.offered(features, way.sasl2.is_some());
        }
        self.sasl2 = way.sasl2;
        let user_agent = account.fast_token().map_or(self.random.user_agent.as_str(), FastToken::user_agent);
        Ok(self.login.begin(mechanism, way.sasl2, user_agent))
    }

    pub(super) fn succeeded(&mut self, success: Success) -> Result<()> {
        self.login.succeeded(success.additional_data.as_ref(), self.stage)?;
        let Some(inline) = self.sasl2 else { return Ok(()) };
        // The next features are those of a stream that is restarted without being asked to.
        self.is_restarted = true;
        self.features = None;
        if let Some((token, expiry)) = success.token {
            let user_agent =
                self.account.fast_token().map_or(self.random.user_agent.as_str(), FastToken::user_agent);
            self.fast_token = FastToken::issued(token.expose(), expiry.as_deref(), user_agent);
        }
        match success.bound {
            Some(jid) if inline.bind => self.bound(jid?),
            None if inline.bind => {
                Err(Error::protocol(Stage::Bind, "a bound resource in the SASL success", "none"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the login goes on without the token that was refused, in the same session.
    pub(super) fn goes_on_without_token(&mut self, error: &Error) -> bool {
        let is_about_it = *error.kind() == ErrorKind::Auth
            && self.login.is_begun()
            && self.sasl2.is_some_and(|inline| inline.token == TokenUse::Presented);
        if !is_about_it || !self.account.credentials().has_more_than_token() {
            return false;
        }
        tracing::debug!("the server refused the token; logging in without it");
        self.is_token_refused = true;
        self.sasl2 = None;
        self.login = Login::default();
        self.plan = Plan::classic();
        // The session stands.
        self.sent = 1;
        true
    }

    /// The element that answers a challenge, once.
    pub(super) fn due_response(&mut self) -> Option<Secret> {
        let response = self.login.due_response()?;
        Some(stanza::response(if self.sasl2.is_some() { sasl2::NS } else { stanza::NS_SASL }, &response))
    }

    /// Who is about to log in (RFC 6120 §4.7.1): tokens are only offered to somebody, and nobody else
    /// needs to know.
    pub(super) fn from(&self) -> Option<String> {
        let (config, account) = (self.config, self.account);
        let is_told = account.uses_sasl2(config) && config.may_send_secrets_early();
        is_told.then(|| account.jid().bare().to_string())
    }

    /// The session with the token to keep: a new one, or the one that was accepted.
    pub(super) fn with_token(&mut self, session: Session) -> Session {
        let is_good = self.sasl2.is_some_and(|inline| inline.token == TokenUse::Presented);
        let accepted = self.account.fast_token().filter(|_| is_good).cloned();
        session.with_fast_token(self.fast_token.take().or(accepted))
    }
}
