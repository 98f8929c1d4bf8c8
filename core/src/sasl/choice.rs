//! Which mechanism a login is made by, and which can be begun before the server has offered any.

use crate::account::{Account, Proof};
use crate::config::{Config, Floor};
use crate::error::{Error, ErrorKind, Result, Retry, Stage};
use crate::fast;
use crate::learned::Learned;
use crate::sasl2::{Inline, Offer, TokenUse};
use crate::stanza::Features;

/// A mechanism by its name, and the kind of SASL it is used in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) mechanism: String,
    /// What goes with it in SASL2 (XEP-0388); `None` is the SASL of RFC 6120.
    pub(crate) sasl2: Option<Inline>,
}

impl Way {
    /// The strongest mechanism that both the server and the configuration accept, in SASL2 where that
    /// is offered and wanted.
    pub(crate) fn choose(
        config: &Config,
        account: &Account,
        features: &Features,
        may_use_token: bool,
    ) -> Result<Self> {
        let choices = choices(config, account, may_use_token);
        match strongest(&choices, config, account, &features.mechanisms, features.sasl2.as_ref()) {
            Some((way, _)) => Ok(way),
            None => Err(no_mechanism(&choices, config, features)),
        }
    }
}

/// How the login may begin before the server has offered anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Early {
    /// By this mechanism, which has one message.
    Alone(Way),
    /// The same, and the message is a password or token.
    Secret(Way),
    /// By this mechanism, whose first message the server answers with a challenge.
    Challenged(Way),
    /// Only once it is offered: by one message, which holds a password or token.
    Unsafe,
}

/// How the login may begin with a server that made an offer before: by the mechanism that the same
/// offer would lead to now. `None` if there is none, or its first message is the server's.
pub(crate) fn early(config: &Config, account: &Account, learned: &Learned) -> Option<Early> {
    let choices = choices(config, account, true);
    let (way, sort) = strongest(&choices, config, account, learned.mechanisms(), learned.sasl2())?;
    Some(match sort {
        Sort::Challenged => Early::Challenged(way),
        Sort::Harmless => Early::Alone(way),
        Sort::Secret if config.may_send_secrets_early() => Early::Secret(way),
        Sort::Secret => Early::Unsafe,
        Sort::ServerFirst => return None,
    })
}

/// The first of the choices that is allowed and offered.
fn strongest(
    choices: &[Choice<'_>],
    config: &Config,
    account: &Account,
    offered: &[String],
    sasl2: Option<&Offer>,
) -> Option<(Way, Sort)> {
    let sasl2 = sasl2.filter(|_| account.uses_sasl2(config));
    choices.iter().filter(|choice| choice.is_allowed).find_map(|choice| {
        let is_among = |names: &[String]| names.iter().any(|name| name == choice.name);
        let is_token = choice.name == fast::MECHANISM;
        let inline = sasl2
            .filter(|offer| is_among(if is_token { &offer.fast } else { &offer.mechanisms }))
            .map(|offer| Inline {
                bind: offer.bind && account.resource(config).is_none(),
                token: match is_token {
                    true => TokenUse::Presented,
                    false if config.fast && offer.has_tokens() && config.may_send_secrets_early() => {
                        TokenUse::Requested
                    }
                    false => TokenUse::None,
                },
            });
        let is_offered = inline.is_some() || (!is_token && is_among(offered));
        is_offered.then(|| (Way { mechanism: choice.name.to_owned(), sasl2: inline }, choice.sort))
    })
}

/// A mechanism the credentials can be used with.
struct Choice<'a> {
    name: &'a str,
    is_allowed: bool,
    sort: Sort,
}

/// What the first message of a mechanism gives away.
#[derive(Clone, Copy)]
enum Sort {
    /// The password or token itself, or what can be sent again by whoever sees it.
    Secret,
    /// Nothing; the server answers with a challenge.
    Challenged,
    /// Nothing secret; there is no other message.
    Harmless,
    /// There is none.
    ServerFirst,
}

/// What the credentials can be used with, strongest first, and whether the configuration lets it.
fn choices<'a>(config: &Config, account: &'a Account, may_use_token: bool) -> Vec<Choice<'a>> {
    let clear = config.may_send_secrets();
    let choice = |name, is_allowed, sort| Choice { name, is_allowed, sort };
    let token = account.fast_token().filter(|_| may_use_token);
    let mut choices =
        Vec::from_iter(token.map(|_| choice(fast::MECHANISM, config.may_send_secrets_early(), Sort::Secret)));
    choices.extend(match &account.credentials().proof {
        Proof::Password(_) => Floor::ALL
            .into_iter()
            .rev()
            .map(|strength| {
                let (is_sendable, sort) = match strength {
                    Floor::Plain => (clear, Sort::Secret),
                    Floor::DigestMd5 => (clear && config.digest_md5, Sort::ServerFirst),
                    Floor::ScramSha1 | Floor::ScramSha256 | Floor::ScramSha512 => (true, Sort::Challenged),
                };
                choice(strength.name(), strength >= config.floor && is_sendable, sort)
            })
            .collect(),
        Proof::Scram(secret) => {
            let name = secret.hash.name();
            let strong = Floor::ALL.iter().any(|floor| floor.name() == name && *floor >= config.floor);
            vec![choice(name, strong, Sort::Challenged)]
        }
        Proof::Plain(_) => vec![choice("PLAIN", clear && config.floor == Floor::Plain, Sort::Secret)],
        Proof::OAuthBearer(_) => vec![choice("OAUTHBEARER", clear, Sort::Secret)],
        Proof::XOAuth2(_) => vec![choice("X-OAUTH2", clear, Sort::Secret)],
        Proof::Anonymous => vec![choice("ANONYMOUS", true, Sort::Harmless)],
        Proof::External => vec![choice("EXTERNAL", true, Sort::Harmless)],
        Proof::Raw { mechanism, .. } => vec![choice(mechanism, clear, Sort::Secret)],
        Proof::Fast => Vec::new(),
    });
    choices
}

fn no_mechanism(choices: &[Choice<'_>], config: &Config, features: &Features) -> Error {
    let allowed: Vec<String> =
        choices.iter().filter(|choice| choice.is_allowed).map(|choice| choice.name.to_owned()).collect();
    let offered = features.mechanisms.clone();
    let withheld =
        choices.iter().any(|choice| !choice.is_allowed && offered.iter().any(|name| name == choice.name));
    let hint = if withheld && !config.may_send_secrets() {
        "over plain http a password or token is only sent to a loopback address: use an https:// URL, or set \
         allow_cleartext if the network between is trusted"
    } else if withheld {
        "what the server offers is weaker than the configuration allows: enable a stronger mechanism on the server, \
         or lower the floor"
    } else if offered.is_empty() && (features.starttls || !config.url.is_https()) {
        "the server hides its mechanisms on a connection it takes for insecure: use its https:// URL, or tell it that \
         this http is secure (Prosody: consider_bosh_secure = true, or send X-Forwarded-Proto: https from a trusted \
         proxy)"
    } else {
        "enable one of the allowed mechanisms for this domain on the server, or use credentials that fit"
    };
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let message = format!(
        "no login mechanism in common: the server offers {}, allowed here are {}; {hint}",
        list(&offered),
        list(&allowed)
    );
    let kind = ErrorKind::Mechanism { offered, allowed };
    Error::new(kind, Stage::Features, Retry::AfterConfigChange, message)
}
