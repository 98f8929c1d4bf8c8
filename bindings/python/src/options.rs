//! What `prebind.Client` is given.

use std::time::Duration;

use prebind::{ClientCertificate, Config, Floor, IpFamily, Secret};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::error::{raise, refused};

/// The defaults with these options.
pub(crate) fn read(url: &str, options: &Bound<'_, PyDict>) -> PyResult<Config> {
    let mut config = Config::new(url).map_err(raise)?;
    for (name, value) in options {
        let name: String = name.extract()?;
        if !set(&mut config, &name, &value).map_err(|error| refused(value.py(), &name, error))? {
            return Err(PyTypeError::new_err(format!("Client() has no option '{name}'")));
        }
    }
    Ok(config)
}

/// Sets an option; false if there is none of that name.
fn set(config: &mut Config, name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    match name {
        "lang" => config.lang = value.extract()?,
        "wait" => config.wait = value.extract()?,
        "hold" => config.hold = value.extract()?,
        "route" => config.route = value.extract()?,
        "resource" => config.resource = value.extract()?,
        "floor" => config.floor = Floor::from_name(&value.extract::<String>()?).map_err(raise)?,
        "digest_md5" => config.digest_md5 = value.extract()?,
        "allow_cleartext" => config.allow_cleartext = value.extract()?,
        "iterations" => {
            let (least, most) = value.extract()?;
            config.iterations = least..=most;
        }
        "headers" => {
            let headers: Vec<(String, String)> = value.cast::<PyMapping>()?.items()?.extract()?;
            config.headers = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
        }
        "ca" => config.ca = (!value.is_none()).then(|| pem(value)).transpose()?,
        "client_certificate" => {
            let parts: Option<(Bound<'_, PyAny>, Bound<'_, PyAny>)> = value.extract()?;
            config.client_certificate = parts.map(|(chain, key)| certificate(&chain, &key)).transpose()?;
        }
        "proxy" => config.proxy = value.extract::<Option<String>>()?.map(Secret::from),
        "ip_family" => config.ip_family = ip_family(&value.extract::<String>()?)?,
        "deadline" => config.deadline = seconds(value)?,
        "resolve_timeout" => config.resolve_timeout = seconds(value)?,
        "connect_timeout" => config.connect_timeout = seconds(value)?,
        "request_timeout" => config.request_timeout = seconds(value)?,
        "fail_fast_after" => config.fail_fast_after = value.extract()?,
        "fail_fast_for" => config.fail_fast_for = seconds(value)?,
        "max_reply" => config.max_reply = value.extract()?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn seconds(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    if let Ok(timedelta) = value.extract() {
        return Ok(timedelta);
    }
    Duration::try_from_secs_f64(value.extract()?).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn pem(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    value.extract::<String>().map(String::into_bytes).or_else(|_| value.extract())
}

fn certificate(chain: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<ClientCertificate> {
    // A key that is not text is no PEM; the core says so of an empty one.
    let key = String::from_utf8(pem(key)?).unwrap_or_default();
    Ok(ClientCertificate { chain: pem(chain)?, key: key.into() })
}

fn ip_family(name: &str) -> PyResult<IpFamily> {
    match name {
        "any" => Ok(IpFamily::Any),
        "ipv4" => Ok(IpFamily::Ipv4),
        "ipv6" => Ok(IpFamily::Ipv6),
        _ => Err(PyValueError::new_err("is one of any, ipv4, ipv6")),
    }
}
