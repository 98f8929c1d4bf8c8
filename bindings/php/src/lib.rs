//! `prebind` for PHP. The classes that PHP code sees are written in PHP, in `lib/`, and are part of this
//! library. This half converts arguments and results, and obeys signals and time limits. It decides nothing.
//!
//! Errors are returned here and thrown in `lib/`. An exception that is made here would show the arguments of
//! these functions, including passwords, in its stack trace.

#![allow(missing_docs, reason = "only PHP calls these, and has its own documentation in `lib/`")]

mod asked;
mod call;
mod value;
mod web;

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::SystemTime;

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::php_eval::execute;
use ext_php_rs::prelude::*;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{IniEntryDef, ModuleEntry};
use ext_php_rs::{info_table_end, info_table_row, info_table_start};
use prebind::binding::{Language, Value, contained, doctor, issue_token, refusal_of_token};
use prebind::token::Refusal;
use prebind::{Account, Client, Config, Credentials, Jid, PasswordMechanism, Session};

use crate::call::{interruptible, print_settings};
use crate::value::{answer, content, details, fields, given_back, named, text};

/// The settings of `php.ini`, which PHP reads until the process ends. The pointer shows a leak checker that
/// the table is in use.
static SETTINGS: AtomicPtr<IniEntryDef> = AtomicPtr::new(null_mut());

/// The settings of `php.ini`: two URLs, and one for each option that fits into a line.
fn settings() -> &'static [IniEntryDef] {
    let entry = |name: String, default: &'static CStr| {
        let name = CString::new(name).unwrap_or_default();
        IniEntryDef::new(Box::leak(name.into_boxed_c_str()), default, IniEntryPermission::All)
    };
    let own = ["prebind.url", "prebind.browser_url"].map(|name| entry(name.to_owned(), c""));
    let options = Config::options().filter_map(|option| {
        // PHP shows a flag that is off as an empty text, so the default of a flag that is on must not be
        // empty.
        let is_on = matches!(option.default, Some(Value::Flag(true)));
        Some(entry(Language::Php.setting(option.name)?, if is_on { c"1" } else { c"" }))
    });
    let entries: Vec<_> = own.into_iter().chain(options).chain([IniEntryDef::end()]).collect();
    let entries = entries.leak();
    SETTINGS.store(entries.as_mut_ptr(), Ordering::Relaxed);
    entries
}

fn startup(_: i32, module: i32) -> i32 {
    IniEntryDef::register(settings(), module);
    Language::Php.speak();
    0
}

/// Does as little as possible, because it runs for each request.
extern "C" fn request_startup(_: i32, _: i32) -> i32 {
    i32::from(execute(include_str!("../lib/start.php")).is_err())
}

/// Defines the classes. PHP calls this when the first class is needed.
#[php_function]
fn prebind_native_load() -> PhpResult<()> {
    execute(include_str!(concat!(env!("OUT_DIR"), "/lib.php"))).map_err(|error| error.to_string().into())
}

/// A session, kept so that it can be ended with its cookies.
#[php_class]
#[derive(Clone)]
#[php(name = "Prebind\\Native\\Handle")]
struct Handle(Session);

/// The client that the process keeps for a URL and its options, because connections outlive requests.
#[php_class]
#[php(name = "Prebind\\Native\\Client")]
struct Shared(Client);

#[php_function]
fn prebind_native_client(url: &str, options: &Zval) -> PhpResult<Zval> {
    answer(contained(|| Config::from_named(url, named(options)).and_then(Client::shared)).map(Shared))
}

/// What the client has learned of the server.
#[php_function]
fn prebind_native_profile(client: &Shared) -> String {
    client.0.profile()
}

/// The arguments of `Prebind\Session`.
#[php_function]
fn prebind_native_open(client: &Shared, jid: &str, credentials: &Zval) -> PhpResult<Zval> {
    let opened = interruptible(|| {
        let account = Account::new(jid, Credentials::from_named(named(credentials))?)?;
        client.0.prebind(&account)
    });
    match opened {
        Ok(session) => {
            let mut fields = fields(session.to_named())?;
            fields.insert("handle", Handle(session))?;
            answer(Ok(fields))
        }
        Err(error) => Ok(details(&error)?),
    }
}

/// Ends a session by its handle, or else by its SID and RID.
#[php_function]
fn prebind_native_terminate(client: &Shared, known: Option<&Handle>, by: &Zval) -> PhpResult<Zval> {
    let sid = content(by).and_then(|it| it.get("sid")?.str()).unwrap_or_default();
    let rid = content(by).and_then(|it| it.get("rid")?.long()).unwrap_or_default();
    let by_sid = || client.0.terminate_by(sid, rid.try_into().unwrap_or_default());
    answer(interruptible(|| known.map_or_else(by_sid, |known| client.0.terminate(&known.0))))
}

#[php_function]
fn prebind_native_jid(name: &str, domain: &str) -> PhpResult<Zval> {
    answer(contained(|| Jid::from_user(name, domain)).map(|jid| jid.to_string()))
}

