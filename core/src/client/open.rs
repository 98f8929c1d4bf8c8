//! Opens a session by the shortest plan that the server is known to support. If that fails, perhaps because
//! of the plan or by bad luck, the classic plan follows.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::accounts::AccountMaker;
use super::exchange::is_lost;
use super::give_up;
use super::issued::Issued;
use super::memory::{Failed, Known, Memory};
use super::post::Service;
use super::rotation::Rotation;
use crate::account::Account;
use crate::error::{
    BoshCondition, Condition, Error, ErrorKind, Phase, Result, Retry, SaslCondition, Stage, StanzaCondition,
    StreamCondition,
};
use crate::negotiation::{EACH_ANSWERED, Plan, SAME_SERVER, is_scram, is_unknown};
use crate::sasl::{ScramCache, XOAuth2Issuer};
use crate::session::Session;
use crate::wire::server::Server;

/// How long to wait before each new attempt after the creation of a session was lost. A node that is dying
/// accepts connections until its process has ended, which takes longer on a busy machine, and a load balancer
/// may have more connections to it.
const LOST_PAUSES: [Duration; 2] = [Duration::from_millis(24), Duration::from_millis(240)];

/// Opens sessions, and learns from each.
#[derive(Debug)]
pub(super) struct Opener {
    pub(super) service: Service,
    pub(super) scram_cache: ScramCache,
    pub(super) memory: Memory,
    pub(super) rotation: Rotation,
    pub(super) issued: Issued,
    pub(super) accounts: Option<AccountMaker>,
}

impl Opener {
    /// Opens a session, for a user who has an account if accounts are to be made.
    pub(super) fn open(&self, account: &Account, until: Instant) -> Result<Session> {
        if let Some(accounts) = &self.accounts {
            let open = |administrator: &Account, until| self.open_as(administrator, until);
            accounts.ensure(&self.service, &open, account, until);
        }
        match account.credentials().x_oauth2_issuer_of_tokens() {
            Some(issuer) => self.open_by_issued(account, issuer, until),
            None => self.open_by_keys(account, until),
        }
    }

    /// Opens a session with a token of ejabberd's. If ejabberd does not know one that was kept, as after it has lost
    /// its database, a new one follows once: it is another secret.
    fn open_by_issued(
        &self,
        account: &Account,
        issuer: &Arc<XOAuth2Issuer>,
        until: Instant,
    ) -> Result<Session> {
        let tokens = self.issued.by(issuer, &self.service.config)?;
        if let Some(kept) = tokens.kept(account.jid()) {
            match self.open_as(&account.with_issued(kept), until) {
                Err(error)
                    if is_not_authorized(&error) && Instant::now() < until && !give_up::is_stopped() =>
                {
                    tracing::info!("the server refused the token that was kept; asking for another one");
                }
                result => return result,
            }
        }
        self.open_as(&account.with_issued(tokens.fetch(account.jid(), until)?), until)
    }

    /// Opens a session and remembers what it learned. If the site issues a token for each call and the server
    /// refuses it, this tries once more with a token of another key. That is a different secret, and the
    /// server may know only that key.
    fn open_by_keys(&self, account: &Account, until: Instant) -> Result<Session> {
        let Some(issuer) = account.credentials().issuer() else { return self.open_as(account, until) };
        let domain = account.jid().domain();
        let (first, other) = self.rotation.places(domain, issuer.key_count());
        let open_by = |place| {
            let with_token = account.issued_by(place, SystemTime::now())?;
            self.open_as(&with_token, until).inspect(|_| self.rotation.accepted(domain, place))
        };
        match (open_by(first), other) {
            (Err(error), Some(other))
                if is_not_authorized(&error) && Instant::now() < until && !give_up::is_stopped() =>
            {
                tracing::info!("the server refused the token of one key; trying that of the other");
                open_by(other).map_err(|again| if is_not_authorized(&again) { error } else { again })
            }
            (result, _) => result,
        }
    }

