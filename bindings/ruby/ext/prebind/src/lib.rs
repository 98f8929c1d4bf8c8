//! `prebind` for Ruby. This half converts arguments and results, lets other threads run during a call, obeys
//! exceptions that are raised in this thread, and raises the errors of `Prebind`. It decides nothing.

#![expect(clippy::needless_pass_by_value, reason = "Ruby's values are converted, not borrowed")]
#![expect(missing_docs, reason = "only Ruby calls `init`, and its macro drops the description")]

mod arguments;
mod call;
mod client;
mod gvl;
mod results;
mod web;

use std::time::SystemTime;

use magnus::{Error, RHash, Ruby, function, method, prelude::*};
use prebind::binding;
use prebind::token::Refusal;

use client::Client;
use web::{WebAsked, WebCache, WebRequest};

#[magnus::init(name = "native")]
fn init(ruby: &Ruby) -> Result<(), Error> {
    gvl::declare_ractor_safe();
    binding::Language::Ruby.speak();
    let native = ruby.define_module("Prebind")?.define_module("Native")?;
    // Frozen constants can be read by every Ractor.
    let options = ruby.ary_from_iter(prebind::Config::options().map(|option| ruby.to_symbol(option.name)));
    options.freeze();
    native.const_set("OPTIONS", options)?;
    let version = ruby.str_new(env!("CARGO_PKG_VERSION"));
    version.freeze();
    native.const_set("VERSION", version)?;
    native.define_singleton_method("jid_from_user", function!(jid_from_user, 2))?;
    native.define_singleton_method("issue", function!(issue, 2))?;
    native.define_singleton_method("refusal", function!(refusal, 4))?;
    native.define_singleton_method("new_key", function!(new_key, 2))?;
    native.define_singleton_method("server_side", function!(server_side, 3))?;
    native.define_singleton_method("scram_keys", function!(scram_keys, 1))?;
    native.define_singleton_method("schema", function!(binding::schema_json, 0))?;
    native.define_class("Handle", ruby.class_object())?;
    let client = native.define_class("Client", ruby.class_object())?;
    client.define_singleton_method("new", function!(Client::new, 2))?;
    client.define_method("prebind", method!(Client::prebind, 2))?;
    client.define_method("web_next_login", method!(Client::next_login, 3))?;
    client.define_method("web_body_limit", method!(Client::body_limit, 2))?;
    client.define_method("profile", method!(Client::profile, 0))?;
    client.define_method("terminate", method!(Client::terminate, 1))?;
    client.define_method("terminate_by", method!(Client::terminate_by, 2))?;
    let checks = ruby.ary_from_iter(binding::doctor::Check::ALL.map(|check| ruby.str_new(check.as_str())));
    checks.freeze();
    native.const_set("WEB_CHECKS", checks)?;
    native.const_set("WEB_DEADLINE", prebind::web::DEADLINE.as_secs())?;
    native.define_singleton_method("web_granted", function!(web::granted, 1))?;
    native.define_singleton_method("web_rate_limited", function!(web::rate_limited, 1))?;
    native.define_singleton_method("web_sign_in_again", function!(web::sign_in_again, 0))?;
    native.define_singleton_method("web_doctor", function!(web::doctor, 4))?;
    native.define_singleton_method("web_failed", function!(web::failed, 3))?;
    native.define_singleton_method("web_broken", function!(web::broken, 0))?;
    native.define_singleton_method("web_given", function!(web::given, 3))?;
    native.define_singleton_method("web_misnamed", function!(web::misnamed, 4))?;
    native.define_singleton_method("web_sharing", function!(web::sharing, 1))?;
    native.define_singleton_method("web_unmet", function!(web::unmet, 2))?;
    native.define_singleton_method("web_script_headers", function!(web::script_headers, 1))?;
    native.define_singleton_method("web_page", function!(web::page, 1))?;
    native.define_singleton_method("web_reserved", function!(web::reserved, 2))?;
    let asked = native.define_class("WebAsked", ruby.class_object())?;
    let headers = ruby.ary_from_iter(prebind::extauth::Inquiry::HEADERS);
    headers.freeze();
    asked.const_set("HEADERS", headers)?;
    asked.const_set("MAX_BODY", prebind::extauth::MAX_QUESTION)?;
    asked.define_singleton_method("new", function!(WebAsked::new, 4))?;
    asked.define_method("next", method!(WebAsked::next, 0))?;
    asked.define_method("entry", method!(WebAsked::entry, 0))?;
    asked.define_method("user", method!(WebAsked::user, 0))?;
    asked.define_method("refusal", method!(WebAsked::refusal, 1))?;
    asked.define_method("counter", method!(WebAsked::counter, 1))?;
    asked.define_method("answer", method!(WebAsked::answer, 2))?;
    asked.define_method("broken", method!(WebAsked::broken, 0))?;
    asked.define_method("complaint", method!(WebAsked::complaint, 2))?;
    let cache = native.define_class("WebCache", ruby.class_object())?;
    cache.define_singleton_method("new", function!(WebCache::new, 0))?;
    cache.define_method("asked?", method!(WebCache::is_asked, 1))?;
    cache.define_method("answered", method!(WebCache::answered, 4))?;
    let request = native.define_class("WebRequest", ruby.class_object())?;
    let headers = ruby.ary_from_iter(prebind::web::Request::HEADERS);
    headers.freeze();
    request.const_set("HEADERS", headers)?;
    request.define_singleton_method("new", function!(WebRequest::new, 6))?;
    request.define_method("refusal", method!(WebRequest::refusal, 1))?;
    request.define_method("refusal_of", method!(WebRequest::refusal_of, 1))?;
    request.define_method("full_jid", method!(WebRequest::full_jid, 1))?;
    request.define_method("complaint", method!(WebRequest::complaint, 2))?;
    request.define_method("cookies", method!(WebRequest::cookies, 2))
}

