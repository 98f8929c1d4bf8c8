//! What a server tells: its features, the course of the login, and the address it has bound.

use super::Negotiation;
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result, Retry, Stage};
use crate::jid::Jid;
use crate::learned::{Learned, Server};
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
                Some(Incoming::Challenge(challenge)) => {
                    self.login.challenged(&challenge, self.stage, self.scram_cache)?;
                }
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

    fn offered(&mut self, features: Features) {
        if !self.is_restarted && !self.login.is_done() {
            self.login.offered(&features, self.sasl2.is_some());
            let learned = Learned::new(self.learned.server(), &features.mechanisms);
            let is_sasl2_wanted = self.account.uses_sasl2(self.config);
            self.learned =
                if is_sasl2_wanted { learned.with_sasl2(features.sasl2.as_ref()) } else { learned };
        }
        if features.session_required {
            // It is a server of a kind that the shorter plans were not made for.
            self.learned = Learned::new(Server::Other, self.learned.mechanisms());
        }
        self.features = Some(features);
    }

    /// The bound JID must be the account's: some servers let one user act as another.
    pub(super) fn bound(&mut self, jid: Jid) -> Result<()> {
        let asked = self.account.jid();
        let is_ours =
            jid.domain() == asked.domain() && (asked.local().is_none() || jid.local() == asked.local());
        if !is_ours {
            return Err(Error::new(
                ErrorKind::Bind,
                Stage::Bind,
                Retry::No,
                format!(
                    "the server bound an address of another account than {}: check its authorization",
                    asked.bare()
                ),
            ));
        }
        self.jid = Some(jid);
        Ok(())
    }
}
