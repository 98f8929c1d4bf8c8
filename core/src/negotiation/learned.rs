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
    /// Whether this process has seen it: what comes from elsewhere may be made up.
    #[serde(skip)]
    is_own: bool,
}

impl Learned {
    pub(crate) fn new(server: Server, mechanisms: &[String]) -> Self {
        Self { server, mechanisms: names(mechanisms), sasl2: None, is_own: true }
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

    /// Whether it says the same of the server, wherever it comes from.
    #[cfg(feature = "client")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        *self == Self { is_own: self.is_own, ..other.clone() }
    }

    /// That the server once offered SCRAM, and nothing else.
    #[cfg(feature = "client")]
    pub(crate) fn only_scram(&self) -> Self {
        let scram = self.offered().filter(|name| is_scram(name)).cloned().collect();
        Self { server: Server::Other, mechanisms: scram, ..Self::default() }
    }

    /// Whether the server offered SCRAM.
    pub(crate) fn offers_scram(&self) -> bool {
        self.offered().any(|name| is_scram(name))
    }

    fn offered(&self) -> impl Iterator<Item = &String> {
        self.mechanisms.iter().chain(self.sasl2.iter().flat_map(|offer| &offer.mechanisms))
    }

    /// Whether this process has seen it.
    pub(crate) fn is_own(&self) -> bool {
        self.is_own
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
        let is_name = |name: &String| crate::stanza::is_mechanism_name(name);
        let are_sound = |names: &[String]| names.len() <= MAX_MECHANISMS && names.iter().all(is_name);
        are_sound(&self.mechanisms)
            && self.sasl2.as_ref().is_none_or(|offer| are_sound(&offer.mechanisms) && are_sound(&offer.fast))
    }
}

/// Whether a mechanism by that name tells the server nothing of the password.
pub(crate) fn is_scram(name: &str) -> bool {
    name.starts_with("SCRAM-")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::NS_HTTPBIND;

    /// What a server is taken for that answers the creation of a session with these attributes.
    fn recognized(attributes: &str) -> Server {
        let body = format!("<body xmlns='{NS_HTTPBIND}' xmlns:xmpp='{NS_XBOSH}' {attributes}/>");
        Server::recognize(&Element::parse(body.as_bytes()).unwrap())
    }

    /// Checks that a server is recognized by these signs, and by no less.
    fn check(server: Server, signs: &[&str]) {
        assert_eq!(recognized(&signs.join(" ")), server);
        for missing in 0..signs.len() {
            let mut others = signs.to_vec();
            others.remove(missing);
            assert_eq!(recognized(&others.join(" ")), Server::Other, "without {}", signs[missing]);
        }
    }

    /// Checks that a server with this sign besides is another one.
    fn check_foreign(signs: &[&str], foreign: &str) {
        assert_eq!(recognized(&format!("{} {foreign}", signs.join(" "))), Server::Other, "with {foreign}");
    }

    const PROSODY: [&str; 4] = [
        "ver='1.6'",
        "polling='5'",
        "sid='fcc19054-e208-4d03-99a8-99ec7f710f4c'",
        "authid='fcc19054-e208-4d03-99a8-99ec7f710f4c'",
    ];
    const EJABBERD: [&str; 4] = ["ver='1.11'", "polling='2'", "xmpp:restartlogic='true'", "maxpause='120'"];

    #[test]
    fn prosody_is_recognized_by_all_its_signs() {
        check(Server::Prosody, &PROSODY);
        for foreign in ["ack='1'", "maxpause='120'", "stream='1'", "window='5'", "xmpp:restartlogic='true'"] {
            check_foreign(&PROSODY, foreign);
        }
        let [ver, polling, sid, authid] = PROSODY;
        for other in [
            ["ver='1.11'", polling, sid, authid],
            [ver, polling, sid, "authid='2f1b2dd0-4bb1-4d4e-bd36-a7e6f5f4b7ae'"],
            // Openfire's SIDs.
            [ver, polling, "sid='5mhcu29dhk'", "authid='5mhcu29dhk'"],
        ] {
            assert_eq!(recognized(&other.join(" ")), Server::Other, "{other:?}");
        }
    }

    #[test]
    fn ejabberd_is_recognized_by_all_its_signs() {
        check(Server::Ejabberd, &EJABBERD);
        for foreign in ["ack='1'", "stream='1'", "window='5'"] {
            check_foreign(&EJABBERD, foreign);
        }
        let [ver, polling, restarts, maxpause] = EJABBERD;
        for other in [
            ["ver='1.6'", polling, restarts, maxpause],
            [ver, polling, "xmpp:restartlogic='false'", maxpause],
            [ver, polling, "restartlogic='true'", maxpause],
        ] {
            assert_eq!(recognized(&other.join(" ")), Server::Other, "{other:?}");
        }
    }
    fn offer(mechanisms: &[String], bind: bool) -> Offer {
        Offer { mechanisms: mechanisms.to_vec(), bind, fast: mechanisms.to_vec() }
    }

    #[test]
    fn an_offer_is_kept_in_order_and_bounded() {
        let offered: Vec<String> = (0..40).rev().map(|number| format!("X-{number:02}")).collect();
        let kept: Vec<String> = (8..40).map(|number| format!("X-{number:02}")).collect();
        let learned = Learned::new(Server::Other, &offered).with_sasl2(Some(&offer(&offered, true)));
        assert_eq!(learned.mechanisms(), kept);
        assert_eq!(learned.sasl2(), Some(&offer(&kept, true)));
        assert_eq!(learned.with_sasl2(None).sasl2(), Some(&Offer::default()));
    }

    #[cfg(feature = "client")]
    #[test]
    fn only_what_could_have_been_learned_is_sound() {
        let names = |count: usize| vec!["PLAIN".to_owned(); count];
        let sasl2 = |mechanisms, fast| Some(Offer { mechanisms, bind: true, fast });
        let bad = || vec!["plain".to_owned()];
        for (mechanisms, sasl2, is_sound) in [
            (names(0), None, true),
            (names(32), sasl2(names(32), names(32)), true),
            (names(33), None, false),
            (bad(), None, false),
            (names(1), sasl2(bad(), names(1)), false),
            (names(1), sasl2(names(1), bad()), false),
            (names(1), sasl2(names(1), names(33)), false),
        ] {
            let learned = Learned { server: Server::Other, mechanisms, sasl2, is_own: false };
            assert_eq!(learned.is_sound(), is_sound, "{learned:?}");
        }
    }

    #[cfg(feature = "client")]
    #[test]
    fn what_an_exchange_did_not_look_at_is_still_known_of_the_same_server() {
        let names = ["PLAIN".to_owned()];
        let (older, newer) = (offer(&names, true), offer(&[], false));
        let looked = |server, offer| Learned::new(server, &names).with_sasl2(Some(offer));
        let known = looked(Server::Prosody, &older);
        assert_eq!(Learned::new(Server::Prosody, &names).after(&known), known);
        assert_eq!(Learned::new(Server::Other, &names).after(&known).sasl2(), None);
        assert_eq!(looked(Server::Prosody, &newer).after(&known).sasl2(), Some(&newer));
    }
}
