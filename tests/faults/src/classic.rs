//! The plain login every server supports, four requests: creation, PLAIN, restart, bind.

use crate::script::Reply;

/// The replies of a server that knows no shortcut, for `alice@localhost` and any password.
///
/// Each waits for the request it belongs to ([`Reply::when`]). The resource bound is the one
/// asked for, or `faults`; the session's SID is `faults-sid`. Push to the list, or exchange some
/// of it, to script a deviation.
#[must_use]
pub fn classic() -> Vec<Reply> {
    [("xmpp:version", CREATED), ("<auth", SUCCESS), ("xmpp:restart", RESTARTED), ("<bind", BOUND)]
        .map(|(part, body)| Reply::xml(body).when(part))
        .into()
}

/// The answer to a session's end, and to a request without payload.
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
