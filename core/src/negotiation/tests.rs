//! That a plan is data: one with two requests open at once needs nothing but a list.

use super::*;
use crate::error::{BoshCondition, Phase};
use crate::sasl::Credentials;
use crate::wire::server::Server;

/// Authenticates and restarts at once, as the classic plan does one after the other.
const TOGETHER: Plan = Plan {
    bodies: &[
        PlannedBody::new(Milestone::Start, &[PlanStep::Create]),
        PlannedBody::new(Milestone::Features, &[PlanStep::Auth]),
        PlannedBody::new(Milestone::Features, &[PlanStep::Restart(None)]),
        PlannedBody::new(Milestone::RestartedFeatures, &[PlanStep::Bind]),
    ],
    early: None,
    expects_scram: false,
    server: None,
    may_use_sasl2: true,
    has_sasl: false,
};

fn body(payload: &str) -> String {
    format!(
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' \
         sid='s1'>{payload}</body>"
    )
}

fn send(step: Step<'_>) -> (Negotiation<'_>, Vec<Request>) {
    match step {
        Step::Send(negotiation, requests) => (negotiation, requests),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_requests_may_be_open_and_answered_in_any_order() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let features = body(
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
    );
    let success = body("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    let restarted = body("<stream:features/>");
    let bound = body(
        "<iq xmlns='jabber:client' id='bind' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/x</jid></bind></iq>",
    );

    for is_success_first in [true, false] {
        let random = Random::fixed(1000, "nonce");
        let (negotiation, created) = Negotiation::start(&config, &account, TOGETHER, random, None).unwrap();
        let reply = Reply::new(created[0].rid(), 200, features.as_str());
        let (negotiation, both) = send(negotiation.receive(&reply).unwrap());
        assert_eq!(both.iter().map(Request::rid).collect::<Vec<_>>(), [1001, 1002]);

        let auth = Reply::new(1001, 200, success.as_str());
        let restart = Reply::new(1002, 200, restarted.as_str());
        let (negotiation, bind) = if is_success_first {
            let Ok(Step::Wait(negotiation)) = negotiation.receive(&auth) else { panic!("does not wait") };
            send(negotiation.receive(&restart).unwrap())
        } else {
            let (negotiation, bind) = send(negotiation.receive(&restart).unwrap());
            let Ok(Step::Wait(negotiation)) = negotiation.receive(&auth) else { panic!("does not wait") };
            (negotiation, bind)
        };
        let reply = Reply::new(bind[0].rid(), 200, bound.as_str());
        let Ok(Step::Done(session, learned)) = negotiation.receive(&reply) else { panic!("is not done") };
        assert_eq!((session.rid(), session.round_trips()), (1004, 3));
        assert_eq!(learned.mechanisms(), ["PLAIN"], "the restarted stream offers none");
    }
}

#[test]
fn without_a_proof_there_is_no_session_even_if_a_jid_is_bound() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let (negotiation, created) =
        Negotiation::start(&config, &account, TOGETHER, Random::fixed(1000, "nonce"), None).unwrap();
    let everything_but_success = body(
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features><iq xmlns='jabber:client' id='bind' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/x</jid></bind></iq>",
    );
    let reply = Reply::new(created[0].rid(), 200, everything_but_success);
    let (mut negotiation, mut requests) = send(negotiation.receive(&reply).unwrap());
    while let Some(request) = requests.pop() {
        match negotiation.receive(&Reply::new(request.rid(), 200, body("<stream:features/>"))) {
            Ok(Step::Send(next, more)) => {
                negotiation = next;
                requests.extend(more);
            }
            Ok(Step::Wait(next)) => negotiation = next,
            Ok(Step::Done(session, _)) => panic!("{session:?} without a login"),
            Err(failure) => {
                assert_eq!(failure.error.kind().as_str(), "Protocol", "it gives up");
                return;
            }
        }
    }
    panic!("stops without an end");
}

fn pairs() -> Plan {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let learned = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    // The replies of this test name no server, so the plan must not expect one.
    Plan { server: None, ..Plan::shortest(&config, &account, &learned).in_turn() }
}

fn ahead() -> Plan {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let learned = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    Plan { server: None, ..Plan::shortest(&config, &account, &learned) }
}

const OFFER: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const BOUND: &str = "<iq xmlns='jabber:client' id='bind' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/x</jid></bind></iq>";

/// Begins a plan and plays all replies, each to the request with that number. Returns the last step, and the
/// numbers of the requests that were sent on the way.
fn play<'a>(
    config: &'a Config,
    account: &'a Account,
    plan: Plan,
    replies: &[(u64, &str)],
) -> (Result<Step<'a>, Failure>, Vec<u64>) {
    let random = Random::fixed(1000, "nonce");
    let (mut negotiation, requests) = Negotiation::start(config, account, plan, random, None).unwrap();
    let mut sent: Vec<u64> = requests.iter().map(Request::rid).collect();
    let ((last_rid, last), before) = replies.split_last().unwrap();
    for (rid, payload) in before {
        negotiation = match negotiation.receive(&Reply::new(1000 + rid, 200, body(payload))).unwrap() {
            Step::Send(next, requests) => {
                sent.extend(requests.iter().map(Request::rid));
                next
            }
            Step::Wait(next) => next,
            Step::Done(..) => panic!("done too early"),
        };
        assert!(negotiation.bosh.open.len() <= 2, "{negotiation:?}");
    }
    let step = negotiation.receive(&Reply::new(1000 + last_rid, 200, body(last)));
    (step, sent.iter().map(|rid| rid - 1000).collect())
}

