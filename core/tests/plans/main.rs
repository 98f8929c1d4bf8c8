//! Short exchanges: with a server that is what it was taken for, and with one that is not, or no
//! longer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod ahead;
mod changes;
mod connections;
mod fallbacks;
mod pairs;
mod rotation;
mod sasl2;
mod secrets;
mod slowness;
mod tokens;

use std::time::Duration;

use faults::{Recorded, Reply, Server};
use prebind::{Account, Client, Config, Credentials};

const PROSODY: &str = "authid='f0095fea-6d2a-46ae-a2d7-832b21560ee4' polling='5' ver='1.6' \
    sid='f0095fea-6d2a-46ae-a2d7-832b21560ee4'";
const EJABBERD: &str = "authid='1' polling='2' ver='1.11' xmpp:restartlogic='true' maxpause='120' sid='2'";
const OFFER: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>ANONYMOUS</mechanism><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const BOUND: &str = "<iq xmlns='jabber:client' type='result' id='bind'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/x</jid></bind></iq>";

/// What only a short exchange with Prosody sends.
const ALL_AT_ONCE: &str = "</auth><iq";

fn account() -> Account {
    Account::new("alice@localhost", Credentials::plain("wonder-1")).unwrap()
}

/// Who has no secret.
fn anonymous() -> Account {
    Account::new("localhost", Credentials::anonymous()).unwrap()
}

fn body(attributes: &str, payload: &str) -> Reply {
    Reply::xml(format!(
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' \
         xmlns:stream='http://etherx.jabber.org/streams' {attributes}>{payload}</body>"
    ))
}

/// A whole classic exchange with a server that looks like this.
fn classic(like: &str) -> Vec<Reply> {
    let mut replies = faults::classic();
    replies[0] = body(like, OFFER).when("xmpp:version=\"1.0\"/>");
    replies
}

fn all_at_once(payload: &str) -> Reply {
    body(PROSODY, &format!("{OFFER}{payload}")).when(ALL_AT_ONCE)
}

/// A short exchange with Prosody that succeeds.
fn good() -> Reply {
    all_at_once(&format!("{SUCCESS}{BOUND}"))
}

/// A reply to a short exchange with Prosody that breaks off.
fn broken() -> Reply {
    Reply::xml("<body").header("Content-Length", "1000").closes().when(ALL_AT_ONCE)
}

/// Known to send no bind ahead of its turn.
fn in_turn(server: &Server, change: impl FnOnce(&mut Config)) -> Client {
    let taught = client(server, |_| {});
    taught.prebind(&account()).unwrap();
    let profile = taught.profile().replace("\"server\":", "\"ahead\":\"left\",\"server\":");
    client(server, |config| {
        change(config);
        config.profile = Some(profile);
    })
}

/// A pair of requests to ejabberd, and what is before it and after it.
fn pair() -> Vec<Reply> {
    vec![
        body(EJABBERD, OFFER).when("xmpp:version"),
        body("", "").when("<auth"),
        body("", SUCCESS).when("xmpp:restart"),
        body("", "<stream:features/>").when("<bind"),
        body("", BOUND).when("sid=\"2\"/>"),
    ]
}

/// The same, from a server that answers the first of two requests once the second has arrived. So both are sent,
/// whichever answer the client takes first.
fn pair_in_flight() -> Vec<Reply> {
    let mut pair = pair();
    for first in [1, 3] {
        pair[first] = pair[first].clone().after_next();
    }
    pair
}

fn client(server: &Server, change: impl FnOnce(&mut Config)) -> Client {
    let mut config = Config::new(&server.url).unwrap();
    config.deadline = Duration::from_secs(10);
    change(&mut config);
    Client::new(config).unwrap()
}

/// Which requests are which: `!` all at once, `.` a classic creation, `x` the end of a session.
fn shape(requests: &[Recorded]) -> String {
    let letter = |request: &Recorded| match &request.body {
        body if body.contains(ALL_AT_ONCE) => Some('!'),
        body if body.contains("xmpp:version") => Some('.'),
        body if body.contains("type=\"terminate\"") => Some('x'),
        _ => None,
    };
    requests.iter().filter_map(letter).collect()
}
