//! Tests of requests that are lost, or that reach a server which does not know the session.

mod orders;

use super::super::{Failure, Learned, Negotiation, Plan, Step};
use super::*;
use crate::account::Account;
use crate::error::Retry;
use crate::random::Random;
use crate::sasl::Credentials;

const OFFER: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

fn reply(rid: u64, payload: &str) -> Reply {
    let body = format!(
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' \
         sid='s1'>{payload}</body>"
    );
    Reply::new(rid, 200, body)
}

fn unknown(rid: u64) -> Reply {
    let body =
        "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>";
    Reply::new(rid, 200, body)
}

fn broken() -> Error {
    Error::new(ErrorKind::Internal, Stage::Bind, Retry::No, "broken".to_owned())
}

/// The state after this step, and the RIDs and pauses of the requests that it sends.
fn next(step: Result<Step<'_>, Failure>) -> (Negotiation<'_>, Vec<(u64, u128)>) {
    match step.expect("the exchange goes on") {
        Step::Send(next, requests) => {
            (next, requests.iter().map(|request| (request.rid(), request.pause().as_millis())).collect())
        }
        Step::Wait(next) => (next, Vec::new()),
        Step::Done(..) => panic!("the exchange is done"),
    }
}

/// An exchange with ejabberd in which the login (1001) and the restart (1002) are open.
fn two_open<'a>(config: &'a Config, account: &'a Account) -> Negotiation<'a> {
    let learned = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    // The replies of this test name no server, so the plan must not expect one.
    let plan = Plan { server: None, ..Plan::shortest(config, account, &learned).in_turn() };
    let (negotiation, _) =
        Negotiation::start(config, account, plan, Random::fixed(1000, "nonce"), None).unwrap();
    let (negotiation, requests) = next(negotiation.receive(&reply(1000, OFFER)));
    assert_eq!(requests, [(1001, 0), (1002, 0)]);
    negotiation
}

