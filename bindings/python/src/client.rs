//! One chat service, and what is kept of its sessions.

use prebind::{Account, Cookie, Credentials, ScramHash};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::raise;
use crate::{options, signals};

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
        prebind::Client::new(options::read(url, options)?).map(Self).map_err(raise)
    }

    /// The fields of a `prebind.Session`, in their order.
    #[expect(clippy::similar_names, reason = "RFC 4616 calls them so")]
    fn prebind<'py>(
        &self,
        py: Python<'py>,
        jid: &str,
        proof: &str,
        value: &Bound<'py, PyAny>,
        authcid: Option<String>,
        authzid: Option<String>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut credentials = credentials(proof, value)?;
        if let Some(authcid) = authcid {
            credentials = credentials.authcid(authcid);
        }
        if let Some(authzid) = authzid {
            credentials = credentials.authzid(authzid);
        }
        let account = Account::new(jid, credentials).map_err(raise)?;
        let session = signals::heeded(py, || self.0.prebind(&account))?;
        let pair = |cookie: &Cookie| (cookie.name.clone(), cookie.value().to_owned());
        let cookies = PyTuple::new(py, session.cookies().iter().map(pair))?;
        (
            session.jid().to_string(),
            session.sid(),
            session.rid(),
            session.inactivity().map(|time| time.as_secs()),
            session.wait().as_secs(),
            session.hold(),
            session.requests(),
            session.mechanism(),
            session.round_trips(),
            cookies,
            Handle(session.clone()),
        )
            .into_pyobject(py)
    }

    fn terminate(&self, py: Python<'_>, session: &Handle) -> PyResult<()> {
        signals::heeded(py, || self.0.terminate(&session.0))
    }

    fn terminate_by(&self, py: Python<'_>, sid: &str, rid: u64) -> PyResult<()> {
        signals::heeded(py, || self.0.terminate_by(sid, rid))
    }
}

/// Of the proof with that name among the arguments of `prebind.Client.prebind`.
fn credentials(proof: &str, value: &Bound<'_, PyAny>) -> PyResult<Credentials> {
    let text = || value.extract::<String>();
    Ok(match proof {
        "password" => Credentials::password(text()?),
        "token" => Credentials::plain(text()?),
        "oauthbearer" => Credentials::oauthbearer(text()?),
        "x_oauth2" => Credentials::x_oauth2(text()?),
        "anonymous" => Credentials::anonymous(),
        "external" => Credentials::external(),
        "scram_keys" => {
            let (hash, salt, iterations, client, server): (String, Vec<u8>, _, Vec<u8>, Vec<u8>) =
                value.extract()?;
            Credentials::scram_keys(
                ScramHash::from_name(&hash).map_err(raise)?,
                salt,
                iterations,
                client,
                server,
            )
        }
        "scram_salted_password" => {
            let (hash, salt, iterations, salted): (String, Vec<u8>, _, Vec<u8>) = value.extract()?;
            Credentials::scram_salted_password(
                ScramHash::from_name(&hash).map_err(raise)?,
                salt,
                iterations,
                salted,
            )
        }
        _ => {
            let (mechanism, initial_response): (String, String) = value.extract()?;
            Credentials::raw(mechanism, initial_response)
        }
    })
}
