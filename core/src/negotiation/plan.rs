//! Plans describe an exchange as data: which steps share a body, and what must have been answered before a
//! body is sent. A new way to talk to a server is a new plan, not a new branch.

use std::time::Duration;

use super::choice::{self, Early, Way};
use super::learned::Learned;
use crate::account::Account;
use crate::config::Config;
use crate::sasl::Beginning;
use crate::wire::server::Server;

/// The bodies of one exchange, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(crate) bodies: &'static [PlannedBody],
    /// How to log in before the server offers anything. `None` waits for the offer.
    pub(crate) early: Option<Way>,
    /// The server that the plan is meant for. `None` means any server.
    pub(crate) server: Option<Server>,
    /// Whether the server has offered SCRAM before, so that a password must not be sent to it.
    pub(crate) expects_scram: bool,
    /// Whether SASL2 may be used. It may not if a server has offered it and did not answer it.
    pub(crate) may_use_sasl2: bool,
    /// Whether the plan begins early by SASL2 although the server also offered the SASL of RFC 6120 for this
    /// account.
    pub(crate) has_sasl: bool,
}

impl Plan {
    /// The plan with each step in a body of its own, as XEP-0206 shows it. Every server understands it.
    #[must_use]
    pub fn classic() -> Self {
        Self {
            bodies: CLASSIC,
            early: None,
            server: None,
            expects_scram: false,
            may_use_sasl2: true,
            has_sasl: false,
        }
    }

    /// The plan with the fewest round trips that is safe with this server. It is the classic plan if no
    /// shorter one is known to be safe.
    ///
    /// A password or a token is sent before the server's offer only over TLS or to this machine, and only by
    /// a mechanism that the server offered before. A password that SCRAM would hide from the server is sent
    /// early only if this process itself has seen an offer without SCRAM; a profile is not enough. It is
    /// never sent early if the server has offered SCRAM.
    #[must_use]
    pub fn shortest(config: &Config, account: &Account, learned: &Learned) -> Self {
        Self::shortest_by(config, account, learned, true)
    }

    /// As [`shortest`](Self::shortest), with SASL2 only if it `may_use_sasl2`.
    pub(crate) fn shortest_by(
        config: &Config,
        account: &Account,
        learned: &Learned,
        may_use_sasl2: bool,
    ) -> Self {
        let uses_sasl2 = may_use_sasl2 && account.uses_sasl2(config);
        if uses_sasl2 && learned.sasl2().is_none() {
            // The server might take a token, but it is not known yet, so the offer has to be awaited.
            return Self::classic();
        }
        let early = choice::early(config, account, learned, uses_sasl2);
        let (bodies, early) = match (learned.server(), early) {
            (Server::Prosody, Some(Early::By(way))) if way.begins == Beginning::Challenged => {
                (BEGUN_IN_CREATION, Some(way))
            }
            (Server::Prosody, Some(Early::By(way))) => (ALL_IN_CREATION, Some(way)),
            (Server::Prosody, Some(Early::Unsafe)) => (BIND_WITH_LOGIN, None),
            (Server::Ejabberd, Some(Early::By(way))) if way.has_one_message() => (BIND_AHEAD, Some(way)),
            (Server::Ejabberd, Some(_)) => (IN_PAIRS, None),
            _ => (CLASSIC, None),
        };
        let server = Some(learned.server()).filter(|_| bodies != CLASSIC);
        let is_by_sasl2 = early.as_ref().is_some_and(|way| way.sasl2.is_some());
        let has_sasl = is_by_sasl2 && choice::early(config, account, learned, false).is_some();
        let expects_scram = learned.offers_scram();
        Self { bodies, early, server, expects_scram, may_use_sasl2, has_sasl }
    }