fn with_two_open(check: impl FnOnce(Negotiation<'_>)) {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    check(two_open(&config, &account));
}

#[test]
fn the_earlier_of_two_is_sent_again_at_once() {
    with_two_open(|negotiation| {
        let (negotiation, requests) = next(negotiation.lost(1001, broken()));
        assert_eq!(requests, [(1001, 0)]);
        let failure = negotiation.lost(1001, broken()).unwrap_err();
        assert_eq!(failure.error.to_string(), "broken", "not a third time");
        assert!(failure.terminate.is_some());
    });
}

/// ejabberd ends a session if it gets a second copy of a request while an earlier one is missing.
#[test]
fn the_later_of_two_waits_for_the_earlier_one() {
    with_two_open(|negotiation| {
        let (negotiation, requests) = next(negotiation.lost(1002, broken()));
        assert_eq!(requests, []);
        let (negotiation, requests) = next(negotiation.lost(1001, broken()));
        assert_eq!(requests, [(1001, 0)]);
        let (negotiation, requests) = next(negotiation.receive(&reply(1001, "")));
        assert_eq!(requests, [(1002, 0)]);
        let (_, requests) = next(negotiation.receive(&reply(1002, SUCCESS)));
        assert_eq!(requests, [(1003, 0), (1004, 0)], "bind and poll");
    });
}

#[test]
fn a_request_sent_again_comes_before_new_ones() {
    with_two_open(|negotiation| {
        let (negotiation, _) = next(negotiation.lost(1002, broken()));
        let (_, requests) = next(negotiation.receive(&reply(1001, SUCCESS)));
        assert_eq!(requests, [(1002, 0), (1003, 0)], "restart and bind");
    });
}

const FEATURES: &str = "<stream:features/>";
const BOUND: &str = "<iq xmlns='jabber:client' id='bind' type='result'><bind \
    xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/x</jid></bind></iq>";

/// A node of a cluster may be killed after its answer: the other nodes do not know that answer.
#[test]
fn the_answer_to_a_request_is_not_waited_for_once_a_later_one_is_answered() {
    with_two_open(|negotiation| {
        let (negotiation, requests) = next(negotiation.lost(1001, broken()));
        assert_eq!(requests, [(1001, 0)]);
        let (negotiation, requests) = next(negotiation.receive(&reply(1002, SUCCESS)));
        assert_eq!(requests, [(1003, 0), (1004, 0)], "the bind and the poll");
        let (negotiation, requests) = next(negotiation.lost(1003, broken()));
        assert_eq!(requests, [(1003, 0)], "although the login is open");
        let (negotiation, _) = next(negotiation.receive(&reply(1003, FEATURES)));
        let (negotiation, _) = next(negotiation.lost(1001, broken()));
        let Ok(Step::Done(session, _)) = negotiation.receive(&reply(1004, BOUND)) else {
            panic!("the exchange is not done")
        };
        assert_eq!(session.rid(), 1005);
    });
}

/// ejabberd would never answer the login again: it keeps only its last two answers, and it has answered the
/// bind.
#[test]
fn a_request_is_not_sent_again_once_its_answer_can_say_nothing_new() {
    for lose in [
        |negotiation: Negotiation<'_>| next(negotiation.lost(1001, broken())).1,
        |negotiation: Negotiation<'_>| next(negotiation.receive(&Reply::new(1001, 502, ""))).1,
        |negotiation: Negotiation<'_>| next(negotiation.receive(&unknown(1001))).1,
    ] {
        with_two_open(|negotiation| {
            let (negotiation, requests) = next(negotiation.receive(&reply(1002, SUCCESS)));
            assert_eq!(requests, [(1003, 0)], "the bind");
            let (negotiation, requests) = next(negotiation.receive(&reply(1003, FEATURES)));
            assert_eq!(requests, [], "the login is open");
            assert_eq!(lose(negotiation), [(1004, 0)], "an empty request for the answer to the bind");
        });
    }
    with_two_open(|negotiation| {
        let (negotiation, _) = next(negotiation.receive(&reply(1002, SUCCESS)));
        let (negotiation, requests) = next(negotiation.lost(1001, broken()));
        assert_eq!(requests, [(1004, 0)], "the poll beside the bind");
        let (negotiation, requests) = next(negotiation.lost(1003, broken()));
        assert_eq!(requests, [(1003, 0)]);
        let (negotiation, _) = next(negotiation.receive(&reply(1003, FEATURES)));
        assert!(matches!(negotiation.receive(&reply(1004, BOUND)), Ok(Step::Done(..))));
    });
    with_two_open(|negotiation| {
        let (negotiation, _) = next(negotiation.receive(&reply(1002, SUCCESS)));
        let (negotiation, _) = next(negotiation.receive(&reply(1003, BOUND)));
        assert!(matches!(negotiation.lost(1001, broken()), Ok(Step::Done(..))), "all is known");
    });
}

#[test]
fn a_bind_whose_answer_may_tell_the_jid_is_sent_again_although_a_later_request_was_answered() {
    with_two_open(|negotiation| {
        let (negotiation, _) = next(negotiation.receive(&reply(1001, SUCCESS)));
        let (negotiation, requests) = next(negotiation.receive(&reply(1002, "")));
        assert_eq!(requests, [(1004, 0)], "the poll");
        let (negotiation, _) = next(negotiation.receive(&reply(1004, FEATURES)));
        let (negotiation, requests) = next(negotiation.lost(1003, broken()));
        assert_eq!(requests, [(1003, 0)]);
        assert!(matches!(negotiation.receive(&reply(1003, BOUND)), Ok(Step::Done(..))));
    });
}

#[test]
fn the_answer_that_holds_the_success_is_waited_for() {
    with_two_open(|negotiation| {
        let (negotiation, _) = next(negotiation.receive(&unknown(1001)));
        let (negotiation, requests) = next(negotiation.receive(&reply(1002, FEATURES)));
        assert_eq!(requests, [], "no poll");
        let (_, requests) = next(negotiation.receive(&reply(1001, SUCCESS)));
        assert_eq!(requests, [(1003, 0)], "the bind");
    });
}

#[test]
fn a_session_stands_while_the_answer_to_an_earlier_request_does_not_come() {
    for is_lost in [true, false] {
        with_two_open(|negotiation| {
            let sent_again =
                if is_lost { negotiation.lost(1001, broken()) } else { negotiation.receive(&unknown(1001)) };
            let (negotiation, _) = next(sent_again);
            let (negotiation, _) = next(negotiation.receive(&reply(1002, SUCCESS)));
            let (negotiation, _) = next(negotiation.receive(&reply(1003, FEATURES)));
            assert!(matches!(negotiation.receive(&reply(1004, BOUND)), Ok(Step::Done(..))));
        });
    }
}

#[test]
fn a_server_that_does_not_know_the_session_is_asked_again_for_a_while() {
    with_two_open(|mut negotiation| {
        for pause in [4, 8, 16, 32, 64, 126] {
            let requests;
            (negotiation, requests) = next(negotiation.receive(&unknown(1001)));
            assert_eq!(requests, [(1001, pause)]);
        }
        let failure = negotiation.receive(&unknown(1001)).unwrap_err();
        assert!(is_unknown(&failure.error), "{:?}", failure.error);
        assert!(failure.terminate.is_some(), "another server may know the session");
    });
    assert_eq!(PAUSES.iter().sum::<u64>(), 250);
}

#[test]
fn a_request_that_broke_is_sent_again_without_a_pause() {
    with_two_open(|negotiation| {
        let (negotiation, requests) = next(negotiation.receive(&unknown(1002)));
        assert_eq!(requests, [], "not before the earlier one");
        let (negotiation, requests) = next(negotiation.receive(&reply(1001, "")));
        assert_eq!(requests, [(1002, 4)]);
        let (negotiation, requests) = next(negotiation.lost(1002, broken()));
        assert_eq!(requests, [(1002, 0)]);
        let (_, requests) = next(negotiation.receive(&unknown(1002)));
        assert_eq!(requests, [(1002, 8)]);
    });
}

/// The node that had the session was killed, and this is the answer of another node of the cluster.
#[cfg(feature = "client")]
#[test]
fn a_server_error_of_ejabberd_is_no_refused_login() {
    let failed = |rid| {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' \
            condition='internal-server-error'/>";
        Reply::new(rid, 200, body)
    };
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let learned = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    let plan = Plan { server: None, ..Plan::shortest(&config, &account, &learned).in_turn() };
    for (attributes, is_ejabberd) in
        [("ver='1.11' polling='2' maxpause='120' xmpp:restartlogic='true'", true), ("", false)]
    {
        let begin = || {
            let random = Random::fixed(1000, "nonce");
            let (negotiation, _) = Negotiation::start(&config, &account, plan.clone(), random, None).unwrap();
            let created = String::from_utf8(reply(1000, OFFER).body).unwrap();
            let created =
                created.replace(" sid=", &format!(" xmlns:xmpp='urn:xmpp:xbosh' {attributes} sid="));
            next(negotiation.receive(&Reply::new(1000, 200, created))).0
        };
        let (negotiation, _) = next(begin().receive(&reply(1001, "")));
        let error = negotiation.receive(&failed(1002)).unwrap_err().error;
        assert_eq!(error.is_secret_out(), !is_ejabberd, "the login was answered: {attributes}");
        let (negotiation, _) = next(begin().receive(&reply(1002, "")));
        let error = negotiation.receive(&failed(1001)).unwrap_err().error;
        assert!(error.is_secret_out(), "the login itself: {attributes}");
    }
}

/// An exchange with ejabberd in which two requests are open: the bind (1002), which was sent first, and the
/// restart (1001).
fn with_bind_ahead(check: impl FnOnce(Negotiation<'_>)) {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let learned = Learned::new(Server::Ejabberd, &["PLAIN".to_owned()]);
    let plan = Plan { server: None, ..Plan::shortest(&config, &account, &learned) };
    let (negotiation, _) =
        Negotiation::start(&config, &account, plan, Random::fixed(1000, "nonce"), None).unwrap();
    let (negotiation, requests) = next(negotiation.receive(&reply(1000, OFFER)));
    assert_eq!(requests, [(1002, 0), (1001, 3)]);
    check(negotiation);
}

/// ejabberd ends a session if it gets a second copy of a request that it keeps because it came ahead of its
/// turn.
#[test]
fn a_request_sent_ahead_is_sent_again_in_its_turn() {
    with_bind_ahead(|negotiation| {
        let (negotiation, requests) = next(negotiation.lost(1002, broken()));
        assert_eq!(requests, [], "not before the restart is answered");
        let (negotiation, requests) = next(negotiation.lost(1001, broken()));
        assert_eq!(requests, [(1001, 0)]);
        let (negotiation, requests) = next(negotiation.receive(&reply(1001, SUCCESS)));
        assert_eq!(requests, [(1002, 0)]);
        let Ok(Step::Done(session, _)) = negotiation.receive(&reply(1002, BOUND)) else {
            panic!("the exchange is not done")
        };
        assert_eq!(session.rid(), 1003);
    });
    with_bind_ahead(|negotiation| {
        let (negotiation, requests) = next(negotiation.receive(&unknown(1002)));
        assert_eq!(requests, []);
        let (negotiation, requests) = next(negotiation.receive(&unknown(1001)));
        assert_eq!(requests, [(1001, 4)]);
        let (_, requests) = next(negotiation.receive(&reply(1001, SUCCESS)));
        assert_eq!(requests, [(1002, 4)]);
    });
}

/// The restart belongs before the bind, so it is the bind that the exchange has got to.
#[test]
fn what_fails_after_a_bind_ahead_of_its_turn_fails_while_binding() {
    for rid in [1001, 1002] {
        with_bind_ahead(|negotiation| {
            let error = negotiation.receive(&Reply::new(rid, 200, "oops")).unwrap_err().error;
            assert_eq!(error.stage(), Stage::Bind, "{rid}");
        });
    }
}

fn ended(rid: u64) -> Reply {
    let body = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' \
        condition='policy-violation'/>";
    Reply::new(rid, 200, body)
}

/// The answers come over two connections, so the end of the session may arrive before the answer that
/// explains it.
#[test]
fn the_answer_to_an_earlier_request_explains_why_a_session_ended() {
    const FAILURE: &str = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let after_the_end = |answer: fn(Negotiation<'_>) -> Failure| {
        let mut result = None;
        with_bind_ahead(|negotiation| {
            let (negotiation, requests) = next(negotiation.receive(&ended(1002)));
            assert_eq!(requests, []);
            let failure = answer(negotiation);
            assert!(failure.terminate.is_none(), "the session has ended");
            result = Some(failure.error);
        });
        result.unwrap()
    };
    let refused = after_the_end(|negotiation| negotiation.receive(&reply(1001, FAILURE)).unwrap_err());
    assert_eq!(*refused.kind(), ErrorKind::Auth);
    for answer in [
        |negotiation: Negotiation<'_>| negotiation.receive(&reply(1001, "")).unwrap_err(),
        |negotiation: Negotiation<'_>| negotiation.receive(&ended(1001)).unwrap_err(),
        |negotiation: Negotiation<'_>| negotiation.receive(&unknown(1001)).unwrap_err(),
        |negotiation: Negotiation<'_>| negotiation.receive(&Reply::new(1001, 502, "")).unwrap_err(),
        |negotiation: Negotiation<'_>| negotiation.lost(1001, broken()).unwrap_err(),
    ] {
        let error = after_the_end(answer);
        assert_eq!(error.condition().unwrap().as_str(), "policy-violation", "{error:?}");
        assert!(error.is_secret_out());
    }
    let error = after_the_end(|negotiation| negotiation.receive(&reply(1001, SUCCESS)).unwrap_err());
    assert_eq!(error.condition().unwrap().as_str(), "policy-violation", "{error:?}");
    assert!(!error.is_secret_out(), "the secret was accepted");
    with_bind_ahead(|negotiation| {
        let (negotiation, _) = next(negotiation.receive(&ended(1002)));
        let failure = negotiation.abandon(broken());
        assert_eq!(failure.error.to_string(), "broken");
        assert!(failure.terminate.is_none());
    });
    with_bind_ahead(|negotiation| {
        let failure = negotiation.receive(&ended(1001)).unwrap_err();
        assert_eq!(*failure.error.kind(), ErrorKind::Terminated, "nothing earlier is open");
    });
}

#[test]
fn a_creation_is_not_repeated() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let start =
        || Negotiation::start(&config, &account, Plan::classic(), Random::fixed(1000, "n"), None).unwrap().0;
    assert!(start().lost(1000, broken()).unwrap_err().terminate.is_none());
    assert!(start().receive(&unknown(1000)).unwrap_err().terminate.is_none());
    let error = start().lost(7, broken()).unwrap_err().error;
    assert_eq!(error.to_string(), "broken");
}

/// A session in which the requests with these RIDs are open, the first of them with a secret.
fn session_with(open: &[u64]) -> Bosh {
    let mut bosh = Bosh::new(open.first().copied().unwrap_or(1001));
    let created = Created::asked(&Config::new("http://localhost/").unwrap());
    bosh.session = Some((Secret::from("s1"), created));
    for (place, rid) in open.iter().enumerate() {
        let request = Request::new(&Frame::Plain, Stage::Authenticate, *rid, Some("s1"), "", None);
        bosh.open(if place == 0 { request.with_secret() } else { request });
    }
    bosh
}

fn ended_by(condition: BoshCondition) -> Error {
    Error::refused(ErrorKind::Terminated, Stage::Bind, Some(Condition::Bosh(condition)), None)
}

/// Then no server that is there has looked at the secret, and it may be sent in another session.
#[test]
fn a_session_is_gone_if_the_server_that_had_it_is() {
    let (unknown, failed) =
        (ended_by(BoshCondition::ItemNotFound), ended_by(BoshCondition::InternalServerError));
    let gone = |bosh: &Bosh, error: &Error| {
        [Server::Ejabberd, Server::Prosody, Server::Other].map(|server| bosh.is_gone(error, server))
    };
    assert_eq!(gone(&session_with(&[]), &unknown), [true; 3]);
    assert_eq!(gone(&Bosh::new(1000), &unknown), [false; 3], "there was none");
    assert_eq!(gone(&session_with(&[]), &ended_by(BoshCondition::PolicyViolation)), [false; 3]);
    // One that no other request is open beside may be about the login, unless that was answered.
    let mut bosh = session_with(&[1001]);
    bosh.close(1001);
    assert_eq!(gone(&bosh, &failed), [false; 3]);
    bosh.accept(1001);
    assert_eq!(gone(&bosh, &failed), [true, false, false]);
    assert_eq!(gone(&session_with(&[1001, 1002]), &failed), [true; 3]);
    // Other requests have been lost before.
    let mut bosh = session_with(&[1001]);
    assert!(bosh.lost(1001));
    bosh.close(1001);
    assert_eq!(gone(&bosh, &failed), [true; 3]);
}

#[test]
fn a_lost_creation_tells_nothing_of_a_secret_where_the_server_would_have_answered() {
    let http =
        |status| Error::new(ErrorKind::Http { status, location: None }, Stage::Create, Retry::Later, "");
    let connect = |phase| Error::new(ErrorKind::Connect { phase }, Stage::Create, Retry::Later, "");
    for (error, expected, is_lost) in [
        (http(502), None, true),
        (http(503), None, false),
        (http(500), Some(Server::Ejabberd), false),
        (connect(Phase::Headers), Some(Server::Ejabberd), true),
        (connect(Phase::Body), Some(Server::Ejabberd), true),
        (connect(Phase::Headers), Some(Server::Prosody), false),
        (connect(Phase::Headers), None, false),
        (connect(Phase::Tcp), Some(Server::Ejabberd), false),
    ] {
        assert_eq!(Bosh::new(1000).is_creation_lost(&error, expected), is_lost, "{error:?} {expected:?}");
        assert!(!session_with(&[]).is_creation_lost(&error, expected), "the session stands");
    }
}

/// It may count the password, and lock the account out in the end.
#[test]
fn a_server_that_fails_over_a_secret_is_not_given_it_again() {
    let failed: Result<Received> = Err(broken());
    for (status, rid, is_repeated) in [
        (500, 1001, false),
        (500, 1002, true),
        (501, 1001, false),
        (502, 1001, true),
        (504, 1001, true),
        (404, 1001, false),
        (404, 1002, false),
    ] {
        let mut bosh = session_with(&[1001, 1002]);
        assert_eq!(bosh.is_lost(&Reply::new(rid, status, ""), &failed), is_repeated, "{status} to {rid}");
    }
    let mut bosh = session_with(&[1001, 1002]);
    bosh.session = None;
    assert!(!bosh.is_lost(&Reply::new(1002, 502, ""), &failed), "there is no session to repeat it in");
}

#[test]
fn no_more_than_two_requests_are_open_and_no_more_than_the_server_allows() {
    for (granted, window) in [(None, 2), (Some(1), 1), (Some(2), 2), (Some(5), 2), (Some(0), 1)] {
        let mut bosh = session_with(&[]);
        bosh.session.as_mut().unwrap().1.requests = granted;
        assert_eq!(bosh.window(), window, "{granted:?}");
    }
    assert_eq!(Bosh::new(1000).window(), 2);
}
