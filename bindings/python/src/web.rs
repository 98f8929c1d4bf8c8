//! The core's rules for a site's endpoint, with plain text in and out.

use std::collections::HashMap;
use std::time::Duration;

use prebind::Cookie;
use prebind::binding::doctor::{self, Check};
use prebind::binding::{self, Content, Given, Shape, Value, contained};
use prebind::extauth::{self, Entry, Inquiry, Next};
use prebind::web::{self, Answer, Page, Refusal};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyMapping, PyString, PyTuple};

use crate::arguments::named;
use crate::call::raise;

/// Status, headers and body.
type Told = (u16, HashMap<&'static str, String>, String);

fn told(answer: &Answer) -> Told {
    (answer.status(), answer.headers().iter().cloned().collect(), answer.body().to_owned())
}

fn refused(refusal: Option<Refusal>) -> Option<Told> {
    refusal.map(|refusal| told(&Answer::refused(refusal)))
}

/// A request for a session.
#[pyclass(frozen, module = "prebind._prebind")]
pub(crate) struct WebRequest(web::Request);

#[pymethods]
impl WebRequest {
    #[classattr]
    const HEADERS: [&'static str; 10] = web::Request::HEADERS;

    #[new]
    fn new(
        method: &str,
        scheme: &str,
        host: &str,
        port: Option<u16>,
        headers: HashMap<String, String>,
        query: &str,
    ) -> Self {
        Self(web::Request::new(method, scheme, host, port, headers, query))
    }

    /// The answer to a request that gets no session for any user.
    fn refusal(&self, is_signed_in: bool) -> Option<Told> {
        refused(self.0.refusal(is_signed_in))
    }

    /// The answer if the user with this bare JID gets no session.
    fn refusal_of(&self, jid: Option<&str>) -> Option<Told> {
        refused(self.0.refusal_of(jid))
    }

    /// The JID to log in with.
    fn full_jid(&self, jid: &str) -> String {
        self.0.full_jid(jid)
    }

    /// What to log if the browser did not reach the chat server.
    fn complaint(&self, bosh_url: &str, setting: &str) -> Option<String> {
        self.0.complaint(bosh_url, setting)
    }

    /// The `Set-Cookie` headers that go with a session. Cookies are name, value and path.
    fn cookies(&self, bosh_url: &str, cookies: Vec<(String, String, String)>) -> Vec<String> {
        let cookie = |(name, value, path): (_, String, _)| Cookie::new(name, value, path);
        self.0.cookies(bosh_url, &cookies.into_iter().map(cookie).collect::<Vec<_>>())
    }
}

/// What this process knows of the site's cache. Times are milliseconds.
#[pyclass(frozen, module = "prebind._prebind")]
pub(crate) struct WebCache(web::Cache);

#[pymethods]
impl WebCache {
    #[new]
    fn new() -> Self {
        Self(web::Cache::new())
    }

    /// Whether to ask the cache.
    fn is_asked(&self, now: u64) -> bool {
        self.0.is_asked(now)
    }

    /// What to log about an answer of the cache.
    fn answered(&self, asked: u64, now: u64, question: &str, failure: Option<&str>) -> Option<String> {
        self.0.answered(asked, now, question, failure)
    }
}

/// What a chat server asked the site.
#[pyclass(frozen, module = "prebind._prebind")]
pub(crate) struct WebAsked(extauth::Asked);

/// A key of the site's cache, and for how many seconds it is kept.
type Kept = (String, u64);

fn kept(entry: &Entry) -> Kept {
    (entry.key.clone(), entry.seconds)
}

#[pymethods]
impl WebAsked {
    #[classattr]
    const HEADERS: [&'static str; 3] = Inquiry::HEADERS;

    /// The most bytes of a body.
    #[classattr]
    const MAX_BODY: usize = extauth::MAX_QUESTION;

    /// Raises `ConfigError` if a setting cannot be used.
    #[new]
    #[pyo3(signature = (settings, *, method, path, query, address, headers, body, now))]
    #[expect(clippy::too_many_arguments, reason = "they have names")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 extracts a map so")]
    fn new(
        settings: &Bound<'_, PyDict>,
        method: &str,
        path: &str,
        query: &str,
        address: &str,
        headers: HashMap<String, String>,
        body: &[u8],
        now: u64,
    ) -> PyResult<Self> {
        let settings = Value::Map(named(settings)?);
        let inquiry = Inquiry { method, path, query, address, body, ..Inquiry::default() };
        let inquiry = headers.iter().fold(inquiry, |inquiry, (name, value)| inquiry.with_header(name, value));
        contained(|| binding::asked(settings, &inquiry, now)).map(Self).map_err(raise)
    }

    /// What the site has to find out for the answer.
    #[getter]
    fn next(&self) -> &'static str {
        self.0.next().as_str()
    }

    /// For `once`: what to add to the site's cache, to know whether it is new there.
    #[getter]
    fn entry(&self) -> Option<Kept> {
        if let Next::Once(entry) = self.0.next() { Some(kept(entry)) } else { None }
    }

    /// For `exists`: the user's name, and the bare JID.
    #[getter]
    fn user(&self) -> Option<(Option<String>, String)> {
        if let Next::Exists(jid) = self.0.next() { Some((jid.to_user(), jid.to_string())) } else { None }
    }

    /// Why the answer is no.
    fn refusal(&self, is_yes: bool) -> Option<&'static str> {
        self.0.refusal(is_yes).map(extauth::Refusal::as_str)
    }

    /// Where the site counts the question, if it is refused.
    fn counter(&self, is_yes: bool) -> Option<Kept> {
        self.0.counter(is_yes).as_ref().map(kept)
    }

    /// The answer.
    fn answer(&self, is_yes: bool, count: Option<u64>) -> Told {
        told(&self.0.answer(is_yes, count))
    }

    /// The answer if the site's own code has failed.
    fn broken(&self) -> Told {
        told(&self.0.broken())
    }

    /// What to log with the answer: at which level, and the text.
    fn complaint(&self, is_yes: bool, count: Option<u64>) -> Option<(&'static str, String)> {
        self.0.complaint(is_yes, count).map(|(level, text)| (level.as_str(), text))
    }
}

/// The answer with a session, which is given as JSON.
#[pyfunction]
pub(crate) fn web_granted(session: &str) -> Told {
    told(&Answer::granted(session))
}

/// The answer to a user who has to wait so many seconds.
#[pyfunction]
pub(crate) fn web_rate_limited(seconds: u64) -> Told {
    told(&Answer::refused(Refusal::too_often(seconds)))
}

/// The answer to a user who has to sign in at the identity provider again.
#[pyfunction]
pub(crate) fn web_sign_in_again() -> Told {
    told(&Answer::refused(Refusal::SignInAgain))
}

/// The answer if a prebind error was raised.
#[pyfunction]
pub(crate) fn web_failed(kind: &str, retry: &str, retry_after: Option<u64>) -> Told {
    told(&Answer::failed_as(kind, retry, retry_after.map(Duration::from_secs)))
}

/// The answer if the site's own code has failed.
#[pyfunction]
pub(crate) fn web_broken() -> Told {
    told(&Answer::broken())
}

/// The elements at the end of a page.
///
/// Raises `ConfigError` if the page could not work.
#[pyfunction]
pub(crate) fn web_page(
    jid: &str,
    endpoint: &str,
    bosh_url: &str,
    script: &str,
    assets: &str,
    nonce: &str,
    settings: &str,
) -> PyResult<String> {
    Page { jid, endpoint, bosh_url, script, assets, nonce, settings }.html().map_err(raise)
}

/// The settings of Converse.js that a site must not set.
///
/// Raises `ConfigError` if they are no JSON object.
#[pyfunction]
pub(crate) fn web_reserved(settings: &str, assets: &str) -> PyResult<Vec<String>> {
    Page { settings, assets, ..Page::default() }.reserved().map_err(raise)
}

/// The complaint about an unusable value from the site's own code. `called` is the site's name for the source
/// of the value.
#[pyfunction]
pub(crate) fn web_given(given: &str, called: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let given = given.parse::<Given>().map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(given.complaint(called, &shape(value, true)?))
}

/// The type of a value, with the types of the parts of the outermost value.
fn shape(value: &Bound<'_, PyAny>, is_whole: bool) -> PyResult<Shape> {
    let content = if value.is_none() {
        return Ok(Shape { class: "None".to_owned(), content: Content::Nothing });
    } else if value.is_instance_of::<PyBool>() {
        Content::Flag
    } else if value.is_instance_of::<PyInt>() {
        // A number that does not fit into 64 bits is a mistake of the site.
        Content::Count(value.extract().unwrap_or(i64::MIN))
    } else if let Ok(text) = value.cast::<PyString>() {
        Content::Text(text.to_string_lossy().into_owned().into())
    } else if !is_whole {
        Content::Other
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        Content::List(value.try_iter()?.map(|each| shape(&each?, false)).collect::<PyResult<_>>()?)
    } else if let Ok(fields) = value.cast::<PyMapping>() {
        let field = |item: Bound<'_, PyAny>| {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            Ok((name.str()?.to_string_lossy().into_owned(), shape(&value, false)?))
        };
        Content::Map(fields.items()?.iter().map(field).collect::<PyResult<_>>()?)
    } else {
        Content::Other
    };
    Ok(Shape { class: value.get_type().name()?.to_string_lossy().into_owned(), content })
}

