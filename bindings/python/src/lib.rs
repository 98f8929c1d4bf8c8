//! `prebind` for Python. This half converts arguments and results, lets other threads run during a call,
//! obeys signals, and raises the exceptions of `prebind.errors`. It decides nothing.

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
        WebAsked, WebCache, WebRequest, web_broken, web_doctor, web_failed, web_given, web_granted,
        web_misnamed, web_page, web_rate_limited, web_reserved, web_sharing, web_sign_in_again, web_unmet,
    };

    /// The JID of a web site's user. Characters of the name that a JID must not have are escaped (XEP-0106).
    /// JIDs ignore case: `Alice` and `alice` share one account. If your user names are case-sensitive, pass
    /// an immutable ID instead of the name.
    ///
    /// Raises `ConfigError` if the name or the domain is not allowed even then, or if the name has full-width
    /// or decomposed characters, because it looks like another user's name.
    #[pyfunction]
    fn jid_from_user(name: &str, domain: &str) -> PyResult<String> {
        let jid = prebind::binding::contained(|| prebind::Jid::from_user(name, domain));
        jid.map(|jid| jid.to_string()).map_err(crate::call::raise)
    }

    /// A token for an account, signed as the argument `jwt` of `Client.prebind` says.
    #[pyfunction]
    fn issue(jid: &str, jwt: &Bound<'_, PyDict>) -> PyResult<String> {
        let jwt = prebind::binding::Value::Map(crate::arguments::named(jwt)?);
        let issue = || prebind::binding::issue_token(jid, jwt, SystemTime::now());
        let token = prebind::binding::contained(issue).map_err(crate::call::raise)?;
        Ok(token.expose().to_owned())
    }

    /// Why the token of an account is refused at this time, in seconds since 1970. `None` if it is valid.
    #[pyfunction]
    fn refusal(token: &str, jid: &str, jwt: &Bound<'_, PyDict>, now: u64) -> PyResult<Option<&'static str>> {
        let jwt = prebind::binding::Value::Map(crate::arguments::named(jwt)?);
        let verify = || prebind::binding::refusal_of_token(token, jid, jwt, now);
        let refusal = prebind::binding::contained(verify).map_err(crate::call::raise)?;
        Ok(refusal.map(prebind::token::Refusal::as_str))
    }

    /// A new key as a private JWK.
    #[pyfunction]
    #[pyo3(signature = (algorithm, id))]
    fn new_key(algorithm: Option<&str>, id: Option<&str>) -> PyResult<String> {
        let key = prebind::binding::contained(|| prebind::binding::new_key(algorithm, id));
        key.map(|key| key.expose().to_owned()).map_err(crate::call::raise)
    }

    /// What a chat server needs to verify the tokens that the argument `jwt` of `Client.prebind` issues.
    #[pyfunction]
    fn server_side<'py>(
        server: &str,
        domain: &str,
        jwt: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (py, jwt) = (jwt.py(), prebind::binding::Value::Map(crate::arguments::named(jwt)?));
        let side = || prebind::binding::server_side(server.parse()?, domain, jwt);
        let side = prebind::binding::contained(side).map_err(crate::call::raise)?;
        crate::results::named(py, side)
    }

    /// The options, the credentials and the fields of sessions and errors, as JSON.
    #[pyfunction]
    fn schema() -> String {
        prebind::binding::schema_json()
    }

    /// The SCRAM keys of a password, by named values.
    #[pyfunction]
    fn scram_keys<'py>(given: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        let (py, given) = (given.py(), crate::arguments::given(given)?);
        let derive = || prebind::binding::contained(|| prebind::binding::scram_keys(given));
        crate::results::named(py, py.detach(derive).map_err(crate::call::raise)?)
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
