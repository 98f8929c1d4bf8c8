//! Shows a body as an operator may see it. Names, attributes and texts are shown only if they are known to be
//! harmless, because everything else may repeat a password, a token, a SID or a RID.

use std::borrow::Cow;

use super::bind::is_client_id;
use super::body::CONTENT_TYPE;
use super::ns;
use super::xml::Element;
use crate::error::{is_condition, is_mechanism};

/// Who wrote a body. The JIDs in the client's bodies are those of the account, but a server may write
/// anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Client,
    Server,
}

/// The body with `***` for everything that is not known to be harmless. A body that is not XML is not shown
/// at all.
pub(crate) fn masked(body: &[u8], writer: Writer) -> String {
    match Element::parse(body) {
        Ok(mut root) => {
            root.mask(writer);
            root.to_string()
        }
        Err(_) => format!("({} bytes that are not XML)", body.len()),
    }
}

/// Elements of the exchange and of stream features, besides the conditions of errors.
const ELEMENTS: [&str; 47] = [
    "additional-data",
    "auth",
    "authenticate",
    "authentication",
    "authorization-identifier",
    "bind",
    "body",
    "bound",
    "c",
    "challenge",
    "channel-binding",
    "continue",
    "csi",
    "error",
    "failed",
    "failure",
    "fast",
    "features",
    "initial-response",
    "inline",
    "iq",
    "jid",
    "limits",
    "mechanism",
    "mechanisms",
    "message",
    "optional",
    "presence",
    "register",
    "request-token",
    "required",
    "resource",
    "response",
    "rosterver",
    "sasl-channel-binding",
    "session",
    "sm",
    "starttls",
    "sub",
    "success",
    "tasks",
    "text",
    "token",
    "upgrade",
    "user-agent",
    "uri",
    "ver",
];

/// Attributes whose name, at least, may be shown.
const ATTRIBUTES: [&str; 37] = [
    "accept",
    "ack",
    "authid",
    "charsets",
    "code",
    "condition",
    "content",
    "expiry",
    "from",
    "hash",
    "hold",
    "host",
    "id",
    "inactivity",
    "lang",
    "maxpause",
    "mechanism",
    "node",
    "pause",
    "polling",
    "report",
    "requests",
    "restart",
    "restartlogic",
    "rid",
    "secure",
    "sid",
    "stream",
    "time",
    "to",
    "token",
    "type",
    "ver",
    "version",
    "wait",
    "window",
    "xmlns",
];

impl Element {
    /// Replaces by `***` every name, attribute and text that is not known to be harmless.
    fn mask(&mut self, writer: Writer) {
        const HIDDEN: &str = "***";
        if !writer.shows_text(&self.name, &self.text) {
            HIDDEN.clone_into(&mut self.text);
        }
        for attribute in &mut self.attributes {
            if !writer.shows_attribute(&attribute.name, &attribute.value) {
                HIDDEN.clone_into(&mut attribute.value);
                // The server may have made up the name, too.
                if !ATTRIBUTES.contains(&attribute.name.as_str()) {
                    HIDDEN.clone_into(&mut attribute.name);
                }
            }
        }
        if !ELEMENTS.contains(&self.name.as_str()) && !is_condition(&self.name) {
            HIDDEN.clone_into(&mut self.name);
        }
        if !ns::EXCHANGE.contains(&&*self.namespace) && !ns::PASSED_OVER.contains(&&*self.namespace) {
            self.namespace = Cow::Borrowed(HIDDEN);
        }
        for child in &mut self.children {
            child.mask(writer);
        }
    }
}

