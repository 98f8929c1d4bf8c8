//! Opens a session by the shortest plan that the server is known for, and by the classic one after
//! that if the plan itself may have been at fault.

use std::time::Instant;

use super::memory::Failed;
use super::{Inner, cancel};
use crate::account::Account;
use crate::condition::{BoshCondition, Condition, SaslCondition, StanzaCondition, StreamCondition};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::learned::Server;
use crate::negotiation::EACH_ANSWERED;
use crate::plan::Plan;
use crate::session::Session;

impl Inner {
    /// Opens a session and remembers what that taught.
    pub(super) fn open(&self, account: &Account, until: Instant) -> Result<Session> {
        let domain = account.jid().domain();
        let known = self.config.learn.then(|| self.memory.recall(domain)).flatten();
        if known.as_ref().is_some_and(|known| known.learned.server() == Server::Prosody) {
            self.http.slow_down();
        }
        let is_proven = known.as_ref().is_some_and(|known| known.is_proven);
        let plan =
            known.map_or_else(Plan::classic, |known| Plan::shortest(&self.config, account, &known.learned));
        if plan.is_classic() {
            return self.open_by(plan, account, until);
        }
        // If nothing may come of it, as much time is left for what is known to work. But a server that
        // is slow to look at a password must not be given it twice.
        let is_all = is_proven || plan.has_secret;
        let half_time = until.checked_sub(self.config.deadline / 2).unwrap_or(until);
        let error = match self.open_by(plan.clone(), account, if is_all { until } else { half_time }) {
            Err(error) if !cancel::is_stopped() => error,
            result => return result,
        };
        let Some(blame) = blame(&error) else { return Err(error) };
        let is_slow = matches!(error.kind(), ErrorKind::Timeout { .. });
        let is_lost = is_slow || matches!(error.kind(), ErrorKind::Connect { .. });
        if (is_slow && is_proven) || (is_lost && plan.has_told(error.stage())) {
            self.memory.doubt(domain, Failed::AtAll);
            return Err(error);
        }
        tracing::warn!(kind = error.kind().name(), stage = %error.stage(), "the short exchange failed; taking the classic one: {error}");
        let session = self.open_by(Plan::classic(), account, until).inspect_err(|error| {
            // What was offered before is not offered any more; a secret must not go out for it again.
            if matches!(error.kind(), ErrorKind::Mechanism { .. }) {
                self.memory.forget(domain);
            }
        })?;
        match blame {
            Blame::Plan => self.memory.distrust(domain),
            Blame::Chance => self.memory.doubt(domain, Failed::ByChance),
        }
        Ok(session)
    }

    fn open_by(&self, plan: Plan, account: &Account, until: Instant) -> Result<Session> {
        let is_classic = plan.is_classic();
        let (session, learned) = self.exchange(account, plan, until)?;
        if self.config.learn {
            self.memory.learn(account.jid().domain(), &learned, is_classic);
        }
        Ok(session)
    }
}

/// What may have made a short plan fail where the classic one does better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    /// The plan.
    Plan,
    /// A connection that the server closed meanwhile, or an order of its answers that is rare.
    Chance,
}

/// None if the login itself was refused, since a wrong password is never sent twice, nor if nobody
/// could be reached, nor for what a proxy in front of the server does with every request.
fn blame(error: &Error) -> Option<Blame> {
    let condition = error.condition();
    let is_the_plans = match error.kind() {
        ErrorKind::Protocol { expected } if *expected == EACH_ANSWERED => return Some(Blame::Chance),
        ErrorKind::Connect { phase: Phase::Headers | Phase::Body } => return Some(Blame::Chance),
        ErrorKind::Protocol { .. } => true,
        ErrorKind::Http { status, .. } => !matches!(status, 401 | 407 | 413 | 429 | 502..=504),
        ErrorKind::Timeout { phase } => matches!(phase, Phase::Headers | Phase::Body),
        ErrorKind::Terminated => !matches!(
            condition,
            Some(
                Condition::Bosh(
                    BoshCondition::HostGone | BoshCondition::HostUnknown | BoshCondition::SystemShutdown
                ) | Condition::Stream(
                    StreamCondition::Conflict
                        | StreamCondition::HostGone
                        | StreamCondition::HostUnknown
                        | StreamCondition::SystemShutdown
                )
            )
        ),
        // The server has not looked at the password.
        ErrorKind::Auth => matches!(
            condition,
            Some(Condition::Sasl(
                SaslCondition::EncryptionRequired
                    | SaslCondition::InvalidMechanism
                    | SaslCondition::MechanismTooWeak
            ))
        ),
        ErrorKind::Bind => {
            let is_about_the_resource = |condition| {
                matches!(
                    condition,
                    &Condition::Stanza(StanzaCondition::Conflict | StanzaCondition::ResourceConstraint)
                )
            };
            condition.is_some_and(|condition| !is_about_the_resource(condition))
        }
        ErrorKind::Connect { .. }
        | ErrorKind::Config { .. }
        | ErrorKind::Mechanism { .. }
        | ErrorKind::ServerUnverified { .. }
        | ErrorKind::Internal => false,
    };
    is_the_plans.then_some(Blame::Plan)
}
