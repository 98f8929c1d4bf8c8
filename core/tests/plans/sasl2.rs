//! Servers that offer SASL2, as they have it for their other connections, and do not answer it over BOSH.

use std::time::Duration;

use faults::{Reply, Server};
use prebind::{Account, Client, Credentials, ErrorKind, FastToken, Phase, Retry};

use super::{PROSODY, body, classic, client, good, shape};

const DEADLINE: Duration = Duration::from_millis(1500);

const NEVER: Duration = Duration::from_secs(60);

/// With a bind and tokens inside, and the mechanism in the older SASL, too.
fn offer(mechanism: &str) -> String {
    format!(
        "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>{mechanism}</mechanism>\
         <inline><bind xmlns='urn:xmpp:bind:0'/><fast xmlns='urn:xmpp:fast:0'>\
         <mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication>\
         <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>{mechanism}</mechanism></mechanisms>\
         </stream:features>"
    )
}

fn creation(mechanism: &str) -> Reply {
    body(PROSODY, &offer(mechanism)).when("xmpp:version=\"1.0\"/>")
}

/// What may become of a login by SASL2 instead of an answer.
fn no_answers() -> Vec<Reply> {
    let ended = body("type='terminate' condition='internal-server-error'", "");
    let silent = body("", "").after(NEVER);
    // An empty answer, and then none to what is sent for the server to answer into.
    let answers = [silent, ended, Reply::new(500, "oops"), Reply::xml("<body").closes()];
    answers.map(|reply| reply.when("<authenticate")).into()
}

fn hasty(server: &Server) -> Client {
    knowing(server, None)
}

fn knowing(server: &Server, profile: Option<String>) -> Client {
    client(server, |config| {
        config
            .with_deadline(DEADLINE)
            .unwrap()
            .with_fail_fast_after(0)
            .with_fast_tokens(true)
            .with_profile(profile)
    })
}

fn account(credentials: Credentials) -> Account {
    Account::new("alice@localhost", credentials).unwrap()
}

fn sent(server: &Server, part: &str) -> usize {
    let requests = server.requests();
    // A lost request is sent again with the same bytes.
    let mut bodies: Vec<&str> = requests.iter().map(|request| request.body.as_str()).collect();
    bodies.dedup();
    bodies.into_iter().filter(|body| body.contains(part)).count()
}

/// Nothing secret is told by the first message of SCRAM, so that another exchange may follow.
#[test]
fn sasl2_without_an_answer_is_left_in_the_same_call() {
    for answer in no_answers() {
        let refused = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
        let by_sasl = || vec![creation("SCRAM-SHA-1"), body("", refused).when("<auth ")];
        let replies = [vec![creation("SCRAM-SHA-1"), answer.clone(), answer.clone()], by_sasl()];
        let server = faults::script(replies.concat());
        let client = hasty(&server);
        let (result, took) = faults::timed(|| client.prebind(&account(Credentials::password("wrong"))));
        assert_eq!(result.unwrap_err().kind(), &ErrorKind::Auth, "the answer to the older SASL: {answer:?}");
        assert!(took < DEADLINE, "{took:?}");
        assert_eq!((sent(&server, "<authenticate"), sent(&server, "<auth ")), (1, 1), "{answer:?}");
    }
}

/// A token is for SASL2 alone, so the password goes out once.
#[test]
fn a_token_without_an_answer_is_left_for_the_password() {
    let token = FastToken::from_text(super::tokens::TOKEN).unwrap();
    let account = account(Credentials::plain("wonder-1").fast_token(token));
    for answer in no_answers() {
        let left = vec![creation("PLAIN"), answer.clone(), answer.clone(), creation("PLAIN")];
        let server = faults::script([left, classic(PROSODY).split_off(1), vec![good()]].concat());
        let client = hasty(&server);
        assert_eq!(client.prebind(&account).unwrap().mechanism(), "PLAIN", "{answer:?}");
        let profile = client.profile();
        assert!(profile.contains("no_sasl2_until"), "{answer:?}: {profile}");
        let next = knowing(&server, Some(profile));
        assert_eq!(next.prebind(&account).unwrap().round_trips(), 1, "the rest is still known");
        assert_eq!((sent(&server, "<authenticate"), sent(&server, "<auth ")), (1, 2), "{answer:?}");
    }
}

