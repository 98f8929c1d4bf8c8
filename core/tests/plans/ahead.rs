//! The bind that goes to ejabberd ahead of its turn.

use std::time::Duration;

use faults::{Recorded, Reply, Server};
use prebind::{Client, ErrorKind, Retry};

use super::{
    BOUND, EJABBERD, OFFER, PROSODY, SUCCESS, account, anonymous, body, classic, client, pair, pair_in_flight,
};

/// What only a restart before an early bind has.
const EARLY_RESTART: &str = "xmpp:version=\"0.9\"/>";

fn created() -> Reply {
    body(EJABBERD, OFFER).when("\"1.0\"><auth")
}

/// The exchange in two round trips.
fn ahead() -> Vec<Reply> {
    vec![created(), body("", SUCCESS).when(EARLY_RESTART), body("", BOUND).when("<bind")]
}

/// A reply that breaks off.
fn broken() -> Reply {
    Reply::xml("<body").header("Content-Length", "1000").closes()
}

fn ended(condition: &str) -> Reply {
    body(&format!("type='terminate' condition='{condition}'"), "")
}

/// A server that was learned, and then answers with these.
fn taught(then: Vec<Reply>) -> (Server, Client) {
    let server = faults::script([classic(EJABBERD), then].concat());
    let client = client(&server, |config| config.with_fail_fast_after(0));
    assert_eq!(client.prebind(&anonymous()).unwrap().round_trips(), 4);
    (server, client)
}

/// What the requests are: `.` a classic creation, `+` one with a login, `r` a restart before an early bind, `R` any
/// other, `b` a bind, `a` a login in a request of its own, `x` the end of a session, `p` an empty request.
fn shape(requests: &[Recorded]) -> String {
    let letter = |request: &Recorded| match &request.body {
        body if body.contains("\"1.0\"><auth") => '+',
        body if body.contains("xmpp:version=\"1.0\"") => '.',
        body if body.contains(EARLY_RESTART) => 'r',
        body if body.contains("xmpp:restart") => 'R',
        body if body.contains("<bind") => 'b',
        body if body.contains("<auth") => 'a',
        body if body.contains("type=\"terminate\"") => 'x',
        _ => 'p',
    };
    requests.iter().map(letter).collect()
}

#[test]
fn the_bind_goes_first_over_a_connection_of_its_own() {
    let (server, client) = taught((0..100).flat_map(|_| ahead()).collect());
    // On a busy machine this server may see the restart first, not each time.
    let is_first = (0..100).any(|call| {
        let session = client.prebind(&account()).unwrap();
        assert_eq!((session.round_trips(), session.rid()), (2, session.last_rid() + 1));
        let requests = server.requests();
        let [creation, pair @ ..] = &requests[4 + 3 * call..] else { panic!("{requests:#?}") };
        let (bind, restart) =
            if pair[0].body.contains("<bind") { (&pair[0], &pair[1]) } else { (&pair[1], &pair[0]) };
        let after_creation = |request: &Recorded| request.rid().unwrap() - creation.rid().unwrap();
        assert_eq!([restart, bind].map(after_creation), [1, 2]);
        assert_eq!(restart.connection, creation.connection, "as where there is only one");
        assert_ne!(bind.connection, creation.connection);
        shape(&requests[4 + 3 * call..]) == "+br"
    });
    assert!(is_first);
}

/// ejabberd ends the session if what it keeps because it is ahead of its turn comes a second time.
#[test]
fn a_lost_bind_is_sent_again_once_the_restart_is_answered() {
    let pause = Duration::from_millis(300);
    for lost in [broken(), Reply::new(502, ""), ended("item-not-found")] {
        let (server, client) = taught(vec![
            created(),
            lost.clone().when("<bind"),
            body("", SUCCESS).when(EARLY_RESTART).after(pause),
            body("", BOUND).when("<bind"),
        ]);
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 3, "{lost:?}");
        let requests = server.requests();
        let of =
            |part: &str| requests.iter().filter(|request| request.body.contains(part)).collect::<Vec<_>>();
        let (restart, binds) = (of(EARLY_RESTART), of("<bind"));
        assert_eq!((restart.len(), binds.len()), (1, 1 + 2));
        let [.., first, again] = binds.as_slice() else { panic!("{binds:#?}") };
        assert_eq!(first.body, again.body);
        assert!(again.at >= restart[0].at + pause, "{lost:?}: not before the restart is answered");
        assert!(!client.profile().contains("ahead"), "chance is not held against the plan");
    }
}

