//! Tries the plans for ejabberd with every order in which requests and answers can arrive, and with each
//! request lost once.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::*;
use crate::session::Session;

/// The RID of the creation.
const FIRST: u64 = 1000;

/// How a request is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Loss {
    /// The connection breaks before the server has the request.
    Broken,
    /// The connection breaks once the server has it.
    Overheard,
    /// The connection breaks in place of the answer.
    Unanswered,
    BadGateway,
    /// Another server answers, which does not know the session.
    Unknown,
}

const LOSSES: [Loss; 5] = [Loss::Broken, Loss::Overheard, Loss::Unanswered, Loss::BadGateway, Loss::Unknown];

/// A model of ejabberd, made from its source and from measurements. One of its processes (`ejabberd_bosh`)
/// takes the requests. It answers a request with what there is to say, or holds the request if there is
/// nothing. It keeps a request that came ahead of its turn until the request before is answered. Another
/// process has the stream.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Ejabberd {
    /// The RID of the latest request whose turn has come, once there is a session.
    latest: Option<u64>,
    /// The requests that are held or kept, and the copies of earlier ones that came too late to be answered.
    waiting: BTreeMap<u64, String>,
    to_say: Vec<&'static str>,
    /// The bodies that the stream has not read yet.
    heard: VecDeque<String>,
    /// The answers to the last two requests.
    answers: BTreeMap<u64, String>,
}

impl Ejabberd {
    /// Takes a request. Returns the answers that it causes.
    fn take(&mut self, rid: u64, body: &str) -> Vec<(u64, String)> {
        let latest = self.latest.unwrap_or(rid - 1);
        if let Some(answer) = self.answers.get(&rid) {
            return vec![(rid, answer.clone())];
        }
        // The window is two requests.
        assert!(rid <= latest + 2, "a request beyond the window ends the session");
        if rid <= latest {
            // The earlier copy is answered, but its connection broke. If a later request has been taken
            // already, this copy gets no answer.
            if self.waiting.insert(rid, body.to_owned()).is_some() {
                self.remember(rid, "");
            }
            return Vec::new();
        }
        if rid == latest + 2 {
            let kept = self.waiting.insert(rid, body.to_owned());
            assert!(kept.is_none(), "the second copy of a request that is kept ends the session");
            return Vec::new();
        }
        if self.latest.is_none() {
            self.to_say.push(OFFER);
        }
        self.heard.push_back(body.to_owned());
        // ejabberd holds at most one request.
        let mut answers = Vec::new();
        if self.waiting.remove(&latest).is_some() {
            self.remember(latest, "");
            answers.push((latest, String::new()));
        }
        self.latest = Some(rid);
        self.waiting.insert(rid, body.to_owned());
        if !self.to_say.is_empty() {
            answers.extend(self.answer());
        }
        answers
    }

    /// Lets the stream read the next request.
    fn look(&mut self) -> Vec<(u64, String)> {
        let body = self.heard.pop_front().unwrap();
        if body.contains("xmpp:restart") {
            // The header of a stream alone does not answer a request that is held.
            self.to_say.push("");
            // A stream of a version below 1.0 has no features.
            if !body.contains("xmpp:version=\"0.9\"") {
                self.heard.push_front(FEATURES.to_owned());
            }
            return Vec::new();
        }
        let said = [("<auth", SUCCESS), (FEATURES, FEATURES), ("<bind", BOUND)];
        self.to_say.extend(said.iter().find(|(part, _)| body.contains(part)).map(|(_, said)| said));
        if self.to_say.is_empty() { Vec::new() } else { self.answer() }
    }

    /// Answers the request that is held, and takes the one that is kept.
    fn answer(&mut self) -> Vec<(u64, String)> {
        let Some(rid) = self.latest.filter(|rid| self.waiting.remove(rid).is_some()) else {
            return Vec::new();
        };
        let said: String = self.to_say.drain(..).collect();
        self.remember(rid, &said);
        let mut answers = vec![(rid, said)];
        // ejabberd looks only at the lowest RID, which may belong to a copy that gets no answer.
        if let Some(kept) = self.waiting.first_entry().filter(|first| *first.key() == rid + 1) {
            let (rid, body) = kept.remove_entry();
            answers.extend(self.take(rid, &body));
        }
        answers
    }

    fn remember(&mut self, rid: u64, said: &str) {
        self.answers.remove(&rid);
        if self.answers.len() == 2 {
            self.answers.pop_first();
        }
        self.answers.insert(rid, said.to_owned());
    }
}

/// What comes back to the client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Back {
    Said(u64, String),
    Broken(u64),
    BadGateway(u64),
    Unknown(u64),
}

/// The state of an exchange and of everything under way.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Moment {
    server: Ejabberd,
    /// Requests that have not arrived.
    sent: Vec<(u64, String)>,
    /// Answers that have not reached the client.
    back: Vec<Back>,
    /// Answers that have reached the client, in this order.
    received: Vec<Back>,
    /// The request that will be lost, until it is.
    lost: Option<(u64, Loss)>,
    /// The request whose answer is lost, and whether its connection breaks only at that moment.
    unheard: Option<(u64, bool)>,
}

