//! What `prebind.Client` is given, after Python brought it into one form.

use prebind::{ClientCertificate, Credentials, Floor, IpFamily, ScramHash, Secret};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;

use crate::call::raise;

/// The options of a client.
#[pyclass(module = "prebind._prebind")]
pub(crate) struct Config(pub(crate) prebind::Config);

#[pymethods]
impl Config {
    #[new]
    fn new(url: &str) -> PyResult<Self> {
        prebind::Config::new(url).map(Self).map_err(raise)
    }

    /// Sets an option. Raises `KeyError` if there is none of that name.
    fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let config = &mut self.0;
        match name {
            "lang" => config.lang = value.extract()?,
            "wait" => config.wait = value.extract()?,
            "hold" => config.hold = value.extract()?,
            "route" => config.route = value.extract()?,
            "resource" => config.resource = value.extract()?,
            "floor" => config.floor = Floor::from_name(&value.extract::<String>()?).map_err(raise)?,
            "digest_md5" => config.digest_md5 = value.extract()?,
            "allow_cleartext" => config.allow_cleartext = value.extract()?,
            "iterations" => config.iterations = value.extract().map(|(least, most)| least..=most)?,
            "headers" => {
                let headers: Vec<(String, String)> = value.extract()?;
                config.headers = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
            }
            "ca" => config.ca = value.extract()?,
            "client_certificate" => {
                let pair: Option<(Vec<u8>, String)> = value.extract()?;
                config.client_certificate =
                    pair.map(|(chain, key)| ClientCertificate { chain, key: key.into() });
            }
            "proxy" => config.proxy = value.extract::<Option<String>>()?.map(Secret::from),
            "ip_family" => {
                config.ip_family = match value.extract::<String>()?.as_str() {
                    "any" => IpFamily::Any,
                    "ipv4" => IpFamily::Ipv4,
                    "ipv6" => IpFamily::Ipv6,
                    _ => return Err(PyValueError::new_err("is one of any, ipv4, ipv6")),
                }
            }
            "deadline" => config.deadline = value.extract()?,
            "resolve_timeout" => config.resolve_timeout = value.extract()?,
            "connect_timeout" => config.connect_timeout = value.extract()?,
            "request_timeout" => config.request_timeout = value.extract()?,
            "fail_fast_after" => config.fail_fast_after = value.extract()?,
            "fail_fast_for" => config.fail_fast_for = value.extract()?,
            "max_reply" => config.max_reply = value.extract()?,
            "learn" => config.learn = value.extract()?,
            "relearn_after" => config.relearn_after = value.extract()?,
            "profile" => config.profile = value.extract()?,
            _ => return Err(PyKeyError::new_err(name.to_owned())),
        }
        Ok(())
    }
}

/// The credentials that the argument `name` of `prebind.Client.prebind` stands for.
pub(crate) fn credentials(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Credentials> {
    let text = || value.extract::<String>();
    let hash = |name: String| ScramHash::from_name(&name).map_err(raise);
    Ok(match name {
        "password" => Credentials::password(text()?),
        "token" => Credentials::plain(text()?),
        "oauthbearer" => Credentials::oauthbearer(text()?),
        "x_oauth2" => Credentials::x_oauth2(text()?),
        "anonymous" => Credentials::anonymous(),
        "external" => Credentials::external(),
        "scram_keys" => {
            let (name, salt, iterations, client, server): (_, Vec<u8>, _, Vec<u8>, Vec<u8>) =
                value.extract()?;
            Credentials::scram_keys(hash(name)?, salt, iterations, client, server)
        }
        "scram_salted_password" => {
            let (name, salt, iterations, salted): (_, Vec<u8>, _, Vec<u8>) = value.extract()?;
            Credentials::scram_salted_password(hash(name)?, salt, iterations, salted)
        }
        _ => value
            .extract()
            .map(|(mechanism, response): (String, String)| Credentials::raw(mechanism, response))?,
    })
}
