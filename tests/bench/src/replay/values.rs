//! What differs from call to call, put into the recorded requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Result;
use crate::record::attribute;
use crate::scram::{self, Keys};

pub(super) struct Values {
    pub(super) sid: String,
    pub(super) next_rid: u64,
    /// The RID that a request ahead of its turn has left.
    left: Option<u64>,
    nonce: String,
    challenge: String,
}

impl Values {
    pub(super) fn new() -> Result<Self> {
        let mut random = [0; 8 + 18];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let (rid, nonce) = random.split_at(8);
        Ok(Self {
            sid: String::new(),
            next_rid: (1 << 50) + (u64::from_le_bytes(rid.try_into()?) >> 14),
            left: None,
            nonce: STANDARD.encode(nonce),
            challenge: String::new(),
        })
    }

    /// A recorded body with this call's values; one that is ahead of its turn leaves a RID for the next.
    pub(super) fn render(&mut self, body: &str, is_ahead: bool, keys: &mut Keys) -> Result<String> {
        let recorded = attribute(body, "rid").ok_or("a request without a rid")?;
        let rid = if is_ahead { None } else { self.left.take() };
        if is_ahead {
            self.left = Some(self.new_rid());
        }
        let rid = rid.unwrap_or_else(|| self.new_rid());
        let mut body = body.replace(&format!("rid=\"{recorded}\""), &format!("rid=\"{rid}\""));
        if let Some(sid) = attribute(&body, "sid").map(str::to_owned) {
            body = body.replace(&format!("sid=\"{sid}\""), &format!("sid=\"{}\"", self.sid));
        }
        if body.contains("mechanism=\"SCRAM-SHA-1\"") {
            body = with_text(&body, "</auth>", &scram::first(&self.nonce))?;
        }
        if body.contains(RESPONSE) {
            let last = scram::last(&self.nonce, &self.challenge, keys)?;
            body = with_text(&body, RESPONSE, &last)?;
        }
        Ok(body)
    }

    /// A request for nothing but the answer to an earlier one.
    pub(super) fn poll(&mut self) -> String {
        let rid = self.new_rid();
        let sid = &self.sid;
        format!(r#"<body xmlns="http://jabber.org/protocol/httpbind" rid="{rid}" sid="{sid}"/>"#)
    }

    fn new_rid(&mut self) -> u64 {
        self.next_rid += 1;
        self.next_rid - 1
    }

    /// What later requests need of a reply.
    pub(super) fn learn(&mut self, reply: &str) {
        if self.sid.is_empty() {
            attribute(reply, "sid").unwrap_or_default().clone_into(&mut self.sid);
        }
        if let Some(end) = reply.find(CHALLENGE) {
            let start = reply[..end].rfind('>').map_or(0, |at| at + 1);
            reply[start..end].clone_into(&mut self.challenge);
        }
    }
}

const RESPONSE: &str = "</response>";
const CHALLENGE: &str = "</challenge>";

/// What must have been replied, any of it, before a request like this.
pub(super) fn need_of(body: &str) -> &'static [&'static str] {
    if body.contains(RESPONSE) {
        &[CHALLENGE]
    } else if body.contains("<bind") && !body.contains("<auth") {
        &["<success"]
    } else {
        &[]
    }
}

/// Whether a request asks for nothing but an answer to an earlier one.
pub(super) fn is_poll(body: &str) -> bool {
    let is_empty = body.ends_with("/>") && body.matches('<').count() == 1;
    is_empty && attribute(body, "sid").is_some() && attribute(body, "xmpp:restart").is_none()
}

/// Puts `text` between the tag that ends before `close` and `close`.
fn with_text(xml: &str, close: &str, text: &str) -> Result<String> {
    let end = xml.find(close).ok_or("a recorded request without its end")?;
    let start = xml[..end].rfind('>').map_or(0, |at| at + 1);
    Ok([&xml[..start], text, &xml[end..]].concat())
}