#[test]
fn a_lost_restart_is_sent_again_at_once() {
    let (server, client) = taught(vec![
        created(),
        broken().when(EARLY_RESTART),
        body("", SUCCESS).when(EARLY_RESTART),
        body("", BOUND).when("<bind").after(Duration::from_millis(300)),
    ]);
    assert_eq!(client.prebind(&account()).unwrap().round_trips(), 3);
    let restarts: Vec<Recorded> =
        server.requests().into_iter().filter(|request| request.body.contains(EARLY_RESTART)).collect();
    assert_eq!(restarts.len(), 2);
    assert_eq!(restarts[0].body, restarts[1].body);
}

#[test]
fn a_poll_takes_the_result_if_the_restart_arrived_first() {
    let (server, client) = taught(vec![
        created(),
        body("", SUCCESS).when(EARLY_RESTART),
        body("", "").when("<bind"),
        body("", BOUND).when("sid=\"2\"/>"),
    ]);
    let session = client.prebind(&account()).unwrap();
    assert_eq!((session.round_trips(), session.rid()), (3, session.last_rid() + 1));
    assert!(shape(&server.requests()).ends_with('p'));
    assert!(!client.profile().contains("ahead"));
}

#[test]
fn a_success_with_the_creation_is_followed_by_the_classic_requests() {
    let early = body(EJABBERD, &format!("{OFFER}{SUCCESS}")).when("\"1.0\"><auth");
    let then =
        vec![early, body("", "<stream:features/>").when("xmpp:restart"), body("", BOUND).when("<bind")];
    let (server, client) = taught(then);
    assert_eq!(client.prebind(&account()).unwrap().round_trips(), 3);
    assert!(shape(&server.requests()).ends_with("+Rb"));
}

/// The session has ended by the bind, whose answer may come first.
#[test]
fn a_refused_login_is_told_as_such_in_any_order_of_the_answers() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let pause = Duration::from_millis(200);
    for late in [EARLY_RESTART, "<bind"] {
        let answers = [body("", failure).when(EARLY_RESTART), ended("remote-stream-error").when("<bind")];
        let answers = answers.map(|answer| if late == "<bind" { answer } else { answer.after(pause) });
        let (server, client) = taught([vec![created()], answers.to_vec(), ahead()].concat());
        let error = client.prebind(&account()).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (&ErrorKind::Auth, Retry::No));
        let logins =
            server.requests().iter().filter(|request| request.body.contains("mechanism=\"PLAIN\"")).count();
        assert_eq!(logins, 1);
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 2, "the plan is not to blame");
    }
}

/// ejabberd before 17.03 expects a login by `jabber:iq:auth` on a stream of a version below 1.0, and refuses all else.
#[test]
fn an_ejabberd_that_is_too_old_costs_one_classic_exchange() {
    let refused = body(
        "",
        "<iq xmlns='jabber:client' type='error' id='bind' from='localhost'><error code='503' type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    let success = body("", SUCCESS).when(EARLY_RESTART);
    for old in [
        vec![created(), success.clone(), refused.clone().when("<bind")],
        // The restart has arrived first: the header of the stream takes the place of the refusal.
        vec![created(), success, body("", "").when("<bind"), refused.when("sid=\"2\"/>")],
    ] {
        let (server, client) = taught([old, classic(EJABBERD), pair()].concat());
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 4, "the server has taken the password");
        let shape = shape(&server.requests()[4..]);
        assert!(shape.starts_with('+') && shape.ends_with("x.aRb"), "{shape}");
        assert!(client.profile().contains("\"ahead\":\"left\""), "{}", client.profile());
    }
}

/// As an ejabberd that is too old, or another server that looks like one.
#[test]
fn a_bind_ahead_that_does_not_fit_gives_way_in_the_next_call() {
    let bad = vec![created(), ended("bad-request").when(EARLY_RESTART), ended("bad-request").when("<bind")];
    let (server, client) = taught([bad, classic(EJABBERD), classic(EJABBERD), pair_in_flight()].concat());
    let error = client.prebind(&account()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Terminated);
    let logins =
        server.requests().iter().filter(|request| request.body.contains("mechanism=\"PLAIN\"")).count();
    assert_eq!(logins, 1, "the secret is out");
    let round_trips = || client.prebind(&account()).unwrap().round_trips();
    assert_eq!([round_trips(), round_trips()], [4, 4], "classic for a while");
    // That while is over.
    let profile = client.profile();
    assert!(profile.contains("\"ahead\":\"left\""), "{profile}");
    let (before, until) = profile.split_once("\"classic_until\":").unwrap();
    let profile =
        format!("{before}\"classic_until\":1{}", until.trim_start_matches(|c: char| c.is_ascii_digit()));
    let later = super::client(&server, |config| config.with_profile(Some(profile)));
    assert_eq!(later.prebind(&account()).unwrap().round_trips(), 3, "in turn, and never ahead again");
    assert!(!shape(&server.requests()[4 + 3..]).contains('+'));
}

