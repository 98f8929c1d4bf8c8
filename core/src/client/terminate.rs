//! Ending a session (XEP-0124 §13) apart from the exchange that opened it.

use crate::body::{Frame, Received};
use crate::config::Config;
use crate::cookies;
use crate::error::{Error, Result, Stage};
use crate::reply::Reply;
use crate::request::Request;
use crate::session::Session;
use crate::xml::is_text;

/// The request that ends a session.
pub(super) fn of(session: &Session) -> Result<Request> {
    request(session.sid(), session.rid(), cookies::header(session.cookies().iter()))
}

/// The same, by its SID, the RID to send next and its cookies.
pub(super) fn request(sid: &str, rid: u64, cookie: Option<String>) -> Result<Request> {
    if sid.is_empty() || !is_text(sid) {
        return Err(Error::config("sid", "is empty or has a control character"));
    }
    Ok(Request::new(&Frame::Terminate, Stage::Terminate, rid, Some(sid), "", cookie))
}

/// Whether the server ended the session as asked.
pub(super) fn verify(reply: &Reply, config: &Config) -> Result<()> {
    match reply.read(Stage::Terminate, true, config.max_reply)? {
        Received::Terminated(error) if error.condition().is_some() => Err(error),
        Received::Terminated(_) | Received::Body(_) => Ok(()),
        Received::Recoverable => Err(Error::protocol(Stage::Terminate, "the end of the session", "an error")),
    }
}
