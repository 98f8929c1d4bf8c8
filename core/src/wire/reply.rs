//! An HTTP response.

#[cfg(test)]
mod examples;
mod not_bosh;
mod reading;
mod retry_after;

use std::fmt;
use std::time::Duration;

#[cfg(test)]
pub(crate) use examples::examples;
#[cfg(feature = "client")]
pub(crate) use retry_after::retry_after;

/// How much of a page is searched for known words.
const SEARCHED: usize = 16 * 1024;

/// The HTTP response to one [`Request`](crate::protocol::Request). Headers may be added.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Reply {
    /// The RID of the request it answers.
    pub rid: u64,
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Content-Encoding` header. prebind never asks for compression.
    pub content_encoding: Option<String>,
    /// The `Location` header.
    pub location: Option<String>,
    /// How long the `Retry-After` header asks to wait.
    pub retry_after: Option<Duration>,
    /// Every `Set-Cookie` header.
    pub set_cookie: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A response to the request with this RID, with this status and body.
    #[must_use]
    pub fn new(rid: u64, status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { rid, status, body: body.into(), ..Self::default() }
    }

    /// Whether the server failed in a way that may be over when the request is sent again.
    pub(crate) fn is_server_failure(&self) -> bool {
        matches!(self.status, 500..=599)
    }

    /// Whether a proxy says that it could not reach the server.
    pub(crate) fn is_from_gateway(&self) -> bool {
        matches!(self.status, 502..=504)
    }

    /// Whether the beginning of the body has one of these words, which are in lower case.
    fn says(&self, words: &[&str]) -> bool {
        let page = String::from_utf8_lossy(&self.body[..self.body.len().min(SEARCHED)]).to_lowercase();
        words.iter().any(|word| page.contains(word))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
