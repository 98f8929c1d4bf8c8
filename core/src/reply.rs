//! An HTTP response, and whether it is an answer at all.

use std::fmt;

use crate::body::{self, Received};
use crate::condition::{BoshCondition, Condition};
use crate::error::{Error, ErrorKind, Result, Retry, Stage};

/// The HTTP response to one [`Request`](crate::Request).
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Reply {
    /// The RID of the request it answers.
    pub rid: u64,
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Content-Encoding` header; none is ever asked for.
    pub content_encoding: Option<String>,
    /// The `Location` header.
    pub location: Option<String>,
    /// Every `Set-Cookie` header.
    pub set_cookie: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A response with that status and body to the request with that RID.
    #[must_use]
    pub fn new(rid: u64, status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { rid, status, body: body.into(), ..Self::default() }
    }

    /// Reads the body, unless the HTTP layer says that it is none.
    pub(crate) fn read(&self, stage: Stage, in_session: bool, max: usize) -> Result<Received> {
        if self.status != 200 {
            return match self.legacy_condition(in_session) {
                Some(condition) => {
                    Ok(Received::Terminated(Error::terminated(stage, Some(Condition::Bosh(condition)), None)))
                }
                None => Err(self.not_bosh(stage)),
            };
        }
        if self.body.len() > max {
            return Err(Error::protocol(stage, "a reply within max_reply", "a longer one"));
        }
        if self.content_encoding.as_deref().is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"))
        {
            return Err(Error::protocol(stage, "a reply as it is", "a compressed one"));
        }
        if self.is_foreign() {
            return Err(self.not_bosh(stage));
        }
        body::read(&self.body, stage)
    }

    /// Whether the same request may be answered if it is sent once more: a proxy lost the server
    /// for a moment.
    pub(crate) fn is_gateway_failure(&self) -> bool {
        matches!(self.status, 500..=599)
    }

    /// Old connection managers name the condition by the status alone (XEP-0124 §17.1). In a
    /// creation, 404 says that the URL is wrong.
    fn legacy_condition(&self, in_session: bool) -> Option<BoshCondition> {
        let condition = BoshCondition::from_http_status(self.status)?;
        let says_nothing = self.body.is_empty() || !self.is_foreign();
        (says_nothing && (in_session || self.status != 404)).then_some(condition)
    }

    /// Whether it holds a page, JSON or the like instead of XML.
    fn is_foreign(&self) -> bool {
        // Punjab sends no Content-Type at all.
        let is_xml = |content_type: &str| content_type.to_ascii_lowercase().contains("xml");
        let is_html = |content_type: &str| content_type.to_ascii_lowercase().contains("html");
        let starts = self.body.trim_ascii_start();
        let looks_like_html = [b"<!doctype html".as_slice(), b"<html".as_slice()]
            .iter()
            .any(|html| starts.get(..html.len()).is_some_and(|start| start.eq_ignore_ascii_case(html)));
        looks_like_html || self.content_type.as_deref().is_some_and(|found| !is_xml(found) || is_html(found))
    }

    fn not_bosh(&self, stage: Stage) -> Error {
        let location = self.location.as_deref().and_then(host_of);
        let (retry, remedy) = match self.status {
            300..=399 => {
                (Retry::AfterConfigChange, "configure the URL it redirects to; redirects are not followed")
            }
            401 | 407 => {
                (Retry::AfterConfigChange, "the proxy in front of it wants a login: set headers or open it")
            }
            404 => (Retry::AfterConfigChange, "check the path of the URL, for example /http-bind or /bosh"),
            413 => (Retry::AfterConfigChange, "a proxy in front of it takes the request for too large"),
            429 => (Retry::Later, "a proxy in front of it limits requests; wait, then try again"),
            500..=599 => {
                (Retry::FreshSession, "the XMPP server behind it is down or slow; see the proxy's log")
            }
            _ => (Retry::AfterConfigChange, "check that the URL is the server's BOSH endpoint"),
        };
        let what = match (self.status, &location) {
            (200, _) => "a page that is not BOSH".to_owned(),
            (status, Some(host)) => format!("HTTP {status} to {host}"),
            (status, None) => format!("HTTP {status}"),
        };
        let kind = ErrorKind::Http { status: self.status, location };
        Error::new(kind, stage, retry, format!("the server answered with {what}: {remedy}"))
    }
}

/// Only the host of a redirect is told: the rest may hold what nobody else should see.
fn host_of(location: &str) -> Option<String> {
    url::Url::parse(location).ok()?.host_str().map(str::to_owned)
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
