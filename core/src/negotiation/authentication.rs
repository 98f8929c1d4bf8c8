//! The login among the other steps: how it begins, what comes with its success, and a token that is
//! refused.

use super::choice::{Uses, Way};
use super::{Alternative, Login, Negotiation, Told};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::sasl::{Beginning, FastToken, Input, Offer};
use crate::sasl2::{self, Success, TokenUse};
use crate::secret::Secret;
use crate::session::Session;
use crate::stanza::{self, Features};

impl Negotiation<'_> {
    pub(super) fn begin_login(&mut self) -> Result<Secret> {
        let account = self.account;
        let way = match (&self.features, &self.plan.early) {
            (None, Some(way)) => way.clone(),
            (features, _) => self.way(features.as_ref().unwrap_or(&Features::default()))?,
        };
        let nonce = &self.random.nonce;
        let mechanism = account.credentials().mechanism(&way.mechanism, account.jid(), nonce, self.means)?;
        self.sasl2 = way.sasl2;
        let has_sasl = match &self.features {
            None => self.plan.has_sasl,
            Some(offer) => self.way_by(offer, Uses::Sasl).is_ok(),
        };
        self.alternative = if has_sasl { Alternative::Sasl } else { Alternative::None };
        if way.begins == Beginning::Secret {
            self.told = Told::AtOnce;
        }
        self.mechanism = Some(way.mechanism);
        let user_agent = account.fast_token().map_or(self.random.user_agent.as_str(), FastToken::user_agent);
        let (auth, initial) = self.login.begin(mechanism, way.sasl2, user_agent)?;
        self.told_messages.extend(initial);
        Ok(auth)
    }

    pub(super) fn challenged(&mut self, challenge: &[u8]) -> Result<()> {
        let offer = self.features.as_ref().map_or(Offer::default(), |features| Offer {
            mechanisms: match &features.sasl2 {
                Some(offer) if self.sasl2.is_some() => &offer.mechanisms,
                _ => &features.mechanisms,
            },
            channel_bindings: &features.channel_bindings,
        });
        self.login.resume(Input::Challenge { data: challenge, offer }, self.stage)
    }

    /// How to log in where this is offered.
    pub(super) fn way(&self, offer: &Features) -> Result<Way> {
        if self.plan.may_use_sasl2 {
            let uses = if self.is_token_refused { Uses::Sasl2 } else { Uses::Sasl2AndToken };
            return self.way_by(offer, uses);
        }
        self.way_by(offer, Uses::Sasl).or_else(|error| self.way_by(offer, Uses::Sasl2).map_err(|_| error))
    }

    fn way_by(&self, offer: &Features, uses: Uses) -> Result<Way> {
        Way::choose(self.config, self.account, offer, uses, self.plan.expects_scram)
    }

    /// Whether SASL2 is wanted where it is offered.
    pub(super) fn wants_sasl2(&self) -> bool {
        self.plan.may_use_sasl2 && self.account.uses_sasl2(self.config)
    }

    /// Whether a login by SASL2 is under way that may be left for one without SASL2: the server was told
    /// nothing that it would be told again. A token is for SASL2 alone.
    pub(super) fn may_leave_sasl2(&self) -> bool {
        let may_be_told_more = match self.told {
            Told::Nothing => true,
            Told::AtOnce => self.presents_token(),
            Told::OnDemand => false,
        };
        self.is_in_sasl2() && may_be_told_more
    }

    /// Whether a login by SASL2 is under way that could be made by the SASL of RFC 6120 as well.
    pub(super) fn is_in_sasl2(&self) -> bool {
        self.alternative == Alternative::Sasl && self.sasl2.is_some() && !self.login.is_done()
    }

    fn presents_token(&self) -> bool {
        self.sasl2.is_some_and(|inline| inline.token == TokenUse::Presented)
    }

    pub(super) fn succeeded(&mut self, success: Success) -> Result<()> {
        let additional_data = success.additional_data.as_ref().map(|data| data.as_slice());
        self.login.resume(Input::Success(additional_data), self.stage)?;
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
        let is_about_it = *error.kind() == ErrorKind::Auth && self.login.is_begun() && self.presents_token();
        if !is_about_it || !self.account.credentials().has_more_than_token() {
            return false;
        }
        tracing::debug!("the server refused the token; logging in without it");
        self.is_token_refused = true;
        self.sasl2 = None;
        self.login = Login::default();
        // The session stands.
        self.go_on_classic(1);
        true
    }

    /// The element that answers a challenge, once.
    pub(super) fn due_response(&mut self) -> Option<Secret> {
        let response = self.login.due_response()?;
        let namespace = if self.sasl2.is_some() { sasl2::NS } else { stanza::NS_SASL };
        let element = stanza::response(namespace, &response);
        self.told = Told::OnDemand;
        self.told_messages.push(response);
        Some(element)
    }

    /// Who is about to log in (RFC 6120 §4.7.1): tokens are only offered to somebody, and nobody else
    /// needs to know.
    pub(super) fn from(&self) -> Option<String> {
        let (config, account) = (self.config, self.account);
        let is_told = self.wants_sasl2() && config.may_send_secrets_early();
        is_told.then(|| account.jid().bare().to_string())
    }

    /// The session with the token to keep: a new one, or the one that was accepted.
    pub(super) fn with_token(&mut self, session: Session) -> Session {
        let accepted = self.account.fast_token().filter(|_| self.presents_token()).cloned();
        session.with_fast_token(self.fast_token.take().or(accepted))
    }
}
