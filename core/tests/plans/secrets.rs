//! How often a secret, or a proof of one, goes out in one call: once, unless the server says that it has not
//! looked at it.

use faults::{Reply, Server};
use prebind::{Account, Credentials, ErrorKind, Retry};

use super::{
    ALL_AT_ONCE, BOUND, OFFER, PROSODY, SUCCESS, account, anonymous, body, classic, client, good, shape,
};

const SCRAM_OFFER: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>ANONYMOUS</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>";

/// The requests with a secret or a proof, without those that repeat a lost one under its own RID, which a
/// server answers as it did before (XEP-0124 §14.3).
fn told(server: &Server) -> usize {
    let is_told = |body: &str| body.contains("mechanism=\"PLAIN\"") || body.contains("<response");
    let requests = server.requests().into_iter().filter(|request| is_told(&request.body));
    let mut bodies: Vec<String> = requests.map(|request| request.body).collect();
    bodies.dedup();
    bodies.len()
}

fn failure(condition: &str) -> Reply {
    let failure = format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>");
    body(PROSODY, &failure)
}

/// What may come instead of an answer to the login, with its kind of error.
fn answers() -> Vec<(&'static str, Reply)> {
    let stream_error =
        "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let ended = |condition| body(&format!("type='terminate' condition='{condition}'"), "");
    vec![
        ("Terminated", ended("policy-violation")),
        ("Terminated", ended("remote-stream-error")),
        ("Terminated", ended("other-request")),
        ("Terminated", ended("internal-server-error")),
        ("Terminated", ended("item-not-found")),
        ("Terminated", body("type='terminate'", "")),
        ("Terminated", body("type='terminate' condition='remote-stream-error'", stream_error)),
        ("Terminated", body("", stream_error)),
        ("Http", Reply::new(401, "no")),
        ("Http", Reply::new(403, "<html></html>").header("Content-Type", "text/html")),
        ("Http", Reply::new(500, "oops")),
        ("Http", Reply::new(501, "oops")),
        ("Http", Reply::new(200, "<html>blocked</html>").header("Content-Type", "text/html")),
        ("Protocol", Reply::xml("<body")),
        ("Protocol", Reply::xml("<body xmlns='http://jabber.org/protocol/httpbind'><!-- --></body>")),
        ("Auth", failure("temporary-auth-failure")),
        ("Auth", failure("mechanism-too-weak")),
        ("Auth", failure("wrong-password")),
        ("Connect", Reply::xml("<body").header("Content-Length", "1000").closes()),
    ]
}

#[test]
fn a_password_goes_out_once_in_a_call() {
    for (kind, answer) in answers() {
        let bad = answer.clone().when(ALL_AT_ONCE);
        let server = faults::script([classic(PROSODY), vec![bad, answer.clone()], classic(PROSODY)].concat());
        let client = client(&server, |config| config);
        client.prebind(&anonymous()).unwrap();
        assert_eq!(client.prebind(&account()).unwrap_err().kind().as_str(), kind, "{answer:?}");
        assert_eq!(told(&server), 1, "{answer:?}");
    }
}

#[test]
fn a_proof_goes_out_once_in_a_call() {
    let account = Account::new("alice@localhost", Credentials::password("wrong")).unwrap();
    // A server that does not know the session has not looked at a proof in it.
    let is_looked_at = |answer: &Reply| !String::from_utf8_lossy(&answer.body).contains("item-not-found");
    for (kind, answer) in answers().into_iter().filter(|(_, answer)| is_looked_at(answer)) {
        // A lost request is repeated once, under its own RID.
        let bad = answer.clone().when("<response");
        let mut first = classic(PROSODY);
        first[0] = body(PROSODY, SCRAM_OFFER).when("xmpp:version=\"1.0\"/>");
        let challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{challenge}</challenge>";
        let begun = body(PROSODY, &format!("{SCRAM_OFFER}{challenge}")).when("\"1.0\"><auth");
        let again = body(PROSODY, SCRAM_OFFER).when("xmpp:version");
        let server = faults::script([first, vec![begun, bad.clone(), bad, again]].concat());
        let client = client(&server, |config| config);
        client.prebind(&anonymous()).unwrap();
        assert_eq!(client.prebind(&account).unwrap_err().kind().as_str(), kind, "{answer:?}");
        assert_eq!(told(&server), 1, "{answer:?}");
        assert_eq!(server.requests().iter().filter(|it| it.body.contains("xmpp:version")).count(), 2);
    }
}