impl Moment {
    /// The request arrives, or is lost.
    fn arrive(&mut self, at: usize) {
        let (rid, body) = self.sent.remove(at);
        // The answer goes to the latest copy.
        self.unheard.take_if(|(unheard, _)| *unheard == rid);
        match self.lost.take_if(|(lost, _)| *lost == rid).map(|(_, loss)| loss) {
            Some(Loss::Broken) => return self.back.push(Back::Broken(rid)),
            Some(Loss::BadGateway) => return self.back.push(Back::BadGateway(rid)),
            Some(Loss::Unknown) => return self.back.push(Back::Unknown(rid)),
            Some(Loss::Overheard) => {
                self.back.push(Back::Broken(rid));
                self.unheard = Some((rid, false));
            }
            Some(Loss::Unanswered) => self.unheard = Some((rid, true)),
            None => {}
        }
        let answers = self.server.take(rid, &body);
        self.answer(answers);
    }

    fn answer(&mut self, answers: Vec<(u64, String)>) {
        for (rid, said) in answers {
            match self.unheard.take_if(|(unheard, _)| *unheard == rid) {
                Some((_, true)) => self.back.push(Back::Broken(rid)),
                Some((_, false)) => {}
                None => self.back.push(Back::Said(rid, said)),
            }
        }
    }

    /// The client receives this answer. Returns the session if the exchange is done.
    fn receive(&mut self, at: usize, client: &Client) -> Result<Option<Session>, Error> {
        self.received.push(self.back.remove(at));
        let (mut negotiation, mut requests) = client.start();
        for back in &self.received {
            let step = match back {
                Back::Said(rid, said) => negotiation.receive(&reply(*rid, said)),
                Back::Broken(rid) => negotiation.lost(*rid, broken()),
                Back::BadGateway(rid) => negotiation.receive(&Reply::new(*rid, 502, "")),
                Back::Unknown(rid) => negotiation.receive(&unknown(*rid)),
            };
            (negotiation, requests) = match step.map_err(|failure| failure.error)? {
                Step::Send(next, requests) => (next, requests),
                Step::Wait(next) => (next, Vec::new()),
                Step::Done(session, _) => return Ok(Some(session)),
            };
        }
        self.sent.extend(requests.iter().map(|request| (request.rid(), request.body().to_owned())));
        Ok(None)
    }
}

/// A client that knows ejabberd.
struct Client {
    config: Config,
    account: Account,
    plan: Plan,
}

impl Client {
    fn start(&self) -> (Negotiation<'_>, Vec<Request>) {
        let random = Random::fixed(FIRST, "nonce");
        Negotiation::start(&self.config, &self.account, self.plan.clone(), random, None).unwrap()
    }
}

/// The fewest and the most round trips of a login with this request lost, over all orders.
fn in_every_order(client: &Client, lost: Option<(u64, Loss)>) -> (u32, u32) {
    let requests = client.start().1;
    let sent = requests.iter().map(|request| (request.rid(), request.body().to_owned())).collect();
    let mut moments = vec![Moment { sent, lost, ..Moment::default() }];
    let mut seen: HashSet<Moment> = moments.iter().cloned().collect();
    let mut round_trips = (u32::MAX, 0);
    while let Some(moment) = moments.pop() {
        let mut next = Vec::new();
        for at in 0..moment.sent.len() {
            let mut moment = moment.clone();
            moment.arrive(at);
            next.push(moment);
        }
        for at in 0..moment.back.len() {
            let mut moment = moment.clone();
            match moment.receive(at, client) {
                Ok(None) => next.push(moment),
                Ok(Some(session)) => {
                    assert_eq!(moment.server.latest, Some(session.last_rid()));
                    let (least, most) = round_trips;
                    round_trips = (least.min(session.round_trips()), most.max(session.round_trips()));
                }
                Err(error) => panic!("{lost:?}: {error:?}"),
            }
        }
        if !moment.server.heard.is_empty() {
            let mut moment = moment.clone();
            let answers = moment.server.look();
            moment.answer(answers);
            next.push(moment);
        }
        let is_over = moment.sent.is_empty() && moment.back.is_empty() && moment.server.heard.is_empty();
        assert!(!is_over, "{lost:?}: the exchange hangs after {:?}", moment.received);
        moments.extend(next.into_iter().filter(|moment| seen.insert(moment.clone())));
    }
    round_trips
}

/// Loses each request after the creation, up to the `last` one, in every way, and checks that the login
/// succeeds.
fn assert_mended(change: fn(Plan) -> Plan, last: u64, usual: (u32, u32)) {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let learned = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    let plan = Plan { server: None, ..change(Plan::shortest(&config, &account, &learned)) };
    let client = Client { config, account, plan };
    assert_eq!(in_every_order(&client, None), usual);
    for loss in LOSSES {
        for lost in FIRST + 1..=last {
            let (_, late) = in_every_order(&client, Some((lost, loss)));
            assert!(late <= usual.1 + 1, "{loss:?} of {lost}: {late}");
        }
    }
}

/// Loses the restart, the bind and the empty request. A second empty request follows if the server has only
/// the header of the stream to say when the first one arrives.
#[test]
fn the_loss_of_any_request_is_mended_in_every_order() {
    assert_mended(|plan| plan, FIRST + 3, (2, 4));
}

/// Loses the login, the restart, the bind and the empty request.
#[test]
fn the_loss_of_any_request_of_pairs_is_mended_in_every_order() {
    assert_mended(Plan::in_turn, FIRST + 4, (3, 5));
}
