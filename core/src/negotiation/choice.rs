//! Chooses the mechanism of a login, and decides which one may begin before the server has offered any.

use super::learned::{Learned, is_scram};
use super::no_mechanism::{Choice, NoMechanism, Withheld};
use crate::account::Account;
use crate::config::{Config, PasswordMechanism};
use crate::error::Result;
use crate::sasl::{Beginning, Candidate};
use crate::wire::sasl2::{Inline, Offer, TOKEN_MECHANISM, TokenUse};
use crate::wire::stanza::Features;

/// A way to log in: a mechanism, and the kind of SASL to use it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) mechanism: String,
    pub(crate) begins: Beginning,
    /// What is sent with the login in SASL2 (XEP-0388). `None` is the SASL of RFC 6120.
    pub(crate) sasl2: Option<Inline>,
}

impl Way {
    /// Chooses the strongest mechanism that both the server and the configuration accept. SASL2 is used if it
    /// is offered and `uses` allows it.
    pub(crate) fn choose(
        config: &Config,
        account: &Account,
        features: &Features,
        uses: Uses,
        expects_scram: bool,
    ) -> Result<Self> {
        let choices = choices(config, account, uses == Uses::Sasl2AndToken);
        let none = NoMechanism { choices: &choices, config, account, features };
        let (sasl2, passed_over) = match (uses, &features.sasl2) {
            (Uses::Sasl, offer) => (None, offer.as_ref().filter(|_| account.uses_sasl2(config))),
            (Uses::Sasl2 | Uses::Sasl2AndToken, offer) => (offer.as_ref(), None),
        };
        let has_scram = |offer: &Offer| offer.mechanisms.iter().any(|name| is_scram(name));
        let expects_scram = expects_scram || passed_over.is_some_and(has_scram);
        match strongest(&choices, config, account, &features.mechanisms, sasl2) {
            Some(way) if expects_scram && way.steps_down(&choices) => Err(none.step_down()),
            Some(way) => Ok(way),
            None => Err(none.error()),
        }
    }

    /// Whether this is a login without SASL2 whose first message the server answers with success or failure.
    pub(crate) fn has_one_message(&self) -> bool {
        // OAUTHBEARER explains a failure by a challenge (RFC 7628 §3.2.2).
        let is_challenged = self.begins == Beginning::Challenged || self.mechanism == "OAUTHBEARER";
        self.sasl2.is_none() && !is_challenged
    }

    /// Whether the server would get the password itself, although SCRAM would hide it.
    fn steps_down(&self, choices: &[Choice<'_>]) -> bool {
        let has_scram = choices.iter().any(|choice| is_scram(choice.mechanism.name));
        has_scram && self.mechanism != TOKEN_MECHANISM && !is_scram(&self.mechanism)
    }
}

/// What a login may use besides the SASL of RFC 6120.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uses {
    /// Nothing else.
    Sasl,
    /// SASL2, without a token.
    Sasl2,
    /// SASL2, and the account's token in it.
    Sasl2AndToken,
}

/// How the login may begin before the server has offered anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Early {
    /// It may begin with this mechanism.
    By(Way),
    /// It must wait for the offer: its only message holds a password or token.
    Unsafe,
}

/// How the login may begin before the server's offer. It uses the mechanism that the server's last known
/// offer leads to. Returns `None` if there is no such mechanism, or if the server sends its first message.
pub(crate) fn early(
    config: &Config,
    account: &Account,
    learned: &Learned,
    uses_sasl2: bool,
) -> Option<Early> {
    let choices = choices(config, account, uses_sasl2);
    let sasl2 = learned.sasl2().filter(|_| uses_sasl2);
    let way = strongest(&choices, config, account, learned.mechanisms(), sasl2)?;
    // A forged profile may claim that the server takes only PLAIN, to get at the password.
    let is_doubtful = way.steps_down(&choices) && !learned.is_own();
    match way.begins {
        Beginning::ServerFirst => None,
        Beginning::Secret if is_doubtful || !config.may_send_secrets_early() => Some(Early::Unsafe),
        Beginning::Secret | Beginning::Challenged | Beginning::Harmless => Some(Early::By(way)),
    }
}

/// The first choice that is allowed and offered.
fn strongest(
    choices: &[Choice<'_>],
    config: &Config,
    account: &Account,
    offered: &[String],
    sasl2: Option<&Offer>,
) -> Option<Way> {
    let sasl2 = sasl2.filter(|offer| account.uses_sasl2(config) && offer.has_more());
    let allowed = choices.iter().filter(|choice| choice.withheld.is_none()).map(|choice| choice.mechanism);
    allowed.into_iter().find_map(|mechanism| {
        let is_among = |names: &[String]| names.iter().any(|name| name == mechanism.name);
        let is_token = mechanism.name == TOKEN_MECHANISM;
        let inline = sasl2
            .filter(|offer| is_among(if is_token { &offer.fast } else { &offer.mechanisms }))
            .map(|offer| Inline {
                bind: offer.bind && account.resource(config).is_none(),
                token: match is_token {
                    true => TokenUse::Presented,
                    false if config.fast_tokens && offer.has_tokens() && config.may_send_secrets_early() => {
                        TokenUse::Requested
                    }
                    false => TokenUse::None,
                },
            });
        let is_offered = inline.is_some() || (!is_token && is_among(offered));
        is_offered.then(|| Way {
            mechanism: mechanism.name.to_owned(),
            begins: mechanism.begins,
            sasl2: inline,
        })
    })
}

/// The mechanisms that fit the credentials, strongest first, and whether the configuration allows them.
fn choices<'a>(config: &Config, account: &'a Account, may_use_token: bool) -> Vec<Choice<'a>> {
    let token = account.fast_token().filter(|_| may_use_token).map(|_| Choice {
        mechanism: Candidate::TOKEN,
        withheld: (!config.may_send_secrets_early()).then_some(Withheld::Cleartext),
    });
    let others = account.credentials().candidates().into_iter();
    let others = others.map(|mechanism| Choice { mechanism, withheld: withheld(config, &mechanism) });
    token.into_iter().chain(others).collect()
}

