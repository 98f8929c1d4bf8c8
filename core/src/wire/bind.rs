//! Resource binding (RFC 6120 §7) and the legacy session (RFC 3921 §3).

use quick_xml::escape::escape;

use super::ns::{BIND, CLIENT, SESSION, STANZAS};
use super::xml::Element;
use crate::error::{Condition, Error, ErrorKind, Result, Stage, StanzaCondition};
use crate::jid::Jid;
use crate::secret::Secret;

/// The `id`s of prebind's requests. At most one request with each `id` is open at a time.
pub(super) const BIND_ID: &str = "bind";
pub(super) const SESSION_ID: &str = "session";

/// Whether this is the `id` of one of prebind's requests.
#[cfg(feature = "client")]
pub(super) fn is_client_id(id: &str) -> bool {
    matches!(id, BIND_ID | SESSION_ID)
}

pub(crate) fn bind(resource: Option<&str>) -> Secret {
    let bind = match resource {
        None => format!("<bind xmlns=\"{BIND}\"/>"),
        Some(resource) => {
            format!("<bind xmlns=\"{BIND}\"><resource>{}</resource></bind>", escape(resource))
        }
    };
    format!("<iq xmlns=\"{CLIENT}\" id=\"{BIND_ID}\" type=\"set\">{bind}</iq>").into()
}

pub(crate) fn session() -> Secret {
    let session = format!("<session xmlns=\"{SESSION}\"/>");
    format!("<iq xmlns=\"{CLIENT}\" id=\"{SESSION_ID}\" type=\"set\">{session}</iq>").into()
}

/// The JID that was bound.
pub(super) fn bound(iq: &Element) -> Result<Jid> {
    refuse_error(iq, Stage::Bind)?;
    let jid = iq.child(BIND, "bind").and_then(|bind| bind.child(BIND, "jid"));
    let jid = jid.and_then(|jid| Jid::bound(jid.text.trim()).ok());
    jid.ok_or_else(|| Error::protocol(Stage::Bind, "a full JID in the bind result", "none"))
}

/// Checks that the legacy session was opened.
pub(super) fn session_opened(iq: &Element) -> Result<()> {
    refuse_error(iq, Stage::Session)
}

fn refuse_error(iq: &Element, stage: Stage) -> Result<()> {
    match iq.attribute("type") {
        Some("result") => Ok(()),
        Some("error") => Err(refused(stage, iq.children.iter().find(|child| child.name == "error"))),
        _ => Err(Error::protocol(stage, "an iq of type result or error", "another type")),
    }
}

/// The error for a bind or session that the server refused with this stanza error.
pub(super) fn refused(stage: Stage, error: Option<&Element>) -> Error {
    let (condition, text) = error.map_or((None, None), |error| error.condition_in(STANZAS));
    let condition = condition.map(|name| Condition::Stanza(StanzaCondition::from(name)));
    Error::refused(ErrorKind::Bind, stage, condition, text)
}
