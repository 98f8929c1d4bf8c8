//! `prebind` for Python: converts arguments and results, lets other threads run meanwhile, heeds
//! signals, and raises what `prebind.errors` defines. Nothing is decided here.

mod arguments;
mod call;
mod client;

/// The native part of `prebind`; import `prebind` instead.
#[pyo3::pymodule(gil_used = false)]
mod _prebind {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::client::{Client, Handle};

    /// The JID of a web site's user, whose name may hold characters that a JID must not have:
    /// they are escaped (XEP-0106).
    ///
    /// Raises `ConfigError` if the name or the domain is not allowed even so.
    #[pyfunction]
    fn jid_from_user(name: &str, domain: &str) -> PyResult<String> {
        prebind::Jid::from_user(name, domain).map(|jid| jid.to_string()).map_err(crate::call::raise)
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("OPTIONS", prebind::Config::options().collect::<Vec<_>>())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
