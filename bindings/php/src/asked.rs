//! The core's rules for the address that a chat server asks, with plain text in and out.

use ext_php_rs::prelude::*;
use ext_php_rs::types::{ZendStr, Zval};
use prebind::binding::{Value, asked, contained};
use prebind::extauth::{self, Inquiry, MAX_QUESTION, Next};

use crate::value::{answer, array, content, named, text};
use crate::web::told;

/// What a chat server asked.
#[php_class]
#[php(name = "Prebind\\Native\\Asked")]
pub(crate) struct Asked(extauth::Asked);

/// The body is bytes, of which no more than [`prebind_native_asked_size`] and one are needed.
#[php_function]
pub(crate) fn prebind_native_asked(settings: &Zval, inquiry: &Zval, now: u64) -> PhpResult<Zval> {
    let of = |name: &str| content(inquiry).and_then(|fields| fields.get(name));
    let [method, path, query, address] =
        ["method", "path", "query", "address"].map(|name| of(name).map(text).unwrap_or_default());
    let headers = of("headers").and_then(content).into_iter().flatten();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), text(value.dereference()))).collect();
    let inquiry = Inquiry {
        method: &method,
        path: &path,
        query: &query,
        address: &address,
        body: of("body").and_then(Zval::zend_str).map(ZendStr::as_bytes).unwrap_or_default(),
        ..Inquiry::default()
    };
    let inquiry = headers.iter().fold(inquiry, |inquiry, (name, value)| inquiry.with_header(name, value));
    answer(contained(|| asked(Value::Map(named(settings)), &inquiry, now)).map(Asked))
}

/// How many bytes a question has at most.
#[php_function]
pub(crate) fn prebind_native_asked_size() -> u64 {
    MAX_QUESTION as u64
}

/// What has to be found out for the answer.
#[php_function]
pub(crate) fn prebind_native_asked_next(asked: &Asked) -> PhpResult<Zval> {
    let next = asked.0.next();
    let name = next.as_str();
    Ok(match next {
        Next::Refuse | Next::Accept => array(&[("next", &name)]),
        Next::Once(entry) => {
            array(&[("next", &name), ("key", &entry.key.as_str()), ("seconds", &entry.seconds)])
        }
        Next::Exists(jid) => {
            array(&[("next", &name), ("jid", &jid.to_string()), ("user", &jid.to_user().unwrap_or_default())])
        }
    }?)
}

/// Where the question is counted if it is refused, by whether yes was found out.
#[php_function]
pub(crate) fn prebind_native_asked_counter(asked: &Asked, is_yes: bool) -> PhpResult<Option<Zval>> {
    let counter = asked.0.counter(is_yes);
    Ok(counter.map(|it| array(&[("key", &it.key), ("seconds", &it.seconds)])).transpose()?)
}

/// The answer, by whether yes was found out, and by the count of refused questions.
#[php_function]
pub(crate) fn prebind_native_asked_answer(
    asked: &Asked,
    is_yes: bool,
    count: Option<u64>,
) -> PhpResult<Zval> {
    Ok(told(&asked.0.answer(is_yes, count))?)
}

/// What to log with the same answer: how important it is, and the text.
#[php_function]
pub(crate) fn prebind_native_asked_complaint(
    asked: &Asked,
    is_yes: bool,
    count: Option<u64>,
) -> Option<Vec<String>> {
    asked.0.complaint(is_yes, count).map(|(level, text)| vec![level.to_string(), text])
}

/// The answer if the site's own code has failed.
#[php_function]
pub(crate) fn prebind_native_asked_broken(asked: &Asked) -> PhpResult<Zval> {
    Ok(told(&asked.0.broken())?)
}

/// The functions above, for the module.
pub(crate) fn declared(module: ModuleBuilder) -> ModuleBuilder {
    let module = module.class::<Asked>().function(wrap_function!(prebind_native_asked));
    let module = module.function(wrap_function!(prebind_native_asked_size));
    let module = module.function(wrap_function!(prebind_native_asked_next));
    let module = module.function(wrap_function!(prebind_native_asked_counter));
    let module = module.function(wrap_function!(prebind_native_asked_answer));
    let module = module.function(wrap_function!(prebind_native_asked_complaint));
    module.function(wrap_function!(prebind_native_asked_broken))
}
