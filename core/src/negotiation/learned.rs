//! What an exchange has learned of a server.

use serde::{Deserialize, Serialize};

use crate::wire::sasl2::Offer;
use crate::wire::server::Server;

/// The most mechanisms to remember, which is more than any server offers.
const MAX_MECHANISMS: usize = 32;

/// What an exchange has learned of a server, for [`Plan::shortest`](crate::protocol::Plan::shortest). It
/// holds no secret and nothing about the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    server: Server,
    mechanisms: Vec<String>,
    /// `None` if no account has used SASL2 yet: a server advertises less to a client that does not name
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sasl2: Option<Offer>,
    /// Whether this process has seen the offer itself. An offer from a profile may be forged.
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

    /// Adds what was known of the same server before and what this exchange did not look at.
    #[cfg(feature = "client")]
    pub(crate) fn after(&self, known: &Self) -> Self {
        let sasl2 = known.sasl2.as_ref().filter(|_| self.server == known.server);
        Self { sasl2: self.sasl2.as_ref().or(sasl2).cloned(), ..self.clone() }
    }

    /// Whether both say the same about the server. Where they come from does not count.
    #[cfg(feature = "client")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        *self == Self { is_own: self.is_own, ..other.clone() }
    }

    /// Keeps only that the server once offered SCRAM.
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

    /// Whether this process has seen the offer itself.
    pub(crate) fn is_own(&self) -> bool {
        self.is_own
    }

    /// The kind of server that it was recognized as.
    pub(crate) fn server(&self) -> Server {
        self.server
    }

    /// The mechanisms that the server offered before the login.
    pub(crate) fn mechanisms(&self) -> &[String] {
        &self.mechanisms
    }

    /// What the server offered by SASL2. `None` if it was not asked, and an empty offer if it offered
    /// nothing.
    pub(crate) fn sasl2(&self) -> Option<&Offer> {
        self.sasl2.as_ref()
    }

    /// Whether these values can have been learned from a server. A profile from outside may hold anything.
    #[cfg(feature = "client")]
    pub(crate) fn is_sound(&self) -> bool {
        let is_name = |name: &String| crate::wire::sasl::is_mechanism_name(name);
        let are_sound = |names: &[String]| names.len() <= MAX_MECHANISMS && names.iter().all(is_name);
        are_sound(&self.mechanisms)
            && self.sasl2.as_ref().is_none_or(|offer| are_sound(&offer.mechanisms) && are_sound(&offer.fast))
    }
}

/// Whether this mechanism is SCRAM, which does not send the password to the server.
pub(crate) fn is_scram(name: &str) -> bool {
    name.starts_with("SCRAM-")
}

/// Sorts the names, because Prosody offers its mechanisms in another order each time.
fn names(offered: &[String]) -> Vec<String> {
    let mut names: Vec<String> = offered.iter().take(MAX_MECHANISMS).cloned().collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn values_that_an_exchange_did_not_look_at_stay_known_for_the_same_server() {
        let names = ["PLAIN".to_owned()];
        let (older, newer) = (offer(&names, true), offer(&[], false));
        let looked = |server, offer| Learned::new(server, &names).with_sasl2(Some(offer));
        let known = looked(Server::Prosody, &older);
        assert_eq!(Learned::new(Server::Prosody, &names).after(&known), known);
        assert_eq!(Learned::new(Server::Other, &names).after(&known).sasl2(), None);
        assert_eq!(looked(Server::Prosody, &newer).after(&known).sasl2(), Some(&newer));
    }
}
