//! The doctor: what a site's operator is told of its chat, check by check. Order, numbers and wording are the same in
//! every language. A binding goes through [`Check::ALL`], tries each check whose [`unmet`] is `None`, and prints what
//! [`found`] makes of its outcome. If any is an [`Error`](Grade::Error), its exit code is 1, else 0.

#[cfg(feature = "client")]
mod tokens;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use url::{Host, Url};

use super::language::Language;
use crate::error::{address, parsed};
use crate::text::{named, shown};

#[cfg(feature = "client")]
pub use tokens::{Outcome, body_limit, next_login};

named! {
    /// What the doctor looks at, in this order.
    Check {
        /// Which software this is, and where its settings come from.
        Site = "site",
        /// The user of the site.
        User = "user",
        /// The user's JID and what proves it.
        Account = "account",
        /// Whether two users are one in the chat.
        Users = "users",
        /// What a page needs.
        Page = "page",
        /// The BOSH endpoint as the browser reaches it.
        BrowserUrl = "browser_url",
        /// Whether a chat server answers there.
        Reached = "reached",
        /// Whether the sessions of a user are counted.
        RateLimit = "rate_limit",
        /// The client and its settings.
        Client = "client",
        /// A real login.
        Login = "login",
        /// The end of its session.
        End = "end",
        /// Whether what was learned of the chat server is there for other processes.
        Cache = "cache",
        /// Whether another token logs in after the first one.
        NextLogin = "next_login",
        /// Whether a body that is too long for a program of ejabberd's is refused before it.
        BodyLimit = "body_limit",
    }
}

parsed!(Check, "check");

impl Check {
    /// Those without which it cannot be tried.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Account => &[Self::User],
            Self::Reached => &[Self::BrowserUrl],
            Self::Login => &[Self::Account, Self::Client],
            Self::End | Self::NextLogin => &[Self::Login],
            Self::Cache => &[Self::Client],
            Self::BodyLimit => &[Self::BrowserUrl, Self::Login],
            _ => &[],
        }
    }

    fn number(self) -> usize {
        self as usize + 1
    }

    fn line(self, text: &str) -> String {
        format!("{:>2} {:<12} {text}", self.number(), self.as_str())
    }
}

named! {
    /// How well a check went. Its name begins a line of the report, unless all is well.
    Grade {
        /// Nothing is to be done.
        Ok = "ok",
        /// It says nothing about the chat.
        NotTried = "not tried",
        /// It may be intentional.
        Warning = "warning",
        /// It keeps the chat from working.
        Error = "error",
    }
}

shown!(Grade);

/// The values in the text of an outcome, by their names.
type Words = BTreeMap<String, String>;

/// What to print of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How well the check went.
    pub grade: Grade,
    /// One line; a second and third for the details of an error.
    pub line: String,
}

/// The line of a check that cannot be tried, since one of `wrong` is needed for it. A binding puts it among `wrong`, too.
#[must_use]
pub fn unmet(check: Check, wrong: &[Check]) -> Option<String> {
    let need = check.needs().iter().find(|need| wrong.contains(need))?;
    let text = format!("{}: see {} {need}", Grade::NotTried, need.number());
    Some(check.line(&text))
}

/// What to print of the outcome of a check, which took so long. `words` are the values in its text.
///
/// `None` if there is no such outcome, or one of its words is missing.
///
/// ```
/// use std::time::Duration;
/// use prebind::binding::doctor::{Check, Grade, found};
///
/// let words = [("url".to_owned(), "https://chat.example.org/".to_owned())];
/// let finding = found(Check::Client, "made", words, Some(Duration::from_millis(2))).unwrap();
/// assert_eq!(finding.grade, Grade::Ok);
/// assert_eq!(finding.line, " 9 client       https://chat.example.org/, and the settings are good (2 ms)");
/// ```
#[must_use]
pub fn found(
    check: Check,
    outcome: &str,
    words: impl IntoIterator<Item = (String, String)>,
    took: Option<Duration>,
) -> Option<Finding> {
    found_in(Language::spoken(), check, outcome, words, took)
}

