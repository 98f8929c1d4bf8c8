//! The requests of one exchange that are under way. Where there are several, the thread of the exchange sends
//! the first and waits for its answer, and helper threads send the others. The server answers none of the
//! others before the first, and a lost one is not sent again before that answer. This is also true if a later
//! request is sent first.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use tracing::dispatcher;

use super::give_up::{self, interruptible};
use super::lost::{self, Lost};
use super::net::Lane;
use super::outbox::Outbox;
use super::post::Service;
use crate::config::Config;
use crate::wire::reply::Reply;
use crate::wire::request::Request;

/// The answer to the request with this RID: the reply and the lane that carried it, or why there is no reply.
pub(super) type Answer = (u64, Result<(Reply, Lane), Lost>);

/// How long to wait, at least, for a connection that was opened ahead, once the creation is answered.
const OPENING: Duration = Duration::from_millis(250);

/// How long to wait, at least, until a request is written: a busy machine may need longer than a short round
/// trip.
const LEAST_PATIENCE: Duration = Duration::from_millis(20);

/// How long ending a session after a failure may take. A short deadline leaves less.
pub(super) const CLEAN_UP: Duration = Duration::from_millis(500);

/// How much of the deadline is reserved at least for ending a session, but never more than a quarter of it.
const LEAST_CLEAN_UP: Duration = Duration::from_millis(50);

/// The moment at which to stop an exchange, so that its session can still be ended before the deadline.
pub(super) fn before_clean_up(until: Instant, config: &Config) -> Instant {
    let kept = (config.deadline / 10).clamp(LEAST_CLEAN_UP.min(config.deadline / 4), CLEAN_UP);
    until.checked_sub(kept).unwrap_or(until)
}

/// A request for a helper, the lane to send it on, and how long it may take.
type Job = (Request, Option<Lane>, Instant);

pub(super) struct Flights<'scope, 'env> {
    client: &'env Service,
    scope: &'scope Scope<'scope, 'env>,
    /// How long to wait for answers before a secret is sent.
    patience: Instant,
    /// The deadline of the call.
    until: Instant,
    /// Requests to be sent, each with the moment before which it must not go out.
    due: VecDeque<(Instant, Request)>,
    /// A request to be sent ahead of its turn, and the request before it.
    reversed: Option<(Request, Request)>,
    /// The threads that send requests while another one is under way.
    helpers: Vec<Sender<Job>>,
    /// The helpers that have nothing to do.
    idle: Vec<usize>,
    sender: Sender<(usize, Answer)>,
    answers: Receiver<(usize, Answer)>,
    outbox: Arc<Outbox>,
    /// Whether the exchange has ended, so that nobody waits for its requests any more.
    is_over: Arc<AtomicBool>,
    /// The connection that carried the creation, if the rest of the exchange stays on it.
    own: Option<Lane>,
    /// A connection that is being opened for the requests after the creation.
    ahead: Option<Receiver<Lane>>,
    /// Whether opening that connection took too long, so that the exchange has only one.
    is_alone: bool,
    started: Instant,
    /// How long the creation took, including the opening of its connection: one round trip or more.
    round_trip: Duration,
}

impl<'scope, 'env> Flights<'scope, 'env> {
    pub(super) fn new(
        client: &'env Service,
        scope: &'scope Scope<'scope, 'env>,
        patience: Instant,
        until: Instant,
        ahead: Option<Receiver<Lane>>,
    ) -> Self {
        let (sender, answers) = channel();
        Self {
            client,
            scope,
            patience,
            until,
            due: VecDeque::new(),
            reversed: None,
            helpers: Vec::new(),
            idle: Vec::new(),
            sender,
            answers,
            outbox: Arc::default(),
            is_over: Arc::default(),
            own: None,
            ahead,
            is_alone: false,
            started: Instant::now(),
            round_trip: Duration::ZERO,
        }
    }

    /// Adds requests to be sent, each after its pause.
    pub(super) fn add(&mut self, requests: Vec<Request>) {
        if requests.iter().any(|request| request.holds_secret() && !request.is_optional()) {
            // Once a secret is sent, no other exchange follows, so this one gets all the time.
            self.patience = self.until;
        }
        let now = Instant::now();
        match <[Request; 2]>::try_from(requests) {
            Ok([ahead, before]) if before.rid() < ahead.rid() => self.reversed = Some((ahead, before)),
            Ok(pair) => self.due.extend(pair.map(|request| (now + request.pause(), request))),
            Err(requests) => {
                self.due.extend(requests.into_iter().map(|request| (now + request.pause(), request)));
            }
        }
    }

