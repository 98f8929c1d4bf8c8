//! Ends a session (XEP-0124 §13) outside the exchange that opened it.

use crate::config::Config;
use crate::error::{Error, Result, Secrets, Stage};
use crate::session::Session;
use crate::text::is_xml_text;
use crate::wire::body::{Frame, Received};
use crate::wire::cookies;
use crate::wire::reply::Reply;
use crate::wire::request::Request;

/// The request that ends this session.
pub(super) fn of(session: &Session) -> Result<Request> {
    request(session.sid(), session.rid(), cookies::header(session.cookies().iter()))
}

/// The request that ends a session, made from its SID, the RID to send next, and its cookies.
pub(super) fn request(sid: &str, rid: u64, cookie: Option<String>) -> Result<Request> {
    if sid.is_empty() || !is_xml_text(sid) {
        return Err(Error::config(
            "sid",
            "is empty or has a control character: give that of the session, as it was returned",
        ));
    }
    Ok(Request::new(&Frame::Terminate, Stage::Terminate, rid, Some(sid), "", cookie))
}

/// Checks that the server ended the session.
pub(super) fn verify(request: &Request, reply: &Reply, config: &Config) -> Result<()> {
    ended(reply, config).map_err(|error| {
        // The server may repeat the SID, the RID and the cookies in its error, so they are removed from it.
        let mut secrets = Secrets::default();
        secrets.add_rid(request.rid());
        let rid = request.rid().to_string();
        let values = request.body().split('"').skip(1).step_by(2);
        let values = values.filter(|value| *value != rid && !value.contains("://"));
        values.chain(request.cookie()).for_each(|value| secrets.add(value.as_bytes()));
        error.without(&secrets)
    })
}

fn ended(reply: &Reply, config: &Config) -> Result<()> {
    match reply.read(Stage::Terminate, true, config)? {
        Received::Terminated(error) if error.condition().is_some() => Err(error),
        Received::Terminated(_) | Received::Body(_) => Ok(()),
        Received::Recoverable => Err(Error::protocol(Stage::Terminate, "the end of the session", "an error")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_is_text() {
        for bad in ["", "a\u{1}"] {
            assert_eq!(request(bad, 1000, None).unwrap_err().kind().as_str(), "Config");
        }
        let request = request("s1", 1000, Some("a=1".to_owned())).unwrap();
        assert!(
            request.body().ends_with(" rid=\"1000\" sid=\"s1\" type=\"terminate\"/>"),
            "{}",
            request.body()
        );
        assert_eq!((request.cookie(), request.stage()), (Some("a=1"), Stage::Terminate));
    }

    #[test]
    fn a_session_has_ended_unless_the_server_names_a_condition() {
        let config = Config::new("http://localhost/").unwrap();
        let ended = |attributes: &str| {
            let body = format!("<body xmlns='http://jabber.org/protocol/httpbind' {attributes}/>");
            ended(&Reply::new(1000, 200, body), &config).map_err(|error| error.kind().as_str())
        };
        assert_eq!(ended("type='terminate'"), Ok(()));
        assert_eq!(ended(""), Ok(()));
        assert_eq!(ended("type='terminate' condition='item-not-found'"), Err("Terminated"));
        assert_eq!(ended("type='error'"), Err("Protocol"));
    }
}
