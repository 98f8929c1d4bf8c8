//! What `lib/client.php` calls. Errors are returned, and thrown there: an exception that is made here
//! would have these functions' arguments in its stack trace, passwords and all.

use ext_php_rs::prelude::*;
use ext_php_rs::types::Zval;
use prebind::{Account, Client, Config, Cookie, Credentials, Jid, Result, Session};

use crate::call::{answer, heedful};
use crate::value::{array, named};

pub(crate) fn register(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    let module = module.class::<Handle>().function(wrap_function!(check)).function(wrap_function!(prebind));
    module.function(wrap_function!(terminate)).function(wrap_function!(jid_from_user))
}

/// A session, to be ended with its cookies.
#[php_class]
#[derive(Clone)]
#[php(name = "Prebind\\Native\\Handle")]
pub(crate) struct Handle(Session);

/// The client that the process keeps for an address and its options: connections outlive requests.
fn client(url: &str, options: &Zval) -> Result<Client> {
    let mut config = Config::new(url)?;
    for (name, value) in named(options) {
        config.set(&name, value)?;
    }
    Client::shared(config)
}

#[php_function]
#[php(name = "Prebind\\Native\\check")]
fn check(url: &str, options: &Zval) -> PhpResult<Zval> {
    answer(client(url, options).map(drop))
}

/// The arguments of `Prebind\Session`.
#[php_function]
#[php(name = "Prebind\\Native\\prebind")]
fn prebind(url: &str, options: &Zval, jid: &str, credentials: &Zval) -> PhpResult<Zval> {
    let opened = heedful(|| {
        let account = Account::new(jid, Credentials::from_named(named(credentials))?)?;
        client(url, options)?.prebind(&account)
    });
    let cookie = |it: &Cookie| vec![it.name.clone(), it.value().to_owned()];
    answer(opened.map(|session| {
        array(&[
            ("jid", &session.jid().to_string()),
            ("sid", &session.sid()),
            ("rid", &session.rid()),
            ("inactivity", &session.inactivity().map(|time| time.as_secs())),
            ("wait", &session.wait().as_secs()),
            ("hold", &session.hold()),
            ("requests", &session.requests()),
            ("mechanism", &session.mechanism()),
            ("roundTrips", &session.round_trips()),
            ("cookies", &session.cookies().iter().map(cookie).collect::<Vec<_>>()),
            ("handle", &Handle(session.clone())),
        ])
    }))
}

/// Ends a session: that of the handle, or else by its SID and next RID.
#[php_function]
#[php(name = "Prebind\\Native\\terminate")]
fn terminate(url: &str, options: &Zval, handle: Option<&Handle>, sid: &str, rid: i64) -> PhpResult<Zval> {
    answer(heedful(|| match handle {
        Some(handle) => client(url, options)?.terminate(&handle.0),
        None => client(url, options)?.terminate_by(sid, rid.try_into().unwrap_or_default()),
    }))
}

#[php_function]
#[php(name = "Prebind\\Native\\jid_from_user")]
fn jid_from_user(name: &str, domain: &str) -> PhpResult<Zval> {
    answer(Jid::from_user(name, domain).map(|jid| jid.to_string()))
}
