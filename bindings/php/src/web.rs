//! The core's rules for a site's endpoint, with plain text in and out.

use std::time::Duration;

use ext_php_rs::convert::IntoZvalDyn;
use ext_php_rs::error::Result;
use ext_php_rs::prelude::*;
use ext_php_rs::types::Zval;
use prebind::Cookie;
use prebind::binding::doctor::{self, Check};
use prebind::binding::{Content, Given, Shape, misnamed};
use prebind::web::{Answer, Cache, Page, Refusal, Request, sharing};

use crate::value::{answer, array, content, text};

/// What this process knows of the site's cache.
static CACHE: Cache = Cache::new();

/// A request for a session.
#[php_class]
#[php(name = "Prebind\\Native\\WebRequest")]
pub(crate) struct WebRequest(Request);

/// Status, headers and body.
pub(crate) fn told(answer: &Answer) -> Result<Zval> {
    let headers = answer.headers().iter().map(|(name, value)| (*name, value as &dyn IntoZvalDyn));
    let headers = array(&headers.collect::<Vec<_>>())?;
    array(&[("status", &answer.status()), ("headers", &headers), ("body", &answer.body())])
}

fn refused(refusal: Option<Refusal>) -> PhpResult<Option<Zval>> {
    Ok(refusal.map(|refusal| told(&Answer::refused(refusal))).transpose()?)
}

#[php_function]
pub(crate) fn prebind_native_web_request(given: &Zval) -> WebRequest {
    let of = |name: &str| content(given).and_then(|fields| fields.get(name));
    let [method, scheme, host, query] =
        ["method", "scheme", "host", "query"].map(|name| of(name).map(text).unwrap_or_default());
    let port = of("port").and_then(Zval::long).and_then(|port| port.try_into().ok());
    let headers = of("headers").and_then(content).into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value.dereference())));
    WebRequest(Request::new(&method, &scheme, &host, port, headers, &query))
}

/// The answer to a request that gets no session for any user.
#[php_function]
pub(crate) fn prebind_native_web_refusal(
    request: &WebRequest,
    is_signed_in: bool,
) -> PhpResult<Option<Zval>> {
    refused(request.0.refusal(is_signed_in))
}

/// The answer if the user with this bare JID gets no session.
#[php_function]
pub(crate) fn prebind_native_web_refusal_of(request: &WebRequest, jid: &Zval) -> PhpResult<Option<Zval>> {
    refused(request.0.refusal_of(Some(&text(jid))))
}

/// The JID to log in with.
#[php_function]
pub(crate) fn prebind_native_web_jid(request: &WebRequest, jid: &Zval) -> String {
    request.0.full_jid(&text(jid))
}

/// What to log if the browser did not reach the chat server.
#[php_function]
pub(crate) fn prebind_native_web_complaint(
    request: &WebRequest,
    bosh_url: &Zval,
    setting: &str,
) -> Option<String> {
    request.0.complaint(&text(bosh_url), setting)
}

/// The `Set-Cookie` headers that go with a session. Cookies are name, value and path.
#[php_function]
pub(crate) fn prebind_native_web_cookies(
    request: &WebRequest,
    bosh_url: &Zval,
    cookies: Vec<Vec<String>>,
) -> Vec<String> {
    let cookie = |it: Vec<String>| {
        let [name, value, path] = it.try_into().ok()?;
        Some(Cookie::new(name, value, path))
    };
    request.0.cookies(&text(bosh_url), &cookies.into_iter().filter_map(cookie).collect::<Vec<_>>())
}

/// How many seconds a login of a web site may take.
#[php_function]
pub(crate) fn prebind_native_web_deadline() -> u64 {
    prebind::web::DEADLINE.as_secs()
}

/// Whether to ask the site's cache; the time is in milliseconds.
#[php_function]
pub(crate) fn prebind_native_web_cache_is_asked(now: u64) -> bool {
    CACHE.is_asked(now)
}

/// What to log of an answer of the site's cache.
#[php_function]
pub(crate) fn prebind_native_web_cache_answered(
    asked: u64,
    now: u64,
    question: &str,
    failure: &Zval,
) -> Option<String> {
    let failure = (!failure.is_null()).then(|| text(failure));
    CACHE.answered(asked, now, question, failure.as_deref())
}

