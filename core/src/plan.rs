//! The exchange as data: which steps share a body, and what must have been answered before a
//! body is sent. A new way to talk to a server is a new plan, not a new branch.

/// The bodies of one exchange, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub(crate) bodies: &'static [PlannedBody],
}

impl Plan {
    /// Each step in a body of its own, as XEP-0206 shows it. Every server understands it.
    #[must_use]
    pub fn classic() -> Self {
        const BODIES: &[PlannedBody] = &[
            PlannedBody { after: Milestone::Start, steps: &[PlanStep::Create] },
            PlannedBody { after: Milestone::Features, steps: &[PlanStep::Auth] },
            PlannedBody { after: Milestone::Success, steps: &[PlanStep::Restart] },
            PlannedBody { after: Milestone::RestartedFeatures, steps: &[PlanStep::Bind] },
            PlannedBody { after: Milestone::Bound, steps: &[PlanStep::Session] },
        ];
        Self { bodies: BODIES }
    }
}

/// One `<body/>` of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedBody {
    /// What must have been answered before it is sent.
    pub(crate) after: Milestone,
    /// What it holds.
    pub(crate) steps: &'static [PlanStep],
}

/// What the server has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// Nothing needs to be.
    Start,
    /// The features of the first stream.
    Features,
    /// SASL success, proven.
    Success,
    /// The features of the restarted stream.
    RestartedFeatures,
    /// The bound JID.
    Bound,
}

/// A part of a body. SASL responses are no steps: they answer challenges, whenever these come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanStep {
    /// Create the session (XEP-0124 §7.1).
    Create,
    /// Begin SASL (RFC 6120 §6.4.2).
    Auth,
    /// Restart the stream (XEP-0206 §5).
    Restart,
    /// Bind a resource (RFC 6120 §7.6.1).
    Bind,
    /// Ask for a session (RFC 3921 §3); left out unless the server requires it.
    Session,
}