/// What to say about an unknown name.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 can only extract an owned list")]
pub(crate) fn web_misnamed(called: &str, sort: &str, name: &str, known: Vec<String>) -> Option<String> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    binding::misnamed(called, sort, name, &known)
}

/// The positions of the first two JIDs that belong to the same account.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 can only extract an owned list")]
pub(crate) fn web_sharing(jids: Vec<String>) -> Option<(usize, usize)> {
    web::sharing(jids.iter().map(String::as_str))
}

/// How a check of the doctor went, and what to print about it. `words` are the values in its text.
#[pyfunction]
pub(crate) fn web_doctor(
    check: &str,
    outcome: &str,
    words: HashMap<String, String>,
    milliseconds: Option<u64>,
) -> PyResult<(&'static str, String)> {
    let found = doctor::found(check_of(check)?, outcome, words, milliseconds.map(Duration::from_millis));
    let finding = found.ok_or_else(|| PyValueError::new_err(format!("{check} has no outcome {outcome}")))?;
    Ok((finding.grade.as_str(), finding.line))
}

/// What to print about a check that was not tried because a check that it needs has failed.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 can only extract an owned list")]
pub(crate) fn web_unmet(check: &str, wrong: Vec<String>) -> PyResult<Option<String>> {
    let wrong = wrong.iter().map(|check| check_of(check)).collect::<PyResult<Vec<_>>>()?;
    Ok(doctor::unmet(check_of(check)?, &wrong))
}

fn check_of(name: &str) -> PyResult<Check> {
    name.parse().map_err(raise)
}
