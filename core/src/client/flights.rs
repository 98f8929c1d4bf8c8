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
                (0, None) => return None,
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

#[cfg(test)]
mod tests {
    use faults::{Reply, Server};

    use super::*;
    use crate::client::net::Http;
    use crate::error::Stage;
    use crate::wire::body::Frame;

    const HOUR: Duration = Duration::from_secs(3600);

    /// With five seconds for a call, of which half a second is kept to end the session.
    fn service(server: &Server) -> Service {
        let config = Config::new(&server.url).unwrap();
        Service { http: Arc::new(Http::new(&config).unwrap()), config }
    }

    /// A server that answers each of so many requests, and what its client has.
    fn answering(count: usize) -> (Server, Service) {
        let server = faults::script(vec![Reply::xml("<body/>"); count]);
        let service = service(&server);
        (server, service)
    }

    /// For calls that have an hour.
    fn fly(service: &Service, ahead: Option<Receiver<Lane>>, test: impl FnOnce(Flights<'_, '_>)) {
        let until = Instant::now() + HOUR;
        thread::scope(|scope| test(Flights::new(service, scope, until, until, ahead)));
    }

    fn request(rid: u64) -> Request {
        Request::new(&Frame::Plain, Stage::Authenticate, rid, Some("sid"), "", None)
    }

    fn creation(rid: u64) -> Request {
        Request::new(&Frame::Plain, Stage::Create, rid, None, "", None)
    }

    fn rids(server: &Server) -> Vec<u64> {
        server.requests().iter().filter_map(faults::Recorded::rid).collect()
    }

    /// The RID of the next request that is answered.
    fn answered(flights: &mut Flights<'_, '_>) -> Option<u64> {
        let (rid, answer) = flights.next()?;
        let (_, lane) = answer.unwrap();
        flights.give_back(lane, true);
        Some(rid)
    }

    fn has_idle(service: &Service) -> bool {
        service.http.process().lanes.take_any().is_some()
    }

    #[test]
    fn a_tenth_of_the_time_is_kept_to_end_a_session() {
        for (deadline, kept) in
            [(60_000, 500), (5000, 500), (4000, 400), (1000, 100), (400, 50), (200, 50), (100, 25), (40, 10)]
        {
            let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
            config.deadline = Duration::from_millis(deadline);
            let until = Instant::now() + HOUR;
            let left = until.duration_since(before_clean_up(until, &config));
            assert_eq!(left, Duration::from_millis(kept), "of {deadline} ms");
        }
    }

    #[test]
    fn a_request_that_the_call_can_do_without_gets_half_of_what_is_left() {
        let (_server, service) = answering(0);
        fly(&service, None, |mut flights| {
            let kept = Duration::from_millis(500);
            assert_eq!(flights.request_until(&request(7)), flights.until.checked_sub(kept).unwrap());
            let begun = Instant::now();
            let half = flights.request_until(&request(7).may_be_left()).duration_since(begun);
            assert!(half.abs_diff(HOUR / 2) < HOUR / 8, "{half:?}");
            flights.patience = begun + HOUR / 4;
            let patience = flights.patience.checked_sub(kept).unwrap();
            assert_eq!(
                flights.request_until(&request(7).may_be_left()),
                patience,
                "but not more than another"
            );
        });
    }

    /// No other exchange may follow it.
    #[test]
    fn an_exchange_that_sends_a_secret_has_all_the_time() {
        let (_server, service) = answering(0);
        fly(&service, None, |mut flights| {
            let half_time = flights.started + HOUR / 2;
            flights.patience = half_time;
            flights.add(vec![request(7)]);
            flights.add(vec![request(8).with_secret().may_be_left()]);
            assert_eq!(flights.patience, half_time);
            flights.add(vec![request(9).with_secret()]);
            assert_eq!(flights.patience, flights.until);
        });
    }

    #[test]
    fn a_request_that_has_to_wait_holds_up_no_other() {
        let pause = Duration::from_millis(30);
        // On a busy machine the pause may be over before the other request is answered, not each time.
        let is_overtaken = (0..10).any(|_| {
            let (server, service) = answering(2);
            let mut answers = [None; 3];
            fly(&service, None, |mut flights| {
                let begun = Instant::now();
                flights.add(vec![request(7).after(pause), request(8)]);
                answers = [(); 3].map(|()| answered(&mut flights));
                assert!(begun.elapsed() >= pause);
            });
            answers == [Some(8), Some(7), None] && rids(&server) == [8, 7]
        });
        assert!(is_overtaken);
    }

