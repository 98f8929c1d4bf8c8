//! What a client has learned of each domain. It is kept from one call to the next and, as a profile, from one
//! process to the next.

use std::sync::RwLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::patience;
use super::recent::Recent;
use crate::config::Config;
use crate::negotiation::Learned;
use crate::wire::server::Server;

/// The version of the profile's format. A profile of any other version is ignored.
const VERSION: u32 = 1;

/// Domains come from accounts; a caller that makes them up must not fill the memory.
const MAX_DOMAINS: usize = 4096;

/// The most domains in a profile. Short-lived processes read it at each start, so it has to stay short. For
/// other domains they use what is known of the server.
const MAX_LISTED: usize = 200;

/// The longest profile that is read, which is more than any profile has.
const MAX_PROFILE: usize = 512 * 1024;

#[derive(Debug)]
pub(super) struct Memory {
    /// A hash of the URL. A profile of another URL is ignored, because it says nothing about this server.
    url: String,
    /// How long a plan that failed again and again is avoided, at most.
    relearn_after: Duration,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    domains: Recent<String, Domain>,
    /// Which server runs at the URL, as the latest exchange has shown.
    server: Server,
    /// How many domains were learned so far.
    learned: usize,
    /// The text of the profile, kept until something changes.
    profile: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Domain {
    name: String,
    #[serde(flatten)]
    learned: Learned,
    /// Seconds since 1970, until which only the classic plan is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classic_until: Option<u64>,
    /// Seconds since 1970, until which SASL2 is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    no_sasl2_until: Option<u64>,
    /// How often in a row the short plan was avoided for a while, each time for twice as long.
    #[serde(default, skip_serializing_if = "is_default")]
    spared: u8,
    /// Whether a short plan has succeeded with what was learned.
    #[serde(default, rename = "proven", skip_serializing_if = "is_default")]
    is_proven: bool,
    /// Consecutive failures of the short plan that may have been bad luck.
    #[serde(default, skip_serializing_if = "is_default")]
    failures: u8,
    /// Whether the bind may be sent ahead of its turn.
    #[serde(default, skip_serializing_if = "is_default")]
    ahead: Ahead,
    /// Seconds since 1970, since which a server that used to offer SCRAM has not offered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    no_scram_since: Option<u64>,
    /// Whether everything that was learned has proved wrong, except that SCRAM is offered.
    #[serde(skip)]
    is_forgotten: bool,
    /// How many domains were learned before this one.
    #[serde(skip)]
    place: usize,
}

impl Domain {
    fn has_failed(&self) -> bool {
        let is_spared = self.classic_until.is_some() || self.no_sasl2_until.is_some();
        is_spared || self.failures > 0 || self.ahead != Ahead::Free
    }
}

/// Whether a plan may send the bind ahead of its turn, with a server that longer plans work with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ahead {
    /// It may be sent ahead.
    #[default]
    Free,
    /// It has failed, and no exchange has shown yet whether it is to blame.
    Doubted,
    /// It has failed where the classic plan succeeded. It is not used until something new is learned of the
    /// server.
    Left,
}

/// How often the time for which a short plan is avoided may double: from 9 s to the default of 10 minutes.
const MAX_DOUBLINGS: u8 = 6;

/// After this many failures, one classic exchange decides whether the plan is to blame.
const MAX_FAILURES: u8 = 3;

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is known of a domain and can be relied on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) learned: Learned,
    /// Whether a short plan has succeeded with what was learned.
    pub(super) is_proven: bool,
    /// Whether only the server is known, from other domains at the same URL.
    pub(super) is_new: bool,
    /// Whether the bind may be sent ahead of its turn.
    pub(super) may_bind_ahead: bool,
}

/// Why a short plan failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// Probably by chance: the classic plan succeeded after it.
    ByChance,
    /// For an unknown reason: no other exchange could follow to find it.
    AtAll,
    /// Perhaps because of the plan itself. A secret had been sent, so no other exchange could follow.
    ByPlan,
}

#[derive(Serialize, Deserialize)]
struct Profile {
    v: u32,
    url: String,
    domains: Vec<Domain>,
}