    /// The shortest plan for a new domain on a known server. It waits for the domain's offer.
    #[cfg(feature = "client")]
    pub(crate) fn for_new_domain(
        config: &Config,
        account: &Account,
        server: Server,
        may_use_sasl2: bool,
    ) -> Self {
        let uses_sasl2 = may_use_sasl2 && account.uses_sasl2(config);
        let bodies = match server {
            // The shorter plans do not fit SASL2 and DIGEST-MD5.
            _ if uses_sasl2 || config.digest_md5 => CLASSIC,
            Server::Prosody => BEGUN_AFTER_OFFER,
            Server::Ejabberd => IN_PAIRS,
            Server::Other => CLASSIC,
        };
        let server = Some(server).filter(|_| bodies != CLASSIC);
        Self { bodies, server, may_use_sasl2, ..Self::classic() }
    }

    /// The plan without SASL2, unless the server offers nothing else.
    #[cfg(feature = "client")]
    pub(crate) fn without_sasl2(self) -> Self {
        Self { may_use_sasl2: false, ..self }
    }

    /// The plan without a bind ahead of its turn, because with this server such a bind failed where a longer
    /// plan succeeded.
    #[cfg(any(test, feature = "client"))]
    pub(crate) fn in_turn(self) -> Self {
        if self.binds_ahead() { Self { bodies: IN_PAIRS, early: None, ..self } } else { self }
    }

    /// Whether the plan sends the bind ahead of its turn.
    #[cfg(any(test, feature = "client"))]
    pub(crate) fn binds_ahead(&self) -> bool {
        self.bodies == BIND_AHEAD
    }

    /// If `expects_scram`, the plan refuses to send the password itself when the server offers no SCRAM.
    pub(crate) fn expecting_scram(self, expects_scram: bool) -> Self {
        Self { expects_scram, ..self }
    }

    #[cfg(feature = "client")]
    pub(crate) fn is_classic(&self) -> bool {
        self.bodies == CLASSIC
    }

    /// Whether another request certainly follows the creation.
    #[cfg(feature = "client")]
    pub(crate) fn goes_on(&self) -> bool {
        self.bodies != ALL_IN_CREATION
    }
}

