//! The client of one chat service, and its sessions.

use std::collections::HashMap;

use prebind::binding::{contained, doctor};
use prebind::{Account, Config, Credentials};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{given, named};
use crate::call::{interruptible, raise};
use crate::results::fields;

/// The native half of `prebind.Client`.
#[pyclass(frozen, module = "prebind._prebind")]
pub(crate) struct Client(prebind::Client);

/// A session, kept so that it can be ended with its cookies.
#[pyclass(frozen, module = "prebind._prebind")]
pub(crate) struct Handle(prebind::Session);

#[pymethods]
impl Client {
    #[new]
    fn new(url: &str, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let options = named(options)?;
        contained(|| Config::from_named(url, options).and_then(prebind::Client::new)).map(Self).map_err(raise)
    }

    /// Opens a session, and returns the fields of a `prebind.Session`.
    fn prebind<'py>(
        &self,
        py: Python<'py>,
        jid: &str,
        credentials: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let credentials = given(credentials)?;
        let account =
            contained(|| Account::new(jid, Credentials::from_named(credentials)?)).map_err(raise)?;
        let undo = |session| drop(self.0.terminate(&session));
        let session = interruptible(py, || self.0.prebind(&account), undo)?;
        let fields = fields(py, session.to_named())?;
        fields.set_item("_handle", Handle(session))?;
        Ok(fields)
    }

    /// What the client has learned of the server.
    fn profile(&self) -> String {
        self.0.profile()
    }

    /// Ends a session.
    fn terminate(&self, py: Python<'_>, session: &Handle) -> PyResult<()> {
        interruptible(py, || self.0.terminate(&session.0), drop)
    }

    /// What the doctor finds by another login: the name of an outcome, and the words of its text.
    fn web_next_login(
        &self,
        py: Python<'_>,
        jid: &str,
        first: &Bound<'_, PyDict>,
        next: &Bound<'_, PyDict>,
    ) -> PyResult<(&'static str, HashMap<String, String>)> {
        let (first, next) = (given(first)?, given(next)?);
        outcome(interruptible(py, || doctor::next_login(&self.0, jid, first, next), drop))
    }

    /// What the doctor finds by a request that is too long.
    fn web_body_limit(
        &self,
        py: Python<'_>,
        credentials: &Bound<'_, PyDict>,
        url: &str,
    ) -> PyResult<(&'static str, HashMap<String, String>)> {
        let credentials = given(credentials)?;
        outcome(interruptible(py, || doctor::body_limit(&self.0, credentials, url), drop))
    }

    /// Ends a session by its SID and the RID to send next.
    fn terminate_by(&self, py: Python<'_>, sid: &str, rid: u64) -> PyResult<()> {
        interruptible(py, || self.0.terminate_by(sid, rid), drop)
    }
}

fn outcome(found: PyResult<doctor::Outcome>) -> PyResult<(&'static str, HashMap<String, String>)> {
    found.map(|(outcome, words)| (outcome, words.into_iter().collect()))
}
