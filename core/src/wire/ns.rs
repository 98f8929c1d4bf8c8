//! Namespaces.

pub(crate) const HTTPBIND: &str = "http://jabber.org/protocol/httpbind";
pub(crate) const XBOSH: &str = "urn:xmpp:xbosh";
pub(crate) const CLIENT: &str = "jabber:client";
pub(crate) const STREAMS: &str = "http://etherx.jabber.org/streams";
pub(crate) const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
pub(crate) const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
pub(crate) const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
pub(crate) const SASL_CB: &str = "urn:xmpp:sasl-cb:0";
pub(crate) const SASL2: &str = "urn:xmpp:sasl:2";
pub(crate) const FAST: &str = "urn:xmpp:fast:0";
pub(crate) const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
pub(crate) const BIND2: &str = "urn:xmpp:bind:0";
pub(crate) const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// The obsolete login of XEP-0078.
pub(crate) const IQ_AUTH: &str = "http://jabber.org/features/iq-auth";

/// The namespaces that an exchange uses.
pub(crate) const EXCHANGE: [&str; 13] = [
    HTTPBIND,
    CLIENT,
    STREAMS,
    SASL,
    BIND,
    SESSION,
    SASL_CB,
    STANZAS,
    STREAM_ERRORS,
    XBOSH,
    SASL2,
    BIND2,
    FAST,
];

/// The namespaces of stream features that prebind ignores, but may show in a trace.
#[cfg(feature = "client")]
pub(crate) const PASSED_OVER: [&str; 8] = [
    "",
    "http://jabber.org/features/iq-register",
    "http://jabber.org/protocol/caps",
    "urn:ietf:params:xml:ns:xmpp-tls",
    "urn:xmpp:csi:0",
    "urn:xmpp:features:pre-approval",
    "urn:xmpp:features:rosterver",
    "urn:xmpp:sm:3",
];
