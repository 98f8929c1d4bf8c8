//! A request to the server.

use std::fmt;
use std::time::Duration;

use super::body::{self, Frame};
use crate::error::Stage;
use crate::secret::Secret;

/// An HTTP POST to the configured URL. `Debug` does not show its body.
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

    /// A body of so many bytes that begins no session and holds nothing: its length is all there is to answer.
    #[cfg(feature = "client")]
    pub(crate) fn filler(bytes: usize) -> Self {
        Self {
            body: "x".repeat(bytes).into(),
            ..Self::new(&Frame::Terminate, Stage::Terminate, 1, None, "", None)
        }
    }

    /// The same request, to be sent after this pause.
    pub(crate) fn after(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The same request with another RID.
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

    /// Marks a request that another exchange may replace if it gets no answer.
    pub(crate) fn may_be_left(self) -> Self {
        Self { is_optional: true, ..self }
    }

    /// Whether another exchange may replace this request.
    #[cfg(feature = "client")]
    pub(crate) fn is_optional(&self) -> bool {
        self.is_optional
    }

    /// The request ID. A [`Reply`](crate::protocol::Reply) names its request by it.
    #[must_use]
    pub fn rid(&self) -> u64 {
        self.rid
    }

    /// The stage of the exchange that the request belongs to.
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

    /// How long to wait before sending the request. It is more than zero in two cases. A repeated request
    /// waits if the server did not know the session yet. And a request waits if its RID is lower than the RID
    /// of the request before it in the list, so that it is written that much later.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Whether the request may be sent again if its reply is lost. The creation of a session may not, because
    /// it would leave a second session behind.
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
