//! Servers that take their time over a password, which they must not be given twice meanwhile.

use std::thread;
use std::time::Duration;

use faults::{Reply, Server};
use prebind::binding::interruptible;
use prebind::{Account, Client, ErrorKind, Phase};

use super::{
    EJABBERD, PROSODY, SUCCESS, account, all_at_once, anonymous, broken, classic, client, good, in_turn,
    pair, shape,
};

const DEADLINE: Duration = Duration::from_millis(1500);

/// More than half of the time.
const SLOW: Duration = Duration::from_millis(900);

const NEVER: Duration = Duration::from_secs(60);

fn hasty(server: &Server) -> Client {
    client(server, |config| config.with_deadline(DEADLINE).unwrap().with_fail_fast_after(0))
}

fn passwords_sent(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.body.contains("<auth")).count()
}

fn no_answer() -> Reply {
    all_at_once(SUCCESS).after(NEVER)
}

#[test]
fn a_server_that_is_slow_to_look_at_a_password_is_given_it_once() {
    let server = faults::script([classic(PROSODY), vec![good().after(SLOW), good().after(SLOW)]].concat());
    let client = hasty(&server);
    for (passwords, round_trips) in [(1, 4), (2, 1), (3, 1)] {
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), round_trips);
        assert_eq!(passwords_sent(&server), passwords);
    }
    assert_eq!(shape(&server.requests()), ".!!");
}

#[test]
fn so_is_one_that_takes_the_password_after_its_offer() {
    let mut slow = pair();
    slow[2] = slow[2].clone().after(SLOW);
    let server = faults::script([classic(EJABBERD), slow].concat());
    let client = in_turn(&server, |config| config.with_deadline(DEADLINE).unwrap().with_fail_fast_after(0));
    assert_eq!(client.prebind(&account()).unwrap().round_trips(), 3);
    assert_eq!(passwords_sent(&server), 2);
}

/// Half of the time is kept for the classic plan only as long as the short one has not succeeded.
#[test]
fn a_proven_plan_has_all_of_the_time() {
    let slow = good().after(SLOW);
    let server = faults::script([classic(PROSODY), vec![good(), slow, no_answer(), good()]].concat());
    let client = hasty(&server);
    let round_trips = [(); 3].map(|()| client.prebind(&anonymous()).unwrap().round_trips());
    assert_eq!(round_trips, [4, 1, 1]);
    let error = client.prebind(&anonymous()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Headers });
    assert_eq!(client.prebind(&anonymous()).unwrap().round_trips(), 1, "once is no reason to leave it");
    assert_eq!(shape(&server.requests()), ".!!!!");
}

/// Whether the server has the password nobody knows, so it is not sent again in the same call.
#[test]
fn no_answer_to_a_password_is_final() {
    let silent = ErrorKind::Timeout { phase: Phase::Headers };
    let broke = ErrorKind::Connect { phase: Phase::Body };
    for (reply, kind) in [(no_answer(), silent), (broken(), broke)] {
        // A plan that never succeeded makes room for the classic one at once.
        let server = faults::script([classic(PROSODY), vec![reply.clone()], classic(PROSODY)].concat());
        let client = hasty(&server);
        client.prebind(&account()).unwrap();
        assert_eq!(client.prebind(&account()).unwrap_err().kind(), &kind);
        assert_eq!(passwords_sent(&server), 2, "{kind:?}");
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 4);
        assert!(client.profile().contains("classic_until"));

        // One that did has the server to blame.
        let server = faults::script([classic(PROSODY), vec![good(), reply, good()]].concat());
        let client = hasty(&server);
        client.prebind(&account()).unwrap();
        client.prebind(&account()).unwrap();
        let (result, took) = faults::timed(|| client.prebind(&account()));
        assert_eq!(result.unwrap_err().kind(), &kind);
        assert!(took < DEADLINE * 4 / 3, "{took:?}");
        assert_eq!(passwords_sent(&server), 3, "{kind:?}");
        assert!(!client.profile().contains("classic_until"), "nothing is held against the plan");
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 1);
    }
}

#[test]
fn a_proven_plan_that_is_not_answered_any_more_is_given_up_in_the_end() {
    let outcomes_of = |account: Account| {
        let silence = vec![no_answer(); 3];
        let replies = [classic(PROSODY), vec![good()], silence, classic(PROSODY), classic(PROSODY)];
        let server = faults::script(replies.concat());
        let client = hasty(&server);
        let outcomes = [(); 7].map(|()| {
            let result = client.prebind(&account);
            (result.ok().map(|session| session.round_trips()), client.profile().contains("classic_until"))
        });
        (outcomes, shape(&server.requests()))
    };
    let (failed, classic) = ((None, false), (Some(4), true));
    let outcomes = [(Some(4), false), (Some(1), false), failed, failed, failed, classic, classic];
    thread::scope(|scope| {
        for call in [account(), anonymous()].map(|account| scope.spawn(|| outcomes_of(account))) {
            assert_eq!(call.join().unwrap(), (outcomes, ".!!!!..".to_owned()));
        }
    });
}

/// The client still waits a moment for the answer to the creation, because it tells which session to end.
#[test]
fn a_session_that_opens_after_the_caller_gave_up_is_ended() {
    // On a busy machine the answer may come too late, not each time.
    let is_ended = (0..5).any(|_| {
        let late = good().after(Duration::from_millis(80));
        let server = faults::script([classic(PROSODY), vec![late]].concat());
        let client = client(&server, |config| config);
        client.prebind(&account()).unwrap();
        let error = interruptible(|| false, || client.prebind(&account())).unwrap_err();
        assert!(error.to_string().contains("gave up"), "{error}");
        shape(&server.requests()) == ".!x"
    });
    assert!(is_ended);
}