    /// Opens a session with the account's credentials.
    fn open_as(&self, account: &Account, until: Instant) -> Result<Session> {
        let domain = account.jid().domain();
        let (plan, is_proven) = self.plan(account);
        let (is_short, binds_ahead) = (!plan.is_classic(), plan.binds_ahead());
        // A plan that has never succeeded leaves half of the time for the classic one.
        let half_time = until.checked_sub(self.service.config.deadline / 2).unwrap_or(until);
        let patience = if is_short && !is_proven { half_time } else { until };
        let error = match self.open_by(plan, account, patience, until) {
            Err(error) if !give_up::is_stopped() => error,
            result => return result,
        };
        let is_optional = error.is_in_sasl2();
        let blame = blame(&error).filter(|blame| is_short || *blame == Blame::Sasl2);
        if blame == Some(Blame::Server) {
            self.memory.forget(domain);
        }
        if binds_ahead && blame == Some(Blame::Plan) {
            self.memory.doubt_ahead(domain);
        }
        let is_slow = matches!(error.kind(), ErrorKind::Timeout { .. });
        let is_final = error.is_secret_out() || (is_slow && (is_proven || !is_short) && !is_optional);
        if is_final || (blame.is_none() && !may_be_mended(&error)) {
            // Another exchange would send the secret again or run out of time. The next call can use the
            // classic plan.
            let is_lost = is_slow || matches!(error.kind(), ErrorKind::Connect { .. });
            if blame == Some(Blame::Sasl2) {
                self.memory.leave_sasl2(domain);
            } else if is_final && matches!(blame, Some(Blame::Plan | Blame::Chance)) {
                self.memory.doubt(domain, if is_lost { Failed::AtAll } else { Failed::ByPlan });
            }
            return Err(error);
        }
        tracing::warn!(kind = error.kind().as_str(), stage = %error.stage(), "the exchange failed; trying the classic one: {error}");
        let plan = if is_optional { Plan::classic().without_sasl2() } else { Plan::classic() };
        let session = self.open_anew(&plan, account, error, until).inspect_err(|error| {
            // The server no longer offers a mechanism that it offered before, so the next call must not send
            // a secret for it.
            if is_short && matches!(error.kind(), ErrorKind::Mechanism { .. }) {
                self.memory.forget(domain);
            }
            if self::blame(error) == Some(Blame::Sasl2) {
                self.memory.leave_sasl2(domain);
            }
        })?;
        match blame {
            Some(Blame::Plan) => self.memory.distrust(domain),
            Some(Blame::Chance) => self.memory.doubt(domain, Failed::ByChance),
            Some(Blame::Sasl2) => self.memory.leave_sasl2(domain),
            Some(Blame::Server) | None => {}
        }
        Ok(session)
    }

    /// Opens a session after this `error`, and tries once more if the creation is lost again.
    fn open_anew(&self, plan: &Plan, account: &Account, mut error: Error, until: Instant) -> Result<Session> {
        for pause in LOST_PAUSES {
            if is_creation_lost(&error) && (Instant::now() + pause >= until || !give_up::pause(pause)) {
                break;
            }
            match self.open_by(plan.clone(), account, until, until) {
                Err(again) if is_creation_lost(&again) && !give_up::is_stopped() => error = again,
                result => return result,
            }
        }
        Err(error)
    }

    /// The shortest plan that the server is known to support, and whether it has succeeded before.
    fn plan(&self, account: &Account) -> (Plan, bool) {
        let domain = account.jid().domain();
        let may_use_sasl2 = !self.service.config.learn
            || !account.credentials().has_more_than_token()
            || self.memory.may_use_sasl2(domain);
        let known = self.service.config.learn.then(|| self.memory.recall(domain)).flatten();
        let Some(Known { learned, is_proven, is_new, may_bind_ahead }) = known else {
            let plan = Plan::classic();
            return (if may_use_sasl2 { plan } else { plan.without_sasl2() }, false);
        };
        if learned.server() == Server::Prosody {
            self.service.http.process().lanes.slow_down();
        }
        let plan = if is_new {
            Plan::for_new_domain(&self.service.config, account, learned.server(), may_use_sasl2)
        } else {
            Plan::shortest_by(&self.service.config, account, &learned, may_use_sasl2)
        };
        (if may_bind_ahead { plan } else { plan.in_turn() }, is_proven)
    }

    /// Opens a session by this plan. Until a secret is sent it has time until `patience`, and from then on
    /// until `until`.
    fn open_by(&self, plan: Plan, account: &Account, patience: Instant, until: Instant) -> Result<Session> {
        let (domain, is_classic) = (account.jid().domain(), plan.is_classic());
        let exchange = |plan| self.service.exchange(account, &self.scram_cache, plan, patience, until);
        if !self.service.config.learn {
            return Ok(exchange(plan)?.0);
        }
        let expects_scram = self.memory.expects_scram(domain);
        let (session, learned) = exchange(plan.expecting_scram(expects_scram)).inspect_err(|error| {
            let has_none = |offered: &[String]| !offered.iter().any(|name| is_scram(name));
            if expects_scram
                && matches!(error.kind(), ErrorKind::Mechanism { offered, .. } if has_none(offered))
            {
                self.memory.miss_scram(domain);
            }
        })?;
        self.memory.learn(domain, &learned, is_classic);
        Ok(session)
    }
}

