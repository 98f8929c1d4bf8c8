//! The plain login that every server supports, in four requests: creation, PLAIN, restart, bind.

use crate::script::Reply;

/// The replies of a server without shortcuts, for `alice@localhost` and any password.
///
/// Each reply waits for its request ([`Reply::when`]). The server binds the requested resource, or `faults`.
/// The SID of the session is `faults-sid`. To script another behaviour, add replies to the list or replace
/// some.
#[must_use]
pub fn classic() -> Vec<Reply> {
    [("xmpp:version", CREATED), ("<auth", SUCCESS), ("xmpp:restart", RESTARTED), ("<bind", BOUND)]
        .map(|(part, body)| Reply::xml(body).when(part))
        .into()
}

/// The answer to the end of a session, or to a request without payload.
pub(crate) fn idle(terminates: bool) -> Reply {
    Reply::xml(if terminates { TERMINATED } else { EMPTY })
}

const CREATED: &str = "<body xmlns='http://jabber.org/protocol/httpbind' \
    xmlns:xmpp='urn:xmpp:xbosh' xmlns:stream='http://etherx.jabber.org/streams' \
    sid='faults-sid' from='localhost' ver='1.11' wait='55' hold='1' requests='2' polling='2' \
    inactivity='60' xmpp:version='1.0' xmpp:restartlogic='true'>\
    <stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>PLAIN</mechanism></mechanisms></stream:features></body>";

const SUCCESS: &str = "<body xmlns='http://jabber.org/protocol/httpbind'>\
    <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></body>";

const RESTARTED: &str = "<body xmlns='http://jabber.org/protocol/httpbind' \
    xmlns:stream='http://etherx.jabber.org/streams'>\
    <stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
    <session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>\
    </stream:features></body>";

const BOUND: &str = "<body xmlns='http://jabber.org/protocol/httpbind'>\
    <iq xmlns='jabber:client' type='result' id='{id}'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/{resource}</jid></bind>\
    </iq></body>";

const TERMINATED: &str = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>";

const EMPTY: &str = "<body xmlns='http://jabber.org/protocol/httpbind'/>";