/// The answer with a session, which is given as JSON.
#[php_function]
pub(crate) fn prebind_native_web_granted(given: &Zval) -> PhpResult<Zval> {
    let session = content(given).and_then(|fields| fields.get("session"));
    Ok(told(&Answer::granted(&session.map(text).unwrap_or_default()))?)
}

/// The answer to a user who has to wait so many seconds.
#[php_function]
pub(crate) fn prebind_native_web_rate_limited(seconds: u64) -> PhpResult<Zval> {
    Ok(told(&Answer::refused(Refusal::too_often(seconds)))?)
}

/// The answer to a user who has to sign in at the identity provider again.
#[php_function]
pub(crate) fn prebind_native_web_sign_in_again() -> PhpResult<Zval> {
    Ok(told(&Answer::refused(Refusal::SignInAgain))?)
}

/// The answer if a prebind exception was thrown.
#[php_function]
pub(crate) fn prebind_native_web_failed(
    kind: &str,
    retry: &str,
    retry_after: Option<u64>,
) -> PhpResult<Zval> {
    Ok(told(&Answer::failed_as(kind, retry, retry_after.map(Duration::from_secs)))?)
}

/// The answer if the site's own code has failed.
#[php_function]
pub(crate) fn prebind_native_web_broken() -> PhpResult<Zval> {
    Ok(told(&Answer::broken())?)
}

/// The headers of the page's script.
#[php_function]
pub(crate) fn prebind_native_web_script_headers(is_own_version: bool) -> PhpResult<Zval> {
    let headers = Answer::script_headers(is_own_version);
    let headers = headers.each_ref().map(|(name, value)| (*name, value as &dyn IntoZvalDyn));
    Ok(array(&headers)?)
}

/// The elements at the end of a page.
#[php_function]
pub(crate) fn prebind_native_web_page(given: &Zval) -> PhpResult<Zval> {
    let of = |name: &str| content(given).and_then(|fields| fields.get(name)).map(text).unwrap_or_default();
    let [jid, endpoint, bosh_url, script, assets, nonce, settings] =
        ["jid", "endpoint", "bosh_url", "script", "assets", "nonce", "settings"].map(of);
    let page = Page {
        jid: &jid,
        endpoint: &endpoint,
        bosh_url: &bosh_url,
        script: &script,
        assets: &assets,
        nonce: &nonce,
        settings: &settings,
    };
    answer(page.html())
}

/// The settings of Converse.js that a site must not set.
#[php_function]
pub(crate) fn prebind_native_web_reserved(settings: &str, assets: &Zval) -> PhpResult<Zval> {
    answer(Page { settings, assets: &text(assets), ..Page::default() }.reserved())
}

/// The complaint about an unusable value from the site's own code. `called` is the site's name for the source
/// of the value. The value is in an array, so that stack traces do not show it.
#[php_function]
pub(crate) fn prebind_native_web_given(given: &str, called: &str, value: &Zval) -> Option<String> {
    given.parse::<Given>().ok()?.complaint(called, &shape(content(value)?.get("value")?.dereference(), true))
}

/// The type of a value, with the types of the parts of the outermost value.
fn shape(value: &Zval, is_whole: bool) -> Shape {
    let of = |class: &str, content| Shape { class: class.to_owned(), content };
    if let Some(object) = value.object() {
        return of(&object.get_class_name().unwrap_or_default(), Content::Other);
    }
    if value.is_null() {
        of("null", Content::Nothing)
    } else if value.is_bool() {
        of("bool", Content::Flag)
    } else if let Some(number) = value.long() {
        of("int", Content::Count(number))
    } else if value.is_string() {
        of("string", Content::Text(text(value).into()))
    } else if let Some(values) = value.array() {
        let parts =
            || values.iter().map(|(name, value)| (name.to_string(), shape(value.dereference(), false)));
        of(
            "array",
            match (is_whole, values.has_sequential_keys()) {
                (false, _) => Content::Other,
                (true, true) => Content::List(parts().map(|(_, value)| value).collect()),
                (true, false) => Content::Map(parts().collect()),
            },
        )
    } else {
        of(if value.is_double() { "float" } else { "resource" }, Content::Other)
    }
}

