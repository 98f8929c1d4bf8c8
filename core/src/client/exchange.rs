//! Drives one exchange by its plan.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use tracing::dispatcher;

use super::http::{self, Lost};
use super::lanes::Lane;
use super::{Inner, cancel, defect, interruptible, terminate};
use crate::account::Account;
use crate::error::{Error, Phase, Result, Stage};
use crate::learned::{Learned, Server};
use crate::negotiation::{Failure, Negotiation, Step};
use crate::plan::Plan;
use crate::random::Random;
use crate::reply::Reply;
use crate::request::Request;
use crate::session::Session;

/// How long ending a session after a failure may take; less if the deadline is shorter.
const CLEAN_UP: Duration = Duration::from_millis(500);

/// The same after its caller gave up, who may be waited for.
const HURRIED_CLEAN_UP: Duration = Duration::from_millis(150);

/// A reply, or why there is none, to the request with that RID.
type Answer = (u64, Result<Reply, Lost>);

/// How long a connection that is opened ahead may take longer than the creation, at least.
const OPENING: Duration = Duration::from_millis(250);

impl Inner {
    pub(super) fn exchange(
        &self,
        account: &Account,
        plan: Plan,
        until: Instant,
    ) -> Result<(Session, Learned)> {
        let goes_on = plan.goes_on() && !plan.is_classic();
        let (negotiation, requests) = Negotiation::start(&self.config, account, plan, Random::from_os()?)?;
        let negotiation = negotiation.with_scram_cache(&self.scram_cache);
        // What follows goes over another connection, which is opened while the server thinks.
        let ahead = goes_on.then(|| self.http.open_ahead()).flatten();
        thread::scope(|scope| Driver::new(self, until, scope, ahead).drive(negotiation, requests.into()))
    }

    /// Leaves no session behind, as far as the time allows; the error stays what it was.
    fn clean_up(&self, failure: Failure, until: Instant) -> Error {
        if let Some(terminate) = &failure.terminate {
            let is_hurried = cancel::is_stopped();
            let time = if is_hurried { HURRIED_CLEAN_UP } else { CLEAN_UP };
            let until = until.min(Instant::now() + time);
            // What is sent will be read, even if the server lets the connection rest for longer.
            let lane = is_hurried.then(|| self.http.any_lane()).flatten();
            if interruptible(|| true, || self.post(terminate, lane, until)).is_err() {
                tracing::debug!("the session could not be ended; the server will, after its inactivity time");
            }
        }
        failure.error
    }
}

/// Moves requests and replies, two at most at once.
struct Driver<'scope, 'env> {
    client: &'env Inner,
    until: Instant,
    /// Some of the time is kept to end a session if something fails once it stands.
    session_until: Instant,
    scope: &'scope Scope<'scope, 'env>,
    sender: Sender<Answer>,
    answers: Receiver<Answer>,
    /// How many requests run on other threads.
    elsewhere: usize,
    /// Whether nobody waits for them any more.
    is_over: Arc<AtomicBool>,
    /// A connection that is being opened for what follows the creation.
    ahead: Option<Receiver<Lane>>,
    /// Whether it took too long, so that one connection has to do.
    is_alone: bool,
    started: Instant,
}

impl<'scope, 'env> Driver<'scope, 'env> {
    fn new(
        client: &'env Inner,
        until: Instant,
        scope: &'scope Scope<'scope, 'env>,
        ahead: Option<Receiver<Lane>>,
    ) -> Self {
        let session_until = until.checked_sub(CLEAN_UP.min(client.config.deadline / 10)).unwrap_or(until);
        let (sender, answers) = channel();
        Self {
            client,
            until,
            session_until,
            scope,
            sender,
            answers,
            elsewhere: 0,
            is_over: Arc::default(),
            ahead,
            is_alone: false,
            started: Instant::now(),
        }
    }

