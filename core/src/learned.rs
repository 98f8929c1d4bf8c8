//! What a server proves to be.

use serde::{Deserialize, Serialize};

use crate::body::NS_XBOSH;
use crate::xml::Element;

/// More mechanisms than any server offers.
const MAX_MECHANISMS: usize = 32;

/// What an exchange taught of a server, for [`Plan::shortest`](crate::Plan::shortest). It holds
/// nothing secret and nothing of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    server: Server,
    mechanisms: Vec<String>,
}

impl Learned {
    pub(crate) fn new(server: Server, mechanisms: &[String]) -> Self {
        let mut mechanisms: Vec<String> = mechanisms.iter().take(MAX_MECHANISMS).cloned().collect();
        // Prosody offers them in another order each time.
        mechanisms.sort_unstable();
        Self { server, mechanisms }
    }

    pub(crate) fn nothing() -> Self {
        Self { server: Server::Other, mechanisms: Vec::new() }
    }

    /// What it was taken for.
    pub(crate) fn server(&self) -> Server {
        self.server
    }

    /// What it offered before the login.
    pub(crate) fn mechanisms(&self) -> &[String] {
        &self.mechanisms
    }

    /// Whether it could have been learned: it may come from outside.
    pub(crate) fn is_sound(&self) -> bool {
        let is_name = |name: &String| crate::account::is_mechanism_name(name);
        self.mechanisms.len() <= MAX_MECHANISMS && self.mechanisms.iter().all(is_name)
    }
}

/// Servers, by what shortens an exchange with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Server {
    /// Reads all of a body, and answers in the same response. The connection that carried a
    /// creation is slowed down from then on (`limits.c2s.rate`).
    Prosody,
    /// Answers some of a body in the next response only, and drops what a restart carries.
    Ejabberd,
    /// Any other: only the classic exchange is known to work.
    Other,
}

impl Server {
    /// Recognizes a server by its session creation response. What imitates one has to say all that
    /// it says: Openfire has `ver='1.6'` and repeats the SID, too, and others share other signs.
    pub(crate) fn recognize(created: &Element) -> Self {
        let attribute = |name| created.attribute(name);
        let has_any = |names: &[&str]| names.iter().any(|name| created.attribute(name).is_some());
        let restarts = created.attribute_in(NS_XBOSH, "restartlogic");
        let is_prosody = attribute("ver") == Some("1.6")
            && attribute("authid").is_some_and(|id| attribute("sid") == Some(id) && is_uuid(id))
            && attribute("polling").is_some()
            && restarts.is_none()
            && !has_any(&["ack", "maxpause", "stream", "window"]);
        let is_ejabberd = attribute("ver") == Some("1.11")
            && restarts == Some("true")
            && attribute("maxpause").is_some()
            && attribute("polling").is_some()
            && !has_any(&["ack", "stream", "window"]);
        match (is_prosody, is_ejabberd) {
            (true, _) => Self::Prosody,
            (_, true) => Self::Ejabberd,
            _ => Self::Other,
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(is_hex)
}
