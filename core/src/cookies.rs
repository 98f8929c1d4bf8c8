//! The cookies of one exchange: a load balancer may need them to find the same server again.

use cookie::Cookie as Parsed;

use crate::session::Cookie;

/// More than any balancer sets, few enough not to be a burden.
const MAX_COOKIES: usize = 16;
const MAX_LENGTH: usize = 4096;

/// What was set so far, the newest value of each name.
#[derive(Debug, Default)]
pub(crate) struct Cookies(Vec<Cookie>);

impl Cookies {
    /// Takes one `Set-Cookie` header. Every request goes to the same URL, so what the server set
    /// for it fits; what cannot be read is left out, as browsers do.
    pub(crate) fn set(&mut self, header: &str) {
        if header.len() > MAX_LENGTH {
            return;
        }
        let Ok(parsed) = Parsed::parse(header) else { return };
        self.0.retain(|cookie| cookie.name != parsed.name());
        let is_removal = parsed.max_age().is_some_and(|age| !age.is_positive());
        if !is_removal && self.0.len() < MAX_COOKIES {
            self.0.push(Cookie { name: parsed.name().to_owned(), value: parsed.value().into() });
        }
    }

    /// The `Cookie` header, if there is anything to send.
    pub(crate) fn header(&self) -> Option<String> {
        let pairs: Vec<String> =
            self.0.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub(crate) fn into_vec(self) -> Vec<Cookie> {
        self.0
    }
}