/// The same, in the words of this language.
#[must_use]
pub fn found_in(
    language: Language,
    check: Check,
    outcome: &str,
    words: impl IntoIterator<Item = (String, String)>,
    took: Option<Duration>,
) -> Option<Finding> {
    let words = words.into_iter().collect();
    let outcome = judged(check, outcome, &words);
    let of_check = OUTCOMES.iter().filter(|(of, _)| *of == check).flat_map(|(_, outcomes)| *outcomes);
    let (_, grade, template) = of_check.chain(FAILURES).copied().find(|(name, ..)| *name == outcome)?;
    let text = filled(language, template, &words)?;
    let (first, details) = text.split_once('\n').unwrap_or((&text, ""));
    let mut told = if grade == Grade::Ok { first.to_owned() } else { format!("{grade}: {first}") };
    if let Some(took) = took.filter(|_| grade != Grade::NotTried) {
        let _ = write!(told, " ({} ms)", took.as_millis());
    }
    let mut line = check.line(&told);
    for detail in details.lines() {
        line += "\n   ";
        line += detail.trim();
    }
    Some(Finding { grade, line })
}

/// The outcome, which for an address depends on the address.
fn judged<'a>(check: Check, outcome: &'a str, words: &Words) -> &'a str {
    let url = words.get("url").map_or("", String::as_str);
    match (check, outcome) {
        (Check::BrowserUrl, "given") => match web_url(url) {
            _ if url.is_empty() => "missing",
            _ if url.starts_with('/') && !url.starts_with("//") => "path",
            None => "no_address",
            Some(url) if is_loopback(&url) => "loopback",
            Some(url) if url.scheme() == "http" => "http",
            Some(_) => "fine",
        },
        (Check::Client, "made") => match web_url(url) {
            Some(url) if url.scheme() == "http" && !is_loopback(&url) => "http",
            _ => "fine",
        },
        _ => outcome,
    }
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    // Without these slashes it would be a path of the page's.
    let has_slashes = text.get(url.scheme().len()..)?.starts_with("://");
    (matches!(url.scheme(), "http" | "https") && has_slashes).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The address without user name, password and query.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// The text with the values of its words; `None` if one is missing.
fn filled(language: Language, template: &str, words: &Words) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        text += before;
        match words.get(name) {
            // Our own words, and class and calls of an error, one a line.
            Some(ours) if ["message", "complaint", "place"].contains(&name) => text += ours,
            Some(url) if name == "url" => text += &address(&without_secrets(url)),
            Some(word) => text += &address(word),
            None => text += own_word(language, name)?,
        }
        rest = after;
    }
    Some(text + rest)
}

/// What is said of an outcome: its name, how well the check went then, and the text. What stands in braces is given
/// with the outcome, or one of the language's [own words](own_word).
type Text = (&'static str, Grade, &'static str);

/// The outcomes that any check may have.
const FAILURES: &[Text] = &[
    // An error of the library's.
    ("failed", Grade::Error, "{message}\nkind={kind} stage={stage} condition={condition} retry={retry}"),
    // What the site's own code or settings give is unusable.
    ("wrong", Grade::Error, "{complaint}"),
    // The site's own code failed.
    ("broken", Grade::Error, "{place}"),
];

macro_rules! outcomes {
    ($($check:ident { $($outcome:literal => $grade:ident, $text:literal;)+ })+) => {
        &[$((Check::$check, &[$(($outcome, Grade::$grade, $text)),+])),+]
    };
}

