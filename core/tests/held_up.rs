//! A thread that the machine holds up before it sends its request. Alone in its file, since who listens is decided
//! for all threads of a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use faults::{Reply, Server};
use prebind::{Account, Client, Config, Credentials, ErrorKind};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// As ejabberd begins a session.
const CREATED: &str = "authid='1' polling='2' ver='1.11' xmpp:restartlogic='true' maxpause='120' sid='2'";

const OFFER: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>OAUTHBEARER</mechanism></mechanisms></stream:features>";

const FAILURE: &str = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";

fn body(attributes: &str, payload: &str) -> Reply {
    Reply::xml(format!(
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' \
         xmlns:stream='http://etherx.jabber.org/streams' {attributes}>{payload}</body>"
    ))
}

/// Holds the thread up that is about to send a restart, until the end of the session has arrived.
struct HoldUp(Arc<Server>);

impl HoldUp {
    fn is_ended(&self) -> bool {
        self.0.requests().iter().any(|request| request.body.contains("type=\"terminate\""))
    }
}

impl Subscriber for HoldUp {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if ["message=sent", "stage=restart"].iter().all(|field| fields.0.iter().any(|had| had == field)) {
            let until = Instant::now() + Duration::from_secs(20);
            while !self.is_ended() && Instant::now() < until {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(Vec<String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push(format!("{field}={value:?}"));
    }
}

/// ejabberd keeps a request whose predecessor is missing, and does not end the session. The login is by a mechanism
/// that the restart is sent together with.
#[test]
fn the_end_of_a_session_follows_the_last_request_that_was_sent() {
    let mut learned = faults::classic();
    learned[0] = body(CREATED, OFFER);
    let refused = vec![body(CREATED, OFFER).when("xmpp:version"), body("", FAILURE).when("<auth")];
    let server = Arc::new(faults::script([learned, refused].concat()));
    let client = Client::new(Config::new(&server.url).unwrap()).unwrap();
    let account = Account::new("alice@localhost", Credentials::oauthbearer("token")).unwrap();
    client.prebind(&account).unwrap();
    let seen = server.requests().len();
    let hold_up = HoldUp(Arc::clone(&server));
    let error = tracing::subscriber::with_default(hold_up, || client.prebind(&account)).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Auth);
    let rid = |request: &faults::Recorded| -> u64 {
        request.body.split_once(" rid=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
    };
    let requests = server.requests().split_off(seen);
    let first = rid(&requests[0]);
    let sent: Vec<u64> = requests.iter().map(|request| rid(request) - first).collect();
    assert_eq!(sent, [0, 1, 2], "the creation, the login and the end: {requests:#?}");
    assert!(requests[2].body.contains("type=\"terminate\""));
}