    /// Sends the requests that are due and waits for the next answer. Returns `None` if there is nothing to
    /// wait for.
    pub(super) fn next(&mut self) -> Option<Answer> {
        if let Some((ahead, before)) = self.reversed.take() {
            return Some(self.send_reversed(ahead, &before));
        }
        loop {
            let now = Instant::now();
            let mut first = None;
            while let Some(at) = self.due.iter().position(|(moment, _)| *moment <= now) {
                let is_idle = self.flying() == 0 && first.is_none();
                let is_only_one = is_idle && (self.due.len() == 1 || self.is_alone);
                if self.is_alone && !is_only_one {
                    break;
                }
                let (_, request) = self.due.remove(at)?;
                let lane = self.lane_for(&request);
                if is_only_one {
                    return Some(self.send(&request, lane));
                }
                if self.is_alone && self.flying() > 0 {
                    // There is no second connection, so this request waits for its turn.
                    self.due.push_front((now, request));
                    break;
                }
                if is_idle && self.ahead.is_none() && self.due.iter().all(|(moment, _)| *moment <= now) {
                    first = Some((request, lane));
                    continue;
                }
                match self.idle.pop().or_else(|| self.hire()) {
                    Some(helper) => self.hand_over(helper, request, lane),
                    None if first.is_some() => {
                        self.due.push_front((now, request));
                        break;
                    }
                    None => return Some(self.send(&request, lane)),
                }
            }
            if let Some((request, lane)) = first {
                return Some(self.send(&request, lane));
            }
            let next_due = self.due.iter().map(|(moment, _)| *moment).filter(|moment| *moment > now).min();
            match (self.flying(), next_due) {
                (0, None) if self.due.is_empty() => return None,
                (0, None) => {}
                (_, next_due) => {
                    if let Some(answer) = self.wait(next_due) {
                        return Some(answer);
                    }
                }
            }
        }
    }

    /// Sends a request `ahead` of its turn, then the request `before` it over the connection of the creation,
    /// and waits for the answer to `before`. Without a second connection or thread, both are sent in turn,
    /// because the server does not answer `ahead` until it has `before`.
    fn send_reversed(&mut self, ahead: Request, before: &Request) -> Answer {
        let own = self.own.take();
        let other = self.opened_ahead(&ahead);
        let helper = if self.is_alone { None } else { self.idle.pop().or_else(|| self.hire()) };
        let Some(helper) = helper else {
            if let Some(lane) = other {
                self.client.http.process().lanes.put(lane);
            }
            self.due.push_back((Instant::now(), ahead));
            return self.send(before, own);
        };
        let rid = ahead.rid();
        self.hand_over(helper, ahead, other);
        // A connection that takes longer to open than a round trip saves no time.
        let patience = self.round_trip.clamp(LEAST_PATIENCE, OPENING);
        if self.outbox.has_written(rid, patience) && before.pause() < self.round_trip {
            thread::sleep(before.pause());
        }
        self.send(before, own)
    }

    /// Takes a lane back after its answer. If the exchange `stays` on the connection of its creation, it
    /// keeps that lane; other lanes become free for all exchanges.
    pub(super) fn give_back(&mut self, lane: Lane, stays: bool) {
        match &self.own {
            None if stays => self.own = Some(lane),
            _ => self.client.http.process().lanes.put(lane),
        }
    }

    /// The connection of the creation, if the exchange stays on it.
    pub(super) fn take_own(&mut self) -> Option<Lane> {
        self.own.take()
    }

    /// Sends no further request of the exchange. Returns the RID for the request that ends the session.
    pub(super) fn close(&self, until: Instant) -> Option<u64> {
        self.outbox.close(until)
    }

    /// Whether several requests were under way at the same time.
    pub(super) fn had_several(&self) -> bool {
        !self.helpers.is_empty()
    }

    /// How many requests are under way on other threads.
    fn flying(&self) -> usize {
        self.helpers.len() - self.idle.len()
    }

