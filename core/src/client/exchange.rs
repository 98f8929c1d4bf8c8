//! Runs one exchange by its plan.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use super::flights::{CLEAN_UP, Flights, before_clean_up};
use super::give_up::{self, interruptible};
use super::lost::{Lost, defect};
use super::net::Lane;
use super::post::Service;
use super::terminate;
use super::turns::Turns;
use crate::account::Account;
use crate::error::{Error, ErrorKind, Phase, Result, Stage};
use crate::negotiation::{Failure, Learned, Negotiation, Plan, Step, has_failed, is_unknown};
use crate::random::Random;
use crate::sasl::ScramCache;
use crate::session::Session;
use crate::wire::request::Request;
use crate::wire::server::Server;

/// How long ending the session may take after the caller has given up: someone may be waiting for the call to
/// return.
const HURRIED_CLEAN_UP: Duration = Duration::from_millis(150);

/// Pauses between the attempts to end a session that a node of the server does not know yet.
const UNKNOWN_PAUSES: [Duration; 3] =
    [Duration::from_millis(4), Duration::from_millis(16), Duration::from_millis(64)];

/// Ends a session by `ask`. Another node of a cluster may not know a new session yet, so this asks again for
/// a while.
pub(super) fn ended<E>(
    until: Instant,
    mut ask: impl FnMut() -> Result<Result<()>, E>,
) -> Result<Result<()>, E> {
    for pause in UNKNOWN_PAUSES {
        match ask()? {
            Err(error) if is_unknown(&error) && Instant::now() + pause < until => thread::sleep(pause),
            ended => return Ok(ended),
        }
    }
    ask()
}

/// Whether the answer may have been lost by chance: the connection broke, or a proxy did not reach the server
/// for a moment. Such an error may also mean that the server is down.
pub(super) fn is_lost(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect { phase } => matches!(phase, Phase::Headers | Phase::Body),
        ErrorKind::Http { status, .. } => {
            matches!(status, 502..=504) && error.retry_after().is_none_or(|time| time.is_zero())
        }
        _ => false,
    }
}

impl Service {
    pub(super) fn exchange(
        &self,
        account: &Account,
        scram_cache: &ScramCache,
        plan: Plan,
        patience: Instant,
        until: Instant,
    ) -> Result<(Session, Learned)> {
        let goes_on = plan.goes_on() && !plan.is_classic();
        // Key derivation stops early enough to end the session before the deadline.
        let turns = Turns::new(before_clean_up(until, &self.config));
        let (random, cache) = (Random::from_os()?, Some(scram_cache));
        let (negotiation, requests) =
            Negotiation::start_at_pace(&self.config, account, plan, random, cache, Some(&turns))?;
        // Later requests use a second connection, which is opened while the server works on the creation.
        let ahead = goes_on.then(|| self.http.open_ahead()).flatten();
        thread::scope(|scope| {
            let mut flights = Flights::new(self, scope, patience, until, ahead);
            flights.add(requests);
            let mut ending = None;
            let drive = || self.drive(negotiation, &mut flights, &mut ending);
            let driven = catch_unwind(AssertUnwindSafe(drive))
                .unwrap_or_else(|_| Err(Failure { error: defect(Stage::Create), terminate: ending.take() }));
            driven.map_err(|failure| self.clean_up(failure, &mut flights, until))
        })
    }

    /// Keeps in `ending` the request that ends the session, so that the caller can send it if this function
    /// panics.
    fn drive(
        &self,
        mut negotiation: Negotiation<'_>,
        flights: &mut Flights<'_, '_>,
        ending: &mut Option<Request>,
    ) -> Result<(Session, Learned), Failure> {
        while let Some((rid, answer)) = flights.next() {
            let step = match answer {
                Ok((reply, lane)) => {
                    let step = negotiation.receive(&reply);
                    self.give_back(lane, step.as_ref().ok(), flights);
                    step
                }
                Err(Lost { error, is_broken: true, partial }) if !give_up::is_stopped() => {
                    tracing::debug!(stage = %error.stage(), "the connection broke; sending the same request again");
                    negotiation.lost_after(&partial, rid, error)
                }
                Err(Lost { error, partial, .. }) => return Err(negotiation.abandon_after(&partial, error)),
            };
            negotiation = match step? {
                Step::Send(next, more) => {
                    flights.add(more);
                    next
                }
                Step::Wait(next) => next,
                Step::Done(session, _) if give_up::is_stopped() => {
                    let terminate = terminate::of(&session).ok();
                    return Err(Failure { error: given_up(), terminate });
                }
                Step::Done(session, learned) => return Ok((session, learned)),
            };
            *ending = negotiation.ending();
            if give_up::is_stopped() {
                return Err(negotiation.abandon(given_up()));
            }
        }
        Err(negotiation.abandon(defect(Stage::Create)))
    }

    /// Gives a lane back after its answer. The exchange stays on the connection that created the session,
    /// because behind a load balancer another connection may lead to another server. The exception is
    /// Prosody, which slows that connection down.
    fn give_back(&self, lane: Lane, step: Option<&Step<'_>>, flights: &mut Flights<'_, '_>) {
        let server = match step {
            Some(Step::Send(negotiation, _) | Step::Wait(negotiation)) => Some(negotiation.server()),
            Some(Step::Done(_, learned)) => Some(learned.server()),
            None => None,
        };
        if server == Some(Server::Prosody) {
            self.http.process().lanes.slow_down();
        }
        let is_slow = server
            .map_or_else(|| self.http.process().lanes.is_slow_server(), |server| server == Server::Prosody);
        flights.give_back(lane, !is_slow);
    }

