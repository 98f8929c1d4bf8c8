//! A request to the server.

use std::fmt;
use std::time::Duration;

use super::body::{self, Frame};
use crate::error::Stage;
use crate::secret::Secret;

/// An HTTP POST to the configured URL. `Debug` shows nothing of its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    rid: u64,
    stage: Stage,
    body: Secret,
    cookie: Option<Secret>,
    holds_secret: bool,
    is_optional: bool,
    pause: Duration,
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
        Self {
            rid,
            stage,
            body,
            cookie: cookie.map(Secret::from),
            holds_secret: false,
            is_optional: false,
            pause: Duration::ZERO,
        }
    }

    /// The request, to be sent after this pause.
    pub(crate) fn after(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The request with another RID.
    #[cfg(feature = "client")]
    pub(crate) fn with_rid(self, rid: u64) -> Self {
        let [old, new] = [self.rid, rid].map(|rid| format!(" rid=\"{rid}\""));
        let (before, after) = self.body.expose().split_once(&old).expect("every body has a RID");
        let body = [before, &new, after].concat().into();
        Self { rid, body, ..self }
    }

    /// Marks a request that holds a password, a token or a proof of one.
    pub(crate) fn with_secret(self) -> Self {
        Self { holds_secret: true, ..self }
    }

    pub(crate) fn holds_secret(&self) -> bool {
        self.holds_secret
    }

    /// Marks a request that may be left without an answer for another exchange.
    pub(crate) fn may_be_left(self) -> Self {
        Self { is_optional: true, ..self }
    }

    /// Whether another exchange can do without it.
    #[cfg(feature = "client")]
    pub(crate) fn is_optional(&self) -> bool {
        self.is_optional
    }

    /// Its request ID: a [`Reply`](crate::protocol::Reply) names the request it answers by it.
    #[must_use]
    pub fn rid(&self) -> u64 {
        self.rid
    }

    /// What it is for.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The body to send, with the [`CONTENT_TYPE`](crate::protocol::CONTENT_TYPE).
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.expose()
    }

    /// The `Cookie` header to send, if any.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_ref().map(Secret::expose)
    }

    /// How long to wait before it is sent. More than nothing for a repetition, to a server that did not
    /// know the session yet, and for a request whose RID is lower than that of the request before it in
    /// the list: then it is how much later it should be written.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
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
