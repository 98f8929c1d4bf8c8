//! The keys that an identity provider publishes at a URL (RFC 7517 §5).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use prebind::token::{Key, Refusal, Verified, Verifier};

use super::http::{Http, Url};
use super::rules::Rules;

/// The most bytes of a key set.
const LIMIT: usize = 64 * 1024;

/// How old the keys may be before they are fetched again.
const FRESH: Duration = Duration::from_secs(600);

/// How long to wait after a fetch before the next one, because anybody can send tokens that name unknown
/// keys.
const PAUSE: Duration = Duration::from_secs(10);

/// How old the keys may be at most if the provider cannot be reached. It may have withdrawn a key.
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
    /// When the keys were fetched, and the verifier with these keys.
    fetched: Option<(Instant, Arc<Verifier>)>,
    tried: Option<Instant>,
}

impl Provider {
    pub(crate) fn new(url: Url, http: Http, rules: Rules) -> Self {
        Self { url, http, rules, state: Mutex::default() }
    }

    /// The present verifier. `None` while there is no key. Calls during a fetch wait for its keys.
    pub(crate) fn verifier(&self) -> Option<Arc<Verifier>> {
        self.verifier_since(FRESH)
    }

    /// Verifies a token at this time. Returns `None` while there is no key.
    pub(crate) fn verify(&self, token: &str, now: SystemTime) -> Option<Result<Verified, Refusal>> {
        match self.verifier()?.verify(token, now) {
            // The provider may have a new key.
            Err(Refusal::UnknownKey | Refusal::Signature) => {
                self.verifier_since(Duration::ZERO).map(|verifier| verifier.verify(token, now))
            }
            verdict => Some(verdict),
        }
    }

    /// Fetches the keys if they are older than this, unless a fetch was tried a moment ago.
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
        // A published key is not secret, so only public keys may verify.
        let public = keys.into_iter().filter(|key| key.algorithm().least_secret().is_none());
        self.rules.verifier(self.rules.usable(public)).map_err(|error| error.to_string())
    }
}
