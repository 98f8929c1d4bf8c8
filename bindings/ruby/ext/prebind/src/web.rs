//! The core's rules for a site's endpoint, with plain text in and out. An answer is status, headers and body.

use std::collections::HashMap;
use std::time::Duration;

use magnus::r_hash::ForEach;
use magnus::value::{Qfalse, Qtrue};
use magnus::{Error, Integer, RArray, RHash, RString, Ruby, Symbol, Value, prelude::*};
use prebind::Cookie;
use prebind::binding::doctor::{self, Check};
use prebind::binding::{self, Content, Given, Shape};
use prebind::extauth::{self, Entry, Inquiry, Next};
use prebind::web::{self, Answer, Page, Refusal};

use crate::arguments::named;
use crate::call::raise;

type Told = (u16, HashMap<&'static str, String>, String);

fn told(answer: &Answer) -> Told {
    (answer.status(), answer.headers().iter().cloned().collect(), answer.body().to_owned())
}

fn refused(refusal: Option<Refusal>) -> Option<Told> {
    refusal.map(|refusal| told(&Answer::refused(refusal)))
}

/// A request for a session.
#[magnus::wrap(class = "Prebind::Native::WebRequest", free_immediately, frozen_shareable)]
pub(crate) struct WebRequest(web::Request);

impl WebRequest {
    pub(crate) fn new(
        method: String,
        scheme: String,
        host: String,
        port: Option<u16>,
        headers: HashMap<String, String>,
        query: String,
    ) -> Self {
        Self(web::Request::new(&method, &scheme, &host, port, headers, &query))
    }

    /// The answer to a request that gets no session for any user.
    pub(crate) fn refusal(&self, is_signed_in: bool) -> Option<Told> {
        refused(self.0.refusal(is_signed_in))
    }

    /// The answer if the user with this bare JID gets no session.
    pub(crate) fn refusal_of(&self, jid: Option<String>) -> Option<Told> {
        refused(self.0.refusal_of(jid.as_deref()))
    }

    /// The JID to log in with.
    pub(crate) fn full_jid(&self, jid: String) -> String {
        self.0.full_jid(&jid)
    }

    /// What to log if the browser did not reach the chat server.
    pub(crate) fn complaint(&self, bosh_url: String, setting: String) -> Option<String> {
        self.0.complaint(&bosh_url, &setting)
    }

    /// The `Set-Cookie` headers that go with a session. Cookies are name, value and path.
    pub(crate) fn cookies(&self, bosh_url: String, cookies: Vec<(String, String, String)>) -> Vec<String> {
        let cookie = |(name, value, path): (_, String, _)| Cookie::new(name, value, path);
        self.0.cookies(&bosh_url, &cookies.into_iter().map(cookie).collect::<Vec<_>>())
    }
}

/// What this process knows of the site's cache. Times are milliseconds.
#[magnus::wrap(class = "Prebind::Native::WebCache", free_immediately)]
pub(crate) struct WebCache(web::Cache);

impl WebCache {
    pub(crate) fn new() -> Self {
        Self(web::Cache::new())
    }

    /// Whether to ask the cache.
    pub(crate) fn is_asked(&self, now: u64) -> bool {
        self.0.is_asked(now)
    }

    /// What to log about an answer of the cache.
    pub(crate) fn answered(
        &self,
        asked: u64,
        now: u64,
        question: String,
        failure: Option<String>,
    ) -> Option<String> {
        self.0.answered(asked, now, &question, failure.as_deref())
    }
}

/// What a chat server asked the site.
#[magnus::wrap(class = "Prebind::Native::WebAsked", free_immediately, frozen_shareable)]
pub(crate) struct WebAsked(extauth::Asked);

/// A key of the site's cache, and for how many seconds it is kept.
type Kept = (String, u64);

fn kept(entry: &Entry) -> Kept {
    (entry.key.clone(), entry.seconds)
}

impl WebAsked {
    /// `given` is method, path, query, address and body.
    pub(crate) fn new(
        ruby: &Ruby,
        settings: RHash,
        given: [String; 5],
        headers: HashMap<String, String>,
        now: u64,
    ) -> Result<Self, Error> {
        let settings = binding::Value::Map(named(settings)?);
        let [method, path, query, address, body] = &given;
        let inquiry = Inquiry { method, path, query, address, body: body.as_bytes(), ..Inquiry::default() };
        let inquiry = headers.iter().fold(inquiry, |inquiry, (name, value)| inquiry.with_header(name, value));
        let asked = binding::contained(|| binding::asked(settings, &inquiry, now));
        asked.map(Self).map_err(|error| raise(ruby, &error))
    }

    /// What the site has to find out for the answer.
    pub(crate) fn next(&self) -> &'static str {
        self.0.next().as_str()
    }

    /// For `once`: what to add to the site's cache, to know whether it is new there.
    pub(crate) fn entry(&self) -> Option<Kept> {
        if let Next::Once(entry) = self.0.next() { Some(kept(entry)) } else { None }
    }

    /// For `exists`: the user's name, and the bare JID.
    pub(crate) fn user(&self) -> Option<(Option<String>, String)> {
        if let Next::Exists(jid) = self.0.next() { Some((jid.to_user(), jid.to_string())) } else { None }
    }

    /// Why the answer is no.
    pub(crate) fn refusal(&self, is_yes: bool) -> Option<&'static str> {
        self.0.refusal(is_yes).map(extauth::Refusal::as_str)
    }

    /// Where the site counts the question, if it is refused.
    pub(crate) fn counter(&self, is_yes: bool) -> Option<Kept> {
        self.0.counter(is_yes).as_ref().map(kept)
    }

    /// The answer.
    pub(crate) fn answer(&self, is_yes: bool, count: Option<u64>) -> Told {
        told(&self.0.answer(is_yes, count))
    }

    /// The answer if the site's own code has failed.
    pub(crate) fn broken(&self) -> Told {
        told(&self.0.broken())
    }

    /// What to log with the answer: at which level, and the text.
    pub(crate) fn complaint(&self, is_yes: bool, count: Option<u64>) -> Option<(&'static str, String)> {
        self.0.complaint(is_yes, count).map(|(level, text)| (level.as_str(), text))
    }
}

