//! What a short exchange that failed leads to.

use std::time::Duration;

use faults::Reply;
use prebind::{Client, ErrorKind};

use super::{
    ALL_AT_ONCE, OFFER, PROSODY, SUCCESS, account, all_at_once, anonymous, body, broken, classic, client,
    good, shape,
};

/// Whether the client takes no short cuts for a while.
fn is_spared(client: &Client) -> bool {
    client.profile().contains("classic_until")
}

#[test]
fn what_may_be_the_plans_fault_costs_one_classic_exchange() {
    let refused = |condition| {
        format!(
            "<iq xmlns='jabber:client' type='error' id='bind'><error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>";
    let hang = Duration::from_secs(60);
    for (name, reply, shape_of_it) in [
        ("terminated", body("type='terminate' condition='bad-request'", ""), "!"),
        ("no such mechanism", all_at_once(&format!("{failure}{}", refused("not-authorized"))), "!x"),
        ("bind before the restart", all_at_once(&format!("{SUCCESS}{}", refused("not-allowed"))), "!x"),
        ("not BOSH", Reply::new(500, "oops"), "!"),
        ("not XML", Reply::xml("oops"), "!"),
        ("no answer", all_at_once(SUCCESS).after(hang), "!"),
    ] {
        let bad = reply.when(ALL_AT_ONCE);
        let replies = [classic(PROSODY), vec![bad], classic(PROSODY), classic(PROSODY)].concat();
        let server = faults::script(replies);
        let client = client(&server, |config| config.with_deadline(Duration::from_secs(4)).unwrap());
        let calls = || [(); 3].map(|()| client.prebind(&anonymous()).unwrap().round_trips());
        let (round_trips, took) = faults::timed(calls);
        assert_eq!(round_trips, [4, 4, 4], "{name}");
        assert_eq!(shape(&server.requests()), format!(".{shape_of_it}.."), "{name}: not tried a third time");
        assert!(took < Duration::from_secs(4), "{name}: {took:?}");
    }
}

#[test]
fn what_is_not_the_plans_fault_is_final() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let conflict = format!(
        "{SUCCESS}<iq xmlns='jabber:client' type='error' id='bind'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    for (reply, kind, shape_of_it) in [
        (all_at_once(failure), ErrorKind::Auth, "!x"),
        (all_at_once(&conflict), ErrorKind::Bind, "!x"),
        (body("type='terminate' condition='host-unknown'", ""), ErrorKind::Terminated, "!"),
        (Reply::new(401, ""), ErrorKind::Http { status: 401, location: None }, "!"),
        (Reply::new(407, ""), ErrorKind::Http { status: 407, location: None }, "!"),
        (Reply::new(413, ""), ErrorKind::Http { status: 413, location: None }, "!"),
        (Reply::new(429, ""), ErrorKind::Http { status: 429, location: None }, "!"),
        (Reply::new(503, ""), ErrorKind::Http { status: 503, location: None }, "!"),
    ] {
        let server = faults::script([classic(PROSODY), vec![reply.when(ALL_AT_ONCE), good()]].concat());
        let client = client(&server, |config| config);
        client.prebind(&account()).unwrap();
        assert_eq!(client.prebind(&account()).unwrap_err().kind(), &kind);
        assert_eq!(
            client.prebind(&account()).unwrap().round_trips(),
            1,
            "{kind:?} is not held against the plan"
        );
        assert_eq!(shape(&server.requests()), format!(".{shape_of_it}!"), "{kind:?}");
    }
}

#[test]
fn a_plan_that_failed_is_tried_again_after_a_while() {
    let bad = Reply::new(500, "oops").when(ALL_AT_ONCE);
    let replies = [classic(PROSODY), vec![bad], classic(PROSODY), vec![good()]].concat();
    let server = faults::script(replies);
    let first = client(&server, |config| config);
    first.prebind(&anonymous()).unwrap();
    first.prebind(&anonymous()).unwrap();
    let profile = first.profile();
    let (before, until) = profile.split_once("\"classic_until\":").unwrap();
    let after = until.trim_start_matches(|c: char| c.is_ascii_digit());
    // That time has come.
    let profile = format!("{before}\"classic_until\":1{after}");
    let later = client(&server, |config| config.with_profile(Some(profile)));
    assert_eq!(later.prebind(&anonymous()).unwrap().round_trips(), 1);
    assert_eq!(shape(&server.requests()), ".!.!");
}

#[test]
fn nothing_secret_goes_early_to_who_has_not_offered_to_take_it() {
    let learn = faults::script(classic(PROSODY));
    let taught = client(&learn, |config| config);
    taught.prebind(&account()).unwrap();
    for profile in [taught.profile(), "garbage".to_owned(), String::new()] {
        // The same profile, another address.
        let server = faults::script(classic(PROSODY));
        let client = client(&server, |config| config.with_profile(Some(profile)));
        assert_eq!(client.prebind(&account()).unwrap().round_trips(), 4);
        assert!(!server.requests()[0].body.contains("<auth"));
    }
}

#[test]
fn a_plan_is_not_held_responsible_for_what_the_classic_one_does_no_better() {
    let oops = Reply::new(500, "oops");
    let bad = [oops.clone().when(ALL_AT_ONCE), oops.when("xmpp:version=\"1.0\"/>")];
    let server = faults::script([classic(PROSODY), bad.to_vec(), vec![good()]].concat());
    let client = client(&server, |config| config);
    client.prebind(&anonymous()).unwrap();
    assert_eq!(client.prebind(&anonymous()).unwrap_err().kind().as_str(), "Http");
    assert!(!is_spared(&client) && !client.profile().contains("no_sasl2_until"));
    assert_eq!(client.prebind(&anonymous()).unwrap().round_trips(), 1);
    assert_eq!(shape(&server.requests()), ".!.!");
}

/// As it happens if the server closes it at the moment it is used.
#[test]
fn a_connection_that_breaks_is_held_against_the_plan_only_if_that_goes_on() {
    let again = || [vec![broken()], classic(PROSODY)].concat();
    let replies = [classic(PROSODY), again(), vec![good()], again(), again(), again(), classic(PROSODY)];
    let server = faults::script(replies.concat());
    let client = client(&server, |config| config);
    let login = || client.prebind(&anonymous()).unwrap().round_trips();
    assert_eq!([(); 6].map(|()| login()), [4, 4, 1, 4, 4, 4]);
    assert!(!is_spared(&client));
    assert_eq!(login(), 4);
    assert!(is_spared(&client));
    assert_eq!(shape(&server.requests()), ".!.!!.!.!..");
}

#[test]
fn a_password_does_not_go_out_again_for_an_offer_that_was_withdrawn() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>";
    let offer = || body(PROSODY, &OFFER.replace("PLAIN", "SCRAM-SHA-1")).when("xmpp:version=\"1.0\"/>");
    let server = faults::script([classic(PROSODY), vec![all_at_once(failure), offer(), offer()]].concat());
    let client = client(&server, |config| config);
    client.prebind(&account()).unwrap();
    for _ in 0..2 {
        assert_eq!(client.prebind(&account()).unwrap_err().kind().as_str(), "Mechanism");
    }
    assert_eq!(shape(&server.requests()), ".!x.x.x");
}