/// What to say about an unknown name.
#[expect(clippy::needless_pass_by_value, reason = "ext-php-rs can only extract an owned list")]
#[php_function]
pub(crate) fn prebind_native_web_misnamed(
    called: &str,
    sort: &str,
    name: &str,
    known: Vec<String>,
) -> Option<String> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    misnamed(called, sort, name, &known)
}

/// The positions of the first two JIDs that belong to the same account.
#[php_function]
pub(crate) fn prebind_native_web_sharing(jids: &Zval) -> Option<Vec<u64>> {
    let jids: Vec<String> = jids.array()?.values().map(|jid| text(jid.dereference())).collect();
    let (one, other) = sharing(jids.iter().map(String::as_str))?;
    Some(vec![one as u64, other as u64])
}

/// The names of the doctor's checks, in their order.
#[php_function]
pub(crate) fn prebind_native_web_checks() -> Vec<&'static str> {
    Check::ALL.map(Check::as_str).into()
}

/// How a check of the doctor went, and what to print about it. `words` are the values in its text.
#[php_function]
pub(crate) fn prebind_native_web_doctor(
    check: &str,
    outcome: &str,
    words: &Zval,
    milliseconds: Option<u64>,
) -> Option<Vec<String>> {
    let words = words.array().into_iter().flatten();
    let words = words.map(|(name, word)| (name.to_string(), text(word.dereference())));
    let took = milliseconds.map(Duration::from_millis);
    let finding = doctor::found(check.parse().ok()?, outcome, words, took)?;
    Some(vec![finding.grade.to_string(), finding.line])
}

/// What to print about a check that was not tried because a check that it needs has failed.
#[expect(clippy::needless_pass_by_value, reason = "ext-php-rs can only extract an owned list")]
#[php_function]
pub(crate) fn prebind_native_web_unmet(check: &str, wrong: Vec<String>) -> Option<String> {
    let wrong: Vec<Check> = wrong.iter().filter_map(|check| check.parse().ok()).collect();
    doctor::unmet(check.parse().ok()?, &wrong)
}

/// The functions above, for the module.
pub(crate) fn declared(module: ModuleBuilder) -> ModuleBuilder {
    let module = module.class::<WebRequest>().function(wrap_function!(prebind_native_web_request));
    let module = module.function(wrap_function!(prebind_native_web_refusal));
    let module = module.function(wrap_function!(prebind_native_web_refusal_of));
    let module = module.function(wrap_function!(prebind_native_web_jid));
    let module = module.function(wrap_function!(prebind_native_web_complaint));
    let module = module.function(wrap_function!(prebind_native_web_cookies));
    let module = module.function(wrap_function!(prebind_native_web_deadline));
    let module = module.function(wrap_function!(prebind_native_web_cache_is_asked));
    let module = module.function(wrap_function!(prebind_native_web_cache_answered));
    let module = module.function(wrap_function!(prebind_native_web_granted));
    let module = module.function(wrap_function!(prebind_native_web_rate_limited));
    let module = module.function(wrap_function!(prebind_native_web_sign_in_again));
    let module = module.function(wrap_function!(prebind_native_web_failed));
    let module = module.function(wrap_function!(prebind_native_web_broken));
    let module = module.function(wrap_function!(prebind_native_web_given));
    let module = module.function(wrap_function!(prebind_native_web_misnamed));
    let module = module.function(wrap_function!(prebind_native_web_sharing));
    let module = module.function(wrap_function!(prebind_native_web_checks));
    let module = module.function(wrap_function!(prebind_native_web_doctor));
    let module = module.function(wrap_function!(prebind_native_web_unmet));
    let module = module.function(wrap_function!(prebind_native_web_script_headers));
    let module = module.function(wrap_function!(prebind_native_web_page));
    module.function(wrap_function!(prebind_native_web_reserved))
}