impl Memory {
    /// Starts with the profile of an earlier client, if there is one. An unusable profile is ignored.
    pub(super) fn new(config: &Config) -> Self {
        let url = URL_SAFE_NO_PAD.encode(&Sha256::digest(config.url.as_str())[..12]);
        let relearn_after = config.relearn_after;
        let known = config.profile.as_deref().and_then(|text| read(text, &url)).unwrap_or_default();
        let latest = now().saturating_add(relearn_after.as_secs());
        let mut domains = Recent::new(MAX_DOMAINS);
        let server = known.last().map(|domain| domain.learned.server()).unwrap_or_default();
        let learned = known.len();
        for (place, mut domain) in known.into_iter().enumerate() {
            domain.classic_until = domain.classic_until.map(|until| until.min(latest));
            domain.no_sasl2_until = domain.no_sasl2_until.map(|until| until.min(latest));
            domain.no_scram_since = domain.no_scram_since.map(|since| since.min(now()));
            domain.place = place;
            domains.put(domain.name.clone(), domain);
        }
        let state = State { domains, server, learned, profile: None };
        Self { url, relearn_after, state: RwLock::new(state) }
    }

    /// What is known of this domain and can be relied on.
    pub(super) fn recall(&self, domain: &str) -> Option<Known> {
        patience::read(&self.state, |state| {
            let is_new = |known: &Domain| known.is_forgotten && known.no_scram_since.is_none();
            let Some(known) = state.domains.get(domain).filter(|known| !is_new(known)) else {
                let learned = Learned::new(state.server, &[]);
                return (state.server != Server::Other).then_some(Known {
                    learned,
                    is_proven: false,
                    is_new: true,
                    may_bind_ahead: true,
                });
            };
            let is_spared = known.classic_until.is_some_and(|until| now() < until);
            let is_odd = known.no_scram_since.is_some();
            let may_be_relied_on = !is_spared && !is_odd && known.failures < MAX_FAILURES;
            let (learned, is_proven) = (known.learned.clone(), known.is_proven);
            let may_bind_ahead = known.ahead != Ahead::Left;
            may_be_relied_on.then_some(Known { learned, is_proven, is_new: false, may_bind_ahead })
        })?
    }

    /// The kind of server that was last seen at the URL.
    pub(super) fn server(&self) -> Server {
        patience::read(&self.state, |state| state.server).unwrap_or_default()
    }

    /// Records a success and what the exchange learned.
    pub(super) fn learn(&self, domain: &str, learned: &Learned, is_classic: bool) {
        let change = |known: &Domain| {
            let learned = learned.after(&known.learned);
            let is_same = learned.is_same(&known.learned);
            let is_missed = !learned.offers_scram() && self.expects_scram_of(known);
            let no_scram_since = is_missed.then(|| known.no_scram_since.unwrap_or_else(now));
            let is_proven = is_same && known.is_proven;
            let mut known =
                Domain { learned, is_proven, no_scram_since, is_forgotten: false, ..known.clone() };
            known.no_sasl2_until = known.no_sasl2_until.filter(|until| now() < *until);
            if !is_same || (!is_classic && known.ahead == Ahead::Doubted) {
                known.ahead = Ahead::Free;
            }
            if !is_classic {
                (known.is_proven, known.failures, known.spared) = (is_same, 0, 0);
                known.classic_until = None;
            } else if known.failures >= MAX_FAILURES {
                self.spare(&mut known);
            }
            known
        };
        let is_news = patience::read(&self.state, |state| {
            let is_known = state.domains.get(domain).is_some_and(|known| change(known) == *known);
            !is_known || state.server != learned.server()
        });
        if is_news == Some(true) {
            self.put(domain, |known| *known = change(known));
            patience::write(&self.state, |state| state.server = learned.server());
        }
    }

    /// Records that a short plan failed, perhaps for a reason that has nothing to do with the plan. After a
    /// few such failures in a row the next exchange is classic. If that succeeds, the exchanges that follow
    /// are classic for a while, too. A plan that never succeeded has no such credit if the whole call failed.
    pub(super) fn doubt(&self, domain: &str, failed: Failed) {
        self.put(domain, |known| {
            let has_credit = match failed {
                Failed::ByChance => true,
                Failed::AtAll => known.is_proven,
                Failed::ByPlan => false,
            };
            known.failures = if has_credit { known.failures.saturating_add(1) } else { MAX_FAILURES };
        });
    }

    /// Uses only the classic plan from now on, for a while.
    pub(super) fn distrust(&self, domain: &str) {
        self.put(domain, |known| self.spare(known));
    }

    /// Records that a plan failed which sent the bind ahead of its turn.
    pub(super) fn doubt_ahead(&self, domain: &str) {
        self.put(domain, |known| {
            if known.ahead == Ahead::Free {
                known.ahead = Ahead::Doubted;
            }
        });
    }