    #[test]
    fn a_single_request_needs_no_thread_and_keeps_its_connection() {
        let (server, service) = answering(3);
        fly(&service, None, |mut flights| {
            for rid in [7, 8] {
                flights.add(vec![request(rid)]);
                assert_eq!(answered(&mut flights), Some(rid));
            }
            assert!(!flights.had_several());
            let (begun, pause) = (Instant::now(), Duration::from_millis(5));
            flights.add(vec![request(9).after(pause)]);
            assert_eq!([(); 2].map(|()| answered(&mut flights)), [Some(9), None]);
            assert!(begun.elapsed() >= pause);
            assert_eq!(
                flights.close(begun + HOUR),
                Some(10),
                "the request that ends the session is the next"
            );
        });
        assert_eq!(server.connections(), 1);
    }

    #[test]
    fn two_requests_are_under_way_at_the_same_time() {
        for pause in [Duration::ZERO, Duration::from_millis(5)] {
            let both = Reply::xml("<body/>").after_next().when(" rid=\"7\"");
            let server = faults::script(vec![both, Reply::xml("<body/>")]);
            let service = service(&server);
            fly(&service, None, |mut flights| {
                flights.add(vec![request(7), request(8).after(pause)]);
                let mut answers = [(); 2].map(|()| answered(&mut flights));
                answers.sort_unstable();
                assert_eq!(answers, [Some(7), Some(8)]);
                assert!(flights.had_several() && flights.flying() == 0 && answered(&mut flights).is_none());
            });
        }
    }

    #[test]
    fn where_there_is_no_second_connection_each_request_waits_for_its_turn() {
        // Prosody's connections rest after a creation; those of other servers carry what follows it.
        for stays in [false, true] {
            let (server, service) = answering(3);
            let (opening, ahead) = channel();
            drop(opening);
            fly(&service, Some(ahead), |mut flights| {
                flights.add(vec![creation(7)]);
                let (_, creation) = flights.next().unwrap();
                assert!(!flights.had_several());
                flights.give_back(creation.unwrap().1, stays);
                flights.add(vec![request(8), request(9)]);
                assert_eq!([(); 3].map(|()| answered(&mut flights)), [Some(8), Some(9), None]);
                assert!(flights.is_alone);
            });
            assert_eq!((rids(&server), server.connections()), (vec![7, 8, 9], 1));
        }
    }

    #[test]
    fn the_first_of_two_requests_does_not_wait_for_the_connection_of_the_second() {
        // On a busy machine the connection may come too late, not each time.
        let has_both = (0..5).any(|_| {
            let (server, service) = answering(4);
            let lane = || service.post(&request(1), None, Instant::now() + HOUR, None).unwrap().1;
            let [own, other] = [lane(), lane()];
            let (opening, ahead) = channel();
            let mut has_both = false;
            thread::scope(|scope| {
                scope.spawn(|| {
                    let until = Instant::now() + Duration::from_secs(30);
                    while !rids(&server).contains(&8) && Instant::now() < until {
                        thread::yield_now();
                    }
                    let _ = opening.send(other);
                });
                fly(&service, Some(ahead), |mut flights| {
                    flights.give_back(own, true);
                    flights.add(vec![request(8), request(9)]);
                    let mut answers = [(); 2].map(|()| answered(&mut flights));
                    answers.sort_unstable();
                    assert_eq!(answers, [Some(8), Some(9)]);
                    has_both = !flights.is_alone;
                });
            });
            has_both
        });
        assert!(has_both);
    }

    #[test]
    fn a_connection_that_is_opened_ahead_is_not_for_the_creation() {
        let (_server, service) = answering(1);
        let lane = service.post(&request(1), None, Instant::now() + HOUR, None).unwrap().1;
        let (sender, ahead) = channel();
        sender.send(lane).unwrap();
        fly(&service, Some(ahead), |mut flights| {
            assert!(flights.opened_ahead(&creation(7)).is_none());
            assert!(flights.opened_ahead(&request(8)).is_some() && !flights.is_alone);
            assert!(flights.opened_ahead(&request(9)).is_none(), "there is one");
        });
    }

