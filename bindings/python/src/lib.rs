//! `prebind` for Python: converts arguments and results, lets other threads run meanwhile, obeys
//! signals, and raises what `prebind.errors` defines. Nothing is decided here.

#![forbid(unsafe_code)]

mod arguments;
mod call;
mod client;
mod results;
mod web;

/// The native part of `prebind`; import `prebind` instead.
#[pyo3::pymodule(gil_used = false)]
mod _prebind {
    use std::time::SystemTime;

    use prebind::binding::doctor;
    use pyo3::prelude::*;
    use pyo3::types::PyDict;

    #[pymodule_export]
    use crate::client::{Client, Handle};
    #[pymodule_export]
    use crate::web::{
        WebCache, WebRequest, web_broken, web_doctor, web_failed, web_given, web_granted, web_misnamed,
        web_page, web_rate_limited, web_reserved, web_sharing, web_unmet,
    };

    /// The JID of a web site's user, whose name may hold characters that a JID must not have:
    /// they are escaped (XEP-0106). JIDs ignore case: `Alice` and `alice` share one account. If your
    /// user names do not, give an immutable id in place of the name.
    ///
    /// Raises `ConfigError` if the name or the domain is not allowed even so, or if the name has
    /// full-width or decomposed characters, because it looks like another one.
    #[pyfunction]
    fn jid_from_user(name: &str, domain: &str) -> PyResult<String> {
        let jid = prebind::binding::contained(|| prebind::Jid::from_user(name, domain));
        jid.map(|jid| jid.to_string()).map_err(crate::call::raise)
    }

    /// A token for an account, signed by what the argument `jwt` of `Client.prebind` has.
    #[pyfunction]
    fn issue(jid: &str, jwt: &Bound<'_, PyDict>) -> PyResult<String> {
        let jwt = prebind::binding::Value::Map(crate::arguments::named(jwt)?);
        let issue = || prebind::binding::issue_token(jid, jwt, SystemTime::now());
        let token = prebind::binding::contained(issue).map_err(crate::call::raise)?;
        Ok(token.expose().to_owned())
    }

    /// Why a token of an account is refused at that second since 1970; `None` if it is valid.
    #[pyfunction]
    fn refusal(token: &str, jid: &str, jwt: &Bound<'_, PyDict>, now: u64) -> PyResult<Option<&'static str>> {
        let jwt = prebind::binding::Value::Map(crate::arguments::named(jwt)?);
        let verify = || prebind::binding::refusal_of_token(token, jid, jwt, now);
        let refusal = prebind::binding::contained(verify).map_err(crate::call::raise)?;
        Ok(refusal.map(prebind::token::Refusal::as_str))
    }

    /// The options, the credentials and the fields of sessions and errors, as JSON.
    #[pyfunction]
    fn schema() -> String {
        prebind::binding::schema_json()
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("OPTIONS", prebind::Config::options().map(|option| option.name).collect::<Vec<_>>())?;
        module.add("WEB_CHECKS", doctor::Check::ALL.map(doctor::Check::as_str))?;
        module.add("WEB_DEADLINE", prebind::web::DEADLINE.as_secs())?;
        prebind::binding::Language::Python.speak();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
