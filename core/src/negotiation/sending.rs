//! What an exchange sends: the bodies of its plan that are due, and how each is written.

use super::plan::{Milestone, PlanStep, PlannedBody};
use super::{MAX_OPEN, Negotiation, Open, Told};
use crate::body::Frame;
use crate::error::{Result, Stage};
use crate::request::Request;
use crate::secret::Secret;
use crate::stanza;

impl Negotiation<'_> {
    /// Writes the bodies whose turn it is, as far as the server lets them be open.
    pub(super) fn due_bodies(&mut self) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        while let Some(body) = self.plan.bodies.get(self.sent) {
            if body.after == Milestone::Unanswered && (self.login.is_done() || body.reach() > self.window()) {
                self.go_on_classic(2);
                continue;
            }
            if !self.has_passed(body.after) || self.unsettled() + body.reach() > self.window() {
                break;
            }
            self.sent += 1;
            requests.extend(self.planned(body)?);
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
            Milestone::Unanswered => self.features.is_some() && self.login.has_spoken(),
            Milestone::Success => self.login.is_done(),
            Milestone::RestartedFeatures => self.is_restarted && self.features.is_some(),
            Milestone::Bound => self.jid.is_some(),
        }
    }

    /// Writes one body of the plan; none if every step of it is left out.
    fn planned(&mut self, body: &PlannedBody) -> Result<Option<Request>> {
        let (config, account) = (self.config, self.account);
        let mut frame = Frame::Plain;
        let mut payload = Secret::default();
        let mut is_needed = false;
        let mut is_secret = false;
        let mut awaited = self.stage;
        let from = self.from();
        for step in body.steps {
            let (stage, element) = match step {
                PlanStep::Create => {
                    let domain = account.jid().domain();
                    frame = Frame::Create { config, domain, from: from.as_deref() };
                    (Stage::Create, Secret::default())
                }
                PlanStep::Auth => {
                    let auth = self.begin_login()?;
                    is_secret |= self.told != Told::Nothing;
                    (Stage::Authenticate, auth)
                }
                PlanStep::Respond => match self.due_response() {
                    Some(response) => {
                        is_secret = true;
                        (Stage::Authenticate, response)
                    }
                    None => continue,
                },
                PlanStep::Restart(_) if self.sasl2.is_some() => continue,
                PlanStep::Restart(version) => {
                    self.is_restarted = true;
                    self.features = None;
                    let (lang, domain) = (config.lang.as_deref(), account.jid().domain());
                    frame = Frame::Restart { lang, domain, version: *version };
                    (Stage::Restart, Secret::default())
                }
                PlanStep::Bind if !self.login.has_spoken() => {
                    // By a mechanism that the plan was not made for: nothing can be bound yet.
                    self.go_on_classic(2);
                    continue;
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
                awaited = stage;
            }
            payload = [payload.expose(), element.expose()].concat().into();
        }
        if !is_needed {
            return Ok(None);
        }
        if self.skipped.is_empty() {
            self.stage = awaited;
        }
        let skipped = self.next_rid..self.next_rid + body.ahead_of;
        self.next_rid = skipped.end;
        let write = if is_secret { Self::secret_request } else { Self::request };
        let request = write(self, &frame, awaited, payload.expose()).after(body.pause);
        self.skipped.extend(skipped);
        Ok(Some(request))
    }

    /// Writes a request that holds a secret, or a proof of one.
    pub(super) fn secret_request(&mut self, frame: &Frame<'_>, stage: Stage, payload: &str) -> Request {
        let request = self.written(frame, stage, payload, true);
        self.unanswered_secret = Some(request.rid());
        request
    }

    /// Writes a request, with the first RID that is free, and holds it as open.
    pub(super) fn request(&mut self, frame: &Frame<'_>, stage: Stage, payload: &str) -> Request {
        self.written(frame, stage, payload, false)
    }

    fn written(&mut self, frame: &Frame<'_>, stage: Stage, payload: &str, is_secret: bool) -> Request {
        let rid = self.skipped.pop_front().unwrap_or_else(|| {
            self.next_rid += 1;
            self.next_rid - 1
        });
        let sid = self.session.as_ref().map(|(sid, _)| sid.expose());
        let request = Request::new(frame, stage, rid, sid, payload, self.cookies.header());
        let request = if is_secret { request.with_secret() } else { request };
        let request = if self.may_leave_sasl2() { request.may_be_left() } else { request };
        let open = Open {
            request: request.clone(),
            was_repeated: false,
            unknown: 0,
            is_lost: false,
            waits: self.waits + 1,
        };
        let place = self.open.partition_point(|other| other.request.rid() < rid);
        self.open.insert(place, open);
        request
    }
}
