//! The exchange as data: which steps share a body, and what must have been answered before a
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
    /// What to log in by before the server offers anything; without it the offer is awaited.
    pub(crate) early: Option<Way>,
    /// The server that it is meant for; `None` is any.
    pub(crate) server: Option<Server>,
    /// Whether the server has offered SCRAM before, so that a password must not be sent to it.
    pub(crate) expects_scram: bool,
    /// Whether SASL2 may be used; not where a server has offered it and not answered.
    pub(crate) may_use_sasl2: bool,
    /// Whether it begins by SASL2 early, and the server offered the SASL of RFC 6120 for this account, too.
    pub(crate) has_sasl: bool,
}

impl Plan {
    /// Each step in a body of its own, as XEP-0206 shows it. Every server understands it.
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

    /// The one with the fewest round trips that is safe with a server that proved to be like this;
    /// the classic one where none is known to be.
    ///
    /// A password or a token goes out before the server's offer only over TLS or to this machine,
    /// and only by a mechanism that the server offered before. A password that SCRAM would keep from the server
    /// goes out early only if this process has seen that it offered none, not by what was read from
    /// elsewhere; and not at all if it is `learned` that the server offered SCRAM.
    #[must_use]
    pub fn shortest(config: &Config, account: &Account, learned: &Learned) -> Self {
        Self::shortest_by(config, account, learned, true)
    }

