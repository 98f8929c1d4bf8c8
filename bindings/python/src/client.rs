//! One chat service, and its sessions.

use prebind::{Account, Config, Credentials, FastToken};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{given, named};
use crate::call::{heedful, raise};

/// What `prebind.Client` calls.
#[pyclass(frozen, module = "prebind._prebind")]
pub(crate) struct Client(prebind::Client);

/// A session, to be ended with its cookies.
#[pyclass(frozen, module = "prebind._prebind")]
pub(crate) struct Handle(prebind::Session);

#[pymethods]
impl Client {
    #[new]
    fn new(url: &str, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let config = Config::from_named(url, named(options)?);
        config.and_then(prebind::Client::new).map(Self).map_err(raise)
    }

    /// Opens a session, and returns the fields of a `prebind.Session`.
    fn prebind<'py>(
        &self,
        py: Python<'py>,
        jid: &str,
        credentials: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let credentials = Credentials::from_named(given(credentials)?).map_err(raise)?;
        let account = Account::new(jid, credentials).map_err(raise)?;
        let session = heedful(py, || self.0.prebind(&account))?;
        let cookies = session.cookies().iter().map(|cookie| (cookie.name.clone(), cookie.value().to_owned()));
        let fields = (
            session.jid().to_string(),
            session.sid(),
            session.rid(),
            session.inactivity().map(|time| time.as_secs()),
            session.wait().as_secs(),
            session.hold(),
            session.requests(),
            session.mechanism(),
            session.round_trips(),
            PyTuple::new(py, cookies.collect::<Vec<_>>())?,
            session.fast_token().map(FastToken::to_text),
            Handle(session.clone()),
        );
        fields.into_pyobject(py)
    }

    /// What was learned of the server.
    fn profile(&self) -> String {
        self.0.profile()
    }

    /// Ends a session.
    fn terminate(&self, py: Python<'_>, session: &Handle) -> PyResult<()> {
        heedful(py, || self.0.terminate(&session.0))
    }

    /// Ends a session by its SID and the RID to send next.
    fn terminate_by(&self, py: Python<'_>, sid: &str, rid: u64) -> PyResult<()> {
        heedful(py, || self.0.terminate_by(sid, rid))
    }
}
