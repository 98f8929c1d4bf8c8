//! Explains why no login mechanism can be used: what the server held back, or what the configuration does not
//! allow.

use super::learned::is_scram;
use crate::account::Account;
use crate::config::{Config, PasswordMechanism};
use crate::error::{Error, ErrorKind, Retry, Stage, address, is_mechanism, shortened};
use crate::sasl::Candidate;
use crate::wire::sasl2::Offer;
use crate::wire::stanza::Features;

/// The longest list of names in a message, in characters.
const LONGEST: usize = 90;

/// The most offered mechanisms that an error names, which is more than any server offers.
const MOST_NAMED: usize = 32;

/// A mechanism that fits the credentials.
pub(super) struct Choice<'a> {
    pub(super) mechanism: Candidate<'a>,
    /// Why the configuration does not allow it.
    pub(super) withheld: Option<Withheld>,
}

/// Why the configuration does not allow a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withheld {
    /// It would send a secret over an unencrypted connection.
    Cleartext,
    /// It is DIGEST-MD5, which is off by default.
    Digest,
    /// It is weaker than the weakest that is allowed.
    TooWeak,
}

/// An offer that does not fit these credentials.
pub(super) struct NoMechanism<'a> {
    pub(super) choices: &'a [Choice<'a>],
    pub(super) config: &'a Config,
    pub(super) account: &'a Account,
    pub(super) features: &'a Features,
}