const FEATURES: &str = "<stream:features/>";

/// Replies, and the number of requests and round trips that they lead to.
type Order = (&'static [(u64, &'static str)], usize, u32);

#[test]
fn pairs_in_every_order_of_replies() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let orders: [Order; 6] = [
        // This is what ejabberd does: each answer comes in the reply to the next request.
        (&[(0, OFFER), (1, ""), (2, SUCCESS), (3, FEATURES), (4, BOUND)], 5, 3),
        (&[(0, OFFER), (2, SUCCESS), (1, ""), (4, BOUND), (3, FEATURES)], 5, 3),
        // The login is answered at once, so the bind does not wait for the restart.
        (&[(0, OFFER), (1, SUCCESS), (2, FEATURES), (3, BOUND)], 4, 3),
        (&[(0, OFFER), (1, SUCCESS), (3, BOUND), (2, FEATURES)], 4, 3),
        // The reply to the bind holds the features, so a poll follows for the bind's result.
        (&[(0, OFFER), (1, SUCCESS), (2, ""), (3, FEATURES), (4, BOUND)], 5, 3),
        // The reply to the poll comes before the reply to the bind.
        (&[(0, OFFER), (1, ""), (2, SUCCESS), (3, ""), (4, FEATURES), (5, BOUND)], 6, 4),
    ];
    for (replies, requests, round_trips) in orders {
        let (step, sent) = play(&config, &account, pairs(), replies);
        let Ok(Step::Done(session, _)) = step else { panic!("{replies:?} leads to {step:?}") };
        assert_eq!(sent.len(), requests, "{replies:?}");
        assert_eq!(
            (session.rid(), session.round_trips()),
            (1000 + requests as u64, round_trips),
            "{replies:?}"
        );
    }
}