/// A token for an account, signed as the argument `jwt` of `Client#prebind` says.
fn issue(ruby: &Ruby, jid: String, jwt: RHash) -> Result<String, Error> {
    let jwt = binding::Value::Map(arguments::named(jwt)?);
    let token = binding::contained(|| binding::issue_token(&jid, jwt, SystemTime::now()));
    token.map(|token| token.expose().to_owned()).map_err(|error| call::raise(ruby, &error))
}

/// Why the token of an account is refused at this time, in seconds since 1970. nil if it is valid.
fn refusal(
    ruby: &Ruby,
    token: String,
    jid: String,
    jwt: RHash,
    now: u64,
) -> Result<Option<&'static str>, Error> {
    let jwt = binding::Value::Map(arguments::named(jwt)?);
    let refusal = binding::contained(|| binding::refusal_of_token(&token, &jid, jwt, now));
    refusal.map(|refusal| refusal.map(Refusal::as_str)).map_err(|error| call::raise(ruby, &error))
}

/// A new key as a private JWK.
fn new_key(ruby: &Ruby, algorithm: Option<String>, id: Option<String>) -> Result<String, Error> {
    let key = binding::contained(|| binding::new_key(algorithm.as_deref(), id.as_deref()));
    key.map(|key| key.expose().to_owned()).map_err(|error| call::raise(ruby, &error))
}

/// What a chat server needs to verify the tokens that the argument `jwt` of `Client#prebind` issues.
fn server_side(ruby: &Ruby, server: String, domain: String, jwt: RHash) -> Result<RHash, Error> {
    let jwt = binding::Value::Map(arguments::named(jwt)?);
    let side = binding::contained(|| binding::server_side(server.parse()?, &domain, jwt));
    results::named(ruby, side.map_err(|error| call::raise(ruby, &error))?)
}

/// The SCRAM keys of a password, by named values.
fn scram_keys(ruby: &Ruby, given: RHash) -> Result<RHash, Error> {
    let given = arguments::named(given)?;
    let derive = || binding::contained(|| binding::scram_keys(given));
    let keys = gvl::without_gvl(ruby, derive, drop)?;
    results::named(ruby, keys.map_err(|error| call::raise(ruby, &error))?)
}

/// The JID of a web site's user. Characters of the name that a JID must not have are escaped.
fn jid_from_user(ruby: &Ruby, name: String, domain: String) -> Result<String, Error> {
    let jid = binding::contained(|| prebind::Jid::from_user(&name, &domain));
    let jid = jid.map_err(|error| call::raise(ruby, &error))?;
    Ok(jid.to_string())
}
