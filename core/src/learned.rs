//! What a server proves to be.

use serde::{Deserialize, Serialize};

use crate::body::NS_XBOSH;
use crate::random::is_uuid;
use crate::sasl2::Offer;
use crate::xml::Element;

/// More mechanisms than any server offers.
const MAX_MECHANISMS: usize = 32;

/// What an exchange taught of a server, for [`Plan::shortest`](crate::Plan::shortest). It holds
/// nothing secret and nothing of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    server: Server,
    mechanisms: Vec<String>,
    /// `None` if no account looked at it yet: servers tell who does not ask for it less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sasl2: Option<Offer>,
}

impl Learned {
    pub(crate) fn new(server: Server, mechanisms: &[String]) -> Self {
        Self { server, mechanisms: names(mechanisms), sasl2: None }
    }

    pub(crate) fn with_sasl2(mut self, offer: Option<&Offer>) -> Self {
        self.sasl2 = Some(offer.map_or_else(Offer::default, |offer| Offer {
            mechanisms: names(&offer.mechanisms),
            bind: offer.bind,
            fast: names(&offer.fast),
        }));
        self
    }

    /// With what was known of the same server before, where this exchange did not look.
    #[cfg(feature = "client")]
    pub(crate) fn after(&self, known: &Self) -> Self {
        let sasl2 = known.sasl2.as_ref().filter(|_| self.server == known.server);
        Self { sasl2: self.sasl2.as_ref().or(sasl2).cloned(), ..self.clone() }
    }

    /// What it was taken for.
    pub(crate) fn server(&self) -> Server {
        self.server
    }

    /// What it offered before the login.
    pub(crate) fn mechanisms(&self) -> &[String] {
        &self.mechanisms
    }

    /// What it offered to do by SASL2; nothing is an empty offer.
    pub(crate) fn sasl2(&self) -> Option<&Offer> {
        self.sasl2.as_ref()
    }

    /// Whether it could have been learned: it may come from outside.
    #[cfg(feature = "client")]
    pub(crate) fn is_sound(&self) -> bool {
        let is_name = |name: &String| crate::account::is_mechanism_name(name);
        let are_sound = |names: &[String]| names.len() <= MAX_MECHANISMS && names.iter().all(is_name);
        are_sound(&self.mechanisms)
            && self.sasl2.as_ref().is_none_or(|offer| are_sound(&offer.mechanisms) && are_sound(&offer.fast))
    }
}

/// Prosody offers them in another order each time.
fn names(offered: &[String]) -> Vec<String> {
    let mut names: Vec<String> = offered.iter().take(MAX_MECHANISMS).cloned().collect();
    names.sort_unstable();
    names
}

/// Servers, by what shortens an exchange with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Server {
    /// Reads all of a body, and answers in the same response. The connection that carried a
    /// creation is slowed down from then on (`limits.c2s.rate`).
    Prosody,
    /// Answers some of a body in the next response only, and drops what a restart carries.
    Ejabberd,
    /// Any other: only the classic exchange is known to work.
    #[default]
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
