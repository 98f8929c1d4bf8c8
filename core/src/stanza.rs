//! The elements inside a body: stream features, SASL, resource binding, the legacy session.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::escape;
use zeroize::Zeroizing;

use crate::body::NS_HTTPBIND;
use crate::condition::{Condition, SaslCondition, StanzaCondition};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::jid::Jid;
use crate::sasl2;
use crate::secret::Secret;
use crate::xml::Element;

pub(crate) const NS_STREAMS: &str = "http://etherx.jabber.org/streams";
pub(crate) const NS_STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
pub(crate) const NS_SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const NS_SASL_CB: &str = "urn:xmpp:sasl-cb:0";
const NS_BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const NS_SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
const NS_STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
const NS_IQ_AUTH: &str = "http://jabber.org/features/iq-auth";
const NS_CLIENT: &str = "jabber:client";

/// Every namespace that a reply is looked at for.
pub(crate) const NAMESPACES: [&str; 9] = [
    NS_HTTPBIND,
    NS_CLIENT,
    NS_STREAMS,
    NS_SASL,
    NS_BIND,
    NS_SESSION,
    NS_SASL_CB,
    NS_STANZAS,
    NS_STREAM_ERRORS,
];

/// The `id` of the requests this library makes; at most one of each is ever open.
const BIND_ID: &str = "bind";
const SESSION_ID: &str = "session";

/// Whether it is the `id` of a request of this library.
#[cfg(feature = "client")]
pub(crate) fn is_client_id(id: &str) -> bool {
    matches!(id, BIND_ID | SESSION_ID)
}

/// What a stream offers (RFC 6120 §4.3.2).
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a feature by itself")]
pub(crate) struct Features {
    pub(crate) mechanisms: Vec<String>,
    /// XEP-0440; only needed to verify that nobody removed any (XEP-0474).
    pub(crate) channel_bindings: Vec<String>,
    /// Whether TLS inside the stream is offered, which BOSH has no use for: a sign that the server
    /// takes the connection for insecure and hides mechanisms.
    pub(crate) starttls: bool,
    /// Whether there is a list of mechanisms that is empty, on a connection that the server says is
    /// secure (XEP-0124 §7.2): it hides none.
    pub(crate) has_none: bool,
    /// Whether the obsolete login of XEP-0078 is offered.
    pub(crate) has_iq_auth: bool,
    /// Whether the server insists on the legacy session (RFC 3921 §3).
    pub(crate) session_required: bool,
    pub(crate) sasl2: Option<sasl2::Offer>,
}

impl Features {
    fn read(element: &Element) -> Self {
        let mechanisms = element.child(NS_SASL, "mechanisms");
        let mechanisms = mechanisms.map_or_else(Vec::new, |mechanisms| mechanism_names(mechanisms, NS_SASL));
        let channel_bindings =
            element.child(NS_SASL_CB, "sasl-channel-binding").map_or_else(Vec::new, |bindings| {
                let types = bindings.children.iter().filter(|child| child.is(NS_SASL_CB, "channel-binding"));
                types.filter_map(|child| child.attribute("type")).map(str::to_owned).collect()
            });
        let session = element.child(NS_SESSION, "session");
        Self {
            mechanisms,
            channel_bindings,
            has_none: element.child(NS_SASL, "mechanisms").is_some_and(|list| list.children.is_empty()),
            has_iq_auth: element.child(NS_IQ_AUTH, "auth").is_some(),
            starttls: element.children.iter().any(|child| child.name == "starttls"),
            session_required: session.is_some_and(|session| session.child(NS_SESSION, "optional").is_none()),
            sasl2: sasl2::Offer::read(element),
        }
    }
}

/// The `<mechanism/>` children of that namespace.
pub(crate) fn mechanism_names(list: &Element, namespace: &str) -> Vec<String> {
    let mechanisms = list.children.iter().filter(|child| child.is(namespace, "mechanism"));
    let names = mechanisms.map(|child| child.text.trim().to_owned());
    names.filter(|name| is_mechanism_name(name)).collect()
}

