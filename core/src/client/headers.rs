//! The headers that a configuration adds to every request.

use ureq::http::HeaderMap;
use ureq::http::header::{HeaderName, HeaderValue};

use crate::error::Error;
use crate::secret::Secret;

/// The longest header that common servers accept.
const MAX_HEADER: usize = 8 * 1024;

/// The longest that all headers together may be. Common servers accept less, and writing long headers takes
/// time.
const MAX_HEAD: usize = 64 * 1024;

/// Checks the configured headers. They must not replace the headers that prebind sets itself.
pub(super) fn checked(configured: &[(String, Secret)]) -> Result<HeaderMap, Error> {
    const OURS: [&str; 8] = [
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "te",
        "transfer-encoding",
    ];
    let refused = |problem: String| Error::config("headers", problem);
    let length = |(name, value): &(String, Secret)| name.len() + value.expose().len() + ": \r\n".len();
    if configured.iter().map(length).sum::<usize>() > MAX_HEAD {
        return Err(refused(format!("have more than {MAX_HEAD} bytes in all, which servers refuse")));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in configured {
        let parsed = HeaderName::try_from(name.as_str()).ok().filter(|name| !OURS.contains(&name.as_str()));
        let name = parsed.ok_or_else(|| {
            const PROBLEM: &str =
                "has a name that HTTP does not allow, or that prebind sets itself, such as Content-Type";
            refused(PROBLEM.to_owned())
        })?;
        let mut value = HeaderValue::try_from(value.expose()).map_err(|_| {
            refused(format!(
                "the value of {name} has a character that HTTP does not allow, such as a line break"
            ))
        })?;
        if value.len() > MAX_HEADER {
            let problem =
                format!("the value of {name} is longer than {MAX_HEADER} bytes, which servers refuse");
            return Err(refused(problem));
        }
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_be_as_long_as_servers_take() {
        for (length, is_allowed) in [(MAX_HEADER, true), (MAX_HEADER + 1, false)] {
            let header = ("X-Long".to_owned(), Secret::from("x".repeat(length)));
            assert_eq!(checked(&[header]).is_ok(), is_allowed, "{length}");
        }
        assert_eq!(MAX_HEADER, 8192);
    }

    #[test]
    fn all_headers_may_be_as_long_as_servers_take() {
        let header = |number: usize, length: usize| (format!("X{number}"), Secret::from("x".repeat(length)));
        for (count, length, is_allowed) in
            [(8, 8186, true), (8, 8187, false), (9362, 1, true), (9363, 1, false)]
        {
            let configured: Vec<_> = (0..count).map(|number| header(number % 10, length)).collect();
            assert_eq!(checked(&configured).is_ok(), is_allowed, "{count} of {length}");
        }
        assert_eq!(MAX_HEAD, 65_536);
    }
}
