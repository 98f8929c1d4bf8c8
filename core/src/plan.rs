//! The exchange as data: which steps share a body, and what must have been answered before a
//! body is sent. A new way to talk to a server is a new plan, not a new branch.

use crate::account::Account;
use crate::config::Config;
#[cfg(feature = "client")]
use crate::error::Stage;
use crate::learned::{Learned, Server};
use crate::sasl::{self, Early, Way};

/// The bodies of one exchange, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(crate) bodies: &'static [PlannedBody],
    /// What to log in by before the server offers anything; without it the offer is awaited.
    pub(crate) early: Option<Way>,
    /// Whether the first message of the login is a password or token.
    pub(crate) has_secret: bool,
}

impl Plan {
    /// Each step in a body of its own, as XEP-0206 shows it. Every server understands it.
    #[must_use]
    pub fn classic() -> Self {
        Self { bodies: CLASSIC, early: None, has_secret: false }
    }

    /// The one with the fewest round trips that is safe with a server that proved to be like this;
    /// the classic one where none is known to be.
    ///
    /// A password or a token goes out before the server's offer only over TLS or to this machine,
    /// and only by a mechanism that the server offered before.
    #[must_use]
    pub fn shortest(config: &Config, account: &Account, learned: &Learned) -> Self {
        if account.uses_sasl2(config) && learned.sasl2().is_none() {
            // A token would be passed over that the server might take.
            return Self::classic();
        }
        let early = sasl::early(config, account, learned);
        let has_secret = matches!(early, Some(Early::Secret(_) | Early::Unsafe));
        let (bodies, early) = match (learned.server(), early) {
            (Server::Prosody, Some(Early::Alone(way) | Early::Secret(way))) => (ALL_IN_CREATION, Some(way)),
            (Server::Prosody, Some(Early::Challenged(way))) => (BEGUN_IN_CREATION, Some(way)),
            (Server::Prosody, Some(Early::Unsafe)) => (BIND_WITH_LOGIN, None),
            (Server::Ejabberd, Some(_)) => (IN_PAIRS, None),
            _ => (CLASSIC, None),
        };
        Self { bodies, early, has_secret }
    }

    #[cfg(feature = "client")]
    pub(crate) fn is_classic(&self) -> bool {
        self.bodies == CLASSIC
    }

    /// Whether a password or token may have gone out by the time that stage is over.
    #[cfg(feature = "client")]
    pub(crate) fn has_told(&self, stage: Stage) -> bool {
        self.has_secret && (self.early.is_some() || !matches!(stage, Stage::Create | Stage::Features))
    }

    /// Whether something follows the creation for certain.
    #[cfg(feature = "client")]
    pub(crate) fn goes_on(&self) -> bool {
        self.bodies != ALL_IN_CREATION
    }
}

const CLASSIC: &[PlannedBody] = &[
    PlannedBody { after: Milestone::Start, steps: &[PlanStep::Create] },
    PlannedBody { after: Milestone::Features, steps: &[PlanStep::Auth] },
    PlannedBody { after: Milestone::Success, steps: &[PlanStep::Restart] },
    PlannedBody { after: Milestone::RestartedFeatures, steps: &[PlanStep::Bind] },
    PlannedBody { after: Milestone::Bound, steps: &[PlanStep::Session] },
];

/// Prosody, a mechanism of one message: one round trip.
const ALL_IN_CREATION: &[PlannedBody] = &[
    PlannedBody { after: Milestone::Start, steps: &[PlanStep::Create, PlanStep::Auth, PlanStep::Bind] },
    PlannedBody { after: Milestone::Bound, steps: &[PlanStep::Session] },
];

/// Prosody, a mechanism with one challenge: two round trips.
const BEGUN_IN_CREATION: &[PlannedBody] = &[
    PlannedBody { after: Milestone::Start, steps: &[PlanStep::Create, PlanStep::Auth] },
    PlannedBody { after: Milestone::Challenged, steps: &[PlanStep::Respond, PlanStep::Bind] },
    PlannedBody { after: Milestone::Bound, steps: &[PlanStep::Session] },
];

/// Prosody, a secret that must not go out before the offer: two round trips.
const BIND_WITH_LOGIN: &[PlannedBody] = &[
    PlannedBody { after: Milestone::Start, steps: &[PlanStep::Create] },
    PlannedBody { after: Milestone::Features, steps: &[PlanStep::Auth, PlanStep::Bind] },
    PlannedBody { after: Milestone::Bound, steps: &[PlanStep::Session] },
];

/// ejabberd, which drops what a restart carries: two in flight, as many as it allows. The poll is
/// for the answer to the bind, since the features answer the bind. Three round trips, and one more
/// for a challenge.
const IN_PAIRS: &[PlannedBody] = &[
    PlannedBody { after: Milestone::Start, steps: &[PlanStep::Create] },
    PlannedBody { after: Milestone::Features, steps: &[PlanStep::Auth] },
    PlannedBody { after: Milestone::Spoken, steps: &[PlanStep::Restart] },
    PlannedBody { after: Milestone::Success, steps: &[PlanStep::Bind] },
    PlannedBody { after: Milestone::Success, steps: &[PlanStep::Poll] },
    PlannedBody { after: Milestone::Bound, steps: &[PlanStep::Session] },
];

/// One `<body/>` of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedBody {
    /// What must have been answered before it is sent.
    pub(crate) after: Milestone,
    /// What it holds.
    pub(crate) steps: &'static [PlanStep],
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
    /// Restart the stream (XEP-0206 §5); left out after SASL2, which needs none.
    Restart,
    /// Bind a resource (RFC 6120 §7.6.1); left out if it went with the login.
    Bind,
    /// Nothing, for the server to answer into; left out once the features of the restarted stream
    /// are there, since nothing would answer it.
    Poll,
    /// Ask for a session (RFC 3921 §3); left out unless the server requires it.
    Session,
}
