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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Domain {
    name: String,
    #[serde(flatten)]
    learned: Learned,
    /// Seconds since 1970, until which only the classic plan is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classic_until: Option<u64>,
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

    /// What is known of a domain and may be relied on.
    pub(super) fn recall(&self, domain: &str) -> Option<Learned> {
        patience::read(&self.domains, |domains| {
            let known = domains.iter().find(|known| known.name == domain)?;
            let is_spared = known.classic_until.is_some_and(|until| now() < until);
            (!is_spared).then(|| known.learned.clone())
        })?
    }

    pub(super) fn learn(&self, domain: &str, learned: Learned) {
        let is_news = patience::read(&self.domains, |domains| {
            domains.iter().find(|known| known.name == domain).is_none_or(|known| known.learned != learned)
        });
        if is_news == Some(true) {
            self.put(domain, |known| known.learned = learned);
        }
    }

    /// From now on, and for a while, only the classic plan.
    pub(super) fn distrust(&self, domain: &str) {
        let until = now().saturating_add(self.relearn_after.as_secs());
        self.put(domain, |known| known.classic_until = Some(until));
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
                None => Domain { name: domain.to_owned(), learned: Learned::nothing(), classic_until: None },
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
mod tests {
    use super::*;
    use crate::learned::Server;

    fn config(profile: Option<String>) -> Config {
        let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
        config.profile = profile;
        config
    }

    fn prosody() -> Learned {
        Learned::new(Server::Prosody, &["SCRAM-SHA-1".to_owned(), "PLAIN".to_owned()])
    }

    #[test]
    fn what_one_client_learned_another_knows() {
        let memory = Memory::new(&config(None));
        assert_eq!(memory.recall("example.org"), None);
        memory.learn("example.org", prosody());
        let profile = memory.profile();
        assert!(profile.len() < 200 && !profile.contains("chat.example.org"), "{profile}");
        let memory = Memory::new(&config(Some(profile.clone())));
        assert_eq!(memory.recall("example.org"), Some(prosody()));
        assert_eq!(memory.recall("example.net"), None, "each domain is learned by itself");
        assert_eq!(memory.profile(), profile, "nothing new, nothing to store");
    }

    #[test]
    fn what_failed_is_spared_for_a_while_by_later_processes_too() {
        let mut config = config(None);
        config.relearn_after = Duration::from_secs(2);
        let memory = Memory::new(&config);
        memory.learn("example.org", prosody());
        memory.distrust("example.org");
        assert_eq!(memory.recall("example.org"), None);
        memory.learn("example.org", prosody());
        assert_eq!(memory.recall("example.org"), None, "the classic exchange teaches nothing about the plan");
        config.profile = Some(memory.profile());
        assert_eq!(Memory::new(&config).recall("example.org"), None);
        std::thread::sleep(Duration::from_millis(2100));
        assert_eq!(memory.recall("example.org"), Some(prosody()));
        // From a clock that was wrong.
        let far = memory.profile().replace("\"classic_until\":", "\"classic_until\":9");
        config.profile = Some(far);
        let memory = Memory::new(&config);
        std::thread::sleep(Duration::from_millis(2100));
        assert_eq!(memory.recall("example.org"), Some(prosody()));
    }

    #[test]
    fn a_profile_of_no_use_is_left_out() {
        let memory = Memory::new(&config(None));
        memory.learn("example.org", prosody());
        let good = memory.profile();
        let of_another_url = {
            let other = Config::new("https://chat.example.net/http-bind").unwrap();
            Memory::new(&other).profile().replace(
                "[]",
                "[{\"name\":\"example.org\",\"server\":\"prosody\",\"mechanisms\":[\"PLAIN\"]}]",
            )
        };
        for bad in [
            String::new(),
            "null".to_owned(),
            "{".repeat(100_000),
            good[..good.len() - 2].to_owned(),
            good.replace("\"v\":1", "\"v\":2"),
            good.replace("prosody", "punjab"),
            good.replace("PLAIN", "plain"),
            of_another_url,
        ] {
            let memory = Memory::new(&config(Some(bad.clone())));
            assert_eq!(memory.recall("example.org"), None, "{}", &bad[..bad.len().min(200)]);
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let memory = Memory::new(&config(None));
        for number in 0..1000 {
            memory.learn(&format!("{number}.example.org"), prosody());
        }
        assert_eq!(memory.recall("0.example.org"), None);
        assert_eq!(memory.recall("999.example.org"), Some(prosody()));
        assert!(memory.profile().len() < 10_000);
    }
}