    /// The shortest, by SASL2 only if it `may_use_sasl2`.
    pub(crate) fn shortest_by(
        config: &Config,
        account: &Account,
        learned: &Learned,
        may_use_sasl2: bool,
    ) -> Self {
        let uses_sasl2 = may_use_sasl2 && account.uses_sasl2(config);
        if uses_sasl2 && learned.sasl2().is_none() {
            // A token would be passed over that the server might take.
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

    /// The shortest that waits for the offer of a domain of which nothing is known but its server.
    #[cfg(feature = "client")]
    pub(crate) fn for_new_domain(
        config: &Config,
        account: &Account,
        server: Server,
        may_use_sasl2: bool,
    ) -> Self {
        let uses_sasl2 = may_use_sasl2 && account.uses_sasl2(config);
        let bodies = match server {
            // SASL2 and DIGEST-MD5 take other ways than these plans were made for.
            _ if uses_sasl2 || config.digest_md5 => CLASSIC,
            Server::Prosody => BEGUN_AFTER_OFFER,
            Server::Ejabberd => IN_PAIRS,
            Server::Other => CLASSIC,
        };
        let server = Some(server).filter(|_| bodies != CLASSIC);
        Self { bodies, server, may_use_sasl2, ..Self::classic() }
    }

    /// Logs in by the SASL of RFC 6120, if the server offers that.
    #[cfg(feature = "client")]
    pub(crate) fn without_sasl2(self) -> Self {
        Self { may_use_sasl2: false, ..self }
    }

    /// Sends no bind ahead of its turn: with this server, that has failed where a longer plan did not.
    #[cfg(any(test, feature = "client"))]
    pub(crate) fn in_turn(self) -> Self {
        if self.binds_ahead() { Self { bodies: IN_PAIRS, early: None, ..self } } else { self }
    }

    /// Whether it sends the bind ahead of its turn.
    #[cfg(any(test, feature = "client"))]
    pub(crate) fn binds_ahead(&self) -> bool {
        self.bodies == BIND_AHEAD
    }

    /// Refuses to send a password itself if the server has offered SCRAM before and does no longer.
    pub(crate) fn expecting_scram(self, expects_scram: bool) -> Self {
        Self { expects_scram, ..self }
    }

    #[cfg(feature = "client")]
    pub(crate) fn is_classic(&self) -> bool {
        self.bodies == CLASSIC
    }

    /// Whether something follows the creation for certain.
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

/// Prosody, a mechanism of one message: one round trip.
const ALL_IN_CREATION: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create, PlanStep::Auth, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// Prosody, a mechanism with one challenge: two round trips.
const BEGUN_IN_CREATION: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create, PlanStep::Auth]),
    PlannedBody::new(Milestone::Challenged, &[PlanStep::Respond, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// Prosody, any mechanism of one message or with one challenge, once it is offered: three round trips.
#[cfg(feature = "client")]
const BEGUN_AFTER_OFFER: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
    PlannedBody::new(Milestone::Features, &[PlanStep::Auth]),
    PlannedBody::new(Milestone::Challenged, &[PlanStep::Respond, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// Prosody, a secret that must not go out before the offer: two round trips.
const BIND_WITH_LOGIN: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
    PlannedBody::new(Milestone::Features, &[PlanStep::Auth, PlanStep::Bind]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// ejabberd, which drops what a restart carries: two in flight, as many as it allows. The poll is
/// for the answer to the bind, since the features answer the bind. Three round trips, and one more
/// for a challenge.
const IN_PAIRS: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
    PlannedBody::new(Milestone::Features, &[PlanStep::Auth]),
    PlannedBody::new(Milestone::Spoken, &[RESTART]),
    PlannedBody::new(Milestone::Success, &[PlanStep::Bind]),
    PlannedBody::new(Milestone::Success, &[PlanStep::Poll]),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// ejabberd 17.03 or later, a mechanism of one message: two round trips.
///
/// ejabberd answers a request with what it has to say at that moment, so success, features and bind result take
/// three requests. Two changes save one of them. A stream of a version below 1.0 has no features, but a resource can
/// be bound on it. And ejabberd keeps a request that arrives ahead of its turn until the one before it is
/// answered: the restart is answered with the success, the bind with its result. If the restart arrives first all the
/// same, it takes the success, the bind takes the header of the stream, and the empty request that follows where
/// nothing is open takes the result: three round trips.
const BIND_AHEAD: &[PlannedBody] = &[
    PlannedBody::new(Milestone::Start, &[PlanStep::Create, PlanStep::Auth]),
    PlannedBody::new(Milestone::Unanswered, &[PlanStep::Bind]).ahead_of(1),
    PlannedBody::new(Milestone::Unanswered, &[PlanStep::Restart(Some("0.9"))]).spaced(SPACING),
    PlannedBody::new(Milestone::Bound, &[PlanStep::Session]),
];

/// How long after the bind the restart is written that belongs before it, so that it arrives later over another
/// connection. Every login pays for it, and a restart that arrives first costs a round trip. Where both connections
/// take equally long, 3 ms outlast the scheduling of a busy machine. Jitter of up to 20 ms each way brings a quarter
/// of the restarts first, and 6 ms did no better (1,920 logins). Where a whole round trip takes less, the client waits
/// only until the bind is written.
const SPACING: Duration = Duration::from_millis(3);

/// Restarts the stream in the version that the session was created with.
const RESTART: PlanStep = PlanStep::Restart(None);

/// One `<body/>` of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedBody {
    /// What must have been answered before it is sent.
    pub(crate) after: Milestone,
    /// What it holds.
    pub(crate) steps: &'static [PlanStep],
    /// How many of the bodies that are sent after it come before it in the order of the RIDs.
    pub(crate) ahead_of: u64,
    /// How long after the body before it is sent.
    pub(crate) pause: Duration,
}

impl PlannedBody {
    pub(crate) const fn new(after: Milestone, steps: &'static [PlanStep]) -> Self {
        Self { after, steps, ahead_of: 0, pause: Duration::ZERO }
    }

    /// How many requests have to be allowed to be open for it, with the ones that it is ahead of.
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

/// How far the exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// Nothing needs to be.
    Start,
    /// The features of the first stream are there.
    Features,
    /// A SASL challenge is there, to be answered.
    Challenged,
    /// The client's last SASL message is sent: what follows can only be success or failure.
    Spoken,
    /// The features of the first stream are there, and the client's last SASL message is sent but not answered. If
    /// the answer is there as well, or the server does not let two requests be open, the exchange goes on as the
    /// classic one.
    Unanswered,
    /// SASL success, proven.
    Success,
    /// The features of the restarted stream are there.
    RestartedFeatures,
    /// The bound JID is there.
    Bound,
}

/// A part of a body. SASL responses need no step: challenges are answered whenever they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanStep {
    /// Create the session (XEP-0124 §7.1).
    Create,
    /// Begin SASL (RFC 6120 §6.4.2).
    Auth,
    /// Answer the challenge in this body, together with its other steps.
    Respond,
    /// Restart the stream (XEP-0206 §5), in this version of XMPP if one is named; left out after SASL2, which needs
    /// none.
    Restart(Option<&'static str>),
    /// Bind a resource (RFC 6120 §7.6.1); left out if it went with the login.
    Bind,
    /// Nothing, for the server to answer into; left out once the features of the restarted stream
    /// are there, since nothing would answer it.
    Poll,
    /// Ask for a session (RFC 3921 §3); left out unless the server requires it.
    Session,
}