/// A token for an account, signed by what the argument `jwt` of `Prebind\Client::prebind()` has.
#[php_function]
fn prebind_native_issue(jid: &str, jwt: &Zval) -> PhpResult<Zval> {
    let token = contained(|| issue_token(jid, Value::Map(named(jwt)), SystemTime::now()));
    answer(token.map(|token| token.expose().to_owned()))
}

/// Why a token of an account is refused at that second since 1970; null if it is valid.
#[php_function]
fn prebind_native_refusal(token: &Zval, jid: &Zval, jwt: &Zval, now: u64) -> PhpResult<Zval> {
    let refusal = contained(|| refusal_of_token(&text(token), &text(jid), Value::Map(named(jwt)), now));
    answer(refusal.map(|refusal| refusal.map(Refusal::as_str)))
}

/// A new key as a private JWK.
#[php_function]
fn prebind_native_new_key(algorithm: Option<&str>, id: Option<&str>) -> PhpResult<Zval> {
    answer(contained(|| prebind::binding::new_key(algorithm, id)).map(|key| key.expose().to_owned()))
}

/// What a chat server needs to verify the tokens that the argument `jwt` of `Prebind\Client::prebind()` issues.
#[php_function]
fn prebind_native_server_side(server: &str, domain: &str, jwt: &Zval) -> PhpResult<Zval> {
    let jwt = Value::Map(named(jwt));
    match contained(|| prebind::binding::server_side(server.parse()?, domain, jwt)) {
        Ok(side) => answer(Ok(given_back(Value::Map(side))?)),
        Err(error) => Ok(details(&error)?),
    }
}

/// What the doctor finds by another login: the name of an outcome, and the words of its text.
#[php_function]
fn prebind_native_next_login(client: &Shared, jid: &str, first: &Zval, next: &Zval) -> PhpResult<Zval> {
    outcome(interruptible(|| doctor::next_login(&client.0, jid, named(first), named(next))))
}

/// What the doctor finds by a request that is too long.
#[php_function]
fn prebind_native_body_limit(client: &Shared, credentials: &Zval, url: &str) -> PhpResult<Zval> {
    outcome(interruptible(|| doctor::body_limit(&client.0, named(credentials), url)))
}

fn outcome(found: prebind::Result<doctor::Outcome>) -> PhpResult<Zval> {
    match found {
        Ok((outcome, words)) => {
            let words = words.into_iter().map(|(name, word)| (name, word.into())).collect();
            let found = Value::List(vec![outcome.to_owned().into(), Value::Map(words)]);
            answer(Ok(given_back(found)?))
        }
        Err(error) => Ok(details(&error)?),
    }
}

/// The SCRAM keys of a password, by named values.
#[php_function]
fn prebind_native_scram_keys(given: &Zval) -> PhpResult<Zval> {
    match contained(|| prebind::binding::scram_keys(named(given))) {
        Ok(keys) => answer(Ok(given_back(Value::Map(keys))?)),
        Err(error) => Ok(details(&error)?),
    }
}

/// The options that `php.ini` may set, with the name of the setting.
#[php_function]
fn prebind_native_settings() -> HashMap<String, String> {
    let setting = |name: &str| Some((name.to_owned(), Language::Php.setting(name)?));
    Config::options().filter_map(|option| setting(option.name)).chain(setting("url")).collect()
}

/// The options, the credentials and the fields of sessions and errors, as JSON.
#[php_function]
fn prebind_native_schema() -> String {
    prebind::binding::schema_json()
}

extern "C" fn info(module: *mut ModuleEntry) {
    info_table_start!();
    info_table_row!("Version", env!("CARGO_PKG_VERSION"));
    info_table_row!("TLS", "rustls, with the operating system's certificates");
    info_table_row!(
        "Mechanisms for passwords",
        PasswordMechanism::ALL.map(PasswordMechanism::as_str).join(", ")
    );
    info_table_end!();
    print_settings(module);
}

#[php_module]
#[php(startup = startup)]
fn module(module: ModuleBuilder) -> ModuleBuilder {
    let module = module.name("prebind").info_function(info).request_startup_function(request_startup);
    let module = module.class::<Shared>().class::<Handle>().function(wrap_function!(prebind_native_load));
    let module = module.function(wrap_function!(prebind_native_client));
    let module = module.function(wrap_function!(prebind_native_profile));
    let module = module.function(wrap_function!(prebind_native_open));
    let module = module.function(wrap_function!(prebind_native_terminate));
    let module = module.function(wrap_function!(prebind_native_issue));
    let module = module.function(wrap_function!(prebind_native_refusal));
    let module = module.function(wrap_function!(prebind_native_settings));
    let module = module.function(wrap_function!(prebind_native_jid));
    let module = module.function(wrap_function!(prebind_native_new_key));
    let module = module.function(wrap_function!(prebind_native_server_side));
    let module = module.function(wrap_function!(prebind_native_next_login));
    let module = module.function(wrap_function!(prebind_native_body_limit));
    let module = module.function(wrap_function!(prebind_native_scram_keys));
    asked::declared(web::declared(module.function(wrap_function!(prebind_native_schema))))
}