const CLASSIC: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
    PlannedBody::new(Milestone::Features, &[PlanStep::Auth]),
    PlannedBody::new(Milestone::Success, &[RESTART]),
    PlannedBody::new(Milestone::RestartedFeatures, &[PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// For Prosody and a mechanism of one message: one round trip.
const ALL_IN_CREATION: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create, PlanStep::Auth, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// For Prosody and a mechanism with one challenge: two round trips.
const BEGUN_IN_CREATION: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create, PlanStep::Auth]),
    PlannedBody::new(Milestone::Challenged, &[PlanStep::Respond, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// For Prosody and a mechanism of one message or with one challenge, after the offer: three round trips.
#[cfg(feature = "client")]
const BEGUN_AFTER_OFFER: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
    PlannedBody::new(Milestone::Features, &[PlanStep::Auth]),
    PlannedBody::new(Milestone::Challenged, &[PlanStep::Respond, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// For Prosody and a secret that must not be sent before the offer: two round trips.
const BIND_WITH_LOGIN: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
    PlannedBody::new(Milestone::Features, &[PlanStep::Auth, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// For ejabberd, which ignores a payload in a restart: two requests are under way at once, as many as it
/// allows. The reply to the bind holds the features, so the poll fetches the result of the bind. This takes
/// three round trips, and one more for a challenge.
const IN_PAIRS: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
    PlannedBody::new(Milestone::Features, &[PlanStep::Auth]),
    PlannedBody::new(Milestone::Spoken, &[RESTART]),
    PlannedBody::new(Milestone::Success, &[PlanStep::Bind]),
    PlannedBody::new(Milestone::Success, &[PlanStep::Poll]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// For ejabberd 17.03 or later and a mechanism of one message: two round trips.
///
/// ejabberd answers a request with what it has to say at that moment, so success, features and bind result
/// take three requests. Two changes save one of them. First, a stream of a version below 1.0 has no features,
/// but a resource can be bound on it. Second, ejabberd keeps a request that arrives ahead of its turn until
/// the request before is answered: so the success answers the restart, and the result answers the bind.
///
/// If the restart arrives first anyway, the success answers the restart, the header of the stream answers the
/// bind, and an empty request fetches the result: three round trips.
const BIND_AHEAD: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create, PlanStep::Auth]),
    PlannedBody::new(Milestone::Unanswered, &[PlanStep::Bind]).ahead_of(1),
    PlannedBody::new(Milestone::Unanswered, &[PlanStep::Restart(Some("0.9"))]).spaced(SPACING),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// How long to wait after the bind before the restart is written. The restart has the lower RID, but has to
/// arrive later, over another connection. Every login pays for this wait, and a restart that arrives first
/// costs a round trip. If both connections are equally fast, 3 ms are longer than the scheduling delays of a
/// busy machine. With jitter of up to 20 ms each way, a quarter of the restarts still arrive first, and 6 ms
/// did no better (1,920 logins). If a round trip takes less than this, the client waits only until the bind
/// is written.
const SPACING: Duration = Duration::from_millis(3);

/// Restarts the stream in the version that the session was created with.
const RESTART: PlanStep = PlanStep::Restart(None);

/// One `<body/>` of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedBody {
    /// What must have been answered before it is sent.
    pub(crate) after: Milestone,
    /// The steps that the body holds.
    pub(crate) steps: &'static [PlanStep],
    /// How many of the bodies that are sent after this one have lower RIDs.
    pub(crate) ahead_of: u64,
    /// How long to wait after the previous body.
    pub(crate) pause: Duration,
}

impl PlannedBody {
    pub(crate) const fn new(after: Milestone, steps: &'static [PlanStep]) -> Self {
        Self { after, steps, ahead_of: 0, pause: Duration::ZERO }
    }

    /// How many open requests the server has to allow for this body and those that it is ahead of.
    pub(crate) fn reach(&self) -> usize {
        1 + usize::try_from(self.ahead_of).unwrap_or(usize::MAX - 1)
    }

    const fn ahead_of(self, bodies: u64) -> Self {
        Self { ahead_of: bodies, ..self }
    }

    const fn spaced(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }
}

/// What the exchange must have reached before a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// Nothing: the body can be sent at once.
    Start,
    /// The features of the first stream have arrived.
    Features,
    /// A SASL challenge has arrived and has to be answered.
    Challenged,
    /// The client's last SASL message is sent, so only success or failure can follow.
    Spoken,
    /// The features of the first stream have arrived, and the client's last SASL message is sent but not
    /// answered. If its answer has arrived too, or the server does not allow two open requests, the exchange
    /// goes on by the classic plan.
    Unanswered,
    /// The login has succeeded, and its proof was checked.
    Success,
    /// The features of the restarted stream have arrived.
    RestartedFeatures,
    /// The bound JID has arrived.
    Bound,
}

/// A part of a body. SASL responses need no step, because challenges are answered whenever they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanStep {
    /// Create the session (XEP-0124 §7.1).
    Create,
    /// Begin SASL (RFC 6120 §6.4.2).
    Auth,
    /// Answer the challenge in this body, together with its other steps.
    Respond,
    /// Restart the stream (XEP-0206 §5), in this version of XMPP if one is named. Skipped after SASL2, which
    /// needs no restart.
    Restart(Option<&'static str>),
    /// Bind a resource (RFC 6120 §7.6.1). Skipped if the bind was sent with the login.
    Bind,
    /// Send nothing, so that the server has a request to answer. Skipped once the features of the restarted
    /// stream have arrived, because no answer would come.
    Poll,
    /// Ask for a session (RFC 3921 §3). Skipped unless the server requires it.
    Session,
}

#[cfg(feature = "client")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::Credentials;
    use crate::wire::sasl2::Offer;

    fn config(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
        change(&mut config);
        config
    }

    fn account(credentials: Credentials) -> Account {
        Account::new("alice@example.org", credentials).unwrap()
    }

    #[test]
    fn a_new_domain_gets_the_shortest_plan_that_waits_for_its_offer() {
        let (usual, with_tokens) = (config(|_| ()), config(|config| config.fast_tokens = true));
        let with_digest = config(|config| config.digest_md5 = true);
        for (config, server, may_use_sasl2, bodies) in [
            (&usual, Server::Prosody, true, BEGUN_AFTER_OFFER),
            (&usual, Server::Ejabberd, true, IN_PAIRS),
            (&usual, Server::Other, true, CLASSIC),
            // They take other ways.
            (&with_digest, Server::Prosody, true, CLASSIC),
            (&with_tokens, Server::Prosody, true, CLASSIC),
            (&with_tokens, Server::Prosody, false, BEGUN_AFTER_OFFER),
        ] {
            let alice = account(Credentials::password("secret"));
            let plan = Plan::for_new_domain(config, &alice, server, may_use_sasl2);
            assert_eq!(plan.bodies, bodies, "{server:?}");
            assert_eq!(
                plan.server,
                (bodies != CLASSIC).then_some(server),
                "another server gets the classic one"
            );
            assert_eq!((plan.is_classic(), plan.may_use_sasl2), (bodies == CLASSIC, may_use_sasl2));
            assert_eq!(plan.early, None);
        }
    }

    #[test]
    fn only_the_plan_of_one_round_trip_may_be_over_with_the_creation() {
        let over_tls = config(|_| ());
        let plan = |server, credentials, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Plan::shortest(&over_tls, &account(credentials), &Learned::new(server, &names))
        };
        let (token, password) = (|| Credentials::plain("token"), || Credentials::password("secret"));
        for (plan, bodies) in [
            (plan(Server::Prosody, token(), &["PLAIN"]), ALL_IN_CREATION),
            (plan(Server::Prosody, password(), &["PLAIN", "SCRAM-SHA-1"]), BEGUN_IN_CREATION),
            (plan(Server::Ejabberd, token(), &["PLAIN"]), BIND_AHEAD),
            (plan(Server::Ejabberd, password(), &["SCRAM-SHA-1"]), IN_PAIRS),
            (plan(Server::Other, token(), &["PLAIN"]), CLASSIC),
        ] {
            assert_eq!((plan.bodies, plan.goes_on()), (bodies, bodies != ALL_IN_CREATION));
        }
    }

    #[test]
    fn sasl2_is_begun_early_only_where_its_offer_was_seen() {
        let names = vec!["SCRAM-SHA-1".to_owned()];
        let offer = Offer { mechanisms: names.clone(), bind: true, fast: Vec::new() };
        let (with_tokens, without) = (config(|config| config.fast_tokens = true), config(|_| ()));
        let prosody = |names: &[String]| Learned::new(Server::Prosody, names);
        for (config, learned, bodies, begins_by_sasl2, has_sasl) in [
            (&with_tokens, prosody(&names), CLASSIC, false, false),
            (&without, prosody(&names), BEGUN_IN_CREATION, false, false),
            (&with_tokens, prosody(&names).with_sasl2(Some(&offer)), BEGUN_IN_CREATION, true, true),
            (&without, prosody(&names).with_sasl2(Some(&offer)), BEGUN_IN_CREATION, false, false),
            // Nothing is left if the server does not answer SASL2.
            (&with_tokens, prosody(&[]).with_sasl2(Some(&offer)), BEGUN_IN_CREATION, true, false),
        ] {
            let plan = Plan::shortest(config, &account(Credentials::password("secret")), &learned);
            let is_by_sasl2 = plan.early.is_some_and(|way| way.sasl2.is_some());
            assert_eq!((plan.bodies, is_by_sasl2, plan.has_sasl), (bodies, begins_by_sasl2, has_sasl));
        }
    }

    #[test]
    fn a_bind_ahead_of_its_turn_needs_two_open_requests() {
        let reaches = |bodies: &[PlannedBody]| bodies.iter().map(PlannedBody::reach).collect::<Vec<_>>();
        assert_eq!(reaches(BIND_AHEAD), [1, 2, 1, 1]);
        assert_eq!(reaches(CLASSIC), [1; 5]);
    }
}