/// Why a short plan may have failed where the classic one would succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    /// The plan itself.
    Plan,
    /// Chance: the server closed a connection, answered in a rare order, or a node of a cluster does not know
    /// the session yet.
    Chance,
    /// The plan was made for another server.
    Server,
    /// The server offers SASL2 and does not answer it.
    Sasl2,
}

/// Whether a fresh session may succeed at once. A resource that another session holds is not free a moment
/// later.
fn may_be_mended(error: &Error) -> bool {
    let is_taken = matches!(
        error.condition(),
        Some(Condition::Stream(StreamCondition::Conflict) | Condition::Stanza(StanzaCondition::Conflict))
    );
    (error.retry() == Retry::FreshSession && !is_taken) || is_lost(error)
}

/// Whether the server checked the secret and did not accept it (RFC 6120 §6.5.10).
fn is_not_authorized(error: &Error) -> bool {
    *error.kind() == ErrorKind::Auth
        && error.condition() == Some(&Condition::Sasl(SaslCondition::NotAuthorized))
}

fn is_creation_lost(error: &Error) -> bool {
    error.stage() == Stage::Create && is_lost(error)
}

/// What to blame for this error. Returns `None` if the login itself was refused, because a wrong password is
/// never sent twice; if the server could not be reached; and for errors that a proxy in front of the server
/// returns for every request.
fn blame(error: &Error) -> Option<Blame> {
    let condition = error.condition();
    let is_the_plans = match error.kind() {
        ErrorKind::Protocol { expected } if *expected == EACH_ANSWERED => return Some(Blame::Chance),
        ErrorKind::Protocol { expected } if *expected == SAME_SERVER => return Some(Blame::Server),
        // After the creation, a lost request has been sent again before its loss becomes an error, so this is
        // not chance.
        ErrorKind::Connect { phase: Phase::Headers | Phase::Body }
            if error.is_in_sasl2() && error.stage() != Stage::Create =>
        {
            true
        }
        ErrorKind::Connect { phase: Phase::Headers | Phase::Body } => return Some(Blame::Chance),
        ErrorKind::Terminated if is_unknown(error) => return Some(Blame::Chance),
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
        // With these conditions the server has not checked the password.
        ErrorKind::Auth => matches!(
            condition,
            Some(Condition::Sasl(
                SaslCondition::EncryptionRequired
                    | SaslCondition::InvalidMechanism
                    | SaslCondition::MechanismTooWeak
            ))
        ),
        ErrorKind::Bind => match condition {
            Some(Condition::Stanza(condition)) => {
                !matches!(condition, StanzaCondition::Conflict | StanzaCondition::ResourceConstraint)
            }
            condition => condition.is_some(),
        },
        ErrorKind::Connect { .. }
        | ErrorKind::Config { .. }
        | ErrorKind::Mechanism { .. }
        | ErrorKind::ServerUnverified { .. }
        | ErrorKind::Internal => false,
    };
    is_the_plans.then_some(if error.is_in_sasl2() { Blame::Sasl2 } else { Blame::Plan })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Check;

    fn of_kind(kind: ErrorKind) -> Error {
        Error::new(kind, Stage::Bind, Retry::No, String::new())
    }

    fn refused(kind: ErrorKind, condition: Condition) -> Error {
        Error::refused(kind, Stage::Bind, Some(condition), None)
    }

    #[test]
    fn a_plan_is_to_blame_for_what_the_classic_one_may_do_better() {
        use ErrorKind::{Auth, Bind, Terminated};
        let http = |status| of_kind(ErrorKind::Http { status, location: None });
        let protocol = |expected| of_kind(ErrorKind::Protocol { expected });
        let connect = |phase| of_kind(ErrorKind::Connect { phase });
        let timeout = |phase| of_kind(ErrorKind::Timeout { phase });
        let ended = |name: &str| refused(Terminated, Condition::Bosh(name.into()));
        let stream = |name: &str| refused(Terminated, Condition::Stream(name.into()));
        let sasl = |name: &str| refused(Auth, Condition::Sasl(name.into()));
        let bind = |name: &str| refused(Bind, Condition::Stanza(name.into()));
        let (plan, chance) = (Some(Blame::Plan), Some(Blame::Chance));
        for (error, blamed) in [
            (protocol(EACH_ANSWERED), chance),
            (protocol(SAME_SERVER), Some(Blame::Server)),
            (protocol("a BOSH <body/>"), plan),
            (connect(Phase::Headers), chance),
            (connect(Phase::Body), chance),
            (connect(Phase::Dns), None),
            (connect(Phase::Tcp), None),
            (connect(Phase::Tls), None),
            (timeout(Phase::Headers), plan),
            (timeout(Phase::Body), plan),
            (timeout(Phase::Tcp), None),
            (http(200), plan),
            (http(500), plan),
            (http(501), plan),
            (http(505), plan),
            (http(401), None),
            (http(407), None),
            (http(413), None),
            (http(429), None),
            (http(502), None),
            (http(504), None),
            (of_kind(Terminated), plan),
            (ended("bad-request"), plan),
            (ended("item-not-found"), chance),
            (ended("host-gone"), None),
            (ended("host-unknown"), None),
            (ended("system-shutdown"), None),
            (stream("bad-format"), plan),
            (stream("conflict"), None),
            (stream("host-gone"), None),
            (stream("host-unknown"), None),
            (stream("system-shutdown"), None),
            (of_kind(Auth), None),
            (sasl("not-authorized"), None),
            (sasl("encryption-required"), plan),
            (sasl("invalid-mechanism"), plan),
            (sasl("mechanism-too-weak"), plan),
            (of_kind(Bind), None),
            (bind("not-allowed"), plan),
            (bind("conflict"), None),
            (bind("resource-constraint"), None),
            (of_kind(ErrorKind::ServerUnverified { check: Check::Signature }), None),
            (of_kind(ErrorKind::Internal), None),
        ] {
            assert_eq!(blame(&error), blamed, "{error:?}");
            let by_sasl2 = match (blamed, error.kind()) {
                (Some(Blame::Plan), _) | (_, ErrorKind::Connect { phase: Phase::Headers | Phase::Body }) => {
                    Some(Blame::Sasl2)
                }
                _ => blamed,
            };
            assert_eq!(blame(&error.in_sasl2()), by_sasl2);
        }
    }

    #[test]
    fn a_fresh_session_mends_what_was_lost_but_not_what_another_session_holds() {
        let with_retry = |retry| Error::new(ErrorKind::Internal, Stage::Bind, retry, String::new());
        let fresh = |condition| refused(ErrorKind::Terminated, condition);
        let connect = |phase| of_kind(ErrorKind::Connect { phase });
        for (error, is_mended) in [
            (with_retry(Retry::FreshSession), true),
            (with_retry(Retry::Later), false),
            (fresh(Condition::Bosh(BoshCondition::ItemNotFound)), true),
            (fresh(Condition::Stream(StreamCondition::Conflict)), false),
            (refused(ErrorKind::Bind, Condition::Stanza(StanzaCondition::Conflict)), false),
            (connect(Phase::Headers), true),
            (connect(Phase::Tcp), false),
            (of_kind(ErrorKind::Http { status: 503, location: None }), true),
            (of_kind(ErrorKind::Http { status: 500, location: None }), false),
        ] {
            assert_eq!(may_be_mended(&error), is_mended, "{error:?}");
        }
    }

    #[test]
    fn only_a_secret_that_the_server_looked_at_was_not_accepted() {
        let sasl = |condition| Condition::Sasl(condition);
        for (error, was_looked_at) in [
            (refused(ErrorKind::Auth, sasl(SaslCondition::NotAuthorized)), true),
            (refused(ErrorKind::Auth, sasl(SaslCondition::MechanismTooWeak)), false),
            (refused(ErrorKind::Terminated, sasl(SaslCondition::NotAuthorized)), false),
            (of_kind(ErrorKind::Auth), false),
        ] {
            assert_eq!(is_not_authorized(&error), was_looked_at, "{error:?}");
        }
    }

    #[test]
    fn a_creation_is_lost_only_where_its_own_answer_is() {
        let lost = |stage| {
            Error::new(ErrorKind::Connect { phase: Phase::Headers }, stage, Retry::Later, String::new())
        };
        assert!(is_creation_lost(&lost(Stage::Create)) && !is_creation_lost(&lost(Stage::Bind)));
        let refused = ErrorKind::Connect { phase: Phase::Tcp };
        assert!(!is_creation_lost(&Error::new(refused, Stage::Create, Retry::Later, String::new())));
    }
}
