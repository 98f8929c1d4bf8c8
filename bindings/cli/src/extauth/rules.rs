//! The options that say which tokens to accept.

use clap::Args;
use prebind::token::{Algorithm, Key, User, Verifier};

/// What a token must say, besides being signed by a key.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Tokens")]
pub(crate) struct Rules {
    /// Accept only tokens for this audience (aud)
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// Accept only tokens of this issuer (iss)
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// Accept only tokens signed by these algorithms, for example RS256,ES256 [default: those of the keys]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    algorithms: Vec<Algorithm>,
    /// Take the user from this claim: a JID, or with --domain the user's name at the site
    #[arg(long, value_name = "NAME", default_value = "jid")]
    claim: String,
    /// The domain of the users whose names are in the claim
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

impl Rules {
    /// The keys whose algorithm is allowed.
    pub(crate) fn usable(&self, keys: impl Iterator<Item = Key>) -> Vec<Key> {
        keys.filter(|key| self.algorithms.is_empty() || self.algorithms.contains(&key.algorithm())).collect()
    }

    /// # Errors
    /// `Config` if there is no key, or there are too many.
    pub(crate) fn verifier(&self, keys: Vec<Key>) -> prebind::Result<Verifier> {
        let mut verifier = Verifier::new(keys)?.with_user(self.user());
        if let Some(audience) = &self.audience {
            verifier = verifier.with_audience(audience);
        }
        if let Some(issuer) = &self.issuer {
            verifier = verifier.with_issuer(issuer);
        }
        Ok(verifier)
    }

    fn user(&self) -> User {
        let claim = self.claim.clone();
        match &self.domain {
            Some(domain) => User::Name { claim, domain: domain.clone() },
            None => User::Jid { claim },
        }
    }
}
