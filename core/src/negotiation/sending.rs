//! What an exchange sends: the bodies of its plan that are due, and how each is written.

use super::{MAX_OPEN, Negotiation, Open};
use crate::body::Frame;
use crate::error::{Result, Stage};
use crate::plan::{Milestone, PlanStep};
use crate::request::Request;
use crate::secret::Secret;
use crate::stanza;

impl Negotiation<'_> {
    /// Writes the bodies whose turn it is, as far as the server lets them be open.
    pub(super) fn due_bodies(&mut self) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        while let Some(body) = self.plan.bodies.get(self.sent)
            && self.has_passed(body.after)
            && self.open.len() < self.window()
        {
            self.sent += 1;
            requests.extend(self.planned(body.steps)?);
        }
        Ok(requests)
    }

    fn window(&self) -> usize {
        let granted = self.session.as_ref().and_then(|(_, created)| created.requests);
        granted.unwrap_or(MAX_OPEN).clamp(1, MAX_OPEN) as usize
    }

    fn has_passed(&mut self, milestone: Milestone) -> bool {
        match milestone {
            Milestone::Start => true,
            Milestone::Features => self.features.is_some(),
            Milestone::Challenged => self.login.is_challenged() || self.login.is_done(),
            Milestone::Spoken => self.login.has_spoken(),
            Milestone::Success => self.login.is_done(),
            Milestone::RestartedFeatures => self.is_restarted && self.features.is_some(),
            Milestone::Bound => self.jid.is_some(),
        }
    }

    /// Writes one body of the plan; none if every step of it is left out.
    fn planned(&mut self, steps: &[PlanStep]) -> Result<Option<Request>> {
        let (config, account) = (self.config, self.account);
        let mut frame = Frame::Plain;
        let mut payload = Secret::default();
        let mut is_needed = false;
        let from = self.from();
        for step in steps {
            let (stage, element) = match step {
                PlanStep::Create => {
                    let domain = account.jid().domain();
                    frame = Frame::Create { config, domain, from: from.as_deref() };
                    (Stage::Create, Secret::default())
                }
                PlanStep::Auth => (Stage::Authenticate, self.begin_login()?),
                PlanStep::Respond => match self.due_response() {
                    Some(response) => (Stage::Authenticate, response),
                    None => continue,
                },
                PlanStep::Restart if self.sasl2.is_some() => continue,
                PlanStep::Restart => {
                    self.is_restarted = true;
                    self.features = None;
                    frame = Frame::Restart { lang: config.lang.as_deref(), domain: account.jid().domain() };
                    (Stage::Restart, Secret::default())
                }
                PlanStep::Bind if self.sasl2.is_some_and(|inline| inline.bind) => continue,
                PlanStep::Bind => (Stage::Bind, stanza::bind(account.resource(config))),
                PlanStep::Poll if self.features.is_some() || self.jid.is_some() => continue,
                PlanStep::Poll => (Stage::Bind, Secret::default()),
                PlanStep::Session if !self.is_session_required() => continue,
                PlanStep::Session => (Stage::Session, stanza::session()),
            };
            is_needed = true;
            // Until the session stands, that is what is waited for.
            if self.session.is_some() {
                self.stage = stage;
            }
            payload = [payload.expose(), element.expose()].concat().into();
        }
        Ok(is_needed.then(|| self.request(&frame, self.stage, payload.expose())))
    }

    /// Writes a request, with the next RID, and holds it as open.
    pub(super) fn request(&mut self, frame: &Frame<'_>, stage: Stage, payload: &str) -> Request {
        let rid = self.next_rid;
        self.next_rid += 1;
        let sid = self.session.as_ref().map(|(sid, _)| sid.expose());
        let request = Request::new(frame, stage, rid, sid, payload, self.cookies.header());
        self.open.push(Open { request: request.clone(), was_repeated: false, waits: self.waits + 1 });
        request
    }
}