impl NoMechanism<'_> {
    pub(super) fn error(&self) -> Error {
        let (offered, allowed) = (self.offered(), self.allowed());
        let remedy = self.remedy(&offered);
        let message = if offered.is_empty() {
            format!("the server offers no login mechanism: {remedy}")
        } else {
            let (offered, allowed) = (list(&offered), list(&allowed));
            format!("no login mechanism in common (offered: {offered}; allowed: {allowed}): {remedy}")
        };
        self.of_offer(&offered, allowed, Retry::AfterConfigChange, message)
    }

    /// The error if the server offered SCRAM before and does not now: an attacker may have removed it from
    /// the offer to get at the password.
    pub(super) fn step_down(&self) -> Error {
        let offered = self.offered();
        let message = format!(
            "the server offers {} but no SCRAM any more, so the password was not sent: someone may be intercepting \
             the connection; if the server was changed, prebind believes it after `relearn_after`",
            list(&offered)
        );
        let allowed = self.allowed().into_iter().filter(|name| is_scram(name)).collect();
        self.of_offer(&offered, allowed, Retry::Later, message)
    }

    fn of_offer(&self, offered: &[String], allowed: Vec<String>, retry: Retry, message: String) -> Error {
        let named = self.features.mechanisms.iter().take(MOST_NAMED).cloned().collect();
        let kind = ErrorKind::Mechanism { offered: named, allowed };
        let error = Error::new(kind, Stage::Features, retry, message);
        let unknown = listed(offered).filter(|name| !is_mechanism(name));
        unknown.fold(error, Error::quoting)
    }

    fn allowed(&self) -> Vec<String> {
        let allowed = self.choices.iter().filter(|choice| choice.withheld.is_none());
        allowed.map(|choice| choice.mechanism.name.to_owned()).collect()
    }

    /// The mechanisms that the server offers, by SASL2 only if there are no others.
    fn offered(&self) -> Vec<String> {
        let sasl2 = self.features.sasl2.as_ref().filter(|_| self.features.mechanisms.is_empty());
        let sasl2 = sasl2.into_iter().flat_map(|offer| &offer.mechanisms);
        self.features.mechanisms.iter().chain(sasl2).cloned().collect()
    }

    fn remedy(&self, offered: &[String]) -> String {
        let is_offered = |choice: &&Choice<'_>| offered.iter().any(|name| name == choice.mechanism.name);
        let best = self.choices.iter().find(is_offered);
        match best.map(|choice| (choice, choice.withheld)) {
            Some((choice, Some(withheld))) => self.withheld_here(choice.mechanism.name, withheld),
            // A mechanism that is allowed and offered, but not usable, is offered by SASL2 only.
            Some((_, None)) => self.by_sasl2_alone(),
            None if offered.is_empty() => self.nothing_offered(),
            None => self.of_another_sort(offered),
        }
    }

    /// The remedy if the configuration does not allow this mechanism.
    fn withheld_here(&self, name: &str, withheld: Withheld) -> String {
        let weakest = self.config.weakest_mechanism.as_str();
        let is_clear = self.config.may_send_secrets();
        match withheld {
            Withheld::Cleartext => {
                "over plain http a password or token is sent to this machine only: use an https \
                                    `url`, or set `allow_cleartext` if the network is trusted"
                    .to_owned()
            }
            Withheld::Digest if is_clear => {
                let better = if self.config.weakest_mechanism == PasswordMechanism::Plain {
                    "SCRAM or PLAIN"
                } else {
                    "SCRAM"
                };
                format!(
                    "DIGEST-MD5 is obsolete and off by default: enable {better} on the server, or set `digest_md5`"
                )
            }
            Withheld::Digest => {
                "DIGEST-MD5 is obsolete and off by default: enable SCRAM on the server, or use an https \
                                 `url` and set `digest_md5`"
                    .to_owned()
            }
            Withheld::TooWeak if self.choices.len() == 1 => {
                format!(
                    "{name}, which these credentials need, is weaker than {weakest}: set `weakest_mechanism` to {name}"
                )
            }
            Withheld::TooWeak => {
                let is_digest = name == PasswordMechanism::DigestMd5.as_str();
                let digest = if is_digest { "`digest_md5` and " } else { "" };
                format!(
                    "{name} is weaker than {weakest}: enable {weakest} on the server, or set {digest}`weakest_mechanism` \
                     to {name}"
                )
            }
        }
    }

    fn by_sasl2_alone(&self) -> String {
        let mut with_fast = self.config.clone();
        with_fast.fast_tokens = true;
        let has_more = self.features.sasl2.as_ref().is_some_and(Offer::has_more);
        if has_more && self.account.uses_sasl2(&with_fast) {
            "the server offers its mechanisms by SASL2 only: set `fast_tokens`, or enable the SASL of RFC 6120 on the server"
                .to_owned()
        } else {
            "the server offers its mechanisms by SASL2 only, and without what prebind could use of it here: enable the \
             SASL of RFC 6120 on the server"
                .to_owned()
        }
    }

    fn nothing_offered(&self) -> String {
        let domain = shortened(self.account.jid().domain(), LONGEST);
        let features = self.features;
        if features.has_iq_auth {
            return "the server has only the obsolete login of XEP-0078, which prebind does not speak: enable SASL on it"
                .to_owned();
        }
        let is_https = self.config.url.is_https();
        if features.starttls && !features.has_none {
            let how = if is_https {
                "have the proxy in front send X-Forwarded-Proto: https, or tell the server"
            } else {
                "use its https `url`, or tell the server"
            };
            return format!(
                "the server hides its mechanisms, as it regards the connection as insecure: {how} that this http is \
                 secure (Prosody: consider_bosh_secure = true)"
            );
        }
        if is_https || features.has_none {
            return format!(
                "the server has no mechanism enabled for {domain}: enable SCRAM or PLAIN there, and check that users \
                 log in at this domain, not at a component"
            );
        }
        format!(
            "either none is enabled for {domain}, or the server regards this http as insecure and hides them: use its \
             https `url`, or tell it that this http is secure (Prosody: consider_bosh_secure = true)"
        )
    }

    /// The remedy if no offered mechanism fits these credentials.
    fn of_another_sort(&self, offered: &[String]) -> String {
        let domain = shortened(self.account.jid().domain(), LONGEST);
        let kind = self.account.credentials().kind();
        if kind.option == "password" && offered.iter().all(|name| name == "ANONYMOUS") {
            return format!(
                "{domain} takes guests only: use the domain of the accounts in `jid`, or `anonymous`"
            );
        }
        if kind.is_password && offered.iter().all(|name| name.ends_with("-PLUS")) {
            return format!(
                "-PLUS mechanisms need channel binding, which does not work over BOSH: enable SCRAM without -PLUS for \
                 {domain} on the server"
            );
        }
        let others = if kind.is_password { credentials_for(offered) } else { String::new() };
        let mechanism = kind.candidate.map_or("", |mechanism| mechanism.name);
        kind.if_not_offered.replace("{domain}", &domain).replace("{mechanism}", mechanism) + &others
    }
}

/// Names the credentials that fit the offer instead of a password.
fn credentials_for(offered: &[String]) -> String {
    let known = [
        ("OAUTHBEARER", "`oauthbearer`"),
        ("X-OAUTH2", "`x_oauth2`"),
        ("EXTERNAL", "`external`"),
        ("ANONYMOUS", "`anonymous`"),
    ];
    let usable = known.iter().filter(|(name, _)| offered.iter().any(|offered| offered == name));
    let usable: Vec<&str> = usable.map(|(_, argument)| *argument).collect();
    if usable.is_empty() {
        return "; prebind supports none of the offered mechanisms".to_owned();
    }
    format!(", or give {} instead of a password", usable.join(" or "))
}

