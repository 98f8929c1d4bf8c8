//! What a server tells: its features, the course of the login, and the address it has bound.

use super::Negotiation;
use crate::body::Body;
use crate::error::{ErrorKind, Result};
use crate::jid::{Jid, Likeness};
use crate::negotiation::{Learned, Server};
use crate::stanza::{self, Features, Incoming};

impl Negotiation<'_> {
    /// Takes what a reply to one of the requests tells.
    pub(super) fn take(&mut self, body: &Body) -> Result<()> {
        let had_token = !self.is_token_refused;
        for element in body.payload() {
            let incoming = match stanza::read(element, self.stage) {
                // A refused login explains this; an accepted one makes it count.
                Err(error) if *error.kind() == ErrorKind::Bind && !self.login.is_done() => {
                    self.early_refusal = Some(error);
                    continue;
                }
                Err(error) if self.goes_on_without_token(&error) => continue,
                incoming => incoming.map_err(|error| self.login.explain(error))?,
            };
            match incoming {
                Some(Incoming::Features(features)) => self.offered(features),
                Some(Incoming::Challenge(challenge)) => self.challenged(&challenge)?,
                Some(Incoming::Success(success)) => self.succeeded(success)?,
                Some(Incoming::Bound(jid)) => self.bound(jid)?,
                Some(Incoming::SessionOpened) => self.is_session_open = true,
                None => {}
            }
        }
        if had_token && self.is_token_refused {
            // Of the bind that went with the token; there will be another.
            self.early_refusal = None;
        }
        match self.early_refusal.take_if(|_| self.login.is_done()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn offered(&mut self, mut features: Features) {
        features.has_none &= self.session.as_ref().is_some_and(|(_, created)| created.is_secure);
        if self.may_change(&features) {
            self.empty_offer = Some(features);
            return;
        }
        if !self.is_restarted && !self.login.is_done() {
            let learned = Learned::new(self.learned.server(), &features.mechanisms);
            self.learned =
                if self.wants_sasl2() { learned.with_sasl2(features.sasl2.as_ref()) } else { learned };
        }
        if features.session_required {
            // It is a server of a kind that the shorter plans were not made for.
            self.learned = Learned::new(Server::Other, self.learned.mechanisms());
        }
        self.features = Some(features);
    }

    /// Whether another offer may follow this one: a connection manager that speaks TLS to the XMPP server for
    /// its clients may hand on the features of before it, too. The servers that hold their own BOSH sessions
    /// offer nothing else later.
    fn may_change(&self, features: &Features) -> bool {
        let is_first = self.empty_offer.is_none() && !self.is_restarted && !self.login.is_begun();
        let is_empty = features.mechanisms.is_empty() && features.sasl2.is_none() && features.starttls;
        is_first && is_empty && self.learned.server() == Server::Other
    }

    /// The bound JID must be the account's: some servers let one user act as another.
    pub(super) fn bound(&mut self, jid: Jid) -> Result<()> {
        let may_be_folded = self.account.credentials().prove_account();
        match self.account.jid().compare(&jid) {
            Likeness::Same => {}
            Likeness::Folded if may_be_folded => {}
            likeness => return Err(self.bound_another(&jid, likeness)),
        }
        self.jid = Some(jid);
        Ok(())
    }
}