/// The server may have looked at the password.
#[test]
fn a_password_without_an_answer_is_final_and_the_next_call_does_without_sasl2() {
    for answer in no_answers() {
        let by_sasl = [vec![creation("PLAIN")], classic(PROSODY).split_off(1)].concat();
        let server =
            faults::script([vec![creation("PLAIN"), answer.clone(), answer.clone()], by_sasl].concat());
        let client = hasty(&server);
        let account = account(Credentials::password("wonder-1"));
        let error = client.prebind(&account).unwrap_err();
        assert!(error.to_string().contains("`fast_tokens`"), "{error}");
        if *error.kind() == (ErrorKind::Timeout { phase: Phase::Headers }) {
            assert_eq!(error.retry(), Retry::FreshSession);
        }
        assert_eq!(sent(&server, "mechanism=\"PLAIN\""), 1, "{answer:?}");
        assert_eq!(client.prebind(&account).unwrap().mechanism(), "PLAIN");
        assert_eq!(sent(&server, "<authenticate"), 1, "{answer:?}");
    }
}

/// Someone may hold the answer back to be told the password.
#[test]
fn sasl2_with_scram_is_not_left_for_plain() {
    let without_scram = creation("SCRAM-SHA-1");
    let text = String::from_utf8(without_scram.body.clone()).unwrap();
    let (head, tail) = text.split_once("</authentication>").unwrap();
    let text = format!("{head}</authentication>{}", tail.replace("SCRAM-SHA-1", "PLAIN"));
    let replies = [Reply::xml(text.clone()), body("", "").after(NEVER).when("<authenticate")];
    let server = faults::script([replies.to_vec(), replies.to_vec()].concat());
    let error = hasty(&server).prebind(&account(Credentials::password("wonder-1"))).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout { phase: Phase::Headers });
    assert_eq!(sent(&server, "\"PLAIN\""), 0);
}

/// There is nothing else to log in by.
#[test]
fn a_token_alone_waits_for_its_answer() {
    let token = FastToken::from_text(super::tokens::TOKEN).unwrap();
    let late = body("", super::tokens::ACCEPTED).after(DEADLINE * 6 / 10).when("<authenticate");
    let server = faults::script(vec![creation("PLAIN"), late]);
    let session = hasty(&server).prebind(&account(Credentials::fast(token))).unwrap();
    assert_eq!(session.mechanism(), "HT-SHA-256-NONE");
    assert_eq!(shape(&server.requests()), ".");
}

#[test]
fn a_token_alone_is_sent_although_sasl2_had_no_answer_before() {
    let token = FastToken::from_text(super::tokens::TOKEN).unwrap();
    let oops = Reply::new(500, "oops").when("<authenticate");
    let accepted = body("", super::tokens::ACCEPTED).when("<authenticate");
    let server = faults::script(vec![creation("PLAIN"), oops, creation("PLAIN"), accepted]);
    let client = hasty(&server);
    client.prebind(&account(Credentials::password("wonder-1"))).unwrap_err();
    assert!(client.profile().contains("no_sasl2_until"));
    let session = client.prebind(&account(Credentials::fast(token))).unwrap();
    assert_eq!(session.mechanism(), "HT-SHA-256-NONE");
}

#[test]
fn a_token_in_the_creation_without_an_answer_is_left_for_the_password() {
    let token = FastToken::from_text(super::tokens::TOKEN).unwrap();
    let account = account(Credentials::plain("wonder-1").fast_token(token));
    let accepted = || super::tokens::ACCEPTED;
    let early = "\"1.0\"><authenticate";
    let known = [
        creation("PLAIN"),
        body("", accepted()).when("<authenticate"),
        body(PROSODY, &format!("{}{}", offer("PLAIN"), accepted())).when(early),
    ];
    let silent = body(PROSODY, "").after(NEVER).when(early);
    let by_sasl = [vec![creation("PLAIN")], classic(PROSODY).split_off(1)].concat();
    let server = faults::script([known.to_vec(), vec![silent], by_sasl, vec![good()]].concat());
    let client = hasty(&server);
    for (mechanism, round_trips) in
        [("HT-SHA-256-NONE", 2), ("HT-SHA-256-NONE", 1), ("PLAIN", 4), ("PLAIN", 1)]
    {
        let session = client.prebind(&account).unwrap();
        assert_eq!((session.mechanism(), session.round_trips()), (mechanism, round_trips));
    }
}