    /// Uses no SASL2 from now on, for a while: the server offered it and did not answer it.
    pub(super) fn leave_sasl2(&self, domain: &str) {
        let until = now().saturating_add(self.relearn_after.as_secs().max(1));
        self.put(domain, |known| known.no_sasl2_until = Some(until));
    }

    /// Whether SASL2 may be used.
    pub(super) fn may_use_sasl2(&self, domain: &str) -> bool {
        let is_left = |known: &Domain| known.no_sasl2_until.is_some_and(|until| now() < until);
        !patience::read(&self.state, |state| state.domains.get(domain).is_some_and(is_left))
            .unwrap_or_default()
    }

    /// Whether SCRAM is expected of this domain: the server has offered it, or stopped offering it only a
    /// short time ago.
    pub(super) fn expects_scram(&self, domain: &str) -> bool {
        let expects =
            |state: &State| state.domains.get(domain).is_some_and(|known| self.expects_scram_of(known));
        patience::read(&self.state, expects).unwrap_or_default()
    }

    fn expects_scram_of(&self, known: &Domain) -> bool {
        match known.no_scram_since {
            Some(since) => now() < since.saturating_add(self.relearn_after.as_secs().max(1)),
            None => known.learned.offers_scram(),
        }
    }

    /// Records that the server did not offer SCRAM, although it was expected.
    pub(super) fn miss_scram(&self, domain: &str) {
        self.put(domain, |known| known.no_scram_since = known.no_scram_since.or_else(|| Some(now())));
    }

    /// Forgets the domain, except whether SCRAM is expected.
    pub(super) fn forget(&self, domain: &str) {
        if self.expects_scram(domain) {
            return self.put(domain, |known| {
                let (learned, no_scram_since) = (known.learned.only_scram(), known.no_scram_since);
                let (name, place) = (known.name.clone(), known.place);
                *known =
                    Domain { name, learned, no_scram_since, is_forgotten: true, place, ..Domain::default() };
            });
        }
        patience::write(&self.state, |state| {
            state.domains.remove(domain);
            state.profile = None;
        });
    }

    fn spare(&self, known: &mut Domain) {
        let doublings = known.spared.min(MAX_DOUBLINGS);
        let time = self.relearn_after.as_secs() >> (MAX_DOUBLINGS - doublings);
        known.classic_until = Some(now().saturating_add(time.max(1)));
        known.spared = (known.spared + 1).min(MAX_DOUBLINGS);
        (known.is_proven, known.failures) = (false, 0);
        if known.ahead == Ahead::Doubted {
            known.ahead = Ahead::Left;
        }
    }

    pub(super) fn profile(&self) -> String {
        if let Some(profile) = patience::read(&self.state, |state| state.profile.clone()).flatten() {
            return profile;
        }
        let write = |state: &mut State| {
            let profile = Profile { v: VERSION, url: self.url.clone(), domains: state.listed() };
            let profile = serde_json::to_string(&profile).expect("names and numbers are JSON");
            state.profile.insert(profile).clone()
        };
        patience::write(&self.state, write).unwrap_or_default()
    }

    fn put(&self, domain: &str, change: impl FnOnce(&mut Domain)) {
        patience::write(&self.state, |state| {
            let mut known = state.domains.remove(domain).unwrap_or_else(|| {
                state.learned += 1;
                Domain { name: domain.to_owned(), place: state.learned, ..Domain::default() }
            });
            change(&mut known);
            state.domains.put(domain.to_owned(), known);
            state.profile = None;
        });
    }
}

impl State {
    /// The domains of the profile, in the order in which they were learned. First come the domains with a
    /// failure, then the oldest fill the list, so that a new domain does not push another one out.
    fn listed(&self) -> Vec<Domain> {
        let mut listed: Vec<Domain> = self.domains.values().cloned().collect();
        listed.sort_by_key(|domain| (!domain.has_failed(), domain.place));
        listed.truncate(MAX_LISTED);
        listed.sort_by_key(|domain| domain.place);
        listed
    }
}

fn read(text: &str, url: &str) -> Option<Vec<Domain>> {
    let text = Some(text).filter(|text| text.len() <= MAX_PROFILE)?;
    let profile: Profile = serde_json::from_str(text).ok()?;
    let is_ours = profile.v == VERSION && profile.url == url && profile.domains.len() <= MAX_LISTED;
    let is_sound = profile.domains.iter().all(|known| known.learned.is_sound());
    (is_ours && is_sound).then_some(profile.domains)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