/// As if a node of a cluster were killed: the node that is asked to end the session does not know it.
#[test]
fn a_password_goes_out_again_if_the_session_went_with_its_server() {
    let lost = Reply::xml("<body").header("Content-Length", "1000").closes().when("mechanism=\"PLAIN\"");
    let ended = |condition| body(&format!("type='terminate' condition='{condition}'"), "").when("terminate");
    for (condition, is_gone) in
        [("item-not-found", true), ("internal-server-error", true), ("policy-violation", false)]
    {
        let answers = vec![ended(condition); 4];
        let first = classic(PROSODY)[0].clone();
        let broken = vec![first, lost.clone(), lost.clone()];
        let server = faults::script([broken, answers, classic(PROSODY)].concat());
        let result = client(&server, |config| config).prebind(&account());
        assert_eq!(result.is_ok(), is_gone, "{condition}: {result:?}");
        assert_eq!(told(&server), 1 + usize::from(is_gone));
    }
}

#[test]
fn a_login_that_is_refused_after_a_lost_creation_is_not_tried_again() {
    let lost = Reply::xml("<body").header("Content-Length", "1000").closes().when("xmpp:version");
    let refused = failure("not-authorized").when("mechanism=\"PLAIN\"");
    let replies = [vec![lost, classic(PROSODY)[0].clone(), refused], classic(PROSODY)];
    let server = faults::script(replies.concat());
    let error = client(&server, |config| config).prebind(&account()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Auth);
    assert_eq!((shape(&server.requests()), told(&server)), ("..x".to_owned(), 1));
}

#[test]
fn a_plan_that_failed_after_a_secret_was_sent_gives_way_in_the_next_call() {
    let bad = body("type='terminate' condition='bad-request'", "").when(ALL_AT_ONCE);
    let server = faults::script([classic(PROSODY), vec![bad], classic(PROSODY), classic(PROSODY)].concat());
    let client = client(&server, |config| config);
    let calls = [(); 4].map(|()| client.prebind(&account()).map(|session| session.round_trips()).ok());
    assert_eq!(calls, [Some(4), None, Some(4), Some(4)]);
    assert_eq!(shape(&server.requests()), ".!..");
}

#[test]
fn a_password_that_was_not_looked_at_may_go_out_again() {
    for condition in ["invalid-mechanism", "encryption-required"] {
        let refused = body(PROSODY, &format!("{OFFER}{}", text(&failure(condition)))).when(ALL_AT_ONCE);
        let server = faults::script([classic(PROSODY), vec![refused], classic(PROSODY)].concat());
        let client = client(&server, |config| config);
        client.prebind(&account()).unwrap();
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 4, "{condition}");
    }
}

/// The payload of a reply.
fn text(reply: &Reply) -> String {
    let body = String::from_utf8(reply.body.clone()).unwrap();
    body.split_once('>').unwrap().1.strip_suffix("</body>").unwrap().to_owned()
}

fn by_password() -> Account {
    Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap()
}

/// A whole classic exchange with a Prosody that offers this.
fn offering(mechanisms: &[&str]) -> Vec<Reply> {
    let names = mechanisms.join("</mechanism><mechanism>");
    let mechanisms = format!(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>{names}</mechanism></mechanisms>"
    );
    let mut replies = classic(PROSODY);
    replies[0] = body(PROSODY, &format!("<stream:features>{mechanisms}</stream:features>")).when("\"1.0\"/>");
    replies
}

