//! That a session is the same whichever way it was opened.

use prebind::{Client, Session};
use servers::Server;

use crate::browser::Browser;
use crate::{EJABBERD, EJABBERD_24, alice, config, taught};

/// What a client asks for in a session, and a part of the answer that no other answer has.
const ASKED: [(&str, &str); 10] = [
    ("<presence xmlns='jabber:client'/>", "<presence"),
    (
        "<iq xmlns='jabber:client' type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>",
        "id='roster'",
    ),
    (
        "<iq xmlns='jabber:client' type='get' id='ping' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
        "id='ping'",
    ),
    (
        "<iq xmlns='jabber:client' type='get' id='disco-server' to='localhost'>\
         <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        "id='disco-server'",
    ),
    (
        "<iq xmlns='jabber:client' type='get' id='disco-items' to='localhost'>\
         <query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
        "id='disco-items'",
    ),
    (
        "<iq xmlns='jabber:client' type='get' id='disco-account' to='alice@localhost'>\
         <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        "id='disco-account'",
    ),
    (
        "<iq xmlns='jabber:client' type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
        "id='carbons'",
    ),
    (
        "<inactive xmlns='urn:xmpp:csi:0'/><active xmlns='urn:xmpp:csi:0'/>\
         <iq xmlns='jabber:client' type='get' id='after-csi'><ping xmlns='urn:xmpp:ping'/></iq>",
        "id='after-csi'",
    ),
    (
        "<iq xmlns='jabber:client' type='set' id='session'>\
         <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
        "id='session'",
    ),
    ("<enable xmlns='urn:xmpp:sm:3'/>", "xmlns='urn:xmpp:sm:3'"),
];

/// All that the server sends in a session, without what is different in each.
fn transcript(server: &Server, session: &Session) -> String {
    let mut browser = Browser::attach(server, session);
    let mut received = String::new();
    for (asked, answer) in ASKED {
        browser.send(asked);
        received = browser.wait_for(answer);
    }
    browser.leave();
    let resource = session.jid().resource().unwrap();
    let stanzas = received.split("<body").filter_map(|body| Some(body.split_once('>')?.1));
    let stanzas: String = stanzas.map(|stanzas| stanzas.trim_end_matches("</body>")).collect();
    without_times(&stanzas.replace(resource, "RESOURCE"))
}

/// The text with `TIME` for each time of day, such as in a presence.
fn without_times(text: &str) -> String {
    let parts: Vec<&str> = text.split("stamp='").collect();
    let (first, others) = parts.split_first().unwrap();
    let others = others.iter().map(|part| part.split_once('\'').map_or("", |(_, rest)| rest));
    std::iter::once(*first).chain(others).collect::<Vec<_>>().join("stamp='TIME'")
}

fn hands_over(server: &Server, url: &str) {
    let mut config = config(server, url);
    // This browser has one connection only: what the server holds on it, it waits for.
    config = config.with_wait(1).unwrap();
    let classic = {
        let config = config.clone().with_learn(false);
        let session = Client::new(config).unwrap().prebind(&alice()).unwrap();
        assert_eq!(session.round_trips(), 4);
        transcript(server, &session)
    };
    for part in ["urn:xmpp:carbons:2", "id='disco-items'", "id='session'", "<presence"] {
        assert!(classic.contains(part), "{part} is not in {classic}");
    }
    let client = taught(config, &alice());
    let mut seen = [0, 0];
    // The restart may arrive first on a busy machine, not each time.
    while seen[0] == 0 {
        let session = client.prebind(&alice()).unwrap();
        seen[session.round_trips() as usize - 2] += 1;
        assert_eq!(transcript(server, &session), classic);
        assert!(seen[1] < 20, "never in two round trips");
    }
}

#[test]
fn a_session_is_the_same_as_after_a_classic_login() {
    for server in [&*EJABBERD, &*EJABBERD_24] {
        for url in [&server.http_url, &server.https_url] {
            hands_over(server, url);
        }
    }
}
