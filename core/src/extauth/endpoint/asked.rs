//! A question, from its arrival to its answer.

use std::fmt;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::inquiry::Form;
use super::refusal::{Refusal, flood};
use crate::extauth::request::User;
use crate::jid::Jid;
use crate::text::{named, shown};
use crate::token::Verifier;
use crate::web::Answer;

/// How many questions of one address are refused in a window before the next ones are told so and not logged.
const MOST_REFUSED: u64 = 100;

/// How many seconds a window has.
const WINDOW: u64 = 60;

/// The longest that an entry is kept, in seconds. Memcached takes a longer time for a date.
const LONGEST_KEPT: u64 = 30 * 24 * 60 * 60;

/// What stands in front of each key in the site's cache.
const PREFIX: &str = "prebind";

/// What a chat server asked. What has to be found out for the answer is [`next`](Self::next); then comes
/// [`answer`](Self::answer).
///
/// `Debug` shows only what the log may have.
#[derive(Clone)]
pub struct Asked {
    form: Form,
    about: Option<User>,
    verdict: Verdict,
    address: String,
    seconds: u64,
}

/// What is known before anything is looked up.
#[derive(Clone)]
pub(super) enum Verdict {
    Refused(Refusal),
    /// The token is good, and its use is noted here.
    Good(Option<Entry>),
    Existence(Jid),
    /// Such a user cannot exist.
    Absence,
}

/// What the site has to find out for the answer. Exhaustive on purpose: a binding has to do each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// Nothing: the answer is no.
    Refuse,
    /// Nothing: the answer is yes. The token has no ID, so it can be used again until it expires.
    Accept,
    /// Whether this is new to the site's cache, which every process of the site shares. It is added in one step, so
    /// that one of two questions at the same time finds it there. New is yes.
    Once(&'a Entry),
    /// Whether the user of this JID exists.
    Exists(&'a Jid),
}

impl Next<'_> {
    /// Its name, which is the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Accept => "accept",
            Self::Once(_) => "once",
            Self::Exists(_) => "exists",
        }
    }
}

shown!(Next<'_>);

/// A key of the site's cache. It has letters, digits and colons, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// After how many seconds it may be forgotten.
    pub seconds: u64,
}

named! {
    /// How important a line of the log is.
    Level {
        /// Somebody has to mend something.
        Warning = "warning",
        /// A user was refused.
        Info = "info",
    }
}

shown!(Level);

impl Asked {
    pub(super) fn new(
        form: Form,
        about: Option<User>,
        verdict: Verdict,
        address: &str,
        now: SystemTime,
    ) -> Self {
        Self { form, about, verdict, address: address.to_owned(), seconds: seconds(now) }
    }

    /// What has to be found out for the answer.
    #[must_use]
    pub fn next(&self) -> Next<'_> {
        match &self.verdict {
            Verdict::Refused(_) | Verdict::Absence => Next::Refuse,
            Verdict::Good(None) => Next::Accept,
            Verdict::Good(Some(entry)) => Next::Once(entry),
            Verdict::Existence(jid) => Next::Exists(jid),
        }
    }

    /// Why the answer is no, if `is_yes` is what was found out; `None` if it is yes, or the question was who exists.
    #[must_use]
    pub fn refusal(&self, is_yes: bool) -> Option<Refusal> {
        match self.verdict {
            Verdict::Refused(refusal) => Some(refusal),
            Verdict::Good(_) if !is_yes => Some(Refusal::Used),
            Verdict::Good(_) | Verdict::Existence(_) | Verdict::Absence => None,
        }
    }

    /// Where the site counts this question, if it is to be refused: a counter of the address, in this window of time.
    #[must_use]
    pub fn counter(&self, is_yes: bool) -> Option<Entry> {
        self.refusal(is_yes)?;
        let (address, window) = (&digest(&self.address)[..24], self.seconds / WINDOW);
        Some(Entry { key: format!("{PREFIX}:refused:{address}:{window}"), seconds: WINDOW })
    }

    /// The answer. `is_yes` is what was found out; `count` is the site's [counter](Self::counter) of refused questions with
    /// this one, `None` if nothing counts them.
    ///
    /// Too many refused ones are answered with 429 in our form. That never keeps a good token out: otherwise anyone
    /// could lock out all users by sending wrong ones.
    #[must_use]
    pub fn answer(&self, is_yes: bool, count: Option<u64>) -> Answer {
        let is_flood = count.is_some_and(|count| count > MOST_REFUSED);
        match self.refusal(is_yes) {
            None => self.form.decided(is_yes && !matches!(self.verdict, Verdict::Absence)),
            Some(_) if is_flood => self.form.too_often(WINDOW - self.seconds % WINDOW),
            Some(refusal) => self.form.refused(refusal),
        }
    }

    /// The answer if the site's own code or its database failed.
    #[must_use]
    pub fn broken(&self) -> Answer {
        self.form.broken()
    }

    /// What to log with the same answer. There is no line for each question of a flood.
    #[must_use]
    pub fn complaint(&self, is_yes: bool, count: Option<u64>) -> Option<(Level, String)> {
        let refusal = self.refusal(is_yes)?;
        match count {
            Some(count) if count > MOST_REFUSED => {
                let is_first = count == MOST_REFUSED + 1;
                is_first.then(|| (Level::Warning, flood(&self.address, MOST_REFUSED, WINDOW)))
            }
            _ => {
                let level = if refusal.is_alarming() { Level::Warning } else { Level::Info };
                Some((level, refusal.complaint(self.about.as_ref(), &self.address)))
            }
        }
    }
}

impl Entry {
    /// Where the use of a token is noted until it has expired by the clock of each of the site's machines.
    pub(super) fn of_token(id: &str, expires: u64, now: SystemTime) -> Self {
        let left = expires.saturating_sub(seconds(now)).saturating_add(1 + Verifier::LEEWAY.as_secs());
        Self { key: format!("{PREFIX}:once:{}", &digest(id)[..32]), seconds: left.min(LONGEST_KEPT) }
    }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Since 1970.
fn seconds(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("about", &self.about)
            .field("next", &self.next())
            .finish_non_exhaustive()
    }
}