impl Writer {
    /// Whether an attribute's value may be shown.
    fn shows_attribute(self, name: &str, value: &str) -> bool {
        match name {
            "to" | "from" => self == Self::Client,
            "mechanism" => self == Self::Client || is_mechanism(value),
            "code" | "hold" | "inactivity" | "maxpause" | "pause" | "polling" | "requests" | "ver"
            | "version" | "wait" | "window" => is_small_number(value),
            "type" => [
                "auth",
                "cancel",
                "continue",
                "error",
                "get",
                "modify",
                "result",
                "set",
                "terminate",
                "wait",
                "tls-exporter",
                "tls-server-end-point",
                "tls-unique",
            ]
            .contains(&value),
            "restart" | "restartlogic" | "secure" => matches!(value, "true" | "false" | "1" | "0"),
            "condition" => is_condition(value),
            "content" => value == CONTENT_TYPE,
            "id" => is_client_id(value),
            "lang" => value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_lowercase()),
            _ => false,
        }
    }

    /// Whether an element's text may be shown.
    fn shows_text(self, element: &str, text: &str) -> bool {
        match element {
            "mechanism" => is_mechanism(text.trim()),
            "resource" => self == Self::Client,
            _ => text.chars().all(char::is_whitespace),
        }
    }
}

/// Whether this is a number that is shorter than any RID.
fn is_small_number(value: &str) -> bool {
    value.len() <= 8 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_parts_of_a_body_are_shown() {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:SECRET='SECRET' sid='SECRET' \
            authid='SECRET' rid='1234567' from='SECRET' xml:lang='SECRET' wait='123456789' hold='SECRET' ack='1234567' report='1234567' \
            condition='SECRET' type='SECRET' SECRET='true'>\
            <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><SECRET/><text>bad SECRET</text></failure>\
            <success xmlns='SECRET'><mechanism>SECRET</mechanism>SECRET</success><SECRET:x>SECRET</SECRET:x>\
            <iq id='SECRET'><jid>SECRET@SECRET/SECRET</jid><resource>SECRET</resource></iq>\
            <token xmlns='urn:xmpp:fast:0' token='SECRET' expiry='SECRET'/><mechanism>PLAIN-SECRET</mechanism></body>";
        let shown = masked(body.as_bytes(), Writer::Server);
        assert!(!shown.contains("SECRET") && !shown.contains("123456"), "{shown}");
        assert!(shown.contains("<not-authorized/><***/><text>***</text></failure>"), "{shown}");
        assert!(shown.contains("sid=\"***\"") && shown.contains("***=\"***\""), "{shown}");
        let shown = masked(b"<body xml:lang='hidden' content='hidden' secure='hidden'/>", Writer::Server);
        assert!(!shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn what_tells_an_operator_something_is_shown() {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' wait='60' hold='1' type='terminate' \
            condition='remote-stream-error' ver='1.6' inactivity='1800.0'><features><mechanism>SCRAM-SHA-256</mechanism>\
            <mechanism>HT-SHA-256-NONE</mechanism><mechanism>PLAIN</mechanism></features><text> </text></body>";
        let shown = masked(body.as_bytes(), Writer::Server);
        assert!(!shown.contains("***"), "{shown}");
    }

    #[test]
    fn of_our_own_bodies_the_addresses_are_shown_too() {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' to='example.org' \
            from='alice@example.org' rid='1000' xmpp:version='1.0' xmpp:restart='true' content='text/xml; charset=utf-8' xml:lang='en'>\
            <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-OURS'>c2VjcmV0</auth>\
            <authenticate xmlns='urn:xmpp:sasl:2'><user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/></authenticate>\
            <iq xmlns='jabber:client' id='bind' type='set'><resource>web</resource></iq></body>";
        let shown = masked(body.as_bytes(), Writer::Client);
        for part in [
            "to=\"example.org\"",
            "\"X-OURS\">***<",
            "id=\"bind\"",
            ">web<",
            "from=\"alice@",
            "version=\"1.0\"",
            "restart=\"true\"",
            "content=\"text/xml; charset=utf-8\"",
            "lang=\"en\"",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert!(!shown.contains("1000") && !shown.contains("c2V") && !shown.contains("d4565"), "{shown}");
    }

    #[test]
    fn a_body_that_is_not_xml_is_not_shown() {
        assert_eq!(masked(b"<body>SECRET", Writer::Server), "(12 bytes that are not XML)");
    }
}