/// Replies to a plan that sends the bind ahead of its turn, and the number of requests and round trips that
/// they lead to.
type Ahead<'a> = (&'a [(u64, &'a str)], &'a [u64], u32);

#[test]
fn a_bind_ahead_of_its_turn_in_every_order_of_replies() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let offer_and_success = format!("{OFFER}{SUCCESS}");
    let orders: [Ahead<'_>; 9] = [
        // This is what ejabberd does.
        (&[(0, OFFER), (1, SUCCESS), (2, BOUND)], &[0, 2, 1], 2),
        (&[(0, OFFER), (2, BOUND), (1, SUCCESS)], &[0, 2, 1], 2),
        // The restart arrives first, before or after the success.
        (&[(0, OFFER), (1, ""), (2, SUCCESS), (3, BOUND)], &[0, 2, 1, 3], 3),
        (&[(0, OFFER), (1, SUCCESS), (2, ""), (3, BOUND)], &[0, 2, 1, 3], 3),
        (&[(0, OFFER), (2, ""), (1, SUCCESS), (3, BOUND)], &[0, 2, 1, 3], 3),
        // This server sends features for any version of the stream.
        (&[(0, OFFER), (1, SUCCESS), (2, FEATURES), (3, BOUND)], &[0, 2, 1, 3], 3),
        // The offer comes late. If the success comes with it, the exchange goes on by the classic plan.
        (&[(0, ""), (1, OFFER), (2, SUCCESS), (3, BOUND)], &[0, 1, 3, 2], 3),
        (&[(0, &offer_and_success), (1, FEATURES), (2, BOUND)], &[0, 1, 2], 3),
        (&[(0, ""), (1, &offer_and_success), (2, FEATURES), (3, BOUND)], &[0, 1, 2, 3], 4),
    ];
    for (replies, requests, round_trips) in orders {
        let (step, sent) = play(&config, &account, ahead(), replies);
        let Ok(Step::Done(session, _)) = step else { panic!("{replies:?} leads to {step:?}") };
        assert_eq!(sent, requests, "{replies:?}");
        let next = 1000 + requests.len() as u64;
        assert_eq!((session.rid(), session.round_trips()), (next, round_trips), "{replies:?}");
    }
}

#[test]
fn nothing_is_sent_ahead_if_only_one_request_may_be_open() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let random = Random::fixed(1000, "nonce");
    let (negotiation, _) = Negotiation::start(&config, &account, ahead(), random, None).unwrap();
    let created = body(OFFER).replace(" sid=", " requests='1' sid=");
    let (mut negotiation, mut requests) = send(negotiation.receive(&Reply::new(1000, 200, created)).unwrap());
    for (answer, is_restart) in [(SUCCESS, false), (FEATURES, true)] {
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].body().contains("xmpp:restart"), is_restart);
        assert!(!requests[0].body().contains("0.9"));
        assert!(!requests[0].body().contains("<bind"), "the bind waits for its turn");
        let answer = Reply::new(requests[0].rid(), 200, body(answer));
        (negotiation, requests) = send(negotiation.receive(&answer).unwrap());
    }
    let answer = Reply::new(requests[0].rid(), 200, body(BOUND));
    assert!(matches!(negotiation.receive(&answer), Ok(Step::Done(..))));
}

#[test]
fn a_mechanism_with_another_message_has_no_bind_ahead() {
    let config = Config::new("http://localhost/").unwrap();
    let learned = Learned::new(Server::Ejabberd, &["OAUTHBEARER".to_owned(), "PLAIN".to_owned()]);
    for (credentials, is_ahead) in
        [(Credentials::plain("secret"), true), (Credentials::oauthbearer("secret"), false)]
    {
        let account = Account::new("alice@localhost", credentials).unwrap();
        assert_eq!(Plan::shortest(&config, &account, &learned).binds_ahead(), is_ahead);
    }
}

#[test]
fn there_is_no_session_while_the_server_holds_a_request() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let both = format!("<stream:features/>{BOUND}");
    let (step, _) = play(&config, &account, pairs(), &[(0, OFFER), (1, ""), (2, SUCCESS), (3, &both)]);
    let failure = step.unwrap_err();
    assert_eq!(failure.error.kind().as_str(), "Protocol", "{:?}", failure.error);
    assert_eq!(failure.terminate.unwrap().rid(), 1005);
}

