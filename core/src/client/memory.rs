//! What a client learned, per domain: kept from one call to the next and, as a profile, from one
//! process to the next.

use std::sync::RwLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::patience;
use crate::config::Config;
use crate::learned::Learned;

/// The form of the profile; another one is of no use.
const VERSION: u32 = 1;

/// Domains come from accounts and are few; a caller that makes them up must not fill the memory.
const MAX_DOMAINS: usize = 64;

/// Longer than any profile is.
const MAX_PROFILE: usize = 128 * 1024;

#[derive(Debug)]
pub(super) struct Memory {
    /// Of the URL: what one server proved says nothing of another.
    url: String,
    /// How long a server is spared what failed.
    relearn_after: Duration,
    /// The latest learned comes last.
    domains: RwLock<Vec<Domain>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Domain {
    name: String,
    #[serde(flatten)]
    learned: Learned,
    /// Seconds since 1970, until which only the classic plan is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classic_until: Option<u64>,
    /// Whether a short plan has succeeded with what was learned.
    #[serde(default, rename = "proven", skip_serializing_if = "is_false")]
    is_proven: bool,
    /// How often in a row a short plan failed that may have been as good as any.
    #[serde(skip)]
    failures: u8,
}

/// Then one classic exchange has to tell.
const MAX_FAILURES: u8 = 3;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What is known of a domain and may be relied on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) learned: Learned,
    /// Whether a short plan has succeeded with it.
    pub(super) is_proven: bool,
}

/// Why a short plan failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// By chance, for all that is known; the classic plan mended it.
    ByChance,
    /// For a reason that could not be looked for, since nothing could follow.
    AtAll,
}

#[derive(Serialize, Deserialize)]
struct Profile {
    v: u32,
    url: String,
    domains: Vec<Domain>,
}

impl Memory {
    /// With what an earlier client learned; a profile that is of no use is left out.
    pub(super) fn new(config: &Config) -> Self {
        let url = URL_SAFE_NO_PAD.encode(&Sha256::digest(config.url.as_str())[..12]);
        let relearn_after = config.relearn_after;
        let mut domains = config.profile.as_deref().and_then(|text| read(text, &url)).unwrap_or_default();
        let latest = now().saturating_add(relearn_after.as_secs());
        for domain in &mut domains {
            domain.classic_until = domain.classic_until.map(|until| until.min(latest));
        }
        Self { url, relearn_after, domains: RwLock::new(domains) }
    }

    pub(super) fn recall(&self, domain: &str) -> Option<Known> {
        patience::read(&self.domains, |domains| {
            let known = domains.iter().find(|known| known.name == domain)?;
            let is_spared = known.classic_until.is_some_and(|until| now() < until);
            let may_be_relied_on = !is_spared && known.failures < MAX_FAILURES;
            may_be_relied_on.then(|| Known { learned: known.learned.clone(), is_proven: known.is_proven })
        })?
    }

    /// Takes note of a success, and of what it taught.
    pub(super) fn learn(&self, domain: &str, learned: &Learned, is_classic: bool) {
        let change = |known: &Domain| {
            let learned = learned.after(&known.learned);
            let is_same = learned == known.learned;
            let mut known = Domain { learned, is_proven: is_same && known.is_proven, ..known.clone() };
            if !is_classic {
                (known.is_proven, known.failures) = (is_same, 0);
            } else if known.failures >= MAX_FAILURES {
                self.spare(&mut known);
            }
            known
        };
        let is_news = patience::read(&self.domains, |domains| {
            domains.iter().find(|known| known.name == domain).is_none_or(|known| change(known) != *known)
        });
        if is_news == Some(true) {
            self.put(domain, |known| *known = change(known));
        }
    }

    /// A short plan failed for a reason that may have nothing to do with it. After a few times in a
    /// row the next exchange is classic, and if that succeeds, so are those that follow for a while;
    /// a plan that never succeeded has no such credit if the whole call failed.
    pub(super) fn doubt(&self, domain: &str, failed: Failed) {
        self.put(domain, |known| {
            let has_credit = known.is_proven || failed == Failed::ByChance;
            known.failures = if has_credit { known.failures.saturating_add(1) } else { MAX_FAILURES };
        });
    }

    /// From now on, and for a while, only the classic plan.
    pub(super) fn distrust(&self, domain: &str) {
        self.put(domain, |known| self.spare(known));
    }

    pub(super) fn forget(&self, domain: &str) {
        patience::write(&self.domains, |domains| domains.retain(|known| known.name != domain));
    }

    fn spare(&self, known: &mut Domain) {
        known.classic_until = Some(now().saturating_add(self.relearn_after.as_secs()));
        (known.is_proven, known.failures) = (false, 0);
    }

    pub(super) fn profile(&self) -> String {
        let domains = patience::read(&self.domains, Vec::clone).unwrap_or_default();
        let profile = Profile { v: VERSION, url: self.url.clone(), domains };
        serde_json::to_string(&profile).expect("names and numbers are JSON")
    }

    fn put(&self, domain: &str, change: impl FnOnce(&mut Domain)) {
        patience::write(&self.domains, |domains| {
            let mut known = match domains.iter().position(|known| known.name == domain) {
                Some(at) => domains.remove(at),
                None => Domain { name: domain.to_owned(), ..Domain::default() },
            };
            change(&mut known);
            if domains.len() >= MAX_DOMAINS {
                domains.remove(0);
            }
            domains.push(known);
        });
    }
}

fn read(text: &str, url: &str) -> Option<Vec<Domain>> {
    let text = Some(text).filter(|text| text.len() <= MAX_PROFILE)?;
    let profile: Profile = serde_json::from_str(text).ok()?;
    let is_ours = profile.v == VERSION && profile.url == url && profile.domains.len() <= MAX_DOMAINS;
    let is_sound = profile.domains.iter().all(|known| known.learned.is_sound());
    (is_ours && is_sound).then_some(profile.domains)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