    fn drive(
        mut self,
        mut negotiation: Negotiation<'_>,
        mut due: VecDeque<Request>,
    ) -> Result<(Session, Learned)> {
        while let Some((rid, answer)) = self.next_answer(&mut due) {
            let reply = match answer {
                Ok(reply) => reply,
                Err(Lost { error, is_broken }) => match negotiation.repeat(rid) {
                    Some(same) if is_broken => {
                        tracing::debug!(stage = %same.stage(), "the connection broke; sending the same request again");
                        due.push_front(same);
                        continue;
                    }
                    _ => return Err(self.client.clean_up(negotiation.abandon(error), self.until)),
                },
            };
            negotiation = match negotiation.receive(&reply) {
                Ok(Step::Send(next, more)) => {
                    self.observe(next.server());
                    due.extend(more);
                    next
                }
                Ok(Step::Wait(next)) => next,
                Ok(Step::Done(session, learned)) => {
                    self.observe(learned.server());
                    if cancel::is_stopped() {
                        let terminate = terminate::of(&session).ok();
                        return Err(self
                            .client
                            .clean_up(Failure { error: given_up(), terminate }, self.until));
                    }
                    return Ok((session, learned));
                }
                Err(failure) => return Err(self.client.clean_up(failure, self.until)),
            };
            if cancel::is_stopped() {
                return Err(self.client.clean_up(negotiation.abandon(given_up()), self.until));
            }
        }
        Err(self.client.clean_up(negotiation.abandon(defect(Stage::Create)), self.until))
    }

    fn observe(&self, server: Server) {
        if server == Server::Prosody {
            self.client.http.slow_down();
        }
    }

    /// Sends what is due and waits for an answer; `None` if there is nothing to wait for.
    fn next_answer(&mut self, due: &mut VecDeque<Request>) -> Option<Answer> {
        // Replies come in the order of the requests (XEP-0124 §11), so this thread takes the first.
        let first = due.pop_front();
        while due.front().is_some_and(|request| self.send_elsewhere(request.clone())) {
            due.pop_front();
        }
        match first {
            Some(request) => {
                let lane = self.opened_ahead(&request).or_else(|| {
                    let http = &self.client.http;
                    self.is_alone.then(|| http.any_lane()).flatten()
                });
                Some((request.rid(), self.client.post(&request, lane, self.until_for(&request))))
            }
            None if self.elsewhere > 0 => self.wait(),
            None => None,
        }
    }

    /// Whether the request is under way; without a thread or a connection for it, it has to wait its
    /// turn.
    fn send_elsewhere(&mut self, request: Request) -> bool {
        let lane = self.opened_ahead(&request);
        if self.is_alone {
            return false;
        }
        let (client, until, sender) = (self.client, self.until_for(&request), self.sender.clone());
        let (is_over, span) = (Arc::clone(&self.is_over), tracing::Span::current());
        let observer = dispatcher::get_default(Clone::clone);
        let run = move || {
            dispatcher::with_default(&observer, || {
                let _span = span.entered();
                let reply =
                    interruptible(move || !is_over.load(Relaxed), || client.post(&request, lane, until));
                // Nobody waits for it after a failure.
                let _ = sender.send((request.rid(), reply));
            });
        };
        let is_sent = thread::Builder::new().spawn_scoped(self.scope, run).is_ok();
        self.elsewhere += usize::from(is_sent);
        is_sent
    }

    /// The connection that was opened for this, as soon as it is.
    fn opened_ahead(&mut self, request: &Request) -> Option<Lane> {
        let opening = self.ahead.take_if(|_| request.is_repeatable())?;
        let now = Instant::now();
        // The creation took one round trip at least, and a connection takes two or three.
        let patience = (2 * now.duration_since(self.started)).max(OPENING);
        let until = now + patience.min(self.until.saturating_duration_since(now) / 2);
        loop {
            let slice = cancel::SLICE.min(until.saturating_duration_since(Instant::now()));
            match opening.recv_timeout(slice) {
                Ok(lane) => return Some(lane),
                // Who gives up is told by the request.
                Err(RecvTimeoutError::Timeout) if !slice.is_zero() && cancel::ask().is_ok() => {}
                Err(_) => {
                    self.is_alone = true;
                    return None;
                }
            }
        }
    }

    /// Waits for an answer from another thread, which keeps to the deadline by itself.
    fn wait(&mut self) -> Option<Answer> {
        loop {
            match self.answers.recv_timeout(cancel::SLICE) {
                Ok(answer) => {
                    self.elsewhere -= 1;
                    return Some(answer);
                }
                Err(RecvTimeoutError::Timeout) if cancel::ask().is_ok() => {}
                Err(RecvTimeoutError::Timeout) => self.is_over.store(true, Relaxed),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn until_for(&self, request: &Request) -> Instant {
        if request.stage() == Stage::Create { self.until } else { self.session_until }
    }
}

/// While the creation was under way, which is waited for even so.
fn given_up() -> Error {
    http::given_up(Phase::Headers, Stage::Create)
}

impl Drop for Driver<'_, '_> {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(lane) = self.ahead.take().and_then(|opening| opening.try_recv().ok()) {
            self.client.http.keep(lane);
        }
    }
}