#[test]
fn a_password_goes_early_by_plain_only_if_this_process_saw_that_it_must() {
    let bind_with_login = || {
        let mut replies = offering(&["PLAIN"]);
        replies[1] = body("", &format!("{SUCCESS}{BOUND}")).when(ALL_AT_ONCE);
        replies.truncate(2);
        replies
    };
    let server = faults::script([offering(&["PLAIN"]), vec![good()]].concat());
    let taught = client(&server, |config| config);
    let round_trips = [(); 2].map(|()| taught.prebind(&by_password()).unwrap().round_trips());
    assert_eq!(round_trips, [4, 1], "seen by this process");

    // The profile of another server of the same address, or one that was made up.
    let second = faults::script([bind_with_login(), vec![good()]].concat());
    let profile = taught.profile();
    let other = client(&second, |config| config).profile();
    let url =
        |profile: &str| profile.split("\"url\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let profile = profile.replace(&url(&profile), &url(&other));
    let later = client(&second, |config| config.with_profile(Some(profile.clone())));
    assert_eq!(later.prebind(&by_password()).unwrap().round_trips(), 2);
    assert_eq!(told(&second), 1, "after the offer");
    assert_eq!(later.prebind(&by_password()).unwrap().round_trips(), 1);

    // The server takes better.
    let third = faults::script(offering(&["PLAIN", "SCRAM-SHA-1"]));
    let profile = profile.replace(&url(&profile), &url(&client(&third, |config| config).profile()));
    let later = client(&third, |config| config.with_profile(Some(profile)));
    assert!(later.prebind(&by_password()).is_err(), "the script knows no SCRAM");
    assert_eq!(told(&third), 0);
    assert!(third.requests().iter().any(|request| request.body.contains("SCRAM-SHA-1\">")));
    assert!(
        !third.requests().iter().any(|request| request.body.contains(ALL_AT_ONCE)),
        "nothing to bind yet"
    );
}

#[test]
fn a_step_down_from_scram_is_refused_and_told() {
    for learns_early in [true, false] {
        let mut first = offering(&["ANONYMOUS", "SCRAM-SHA-1", "PLAIN"]);
        let refusal = body(PROSODY, &text(&failure("invalid-mechanism"))).when("\"1.0\"><auth");
        first.extend(learns_early.then_some(refusal));
        let server = faults::script(
            [first, offering(&["PLAIN"]), offering(&["PLAIN"]), offering(&["PLAIN"])].concat(),
        );
        let first = client(&server, |config| config.with_learn(true));
        first.prebind(&anonymous()).unwrap();
        let (mut later, profile) = (first.clone(), first.profile());
        if !learns_early {
            later = client(&server, |config| config.with_profile(Some(profile)));
        }
        for _ in 0..2 {
            let error = later.prebind(&by_password()).unwrap_err();
            let ErrorKind::Mechanism { offered, allowed } = error.kind() else { panic!("{error}") };
            assert_eq!(offered, &["PLAIN"]);
            assert!(allowed.iter().all(|name| name.starts_with("SCRAM-")), "{allowed:?}");
            assert_eq!(error.retry(), Retry::Later);
            assert!(
                error.to_string().contains("intercepting") && error.to_string().contains("relearn_after")
            );
        }
        assert!(later.profile().contains("no_scram_since"), "so that it is believed after a while");
        assert_eq!(told(&server), 0);
        // The token of a user is sent by PLAIN in any case.
        later.prebind(&account()).unwrap();
    }
}

#[test]
fn a_failure_of_another_kind_tells_nothing_of_scram() {
    let forbidden = Reply::new(401, "").when(ALL_AT_ONCE);
    let replies = [offering(&["ANONYMOUS", "SCRAM-SHA-1"]), vec![forbidden, good()]];
    let server = faults::script(replies.concat());
    let client = client(&server, |config| config);
    client.prebind(&anonymous()).unwrap();
    client.prebind(&anonymous()).unwrap_err();
    assert!(!client.profile().contains("no_scram_since"));
    assert_eq!(client.prebind(&anonymous()).unwrap().round_trips(), 1);
}