/// Why the configuration does not allow a mechanism, if it does not.
fn withheld(config: &Config, mechanism: &Candidate<'_>) -> Option<Withheld> {
    let shows_secret = matches!(mechanism.begins, Beginning::Secret | Beginning::ServerFirst);
    match mechanism.strength {
        Some(strength) if strength < config.weakest_mechanism => Some(Withheld::TooWeak),
        Some(PasswordMechanism::DigestMd5) if !config.digest_md5 => Some(Withheld::Digest),
        _ if shows_secret && !config.may_send_secrets() => Some(Withheld::Cleartext),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::{Credentials, FastToken, ScramHash};
    use crate::wire::server::Server;

    #[test]
    fn sasl2_is_used_only_if_it_does_more() {
        let config =
            Config { fast_tokens: true, ..Config::new("https://chat.example.org/http-bind").unwrap() };
        let account = Account::new("alice@example.org", Credentials::password("secret")).unwrap();
        let names = || vec!["SCRAM-SHA-1".to_owned()];
        for (bind, fast, is_taken) in [
            (false, vec![], false),
            (false, vec!["HT-SHA-256-UNIQ".to_owned()], false),
            (true, vec![], true),
            (false, vec![TOKEN_MECHANISM.to_owned()], true),
        ] {
            let sasl2 = Some(Offer { mechanisms: names(), bind, fast });
            let features = Features { mechanisms: names(), sasl2, ..Features::default() };
            let way = Way::choose(&config, &account, &features, Uses::Sasl2AndToken, false).unwrap();
            assert_eq!(way.sasl2.is_some(), is_taken, "{features:?}");
        }
    }

    #[test]
    fn a_token_is_asked_for_where_it_may_be_sent_later() {
        const HTTPS: &str = "https://chat.example.org/http-bind";
        const HTTP: &str = "http://chat.example.org/http-bind";
        let token = "{\"mechanism\":\"HT-SHA-256-NONE\",\"token\":\"t\",\"user_agent\":\"d4565fa7-4d72-4749-b3d3-740edbf87770\"}";
        let token = FastToken::from_text(token).unwrap();
        let credentials = Credentials::password("secret").fast_token(token);
        let account = Account::new("alice@example.org", credentials).unwrap();
        for (url, fast_tokens, offers_tokens, token) in [
            (HTTPS, true, true, TokenUse::Requested),
            (HTTPS, true, false, TokenUse::None),
            (HTTPS, false, true, TokenUse::None),
            (HTTP, true, true, TokenUse::None),
        ] {
            let config = Config { fast_tokens, ..Config::new(url).unwrap() };
            let fast = Vec::from_iter(offers_tokens.then(|| TOKEN_MECHANISM.to_owned()));
            let sasl2 = Offer { mechanisms: vec!["SCRAM-SHA-1".to_owned()], bind: true, fast };
            let features = Features { sasl2: Some(sasl2), ..Features::default() };
            let way = Way::choose(&config, &account, &features, Uses::Sasl2, false).unwrap();
            let used = way.sasl2.map(|inline| inline.token);
            assert_eq!(used, Some(token), "{url} {fast_tokens} {offers_tokens}");
        }
    }

    #[test]
    fn stored_keys_are_as_strong_as_their_hash() {
        for (weakest_mechanism, is_taken) in [
            (PasswordMechanism::Plain, true),
            (PasswordMechanism::ScramSha256, true),
            (PasswordMechanism::ScramSha512, false),
        ] {
            let url = "https://chat.example.org/http-bind";
            let config = Config { weakest_mechanism, ..Config::new(url).unwrap() };
            let keys = Credentials::scram_salted_password(ScramHash::Sha256, "salt", 4096, vec![1; 32]);
            let account = Account::new("alice@example.org", keys).unwrap();
            let features = Features { mechanisms: vec!["SCRAM-SHA-256".to_owned()], ..Features::default() };
            let way = Way::choose(&config, &account, &features, Uses::Sasl, false);
            assert_eq!(way.is_ok(), is_taken, "{weakest_mechanism:?}");
        }
    }

    #[test]
    fn a_password_is_sent_early_only_if_this_process_has_seen_an_offer_without_scram() {
        let config = Config::new("https://chat.example.org/http-bind").unwrap();
        let account = Account::new("alice@example.org", Credentials::password("secret")).unwrap();
        let seen = Learned::new(Server::Prosody, &["PLAIN".to_owned()]);
        let claimed: Learned = serde_json::from_value(serde_json::to_value(&seen).unwrap()).unwrap();
        assert!(matches!(early(&config, &account, &seen, false), Some(Early::By(_))));
        assert_eq!(early(&config, &account, &claimed, false), Some(Early::Unsafe));
    }
}
