//! That a plan is data: one with two requests open at once needs nothing but a list.

use super::*;
use crate::account::Credentials;
use crate::plan::PlannedBody;

/// Authenticates and restarts at once, as the classic plan does one after the other.
const TOGETHER: Plan = Plan {
    bodies: &[
        PlannedBody { after: Milestone::Start, steps: &[PlanStep::Create] },
        PlannedBody { after: Milestone::Features, steps: &[PlanStep::Auth] },
        PlannedBody { after: Milestone::Features, steps: &[PlanStep::Restart] },
        PlannedBody { after: Milestone::RestartedFeatures, steps: &[PlanStep::Bind] },
    ],
    early: None,
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
        let (negotiation, created) = Negotiation::start(&config, &account, TOGETHER, random).unwrap();
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
        let Ok(Step::Done(session, _)) = negotiation.receive(&reply) else { panic!("is not done") };
        assert_eq!((session.rid(), session.round_trips()), (1004, 3));
    }
}

#[test]
fn no_session_without_a_proof_even_if_a_jid_is_bound() {
    let config = Config::new("http://localhost/").unwrap();
    let account = Account::new("alice@localhost", Credentials::plain("secret")).unwrap();
    let (negotiation, created) =
        Negotiation::start(&config, &account, TOGETHER, Random::fixed(1000, "nonce")).unwrap();
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
                assert_eq!(failure.error.kind().name(), "Protocol", "it gives up");
                return;
            }
        }
    }
    panic!("stops without an end");
}
