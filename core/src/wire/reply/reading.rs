//! Decides whether a response is an answer of a BOSH server, and reads it.

use super::Reply;
use super::not_bosh::NotBosh;
use crate::config::Config;
use crate::error::{BoshCondition, Condition, Error, Result, Retry, Stage, address, shortened};
use crate::wire::body::{self, Received};

/// The words of the HTML page by which Openfire answers an unknown SID.
const UNKNOWN_SID: &str = "invalid sid value";

impl Reply {
    /// Reads the body, unless status or headers show that it is no BOSH answer.
    pub(crate) fn read(&self, stage: Stage, in_session: bool, config: &Config) -> Result<Received> {
        if self.status != 200 {
            return match self.legacy_condition(in_session) {
                Some(condition) => {
                    let error = Error::terminated(stage, Some(Condition::Bosh(condition)), None);
                    Ok(Received::Terminated(self.explained(error)))
                }
                None => Err(self.not_bosh(stage, config)),
            };
        }
        if self.body.len() > config.max_reply {
            let most = config.max_reply;
            let message = format!(
                "the reply is longer than {most} bytes: raise `max_reply` if the server has reason to send so much"
            );
            let error = Error::unreadable(stage, "a reply within max_reply", message);
            return Err(error.with_retry(Retry::AfterConfigChange));
        }
        if let Some(coding) = self.compression() {
            let message = format!(
                "the reply is compressed ({coding}) although prebind did not ask for that: switch compression off \
                 for the BOSH path, in the proxy or server in front"
            );
            return Err(Error::unreadable(stage, "a reply as it is", message)
                .with_retry(Retry::AfterConfigChange)
                .quoting(coding));
        }
        if self.is_foreign() {
            return Err(self.not_bosh(stage, config));
        }
        body::read(&self.body, stage)
    }

    /// Adds a remedy to a condition that only the status names, because something in front of the connection
    /// manager may have sent it.
    fn explained(&self, error: Error) -> Error {
        match self.status {
            400 if self.body.is_empty() => error.with_remedy(
                "it says no more than HTTP 400; check that `url` and, if you set it, Host in `headers` are what the \
                 server expects, and see its log",
            ),
            403 if self.body.is_empty() => error.with_remedy(
                "it says no more than HTTP 403; allow POST on the BOSH path from this machine's address in the server \
                 and in any proxy or firewall in front, or wait if the server limits sessions",
            ),
            _ => error,
        }
    }

    /// The compression of the body, as its header or its first bytes say.
    fn compression(&self) -> Option<String> {
        let named = self.content_encoding.as_deref().map(str::trim);
        let named = named.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
        let seen = match self.body.as_slice() {
            [0x1f, 0x8b, ..] => Some("gzip"),
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some("deflate"),
            _ => None,
        };
        named.map(|coding| shortened(&address(coding), 20)).or(seen.map(str::to_owned))
    }

    /// The condition that the status stands for. Old connection managers name a condition only by the status
    /// (XEP-0124 §17.1). In answer to a creation, 404 means that the URL is wrong.
    fn legacy_condition(&self, in_session: bool) -> Option<BoshCondition> {
        let condition = BoshCondition::from_http_status(self.status)?;
        let is_of_unknown_sid = self.status == 404 && self.says(&[UNKNOWN_SID]);
        let is_answer = self.body.is_empty() || !self.is_foreign() || is_of_unknown_sid;
        (is_answer && (in_session || self.status != 404)).then_some(condition)
    }

    /// Whether the body is a web page, JSON or the like instead of XML.
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

    fn not_bosh(&self, stage: Stage, config: &Config) -> Error {
        NotBosh { reply: self, stage, config }.error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: Stage = Stage::Create;

    fn config() -> Config {
        Config::new("https://chat.example.org/http-bind").unwrap()
    }

    #[test]
    fn a_reply_may_be_as_long_as_max_reply() {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind'/>";
        let read =
            |max_reply| Reply::new(1, 200, body).read(CREATE, false, &Config { max_reply, ..config() });
        assert!(read(body.len()).is_ok() && read(body.len() + 1).is_ok());
        let error = read(body.len() - 1).unwrap_err();
        assert_eq!(error.kind().as_str(), "Protocol");
        assert!(error.to_string().contains("longer than 50 bytes: raise `max_reply`"), "{error}");
    }

    #[test]
    fn the_error_says_that_a_reply_is_compressed() {
        let mut named = Reply::new(1, 200, "anything");
        named.content_encoding = Some("br".to_owned());
        let unnamed = Reply::new(1, 200, vec![0x1f, 0x8b, 8, 0]);
        let zlib = Reply::new(1, 200, vec![0x78, 0x9c, 1]);
        for (reply, coding) in [(named, "(br)"), (unnamed, "(gzip)"), (zlib, "(deflate)")] {
            for stage in [CREATE, Stage::Bind] {
                let error = reply.read(stage, stage != CREATE, &config()).unwrap_err();
                assert_eq!((error.kind().as_str(), error.retry()), ("Protocol", Retry::AfterConfigChange));
                let told = error.to_string();
                assert!(told.contains(coding) && told.contains("switch compression off"), "{told}");
            }
        }
        let mut plain = Reply::new(1, 200, "<body xmlns='http://jabber.org/protocol/httpbind'/>");
        plain.content_encoding = Some("Identity".to_owned());
        assert!(plain.read(CREATE, false, &config()).is_ok());
    }
}