/// The other outcomes of each check.
const OUTCOMES: &[(Check, &[Text])] = outcomes! {
    Site {
        "found" => Ok, "prebind {version}, {platform}, with the settings of {settings}";
        "bare" => Ok, "prebind {version}, {platform}";
        "command_line" => Warning,
            "the settings are those of {settings}, and pages have others: take theirs by `php -c` and \
             PHP_INI_SCAN_DIR, or call this in a page";
    }
    User {
        "found" => Ok, "{user} has the key {key}";
        "missing" => Error, "there is no user {user}: {user_name}";
        "given" => NotTried, "the JID is given";
    }
    Account {
        "found" => Ok, "{jid}, with {credentials}";
        "nobody" => Error, "nobody is signed in: give the JID of a user";
        "no_chat" => Error, "this user has no chat, since {user_jid} gives no JID";
        "sign_in" => Error, "only the session of a browser has the token of the identity provider: sign in at the site, and see its log";
    }
    Users {
        "apart" => Ok, "no two of {count} users share a chat account";
        "shared" => Warning, "{one} and {other} share {jid}: {own_accounts}";
        "unlisted" => NotTried, "there is no list of users: {list_users}";
    }
    Page {
        "ready" => Ok, "sessions are at {endpoint}, Converse.js is {script}";
        "own" => Ok, "sessions are at {endpoint}, and the pages load their client themselves";
        "unseen" => Warning, "there is no {script}: npm install converse.js, and {link_dist}";
        "script" => Ok, "Converse.js is {script}";
        "no_script" => Error, "there is no {script}: npm install converse.js";
        "not_named" => NotTried, "to see whether Converse.js is there, give its folder as {dist}";
    }
    BrowserUrl {
        "missing" => Error, "it is missing: set {browser_url}";
        "no_address" => Error, "{url} is neither an address of http or https nor a path: set {browser_url}";
        "loopback" => Warning, "{url} is on this machine: set {browser_url} to what browsers elsewhere reach";
        "http" => Warning,
            "{url} is http: no page of https may ask it, and an attacker on the network can read along: use https";
        "path" => Ok, "{url}";
        "fine" => Ok, "{url}";
    }
    Reached {
        "answered" => Ok, "a chat server answers this machine";
        "unanswered" => Warning, "from this machine: {message}";
        "passed_on" => NotTried, "the site's web server passes {url} on to the chat server";
    }
    RateLimit {
        "off" => Ok, "off: a user may open any number of sessions";
        "counted" => Ok, "{count} sessions of a user in {seconds} s, counted in {cache}";
        "one_process" => Warning,
            "a {cache} belongs to one process, so a user may open more sessions than the limit says: {shared_cache}";
        "inexact" => Warning,
            "a {cache} cannot count exactly, so a user may open more sessions than the limit says: {shared_cache}";
        "uncounted" => Warning, "{cache} does not count, so a user may open any number of sessions: {counting_cache}";
        "no_cache" => Warning, "nothing counts, so a user may open any number of sessions: {shared_cache}";
        "apcu_off" => Warning,
            "nothing counts, so a user may open any number of sessions: set apc.enabled=1 in php.ini";
        "in_pages" => NotTried, "{count} sessions of a user in {seconds} s, counted in {cache}, which only pages have";
        "own" => NotTried, "the site counts sessions itself";
    }
    Client {
        "fine" => Ok, "{url}, and the settings are good";
        "http" => Warning,
            "{url} is http: an attacker on the network can read along, and only SCRAM may be used: use https";
    }
    Login {
        "in" => Ok, "{jid}, by {mechanism}, in {round_trips} round trips; a browser has {inactivity} s to attach";
        "in_untimed" => Ok,
            "{jid}, by {mechanism}, in {round_trips} round trips; the server does not say how long it waits for a \
             browser";
    }
    End {
        "ended" => Ok, "the session is gone";
    }
    Cache {
        "kept" => Ok, "{cache} keeps what was learned of the chat server";
        "lost" => Warning, "{cache} does not keep what was learned, so each process learns by itself: see the log";
        "one_process" => Warning, "a {cache} belongs to one process, so each process learns by itself: {shared_cache}";
        "no_cache" => Warning, "there is none, so each process learns by itself: {keeping_cache}";
        "apcu_off" => Warning,
            "there is none, so each process learns by itself: set apc.enabled=1 in php.ini, or give the client a cache";
        "in_pages" => NotTried, "{cache} is only in pages";
        "own" => NotTried, "the site keeps the client's profile itself";
    }
    NextLogin {
        "in" => Ok, "another token logs in as well";
        "cached" => Error,
            "the chat server refuses another token after the first: ejabberd keeps the first as the password for an hour. \
             Set auth_use_cache: false for the domain, and run ejabberdctl reload_config";
        "same_token" => NotTried, "the site gives the same token again";
        "no_token" => NotTried, "the credentials are no tokens of the site's";
    }
    BodyLimit {
        "limited" => Ok, "a request of 70,000 bytes is refused (HTTP 413)";
        "open" => Warning,
            "a request of 70,000 bytes gets through. If ejabberd asks a program (auth_method: external), that ends it: set \
             client_max_body_size 64k; in nginx, LimitRequestBody 65536 in Apache";
        "open_to_ejabberd" => Ok, "a request of 70,000 bytes gets through, as it may where ejabberd verifies tokens itself";
        "path" => NotTried, "the site's web server passes {url} on to the chat server";
        "unanswered" => NotTried, "from this machine: {message}";
        "no_program" => NotTried, "only programs that ejabberd asks need a limit";
        "no_token" => NotTried, "the credentials are no tokens of the site's";
    }
};