/// A connection manager may pass on the features from before TLS, and never those from after it.
#[test]
fn an_offer_of_only_tls_explains_why_no_other_came() {
    const TLS: &str =
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let http = || ErrorKind::Http { status: 413, location: None };
    let timeout = || ErrorKind::Timeout { phase: Phase::Headers };
    let connect = || ErrorKind::Connect { phase: Phase::Headers };
    for (answers, kind, explained) in [
        (&[TLS][..], timeout(), "Mechanism"),
        (&[TLS], connect(), "Mechanism"),
        (&[TLS], http(), "Http"),
        (&[TLS], ErrorKind::Protocol { expected: NEXT_STEP }, "Mechanism"),
        (&[TLS], ErrorKind::Protocol { expected: EACH_ANSWERED }, "Protocol"),
        (&[""], timeout(), "Timeout"),
        (&[OFFER], timeout(), "Timeout"),
        (&[TLS, OFFER], timeout(), "Timeout"),
        (&[TLS, OFFER, SUCCESS], timeout(), "Timeout"),
    ] {
        let random = Random::fixed(1000, "nonce");
        let (mut negotiation, _) =
            Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
        for (rid, answer) in (1000..).zip(answers) {
            (negotiation, _) = send(negotiation.receive(&Reply::new(rid, 200, body(answer))).unwrap());
        }
        let error = Error::new(kind.clone(), Stage::Features, Retry::Later, "it ended");
        let failure = negotiation.abandon(error);
        assert_eq!(failure.error.kind().as_str(), explained, "{kind:?} after {answers:?}");
    }
}

#[test]
fn a_server_that_offers_nothing_over_a_secure_connection_hides_nothing() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let empty =
        body("<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></stream:features>");
    for (created, remedy) in [
        (empty.clone(), "consider_bosh_secure"),
        (empty.replace(" sid=", " secure='true' sid="), "enable SCRAM or PLAIN there"),
    ] {
        let random = Random::fixed(1000, "nonce");
        let (negotiation, _) = Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
        let failure = negotiation.receive(&Reply::new(1000, 200, created)).unwrap_err();
        assert!(failure.error.to_string().contains(remedy), "{}", failure.error);
    }
}

#[test]
fn a_sasl2_mechanism_with_the_name_of_the_password_is_not_repeated() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::password("wonder-one")).unwrap();
    let offer = "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>WONDER-ONE</mechanism>\
                 </authentication></stream:features>";
    let random = Random::fixed(1000, "nonce");
    let (negotiation, _) = Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
    let error = negotiation.receive(&Reply::new(1000, 200, body(offer))).unwrap_err().error;
    assert_eq!(error.kind().as_str(), "Mechanism");
    assert!(!format!("{error} {error:?}").to_lowercase().contains("wonder"), "{error:?}");
}

/// Servers that offer SASL2 for other connections do not always answer it over BOSH.
#[test]
fn sasl2_is_not_to_blame_for_an_unknown_session() {
    let config = Config { fast_tokens: true, ..Config::new("http://localhost/").unwrap() };
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let offer = "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism>\
                 <inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>\
                 </mechanisms></stream:features>";
    for (condition, is_to_blame) in [
        (BoshCondition::UndefinedCondition, true),
        (BoshCondition::InternalServerError, true),
        (BoshCondition::ItemNotFound, false),
    ] {
        let random = Random::fixed(1000, "nonce");
        let (negotiation, _) = Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
        let (negotiation, _) = send(negotiation.receive(&Reply::new(1000, 200, body(offer))).unwrap());
        let ended = Error::terminated(Stage::Authenticate, Some(Condition::Bosh(condition)), None);
        let told = negotiation.abandon(ended).error.to_string();
        assert_eq!(told.contains("leave out `fast_tokens`"), is_to_blame, "{told}");
    }
}

#[test]
fn an_exchange_ends_if_the_server_makes_no_progress() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let random = Random::fixed(1000, "nonce");
    let (mut negotiation, mut requests) =
        Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
    for _ in 0..24 {
        let reply = Reply::new(requests[0].rid(), 200, body(""));
        (negotiation, requests) = send(negotiation.receive(&reply).unwrap());
        assert_eq!(requests.len(), 1, "it asks again");
    }
    let failure = negotiation.receive(&Reply::new(requests[0].rid(), 200, body(""))).unwrap_err();
    assert_eq!(failure.error.kind().as_str(), "Protocol", "{:?}", failure.error);
    assert!(failure.terminate.is_some());
}