fn list(names: &[String]) -> String {
    let listed: Vec<String> = listed(names).collect();
    match listed.len() {
        0 => "none".to_owned(),
        length if length < names.len() => format!("{}, …", listed.join(", ")),
        _ => listed.join(", "),
    }
}

/// As many names as fit into a message, at least one.
fn listed(names: &[String]) -> impl Iterator<Item = String> {
    let shown = names.iter().map(|name| shortened(&address(name), LONGEST / 2));
    shown.scan(0, |length, name| {
        *length += name.chars().count() + ", ".len();
        (*length <= LONGEST).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::choice::{Uses, Way};
    use crate::sasl::Credentials;

    const HTTP: &str = "http://chat.example.org/http-bind";
    const HTTPS: &str = "https://chat.example.org/http-bind";
    const LOOPBACK: &str = "http://localhost/http-bind";

    fn offer(mechanisms: &[&str]) -> Features {
        let mechanisms = mechanisms.iter().map(|name| (*name).to_owned()).collect();
        Features { mechanisms, ..Features::default() }
    }

    fn told(config: &Config, credentials: Credentials, features: &Features) -> String {
        let account = Account::new("alice@example.org", credentials).unwrap();
        let error = Way::choose(config, &account, features, Uses::Sasl2AndToken, false).unwrap_err();
        assert_eq!(error.retry(), Retry::AfterConfigChange);
        error.to_string()
    }

    fn password(url: &str, weakest_mechanism: PasswordMechanism, features: &Features) -> String {
        let config = Config { weakest_mechanism, ..Config::new(url).unwrap() };
        told(&config, Credentials::password("secret"), features)
    }

    #[test]
    fn the_message_says_what_was_held_back() {
        const TELL: &str = "consider_bosh_secure = true";
        let (plain, scram) = (PasswordMechanism::Plain, PasswordMechanism::ScramSha256);
        let starttls = || Features { starttls: true, ..offer(&[]) };
        let secure = || Features { has_none: true, ..offer(&[]) };
        let iq_auth = || Features { has_iq_auth: true, ..offer(&[]) };
        for (url, weakest_mechanism, features, hint) in [
            (HTTP, plain, offer(&["PLAIN"]), "set `allow_cleartext`"),
            (HTTP, plain, offer(&["GSSAPI"]), "enable SCRAM or PLAIN for example.org"),
            (HTTP, plain, offer(&["DIGEST-MD5"]), "use an https `url` and set `digest_md5`"),
            (HTTPS, plain, offer(&["DIGEST-MD5"]), "or set `digest_md5`"),
            (
                LOOPBACK,
                plain,
                offer(&["DIGEST-MD5"]),
                "enable SCRAM or PLAIN on the server, or set `digest_md5`",
            ),
            (HTTPS, scram, offer(&["PLAIN"]), "set `weakest_mechanism` to PLAIN"),
            (HTTPS, scram, offer(&["PLAIN", "SCRAM-SHA-1"]), "set `weakest_mechanism` to SCRAM-SHA-1"),
            (HTTPS, scram, offer(&["DIGEST-MD5"]), "set `digest_md5` and `weakest_mechanism` to DIGEST-MD5"),
            (HTTPS, plain, starttls(), "X-Forwarded-Proto: https"),
            (HTTP, plain, starttls(), "use its https `url`, or tell"),
            (LOOPBACK, plain, starttls(), TELL),
            (HTTP, plain, offer(&[]), "either none is enabled for example.org"),
            (LOOPBACK, plain, offer(&[]), TELL),
            (HTTPS, plain, offer(&[]), "no mechanism enabled for example.org"),
            (HTTP, plain, Features { starttls: true, ..secure() }, "no mechanism enabled for example.org"),
            (HTTP, plain, secure(), "no mechanism enabled for example.org"),
            (LOOPBACK, plain, secure(), "no mechanism enabled for example.org"),
            (HTTPS, plain, iq_auth(), "XEP-0078"),
            (HTTP, plain, iq_auth(), "XEP-0078"),
            (HTTPS, plain, offer(&["GSSAPI"]), "enable SCRAM or PLAIN for example.org"),
            (HTTPS, plain, offer(&["ANONYMOUS"]), "example.org takes guests only"),
            (HTTPS, plain, offer(&["GSSAPI", "LOGIN"]), "prebind supports none of the offered mechanisms"),
            (HTTPS, plain, offer(&["X-OAUTH2", "EXTERNAL"]), "or give `x_oauth2` or `external` instead"),
            (HTTPS, plain, offer(&["SCRAM-SHA-1-PLUS"]), "enable SCRAM without -PLUS"),
            (
                HTTPS,
                PasswordMechanism::DigestMd5,
                offer(&["DIGEST-MD5"]),
                "enable SCRAM on the server, or set `digest_md5`",
            ),
        ] {
            let told = password(url, weakest_mechanism, &features);
            assert!(told.contains(hint), "{url}, {features:?}: {told}");
            let head = match features.mechanisms.join(", ").as_str() {
                "" => "the server offers no login mechanism: ".to_owned(),
                list => format!("no login mechanism in common (offered: {list}; allowed: SCRAM-"),
            };
            assert!(told.starts_with(&head), "{told}");
            assert!(told.contains("hides") == (told.contains(TELL)), "{told}");
        }
    }

    #[test]
    fn sasl2_alone_needs_an_option_or_cannot_be_used() {
        let sasl2 = Offer { mechanisms: vec!["PLAIN".to_owned()], bind: true, ..Offer::default() };
        let bare = Features { sasl2: Some(Offer { bind: false, ..sasl2.clone() }), ..Features::default() };
        let features = Features { sasl2: Some(sasl2), ..Features::default() };
        let config = Config::new(HTTPS).unwrap();
        let with_fast = told(&config, Credentials::password("secret"), &features);
        assert!(
            with_fast.contains("(offered: PLAIN;") && with_fast.contains("set `fast_tokens`"),
            "{with_fast}"
        );
        let acting = told(&config, Credentials::password("secret").authzid("bob"), &features);
        let useless = told(&config, Credentials::password("secret"), &bare);
        for told in [acting, useless] {
            assert!(
                told.contains("enable the SASL of RFC 6120") && !told.contains("`fast_tokens`"),
                "{told}"
            );
        }
    }

    #[test]
    fn the_message_names_what_credentials_need() {
        let keys = Credentials::scram_salted_password(crate::ScramHash::Sha256, "salt", 4096, vec![1; 32]);
        for (credentials, hint) in [
            (Credentials::plain("secret"), "`token` is sent by PLAIN"),
            (keys, "the stored keys are for SCRAM-SHA-256"),
            (Credentials::oauthbearer("secret"), "enable OAUTHBEARER"),
            (Credentials::x_oauth2("secret"), "enable X-OAUTH2"),
            (Credentials::anonymous(), "enable anonymous logins for example.org"),
            (Credentials::external(), "`client_certificate`"),
            (Credentials::raw("X-OWN", "secret"), "enable X-OWN"),
        ] {
            let told = told(&Config::new(HTTPS).unwrap(), credentials, &offer(&["GSSAPI"]));
            assert!(told.contains(hint), "{told}");
        }
    }

    #[test]
    fn credentials_for_one_mechanism_need_a_lower_floor() {
        let config =
            Config { weakest_mechanism: PasswordMechanism::ScramSha1, ..Config::new(HTTPS).unwrap() };
        let told = told(&config, Credentials::plain("secret"), &offer(&["PLAIN", "SCRAM-SHA-1"]));
        assert!(told.ends_with("is weaker than SCRAM-SHA-1: set `weakest_mechanism` to PLAIN"), "{told}");
    }

    #[test]
    fn a_long_offer_is_not_listed_in_full() {
        let names: Vec<String> = (0..90).map(|n| format!("X-MECHANISM-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let told = password(HTTPS, PasswordMechanism::Plain, &offer(&names));
        assert!(told.chars().count() < 400, "{told}");
    }

    #[test]
    fn a_long_offer_is_cut() {
        let account = Account::new("alice@example.org", Credentials::password("secret")).unwrap();
        let config = Config::new(HTTPS).unwrap();
        for (count, is_cut) in [(3, false), (300, true)] {
            let names: Vec<String> = (0..count).map(|number| format!("X-{number}")).collect();
            let features = Features { mechanisms: names, ..Features::default() };
            let told = Way::choose(&config, &account, &features, Uses::Sasl, false).unwrap_err().to_string();
            assert!(told.contains("(offered: X-0, X-1, X-2"), "{told}");
            assert_eq!(told.contains(", …; allowed: "), is_cut, "{told}");
        }
    }
}
