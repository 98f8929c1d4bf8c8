//! The keys of an identity provider, which publishes them at a URL (RFC 7517 §5).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use prebind::token::{Key, Refusal, Verified, Verifier};

use super::http::{Http, Url};
use super::rules::Rules;

/// The most bytes of a key set.
const LIMIT: usize = 64 * 1024;

/// How old keys become before they are fetched again.
const FRESH: Duration = Duration::from_secs(600);

/// How long nothing is fetched after a try: anybody can send tokens that name unknown keys.
const PAUSE: Duration = Duration::from_secs(10);

/// How old keys become at most, if the provider is away: one that it withdrew is not good for ever.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Verifies the tokens of an identity provider.
pub(crate) struct Provider {
    url: Url,
    http: Http,
    rules: Rules,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When keys were fetched, and what verifies tokens since.
    fetched: Option<(Instant, Arc<Verifier>)>,
    tried: Option<Instant>,
}

impl Provider {
    pub(crate) fn new(url: Url, http: Http, rules: Rules) -> Self {
        Self { url, http, rules, state: Mutex::default() }
    }

    /// What verifies tokens now; `None` while there is no key. Others who ask meanwhile wait for the same keys.
    pub(crate) fn verifier(&self) -> Option<Arc<Verifier>> {
        self.verifier_since(FRESH)
    }

    /// Whose token this is, at that time; `None` while there is no key.
    pub(crate) fn verify(&self, token: &str, now: SystemTime) -> Option<Result<Verified, Refusal>> {
        match self.verifier()?.verify(token, now) {
            // The provider may have a new key.
            Err(Refusal::UnknownKey | Refusal::Signature) => {
                self.verifier_since(Duration::ZERO).map(|verifier| verifier.verify(token, now))
            }
            verdict => Some(verdict),
        }
    }

    /// Fetches keys that are older than that, unless it was tried a moment ago.
    fn verifier_since(&self, fresh: Duration) -> Option<Arc<Verifier>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_older = |limit| state.fetched.as_ref().is_none_or(|(at, _)| at.elapsed() >= limit);
        if is_older(fresh) && state.tried.is_none_or(|tried| tried.elapsed() >= PAUSE) {
            match self.fetch() {
                Ok(verifier) => state.fetched = Some((Instant::now(), Arc::new(verifier))),
                Err(problem) => tracing::error!("the keys of the identity provider: {problem}"),
            }
            state.tried = Some(Instant::now());
        }
        state
            .fetched
            .as_ref()
            .filter(|(at, _)| at.elapsed() < LONGEST)
            .map(|(_, verifier)| Arc::clone(verifier))
    }

    fn fetch(&self) -> Result<Verifier, String> {
        let reply = self.http.get(&self.url, LIMIT)?;
        if reply.status != 200 {
            return Err(format!("the status is {}, not 200: give the provider's jwks_uri", reply.status));
        }
        if reply.body.len() > LIMIT {
            return Err(format!("they have more than {LIMIT} bytes: give the provider's jwks_uri"));
        }
        let text = std::str::from_utf8(&reply.body)
            .map_err(|_| "they are no text: give the provider's jwks_uri".to_owned())?;
        let keys = Key::read(text).map_err(|error| error.to_string())?;
        // What everybody can read is no secret that could sign.
        let public = keys.into_iter().filter(|key| key.algorithm().least_secret().is_none());
        self.rules.verifier(self.rules.usable(public)).map_err(|error| error.to_string())
    }
}
