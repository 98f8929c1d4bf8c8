//! A request to the server.

use std::fmt;

use crate::body::{self, Frame};
use crate::error::Stage;
use crate::secret::Secret;

/// The `Content-Type` of every request (XEP-0124 §6).
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// An HTTP POST to the configured URL. `Debug` shows nothing of its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    rid: u64,
    stage: Stage,
    body: Secret,
    cookie: Option<Secret>,
}

impl Request {
    pub(crate) fn new(
        frame: &Frame<'_>,
        stage: Stage,
        rid: u64,
        sid: Option<&str>,
        payload: &str,
        cookie: Option<String>,
    ) -> Self {
        let body = body::write(frame, rid, sid, payload);
        Self { rid, stage, body, cookie: cookie.map(Secret::from) }
    }

    /// Its request ID: a [`Reply`](crate::Reply) names the request it answers by it.
    #[must_use]
    pub fn rid(&self) -> u64 {
        self.rid
    }

    /// What it is for.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The body to send, with the [`CONTENT_TYPE`].
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.expose()
    }

    /// The `Cookie` header to send, if any.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_ref().map(Secret::expose)
    }

    /// Whether the request may be sent again if its reply is lost: not the creation of a session,
    /// which would leave a second one behind.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.stage != Stage::Create
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("stage", &self.stage).finish_non_exhaustive()
    }
}
