//! Sends one request to the server, writes its lines into the log, and puts its errors into an operator's
//! words.

use std::sync::Arc;
use std::time::Instant;

use super::lost::Lost;
use super::net::{Http, Lane};
use super::outbox::Posted;
use crate::config::Config;
use crate::wire::reply::Reply;
use crate::wire::request::Request;
use crate::wire::trace::{Writer, masked};

/// The chat service at one URL.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) config: Config,
    pub(super) http: Arc<Http>,
}

impl Service {
    /// Sends a request that no other follows, and returns the reply.
    pub(super) fn ask(&self, request: &Request, lane: Option<Lane>, until: Instant) -> Result<Reply, Lost> {
        let (reply, lane) = self.post(request, lane, until, None)?;
        self.http.process().lanes.put(lane);
        Ok(reply)
    }

    /// Sends a request, and returns the reply and the lane that carried it.
    pub(super) fn post(
        &self,
        request: &Request,
        lane: Option<Lane>,
        until: Instant,
        posted: Option<Posted>,
    ) -> Result<(Reply, Lane), Lost> {
        let stage = request.stage();
        tracing::trace!(target: "prebind::wire", %stage, body = %masked(request.body().as_bytes(), Writer::Client), "sent");
        let start = Instant::now();
        let reply = self.http.post(request, lane, until, posted);
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        let reply = reply.map_err(|obstacle| Lost::new(obstacle, stage, &self.config));
        match &reply {
            Ok((reply, _)) => {
                tracing::trace!(target: "prebind::wire", %stage, body = %masked(&reply.body, Writer::Server), "received");
                tracing::debug!(%stage, milliseconds, status = reply.status, bytes = reply.body.len(), "answered");
            }
            Err(lost) => tracing::debug!(%stage, milliseconds, "{}", lost.error),
        }
        reply
    }
}
