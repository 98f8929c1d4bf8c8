//! The elements inside a body: stream features, and the other elements that an exchange waits for.

use zeroize::Zeroizing;

use super::bind::{self, BIND_ID, SESSION_ID};
use super::xml::Element;
use super::{ns, sasl, sasl2};
use crate::error::{Result, Stage};
use crate::jid::Jid;

/// What a stream offers (RFC 6120 §4.3.2).
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a feature by itself")]
pub(crate) struct Features {
    pub(crate) mechanisms: Vec<String>,
    /// The channel bindings (XEP-0440). They are only needed to verify that nobody has removed any
    /// (XEP-0474).
    pub(crate) channel_bindings: Vec<String>,
    /// Whether TLS inside the stream is offered, which BOSH does not use. It is a sign that the server
    /// regards the connection as insecure and hides mechanisms.
    pub(crate) starttls: bool,
    /// Whether the list of mechanisms is present and empty. On a connection that the server regards as secure
    /// (XEP-0124 §7.2), this means that it has none and hides none.
    pub(crate) has_none: bool,
    /// Whether the obsolete login of XEP-0078 is offered.
    pub(crate) has_iq_auth: bool,
    /// Whether the server requires the legacy session (RFC 3921 §3).
    pub(crate) session_required: bool,
    pub(crate) sasl2: Option<sasl2::Offer>,
}

impl Features {
    fn read(element: &Element) -> Self {
        let mechanisms = element.child(ns::SASL, "mechanisms");
        let channel_bindings =
            element.child(ns::SASL_CB, "sasl-channel-binding").map_or_else(Vec::new, |bindings| {
                let types = bindings.children.iter().filter(|child| child.is(ns::SASL_CB, "channel-binding"));
                types.filter_map(|child| child.attribute("type")).map(str::to_owned).collect()
            });
        let session = element.child(ns::SESSION, "session");
        Self {
            mechanisms: mechanisms.map_or_else(Vec::new, |list| sasl::mechanism_names(list, ns::SASL)),
            channel_bindings,
            has_none: mechanisms.is_some_and(|list| list.children.is_empty()),
            has_iq_auth: element.child(ns::IQ_AUTH, "auth").is_some(),
            starttls: element.children.iter().any(|child| child.name == "starttls"),
            session_required: session.is_some_and(|session| session.child(ns::SESSION, "optional").is_none()),
            sasl2: sasl2::Offer::read(element),
        }
    }
}

/// One element of a reply that the exchange waits for.
#[derive(Debug)]
pub(crate) enum Incoming {
    Features(Features),
    Challenge(Zeroizing<Vec<u8>>),
    /// The success, with the additional data if there is any (RFC 6120 §6.4.6), and what SASL2 adds.
    Success(sasl2::Success),
    Bound(Jid),
    SessionOpened,
}

/// Reads one element of a reply. Returns `None` for an element that the exchange does not wait for.
pub(crate) fn read(element: &Element, stage: Stage) -> Result<Option<Incoming>> {
    let incoming = match (&*element.namespace, element.name.as_str()) {
        (ns::STREAMS, "features") => Incoming::Features(Features::read(element)),
        (ns::SASL | ns::SASL2, "challenge") => {
            Incoming::Challenge(sasl::decode(&element.text)?.unwrap_or_default())
        }
        (ns::SASL, "success") => Incoming::Success(sasl2::Success {
            additional_data: sasl::decode(&element.text)?,
            bound: None,
            token: None,
        }),
        (ns::SASL2, "success") => Incoming::Success(sasl2::Success::read(element)?),
        (ns::SASL2, "continue") => return Err(sasl2::further_task()),
        (ns::SASL | ns::SASL2, "failure") => return Err(sasl::failure(element)),
        (_, "iq") => match element.attribute("id") {
            Some(BIND_ID) => Incoming::Bound(bind::bound(element)?),
            Some(SESSION_ID) => {
                bind::session_opened(element)?;
                Incoming::SessionOpened
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    tracing::trace!(target: "prebind::stanza", %stage, element = element.name, "understood");
    Ok(Some(incoming))
}
