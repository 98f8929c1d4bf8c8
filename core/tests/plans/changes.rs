//! Servers that change, and domains that are new.

use std::time::Duration;

use faults::{Reply, Server};
use prebind::{Account, Client, Config, Credentials, ErrorKind, Retry};

use super::{
    BOUND, EJABBERD, OFFER, PROSODY, SUCCESS, account, anonymous, body, classic, client, good, in_turn,
    pair_in_flight, shape,
};

/// Looks like no server that the short plans were made for.
const OTHER: &str = "polling='2' sid='other'";

const NEVER: Duration = Duration::from_secs(60);

/// A classic exchange with a server that drops what goes with a creation, and holds an empty request.
fn other() -> Vec<Reply> {
    vec![
        body(OTHER, OFFER).when("xmpp:version"),
        body("", SUCCESS).when("sid=\"other\"><auth"),
        body("", "<stream:features/>").when("xmpp:restart"),
        body("", BOUND).when("sid=\"other\"><iq"),
        body("", "").when("sid=\"other\"/>").after(NEVER),
    ]
}

/// A server that was proven to be Prosody, and the profile that tells so.
fn proven(then: Vec<Reply>) -> (Server, String) {
    let server = faults::script([classic(PROSODY), vec![good()], then].concat());
    let first = client(&server, |config| config);
    for round_trips in [4, 1] {
        assert_eq!(first.prebind(&anonymous()).unwrap().round_trips(), round_trips);
    }
    let profile = first.profile();
    assert!(profile.contains("proven"));
    (server, profile)
}

fn short_lived(server: &Server, profile: &str) -> Client {
    client(server, |config| config.with_profile(Some(profile.to_owned())).with_fail_fast_after(0))
}

#[test]
fn a_short_lived_process_notices_at_once_that_the_server_is_another() {
    // What went with the creation is lost on it, and a fresh exchange follows.
    let dropped = body(OTHER, OFFER).when("xmpp:version");
    let (server, profile) = proven([vec![dropped], other(), other()].concat());
    let client = short_lived(&server, &profile);
    let (session, took) = faults::timed(|| client.prebind(&anonymous()));
    assert_eq!(session.unwrap().round_trips(), 4);
    assert!(took < Duration::from_secs(5), "{took:?}");
    let learned = client.profile();
    assert_ne!(learned, profile);
    let next = short_lived(&server, &learned);
    assert_eq!(next.prebind(&anonymous()).unwrap().round_trips(), 4);
    assert_eq!(shape(&server.requests()), ".!!x..");
}

#[test]
fn a_password_that_went_to_another_server_is_not_sent_again_in_the_same_call() {
    let dropped = body(OTHER, OFFER).when("xmpp:version");
    let (server, profile) = proven([vec![dropped], other()].concat());
    let client = short_lived(&server, &profile);
    let (result, took) = faults::timed(|| client.prebind(&account()));
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::FreshSession);
    assert!(took < Duration::from_secs(5), "{took:?}");
    // What that taught outlives the process.
    let next = short_lived(&server, &client.profile());
    assert_eq!(next.prebind(&account()).unwrap().round_trips(), 4);
    assert_eq!(shape(&server.requests()), ".!!x.");
}

/// A plan that sends nothing but the creation goes on as the classic one, in the same session.
#[test]
fn where_nothing_went_with_the_creation_another_server_costs_nothing() {
    let server = faults::script([classic(EJABBERD), other(), other()].concat());
    let client = in_turn(&server, |config| config);
    let round_trips = [(); 2].map(|()| client.prebind(&account()).unwrap().round_trips());
    assert_eq!(round_trips, [4, 4]);
    assert_eq!(shape(&server.requests()), "...");
}

fn at(domain: &str) -> Account {
    Account::new(domain, Credentials::anonymous()).unwrap()
}

fn of_domain(replies: Vec<Reply>, domain: &str) -> Vec<Reply> {
    let jid = format!("<jid>alice@{domain}/");
    let change = |mut reply: Reply| {
        let text = String::from_utf8(reply.body.clone()).unwrap();
        reply.body = text.replace("<jid>alice@localhost/", &jid).into_bytes();
        reply
    };
    replies.into_iter().map(change).collect()
}

#[test]
fn what_was_learned_of_the_server_serves_a_domain_not_seen_before() {
    let begun = vec![
        body(PROSODY, OFFER).when("xmpp:version=\"1.0\"/>"),
        body("", SUCCESS).when("<auth"),
        body("", BOUND).when("><iq"),
    ];
    for (like, then, expected) in [(PROSODY, begun, 3), (EJABBERD, pair_in_flight(), 3), (OTHER, other(), 4)]
    {
        let mut first = classic(PROSODY);
        first[0] = body(like, OFFER).when("xmpp:version");
        let server = faults::script([first, of_domain(then, "example.org")].concat());
        let client = client(&server, |config| config);
        assert_eq!(client.prebind(&at("localhost")).unwrap().round_trips(), 4);
        assert_eq!(client.prebind(&at("example.org")).unwrap().round_trips(), expected, "{like}");
        assert!(!server.requests()[4].body.contains("<auth"), "nothing goes before the offer");
    }
}

#[test]
fn hundreds_of_domains_are_remembered() {
    let names: Vec<String> = (0..100).map(|number| format!("{number}.example.org")).collect();
    let short = |name: &String| of_domain(vec![good().when(&format!("to=\"{name}\""))], name);
    let begun = |name: &String| {
        let replies = vec![
            body(PROSODY, OFFER).when(&format!("to=\"{name}\"")),
            body("", SUCCESS).when("<auth"),
            body("", BOUND).when("><iq"),
        ];
        of_domain(replies, name)
    };
    let mut replies = of_domain(classic(PROSODY), &names[0]);
    replies.extend(names[1..].iter().flat_map(begun));
    replies.extend(names.iter().flat_map(short));
    let server = faults::script(replies);
    let config = Config::new(&server.url).unwrap();
    let client = Client::new(config).unwrap();
    let turn = || -> Vec<u32> {
        names.iter().map(|name| client.prebind(&at(name)).unwrap().round_trips()).collect()
    };
    assert_eq!(turn(), [vec![4], vec![3; 99]].concat());
    let profile = client.profile();
    assert_eq!(turn(), vec![1; 100]);
    assert_ne!(client.profile(), profile, "the plans are proven");
}
