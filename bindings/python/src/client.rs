//! One chat service, and its sessions.

use prebind::{Account, Credentials};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::{Config, credentials};
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
    fn new(config: &Config) -> PyResult<Self> {
        prebind::Client::new(config.0.clone()).map(Self).map_err(raise)
    }

    /// Opens a session by the proof of that name, and returns the fields of a `prebind.Session`.
    /// `identity` is authcid and authzid.
    fn prebind<'py>(
        &self,
        py: Python<'py>,
        jid: &str,
        proof: &str,
        value: &Bound<'py, PyAny>,
        identity: (Option<String>, Option<String>),
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut credentials = credentials(proof, value)?;
        credentials = identity.0.into_iter().fold(credentials, Credentials::authcid);
        credentials = identity.1.into_iter().fold(credentials, Credentials::authzid);
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