/// A mechanism's name (RFC 4422 §3.1).
pub(crate) fn is_mechanism_name(name: &str) -> bool {
    (1..=20).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// One element of a reply that the exchange waits for.
#[derive(Debug)]
pub(crate) enum Incoming {
    Features(Features),
    Challenge(Zeroizing<Vec<u8>>),
    /// With the additional data, if any (RFC 6120 §6.4.6), and what SASL2 adds.
    Success(sasl2::Success),
    Bound(Jid),
    SessionOpened,
}

/// Reads one element of a reply; `None` for what concerns somebody else.
pub(crate) fn read(element: &Element, stage: Stage) -> Result<Option<Incoming>> {
    let incoming = match (&*element.namespace, element.name.as_str()) {
        (NS_STREAMS, "features") => Incoming::Features(Features::read(element)),
        (NS_SASL | sasl2::NS, "challenge") => Incoming::Challenge(decode(&element.text)?.unwrap_or_default()),
        (NS_SASL, "success") => Incoming::Success(sasl2::Success {
            additional_data: decode(&element.text)?,
            bound: None,
            token: None,
        }),
        (sasl2::NS, "success") => Incoming::Success(sasl2::Success::read(element)?),
        (sasl2::NS, "continue") => return Err(sasl2::further_task()),
        (NS_SASL | sasl2::NS, "failure") => return Err(sasl_failure(element)),
        (_, "iq") => match element.attribute("id") {
            Some(BIND_ID) => bind_result(element)?,
            Some(SESSION_ID) => session_result(element)?,
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    tracing::trace!(%stage, element = element.name, "understood");
    Ok(Some(incoming))
}

pub(crate) fn auth(mechanism: &str, initial_response: Option<&[u8]>) -> Secret {
    let start = format!("<auth xmlns=\"{NS_SASL}\" mechanism=\"{mechanism}\"");
    match initial_response {
        None => [&start, "/>"].concat().into(),
        // A response that is there but empty is written `=` (RFC 6120 §6.4.2).
        Some([]) => [&start, ">=</auth>"].concat().into(),
        Some(response) => [&start, ">", &encode(response), "</auth>"].concat().into(),
    }
}

/// The answer to a challenge of the SASL of that namespace.
pub(crate) fn response(namespace: &str, response: &[u8]) -> Secret {
    let start = format!("<response xmlns=\"{namespace}\"");
    match response {
        [] => [&start, "/>"].concat().into(),
        response => [&start, ">", &encode(response), "</response>"].concat().into(),
    }
}

pub(crate) fn encode(message: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(message))
}

pub(crate) fn bind(resource: Option<&str>) -> Secret {
    let bind = match resource {
        None => format!("<bind xmlns=\"{NS_BIND}\"/>"),
        Some(resource) => {
            format!("<bind xmlns=\"{NS_BIND}\"><resource>{}</resource></bind>", escape(resource))
        }
    };
    format!("<iq xmlns=\"{NS_CLIENT}\" id=\"{BIND_ID}\" type=\"set\">{bind}</iq>").into()
}

pub(crate) fn session() -> Secret {
    let session = format!("<session xmlns=\"{NS_SESSION}\"/>");
    format!("<iq xmlns=\"{NS_CLIENT}\" id=\"{SESSION_ID}\" type=\"set\">{session}</iq>").into()
}

/// The name of the condition inside an error element and the text beside it.
pub(crate) fn defined_condition<'a>(
    error: &'a Element,
    namespace: &str,
) -> (Option<&'a str>, Option<&'a str>) {
    let mut of_namespace = error.children.iter().filter(|child| child.namespace == namespace);
    let condition = of_namespace.find(|child| child.name != "text");
    let text = error.child(namespace, "text").map(|text| text.text.as_str());
    (condition.map(|condition| condition.name.as_str()), text)
}

/// The failure inside an ended session's last body, which says more than the ending.
pub(crate) fn last_words(payload: &[Element]) -> Option<Error> {
    let is_failure = |child: &&Element| child.is(NS_SASL, "failure") || child.is(sasl2::NS, "failure");
    payload.iter().find(is_failure).map(sasl_failure)
}

fn sasl_failure(failure: &Element) -> Error {
    let (mut condition, mut text) = defined_condition(failure, NS_SASL);
    if failure.is(sasl2::NS, "failure") {
        // Prosody has one of its conditions in the wrong namespace.
        condition = condition.or(defined_condition(failure, sasl2::NS).0);
        text = failure.child(sasl2::NS, "text").map(|text| text.text.as_str());
    }
    let condition = condition.map(|name| Condition::Sasl(SaslCondition::from(name)));
    Error::refused(ErrorKind::Auth, Stage::Authenticate, condition, text)
}

fn bind_result(iq: &Element) -> Result<Incoming> {
    refuse_error(iq, Stage::Bind)?;
    let jid = iq.child(NS_BIND, "bind").and_then(|bind| bind.child(NS_BIND, "jid"));
    let jid = jid.and_then(|jid| Jid::bound(jid.text.trim()).ok());
    jid.map(Incoming::Bound)
        .ok_or_else(|| Error::protocol(Stage::Bind, "a full JID in the bind result", "none"))
}

fn session_result(iq: &Element) -> Result<Incoming> {
    refuse_error(iq, Stage::Session)?;
    Ok(Incoming::SessionOpened)
}

fn refuse_error(iq: &Element, stage: Stage) -> Result<()> {
    match iq.attribute("type") {
        Some("result") => Ok(()),
        Some("error") => Err(refused_bind(stage, iq.children.iter().find(|child| child.name == "error"))),
        _ => Err(Error::protocol(stage, "an iq of type result or error", "another type")),
    }
}

/// What a stanza error says of a refused bind or session.
pub(crate) fn refused_bind(stage: Stage, error: Option<&Element>) -> Error {
    let (condition, text) = error.map_or((None, None), |error| defined_condition(error, NS_STANZAS));
    let condition = condition.map(|name| Condition::Stanza(StanzaCondition::from(name)));
    Error::refused(ErrorKind::Bind, stage, condition, text)
}

fn not_base64(data: &str) -> Error {
    let what = if data.contains(char::is_whitespace) {
        "it holds line breaks or spaces"
    } else {
        "it holds other characters"
    };
    let message = format!(
        "the server's SASL message is not base64 (RFC 6120 §6.4): {what}; update the server, or report it to its authors"
    );
    Error::unreadable(Stage::Authenticate, "base64 in a SASL element", message)
}

/// SASL data: absent, `=` for empty, or base64 without any white space (RFC 6120 §6.4.2, §13.9.1).
pub(crate) fn decode(text: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match text {
        "" => Ok(None),
        "=" => Ok(Some(Zeroizing::default())),
        data => STANDARD.decode(data).map(|data| Some(Zeroizing::new(data))).map_err(|_| not_base64(data)),
    }
}