/// The answer with a session, which is given as JSON.
pub(crate) fn granted(session: String) -> Told {
    told(&Answer::granted(&session))
}

/// The answer to a user who has to wait so many seconds.
pub(crate) fn rate_limited(seconds: u64) -> Told {
    told(&Answer::refused(Refusal::too_often(seconds)))
}

/// The answer to a user who has to sign in at the identity provider again.
pub(crate) fn sign_in_again() -> Told {
    told(&Answer::refused(Refusal::SignInAgain))
}

/// The answer if a prebind error was raised.
pub(crate) fn failed(kind: String, retry: String, retry_after: Option<u64>) -> Told {
    told(&Answer::failed_as(&kind, &retry, retry_after.map(Duration::from_secs)))
}

/// The answer if the site's own code has failed.
pub(crate) fn broken() -> Told {
    told(&Answer::broken())
}

/// The headers of the page's script.
pub(crate) fn script_headers(is_own_version: bool) -> HashMap<&'static str, &'static str> {
    Answer::script_headers(is_own_version).into()
}

/// The elements at the end of a page. `given` are the fields of a [`Page`] in their order.
pub(crate) fn page(ruby: &Ruby, given: [String; 7]) -> Result<String, Error> {
    let [jid, endpoint, bosh_url, script, assets, nonce, settings] = &given;
    let page = Page { jid, endpoint, bosh_url, script, assets, nonce, settings };
    page.html().map_err(|error| raise(ruby, &error))
}

/// The settings of Converse.js that a site must not set.
pub(crate) fn reserved(ruby: &Ruby, settings: String, assets: String) -> Result<Vec<String>, Error> {
    let page = Page { settings: &settings, assets: &assets, ..Page::default() };
    page.reserved().map_err(|error| raise(ruby, &error))
}

/// The complaint about an unusable value from the site's own code. `called` is the site's name for the source
/// of the value.
pub(crate) fn given(
    ruby: &Ruby,
    given: String,
    called: String,
    value: Value,
) -> Result<Option<String>, Error> {
    let given = given.parse::<Given>();
    let given = given.map_err(|error| Error::new(ruby.exception_arg_error(), error.to_string()))?;
    Ok(given.complaint(&called, &shape(value, true)?))
}

/// The type of a value, with the types of the parts of the outermost value.
fn shape(value: Value, is_whole: bool) -> Result<Shape, Error> {
    let of = |class: &str, content| Ok(Shape { class: class.to_owned(), content });
    if value.is_nil() {
        return of("nil", Content::Nothing);
    }
    if Qtrue::from_value(value).is_some() || Qfalse::from_value(value).is_some() {
        return of("Boolean", Content::Flag);
    }
    let content = if let Some(number) = Integer::from_value(value) {
        // A number that does not fit into 64 bits is a mistake of the site.
        Content::Count(number.to_i64().unwrap_or(i64::MIN))
    } else if RString::from_value(value).is_some() || (!is_whole && Symbol::from_value(value).is_some()) {
        Content::Text(value.to_string().into())
    } else if !is_whole {
        Content::Other
    } else if let Some(values) = RArray::from_value(value) {
        Content::List(values.into_iter().map(|each| shape(each, false)).collect::<Result<_, _>>()?)
    } else if let Some(values) = RHash::from_value(value) {
        let mut fields = Vec::new();
        values.foreach(|name: Value, value: Value| {
            fields.push((name.to_string(), shape(value, false)?));
            Ok(ForEach::Continue)
        })?;
        Content::Map(fields)
    } else {
        Content::Other
    };
    of(&value.class().to_string(), content)
}

/// What to say about an unknown name.
pub(crate) fn misnamed(called: String, sort: String, name: String, known: Vec<String>) -> Option<String> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    binding::misnamed(&called, &sort, &name, &known)
}

/// The positions of the first two JIDs that belong to the same account.
pub(crate) fn sharing(jids: Vec<String>) -> Option<(usize, usize)> {
    web::sharing(jids.iter().map(String::as_str))
}

/// How a check of the doctor went, and what to print about it. `words` are the values in its text.
pub(crate) fn doctor(
    ruby: &Ruby,
    check: String,
    outcome: String,
    words: HashMap<String, String>,
    milliseconds: Option<u64>,
) -> Result<(&'static str, String), Error> {
    let took = milliseconds.map(Duration::from_millis);
    let none = || Error::new(ruby.exception_arg_error(), format!("{check} has no outcome {outcome}"));
    let finding = doctor::found(check_of(ruby, &check)?, &outcome, words, took).ok_or_else(none)?;
    Ok((finding.grade.as_str(), finding.line))
}

/// What to print about a check that was not tried because a check that it needs has failed.
pub(crate) fn unmet(ruby: &Ruby, check: String, wrong: Vec<String>) -> Result<Option<String>, Error> {
    let wrong = wrong.iter().map(|check| check_of(ruby, check)).collect::<Result<Vec<_>, _>>()?;
    Ok(doctor::unmet(check_of(ruby, &check)?, &wrong))
}

fn check_of(ruby: &Ruby, name: &str) -> Result<Check, Error> {
    name.parse().map_err(|error| raise(ruby, &error))
}