/// What the language calls a setting, and how it mends something.
fn own_word(language: Language, name: &str) -> Option<&'static str> {
    use Language::{Php, Python, Ruby};
    Some(match (name, language) {
        ("version", _) => env!("CARGO_PKG_VERSION"),
        ("user_name", Ruby) => "give the name as it is typed to log in, or set config.find_user",
        ("user_name", _) => "give the name as it is typed to log in",
        ("user_jid", Python) => "USER_JID",
        ("user_jid", Ruby) => "config.user_jid",
        ("user_jid", Php) => "$jid",
        ("user_jid", _) => "jid",
        ("own_accounts", Python) => "set USER_JID to prebind.django.users.key_at_domain",
        ("own_accounts", Ruby) => "let config.user_jid take the key",
        ("own_accounts", _) => "make the JIDs of the users' keys",
        ("list_users", Ruby) => "the class of users has no method last",
        ("list_users", Php) => "give their JIDs by their names as $users",
        ("list_users", _) => "give their JIDs by their names as users",
        ("link_dist", Python) => "put its dist into STATICFILES_DIRS, or set ASSETS",
        ("link_dist", Ruby) => "link its dist there, or set config.assets",
        ("link_dist", _) => "link its dist there",
        ("dist", Php) => "$dist",
        ("dist", _) => "dist",
        ("browser_url", Python) => "BROWSER_URL",
        ("browser_url", Ruby) => "config.browser_url",
        ("browser_url", Php) => "$browser_url, or prebind.browser_url in php.ini,",
        ("browser_url", _) => "browserUrl",
        ("shared_cache", Python) => {
            "name a cache in CACHE that counts for all processes, for example one of Redis"
        }
        ("shared_cache", Ruby) => {
            "set config.cache_store, or config.cache, to one that counts for all processes, for example :redis_cache_store"
        }
        ("counting_cache", Php) => "raise apc.shm_size in php.ini",
        ("keeping_cache", Php) => "install APCu, php-apcu on Debian, or give the client a cache",
        ("counting_cache" | "keeping_cache", _) => return own_word(language, "shared_cache"),
        ("shared_cache", Php) => "install APCu, php-apcu on Debian",
        ("shared_cache", _) => "share a cache between all processes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;

    use super::*;

    /// What is said of each outcome, `tests/vectors/web-doctor.json` says, too.
    #[test]
    fn every_outcome_has_a_case() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/web-doctor.json");
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let rows = file["findings"].as_array().unwrap();
        let seen: Vec<(Check, &str)> = rows
            .iter()
            .map(|row| {
                let check = row["check"].as_str().unwrap().parse().unwrap();
                let words = row["words"].as_object().unwrap().iter();
                let words = words.map(|(name, word)| (name.clone(), word.as_str().unwrap().to_owned()));
                (check, judged(check, row["outcome"].as_str().unwrap(), &words.collect()))
            })
            .collect();
        for (check, outcomes) in OUTCOMES {
            for (outcome, ..) in *outcomes {
                assert!(seen.contains(&(*check, *outcome)), "{outcome} of {check:?}");
            }
        }
        for (outcome, ..) in FAILURES {
            assert!(seen.iter().any(|(_, seen)| seen == outcome), "{outcome}");
        }
    }

    #[test]
    fn what_is_no_outcome_is_none() {
        assert_eq!(found(Check::End, "made", [], None), None);
        assert_eq!(found(Check::Account, "found", [], None), None);
    }
}