    /// Ends the session of a failed exchange, if the time allows, and returns the error of the exchange.
    fn clean_up(&self, failure: Failure, flights: &mut Flights<'_, '_>, until: Instant) -> Error {
        let Failure { error, terminate } = failure;
        let Some(terminate) = terminate else { return error };
        let is_hurried = give_up::is_stopped();
        let time = if is_hurried { HURRIED_CLEAN_UP } else { CLEAN_UP };
        let now = Instant::now();
        let until = until.min(now + time);
        let is_repeated = flights.had_several() && !is_hurried;
        let soon = if is_repeated { now + until.saturating_duration_since(now) / 2 } else { until };
        let terminate = match flights.close(until) {
            Some(rid) => terminate.with_rid(rid),
            None => terminate,
        };
        // A hurried call takes any connection, even one that Prosody does not read for a while: it will read
        // the request later.
        let lane =
            flights.take_own().or_else(|| is_hurried.then(|| self.http.process().lanes.take_any()).flatten());
        match interruptible(|| true, || self.end_session(&terminate, lane, soon, until)) {
            Some(Err(gone)) if is_lost(&error) && (is_unknown(&gone) || has_failed(&gone)) => {
                error.of_gone_session()
            }
            Some(_) => error,
            None => {
                tracing::debug!("the session could not be ended; it expires after its inactivity time");
                error
            }
        }
    }

    /// Ends the session and returns the server's answer, if there is one. Without an answer by `soon`, the
    /// request is sent once more: it may have overtaken the request before it, which used another connection.
    /// ejabberd then holds it without an answer, and ends the session when it comes a second time.
    fn end_session(
        &self,
        terminate: &Request,
        mut lane: Option<Lane>,
        soon: Instant,
        until: Instant,
    ) -> Option<Result<()>> {
        let ask = || {
            match self.ask(terminate, lane.take(), soon) {
                Ok(reply) => Ok(terminate::verify(terminate, &reply, &self.config)),
                // The first copy may have ended the session, so an error in this answer means nothing.
                Err(_) => self.ask(terminate, None, until).map(|_| Ok(())),
            }
        };
        ended(until, ask).ok()
    }
}

/// The error of a call that the caller gave up while the session was being created.
fn given_up() -> Error {
    give_up::given_up(Phase::Headers, Stage::Create)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::error::{BoshCondition, Condition, Retry};

    fn ended_by(condition: BoshCondition) -> Error {
        Error::refused(ErrorKind::Terminated, Stage::Terminate, Some(Condition::Bosh(condition)), None)
    }

    /// How often a server is asked for the end of a session that answers so many times that it does not know the
    /// session, and whether the session has ended.
    fn asks(until: Instant, unknown: usize) -> (usize, bool) {
        let mut answers: VecDeque<_> =
            (0..unknown).map(|_| Err(ended_by(BoshCondition::ItemNotFound))).collect();
        let mut count = 0;
        let result = ended::<()>(until, || {
            count += 1;
            Ok(answers.pop_front().unwrap_or(Ok(())))
        });
        (count, result.unwrap().is_ok())
    }

    #[test]
    fn the_end_of_a_session_that_is_not_known_yet_is_asked_for_again_while_there_is_time() {
        let in_an_hour = Instant::now() + Duration::from_secs(3600);
        for (unknown, asked) in [(0, (1, true)), (1, (2, true)), (3, (4, true)), (4, (4, false))] {
            assert_eq!(asks(in_an_hour, unknown), asked);
        }
        assert_eq!(asks(Instant::now() + Duration::from_millis(3), 1), (1, false), "too late for a pause");
    }

    #[test]
    fn another_answer_to_the_end_of_a_session_is_the_last() {
        let in_an_hour = Instant::now() + Duration::from_secs(3600);
        let mut count = 0;
        let result = ended::<()>(in_an_hour, || {
            count += 1;
            Ok(Err(ended_by(BoshCondition::PolicyViolation)))
        });
        assert_eq!((count, result.unwrap().is_err()), (1, true));
        assert_eq!(ended(in_an_hour, || Err::<Result<()>, _>("unreachable")).unwrap_err(), "unreachable");
    }

    #[test]
    fn an_answer_may_be_lost_by_chance_unless_the_server_says_when_to_come_back() {
        let error = |kind| Error::new(kind, Stage::Create, Retry::Later, String::new());
        let http = |status| error(ErrorKind::Http { status, location: None });
        let connect = |phase| error(ErrorKind::Connect { phase });
        let wait = |seconds| Some(Duration::from_secs(seconds));
        for (error, is_by_chance) in [
            (connect(Phase::Headers), true),
            (connect(Phase::Body), true),
            (connect(Phase::Tcp), false),
            (error(ErrorKind::Timeout { phase: Phase::Headers }), false),
            (http(501), false),
            (http(502), true),
            (http(504), true),
            (http(505), false),
            (http(503).with_retry_after(wait(0)), true),
            (http(503).with_retry_after(wait(1)), false),
            (http(500).with_retry_after(wait(0)), false),
        ] {
            assert_eq!(is_lost(&error), is_by_chance, "{error:?}");
        }
    }
}