/// Without a secret, or once it was accepted, the same call goes on.
#[test]
fn a_bind_ahead_that_does_not_fit_is_mended_where_no_secret_is_at_stake() {
    for (account, success) in [(anonymous(), ""), (account(), SUCCESS)] {
        let bad = vec![created(), body("", success).when(EARLY_RESTART), ended("bad-request").when("<bind")];
        let (server, client) = taught([bad, classic(EJABBERD)].concat());
        assert_eq!(client.prebind(&account).unwrap().round_trips(), 4);
        assert!(client.profile().contains("\"ahead\":\"left\""));
        let shape = shape(&server.requests()[4..]);
        assert!(shape.starts_with('+') && shape.ends_with(".aRb"), "{shape}");
    }
}

/// It drops what goes with a creation, so nobody knows what has become of the password.
#[test]
fn another_server_at_the_url_gets_the_password_once_in_a_call() {
    let other = "polling='2' sid='2'";
    let dropped = body(other, OFFER).when("\"1.0\"><auth");
    let (server, client) = taught([vec![dropped], classic(other), classic(other)].concat());
    let error = client.prebind(&account()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::FreshSession);
    let round_trips = [(); 2].map(|()| client.prebind(&account()).unwrap().round_trips());
    assert_eq!(round_trips, [4, 4], "nothing of the plan");
    assert_eq!(shape(&server.requests()[4..]), "+x.aRb.aRb");
}

/// It takes the login, but not what follows it.
#[test]
fn a_prosody_at_the_url_is_logged_in_to_and_learned() {
    let offer = format!("{OFFER}{SUCCESS}");
    let prosody = vec![
        body(PROSODY, &offer).when("\"1.0\"><auth"),
        body("", "<stream:features/>").when("xmpp:restart"),
        body("", BOUND).when("<bind"),
        body(PROSODY, &format!("{offer}{BOUND}")).when("<bind"),
    ];
    let (server, client) = taught(prosody);
    let round_trips = [(); 2].map(|()| client.prebind(&account()).unwrap().round_trips());
    assert_eq!(round_trips, [3, 1]);
    assert_eq!(shape(&server.requests()[4..]), "+Rb+");
}

/// How long the client waits at least before it creates a session anew whose creation was lost, each time.
const PAUSES: [Duration; 2] = [Duration::from_millis(24), Duration::from_millis(240)];

/// As where a node of a cluster is killed, and takes connections until its process is gone.
#[test]
fn a_server_that_is_away_for_less_than_the_pauses_costs_no_login() {
    let away = PAUSES.iter().sum::<Duration>().checked_sub(Duration::from_millis(1)).unwrap();
    for lost in [broken(), Reply::new(502, "")] {
        let lost = lost.when("xmpp:version=\"1.0\"").lasts(away);
        let then = [vec![lost], classic(EJABBERD)].concat();
        let server = faults::script(then.clone());
        let client = client(&server, |config| config);
        for ((server, client), before) in [((server, client), 0), (taught(then), 4)] {
            assert_eq!(client.prebind(&account()).unwrap().round_trips(), 4);
            let requests = server.requests();
            let creations = requests[before..].iter().filter(|it| it.body.contains("xmpp:version=\"1.0\""));
            let times: Vec<Duration> = creations.map(|creation| creation.at).collect();
            let pauses = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
            assert!(pauses.zip(PAUSES).all(|(pause, least)| pause >= least), "{times:?}");
        }
    }
}

/// The last of the pauses is as long as all of the time.
#[test]
fn a_lost_creation_is_not_made_anew_where_there_is_no_time_for_it() {
    // On a busy machine the time may be over before, not each time.
    let is_told = (0..5).any(|_| {
        let server = faults::script(vec![broken(); 3]);
        let client = client(&server, |config| config.with_deadline(PAUSES[1]).unwrap());
        let error = client.prebind(&account()).unwrap_err();
        assert!(server.requests().len() < 3);
        matches!(error.kind(), ErrorKind::Connect { .. })
    });
    assert!(is_told, "what became of the creation, not that the time is over");
}

/// As where a node of a cluster is killed, and takes connections until its process is gone. ejabberd refuses a password
/// in other ways.
#[test]
fn a_lost_creation_with_a_login_is_made_anew() {
    for lost in [broken(), Reply::new(502, "")] {
        for losses in [1, 2, 3] {
            let lost = vec![lost.clone(); losses];
            let (server, client) = taught([lost, classic(EJABBERD)].concat());
            let result = client.prebind(&account()).map(|session| session.round_trips());
            let shape = shape(&server.requests()[4..]);
            let expected = ["+.aRb", "+..aRb", "+.."][losses - 1];
            assert_eq!((result.is_ok(), shape.as_str()), (losses < 3, expected), "{result:?}");
            assert!(!client.profile().contains("ahead"), "chance is not held against the plan");
        }
    }
}