    fn send(&mut self, request: &Request, lane: Option<Lane>) -> Answer {
        let posted = self.outbox.post(request.rid());
        let reply = self.client.post(request, lane, self.request_until(request), Some(posted));
        if !request.is_repeatable() {
            self.round_trip = self.started.elapsed();
        }
        (request.rid(), reply)
    }

    fn hand_over(&self, helper: usize, request: Request, lane: Option<Lane>) {
        // Sending to a helper cannot fail: helpers run as long as `self` exists.
        let until = self.request_until(&request);
        let _ = self.helpers[helper].send((request, lane, until));
    }

    /// Starts a thread that sends requests until the exchange ends.
    fn hire(&mut self) -> Option<usize> {
        let (jobs, todo) = channel::<Job>();
        let (client, sender, number) = (self.client, self.sender.clone(), self.helpers.len());
        let (outbox, is_over) = (Arc::clone(&self.outbox), Arc::clone(&self.is_over));
        let span = tracing::Span::current();
        let observer = dispatcher::get_default(Clone::clone);
        let work = move || {
            dispatcher::with_default(&observer, || {
                let _span = span.entered();
                let keep_going = move || !is_over.load(Relaxed);
                interruptible(keep_going, || {
                    for (request, lane, until) in todo {
                        let posted = outbox.post(request.rid());
                        let post = AssertUnwindSafe(|| client.post(&request, lane, until, Some(posted)));
                        let reply =
                            catch_unwind(post).unwrap_or_else(|_| Err(lost::defect(request.stage()).into()));
                        let answer = (request.rid(), reply);
                        // After a failure nobody reads the answer, so its lane is put back here.
                        if let Err(unread) = sender.send((number, answer))
                            && let (_, Ok((_, lane))) = unread.0.1
                        {
                            client.http.process().lanes.put(lane);
                        }
                    }
                });
            });
        };
        thread::Builder::new().spawn_scoped(self.scope, work).ok()?;
        self.helpers.push(jobs);
        Some(number)
    }

    /// The connection for a request. `None` leaves the choice to the pool.
    fn lane_for(&mut self, request: &Request) -> Option<Lane> {
        let http = &self.client.http;
        let lane = self.own.take().or_else(|| self.opened_ahead(request));
        lane.or_else(|| self.is_alone.then(|| http.process().lanes.take_any()).flatten())
    }

    /// Waits for the connection that was opened ahead for this request.
    fn opened_ahead(&mut self, request: &Request) -> Option<Lane> {
        let opening = self.ahead.take_if(|_| request.is_repeatable())?;
        let now = Instant::now();
        // The creation took at least one round trip, and opening a connection takes two or three.
        let patience = (2 * now.duration_since(self.started)).max(OPENING);
        let until = now + patience.min(self.until.saturating_duration_since(now) / 2);
        let opened = give_up::waiting(until, false, |slice| match opening.recv_timeout(slice) {
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::NotConnected.into()),
            opened => Ok::<_, io::Error>(opened.ok()),
        });
        // A caller that gave up during this wait gets its error from the request.
        self.is_alone = opened.is_err();
        opened.ok()
    }

    /// Waits for an answer from a helper. Returns `None` once the next request is due. The helper itself
    /// keeps to the deadline.
    fn wait(&mut self, next_due: Option<Instant>) -> Option<Answer> {
        loop {
            let left = next_due.map(|moment| moment.saturating_duration_since(Instant::now()));
            let slice = left.map_or(give_up::SLICE, |left| left.min(give_up::SLICE));
            match self.answers.recv_timeout(slice) {
                Ok((helper, answer)) => {
                    self.idle.push(helper);
                    return Some(answer);
                }
                Err(_) if give_up::ask().is_err() => self.is_over.store(true, Relaxed),
                Err(_) => {}
            }
            if left.is_some_and(|left| left <= slice) {
                return None;
            }
        }
    }

    fn request_until(&self, request: &Request) -> Instant {
        let mut patience = self.patience;
        if request.is_optional() {
            // Half of the remaining time is reserved for the exchange that follows without this request.
            let now = Instant::now();
            patience = patience.min(now + self.until.saturating_duration_since(now) / 2);
        }
        before_clean_up(patience, &self.client.config)
    }
}

impl Drop for Flights<'_, '_> {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        let opened = self.ahead.take().and_then(|opening| opening.try_recv().ok());
        for lane in [self.own.take(), opened].into_iter().flatten() {
            self.client.http.process().lanes.put(lane);
        }
    }
}