    #[test]
    fn a_connection_that_does_not_open_leaves_time_for_the_request() {
        let (_server, service) = answering(0);
        // On a busy machine the rest may pass as well, not each time.
        let has_time_left = (1..=5).any(|attempt| {
            let (_opening, ahead) = channel();
            let mut is_in_time = false;
            fly(&service, Some(ahead), |mut flights| {
                let now = Instant::now();
                // The creation has taken long, so the connection may, too.
                flights.started = now.checked_sub(HOUR / 2).unwrap();
                flights.until = now + attempt * Duration::from_millis(100);
                assert!(flights.opened_ahead(&request(8)).is_none() && flights.is_alone);
                assert!(now.elapsed() >= attempt * Duration::from_millis(50), "it is waited for");
                is_in_time = Instant::now() < flights.until;
            });
            is_in_time
        });
        assert!(has_time_left);
    }

    #[test]
    fn connections_go_back_to_the_other_exchanges() {
        let (_server, service) = answering(3);
        let lane = || service.post(&request(1), None, Instant::now() + HOUR, None).unwrap().1;
        let lanes = [lane(), lane(), lane()];
        let [own, second, ahead] = lanes;
        let (sender, opening) = channel();
        sender.send(ahead).unwrap();
        fly(&service, Some(opening), |mut flights| {
            flights.give_back(own, true);
            assert!(!has_idle(&service), "it stays with the exchange");
            flights.give_back(second, true);
            assert!(has_idle(&service), "one is enough");
            let own = flights.take_own().unwrap();
            flights.give_back(own, false);
            assert!(has_idle(&service) && flights.take_own().is_none());
        });
        assert!(has_idle(&service), "the one that was opened and not needed");
        let (_server, service) = answering(1);
        let own = service.post(&request(1), None, Instant::now() + HOUR, None).unwrap().1;
        fly(&service, None, |mut flights| flights.give_back(own, true));
        assert!(has_idle(&service), "the one of the creation");
    }

    #[test]
    fn the_creation_tells_how_long_a_round_trip_takes() {
        let pause = Duration::from_millis(20);
        let server = faults::script(vec![Reply::xml("<body/>").after(pause), Reply::xml("<body/>")]);
        let service = service(&server);
        fly(&service, None, |mut flights| {
            flights.add(vec![creation(7)]);
            answered(&mut flights).unwrap();
            let round_trip = flights.round_trip;
            assert!(round_trip >= pause);
            flights.add(vec![request(8)]);
            answered(&mut flights).unwrap();
            assert_eq!(flights.round_trip, round_trip);
        });
    }

    /// The time that the earlier request takes to be answered, and the RIDs as they arrived.
    fn sent_reversed(round_trip: Duration, pause: Duration) -> (Duration, Vec<u64>) {
        let (server, service) = answering(2);
        let mut took = Duration::ZERO;
        fly(&service, None, |mut flights| {
            flights.round_trip = round_trip;
            flights.add(vec![request(8), request(7).after(pause)]);
            let begun = Instant::now();
            assert_eq!(answered(&mut flights), Some(7));
            took = begun.elapsed();
            assert_eq!([(); 2].map(|()| answered(&mut flights)), [Some(8), None]);
        });
        (took, rids(&server))
    }

    #[test]
    fn a_request_ahead_of_its_turn_goes_first_unless_that_takes_longer_than_a_round_trip() {
        let pause = Duration::from_millis(30);
        // On a busy machine the server may see the other one first, not each time.
        let is_first = (0..10).any(|_| {
            let (took, arrived) = sent_reversed(HOUR, pause);
            assert!(took >= pause);
            arrived == [8, 7]
        });
        assert!(is_first);
        let long = Duration::from_secs(10);
        assert!(sent_reversed(pause, long).0 < long);
    }

    #[test]
    fn where_there_is_no_second_connection_nothing_is_sent_ahead_of_its_turn() {
        let (server, service) = answering(2);
        let (sender, ahead) = channel();
        drop(sender);
        fly(&service, Some(ahead), |mut flights| {
            flights.add(vec![request(8), request(7).after(Duration::from_millis(3))]);
            assert_eq!([(); 3].map(|()| answered(&mut flights)), [Some(7), Some(8), None]);
            assert!(!flights.had_several());
        });
        assert_eq!(rids(&server), [7, 8]);
    }
}
