//! Writes and reads `<body/>` (XEP-0124, XEP-0206).

use quick_xml::Writer;
use quick_xml::escape::unescape;
use quick_xml::events::BytesText;
use quick_xml::writer::ElementWriter;
use url::Url;

use super::server::Server;
use super::xml::Element;
use super::{ns, sasl};
use crate::config::{Config, place};
use crate::error::{
    BoshCondition, Condition, Error, ErrorKind, Result, Retry, Stage, StreamCondition, address, shortened,
};
use crate::jid::Jid;
use crate::secret::Secret;
use crate::text::is_xml_text;

/// The `Content-Type` of every request (XEP-0124 §6).
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// The version of XEP-0124 that prebind speaks.
const VER: &str = "1.11";

/// The kind of body to write.
pub(crate) enum Frame<'a> {
    /// The session creation request (XEP-0124 §7.1).
    Create { config: &'a Config, domain: &'a str, from: Option<&'a str> },
    /// A request in a session.
    Plain,
    /// The stream restart (XEP-0206 §5).
    Restart { lang: Option<&'a str>, domain: &'a str, version: Option<&'a str> },
    /// The end of the session (XEP-0124 §13).
    Terminate,
}

/// Writes one body around a payload that is already XML.
pub(crate) fn write(frame: &Frame<'_>, rid: u64, sid: Option<&str>, payload: &str) -> Secret {
    // Reserves room for the whole body, because growing would leave pieces of a secret in freed memory.
    let mut writer = Writer::new(Vec::with_capacity(payload.len() + 2048));
    let rid = rid.to_string();
    let body = writer.create_element("body").with_attribute(("xmlns", ns::HTTPBIND));
    let body = match frame {
        Frame::Create { config, domain, from } => write_create(body, config, domain, *from, &rid),
        Frame::Plain => with_optional(body.with_attribute(("rid", rid.as_str())), "sid", sid),
        Frame::Terminate => with_optional(body.with_attribute(("rid", rid.as_str())), "sid", sid)
            .with_attribute(("type", "terminate")),
        Frame::Restart { lang, domain, version } => {
            let body = body.with_attributes([("xmlns:xmpp", ns::XBOSH), ("rid", rid.as_str())]);
            let body = with_optional(body, "sid", sid).with_attribute(("to", *domain));
            let body = with_optional(body, "xml:lang", *lang).with_attribute(("xmpp:restart", "true"));
            with_optional(body, "xmpp:version", *version)
        }
    };
    let written = if payload.is_empty() {
        body.write_empty()
    } else {
        body.write_text_content(BytesText::from_escaped(payload))
    };
    written.expect("writing into memory does not fail");
    String::from_utf8(writer.into_inner()).expect("only text was written").into()
}

fn write_create<'a, W: std::io::Write>(
    body: ElementWriter<'a, W>,
    config: &Config,
    domain: &str,
    from: Option<&str>,
    rid: &str,
) -> ElementWriter<'a, W> {
    let body = body.with_attributes([("xmlns:xmpp", ns::XBOSH), ("content", CONTENT_TYPE)]);
    let body = with_optional(body, "from", from)
        .with_attributes([("hold", config.hold.to_string().as_str()), ("rid", rid)]);
    let body = with_optional(body, "route", config.route.as_deref()).with_attributes([
        ("to", domain),
        ("ver", VER),
        ("wait", config.wait.to_string().as_str()),
    ]);
    with_optional(body, "xml:lang", config.lang.as_deref()).with_attribute(("xmpp:version", "1.0"))
}

fn with_optional<'a, W>(
    element: ElementWriter<'a, W>,
    name: &str,
    value: Option<&str>,
) -> ElementWriter<'a, W> {
    match value {
        Some(value) => element.with_attribute((name, value)),
        None => element,
    }
}

/// A body that was received and is not an error.
#[derive(Debug)]
pub(crate) struct Body {
    root: Element,
}

/// What a received body says before its payload is read.
#[derive(Debug)]
pub(crate) enum Received {
    /// A body with a payload, which may be empty.
    Body(Body),
    /// `type='error'`: the client has to repeat the request (XEP-0124 §17.3).
    Recoverable,
    /// The server ended the session, for this reason.
    Terminated(Error),
}

/// Reads a body. Errors name this `stage`.
pub(crate) fn read(document: &[u8], stage: Stage) -> Result<Received> {
    const EXPECTED: &str = "a BOSH <body/>";
    let root = match Element::parse(document) {
        Ok(root) => root,
        Err(problem) => match Element::parse_loosely(document) {
            Ok(root) if says_the_end(&root) => root,
            _ if is_no_xml(document) => return Err(Error::protocol(stage, EXPECTED, "text that is not XML")),
            // The document is broken, but it comes from a BOSH endpoint, so `url` is right.
            _ if names_httpbind(document) => return Err(Error::protocol_of_server(stage, EXPECTED, problem)),
            _ => return Err(Error::protocol(stage, EXPECTED, problem)),
        },
    };
    if !root.is(ns::HTTPBIND, "body") {
        return Err(Error::protocol(stage, EXPECTED, "another element"));
    }
    match root.attribute("type") {
        Some("terminate") => Ok(Received::Terminated(termination(&root, stage))),
        Some("error") => Ok(Received::Recoverable),
        _ => match root.child(ns::STREAMS, "error") {
            // The stream has ended, but the connection manager has not ended the session.
            Some(error) => Err(stream_error(error, stage)),
            None => Ok(Received::Body(Body { root })),
        },
    }
}

/// Whether the document cannot be XML in any encoding, because of how it begins.
fn is_no_xml(document: &[u8]) -> bool {
    let start = document.trim_ascii_start().first();
    start.is_some_and(|first| first.is_ascii() && !matches!(first, b'<' | 0))
}

/// Whether the document has the namespace of BOSH in it, in UTF-8 or UTF-16.
fn names_httpbind(document: &[u8]) -> bool {
    let letters: Vec<u8> = document.iter().copied().filter(|byte| *byte != 0).collect();
    letters.windows(ns::HTTPBIND.len()).any(|window| window == ns::HTTPBIND.as_bytes())
}

/// Whether this body ends the session or the stream.
fn says_the_end(root: &Element) -> bool {
    root.is(ns::HTTPBIND, "body")
        && (root.attribute("type") == Some("terminate") || root.child(ns::STREAMS, "error").is_some())
}

impl Body {
    /// The error if this session creation response comes from a server for another domain. Some servers
    /// accept any `to` and name their own domain here (XEP-0124 §7.2).
    pub(crate) fn other_domain(&self, account: &Jid) -> Option<Error> {
        let from = self.root.attribute("from").filter(|from| !from.is_empty())?;
        let domain = from.rsplit_once('@').map_or(from, |(_, domain)| domain);
        let domain = domain.split_once('/').map_or(domain, |(domain, _)| domain);
        if account.is_at(domain) {
            return None;
        }
        let (theirs, ours) = (shortened(&address(domain), 60), shortened(account.domain(), 60));
        let user = account.local().map_or_else(String::new, |local| format!("{}@", shortened(local, 60)));
        let message = format!(
            "this server is {theirs} and does not host {ours}: use {user}{theirs} as `jid`, \
             or the `url` of the server that hosts {ours}"
        );
        let error = Error::new(ErrorKind::Bind, Stage::Create, Retry::AfterConfigChange, message);
        Some(error.quoting(theirs))
    }

    /// The kind of server that sent this session creation response.
    pub(crate) fn server(&self) -> Server {
        Server::recognize(&self.root)
    }

    /// The SID that the body names.
    pub(crate) fn sid(&self) -> Option<&str> {
        self.root.attribute("sid")
    }

    pub(crate) fn payload(&self) -> &[Element] {
        &self.root.children
    }

    /// Reads the SID and the terms of the session from the creation response (XEP-0124 §7.2).
    pub(crate) fn created(&self, config: &Config) -> Result<(Secret, Created)> {
        const EXPECTED: &str = "a session creation response with a sid";
        let stage = Stage::Create;
        let sid = self
            .root
            .attribute("sid")
            .filter(|sid| (1..=1024).contains(&sid.len()) && is_xml_text(sid))
            .ok_or_else(|| {
                Error::protocol(stage, EXPECTED, "one without a sid, or with one that cannot be")
            })?;
        let advised = |name| self.root.attribute(name).and_then(advice);
        let created = Created {
            wait: advised("wait").unwrap_or_else(|| config.wait.into()),
            hold: advised("hold").unwrap_or_else(|| config.hold.into()),
            requests: advised("requests"),
            inactivity: advised("inactivity"),
            is_secure: matches!(self.root.attribute("secure"), Some("true" | "1")),
        };
        Ok((sid.into(), created))
    }
}

/// Finds the SID in a session creation response that is unusable otherwise, so that the session can be ended.
/// Such a response is cut off, or not well-formed, or its header wrongly says that it is compressed. Returns
/// `None` if the server has ended the session itself.
pub(crate) fn stray_sid(document: &[u8]) -> Option<Secret> {
    const MAX_SID: usize = 4096;
    let document = String::from_utf8_lossy(document);
    let (_, tag) = document.split_once("<body")?;
    let tag = tag.split(['<', '>']).next()?;
    let attribute = |name| {
        let mark = format!("{name}=");
        let is_whole = |at: usize| tag[..at].ends_with(|before: char| before.is_ascii_whitespace());
        let (at, _) = tag.match_indices(&mark).find(|(at, _)| is_whole(*at))?;
        let value = &tag[at + mark.len()..];
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        unescape(value[1..].split_once(quote)?.0).ok()
    };
    if attribute("type").is_some_and(|kind| kind == "terminate") {
        return None;
    }
    let sid = attribute("sid").filter(|sid| (1..=MAX_SID).contains(&sid.len()) && is_xml_text(sid))?;
    Some(Secret::from(sid.into_owned()))
}

/// Reads a number that is only advice from the server. Prosody writes what Lua has computed, such as `1800.0`
/// or `inf`, and ejabberd writes any number from its configuration. An unreadable number is ignored, because
/// the login works without it.
fn advice(text: &str) -> Option<u32> {
    let number: f64 = text.trim().parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is made to fit")]
    (number >= 0.0).then(|| number.round().min(f64::from(u32::MAX)) as u32)
}

/// The terms of a session, as the server granted them.
#[derive(Debug, Clone)]
pub(crate) struct Created {
    pub(crate) wait: u32,
    pub(crate) hold: u32,
    pub(crate) requests: Option<u32>,
    pub(crate) inactivity: Option<u32>,
    /// Whether the server regards the connection as secure (XEP-0124 §7.2).
    pub(crate) is_secure: bool,
}

impl Created {
    /// The terms that were asked for, for a session whose terms are not known.
    pub(crate) fn asked(config: &Config) -> Self {
        Self {
            wait: config.wait.into(),
            hold: config.hold.into(),
            requests: None,
            inactivity: None,
            is_secure: false,
        }
    }
}

fn termination(root: &Element, stage: Stage) -> Error {
    if let Some(error) = sasl::last_words(&root.children) {
        return error;
    }
    // Some connection managers lose the namespace of the error, but not the namespace of its condition.
    let is_stream_error = |child: &&Element| {
        child.name == "error" && child.children.iter().any(|it| it.namespace == ns::STREAM_ERRORS)
    };
    let stream_error = root.child(ns::STREAMS, "error");
    let stream_error = stream_error.or_else(|| root.children.iter().find(is_stream_error));
    // node-xmpp-bosh explains the error in an attribute of its own.
    let text = root.attribute("message");
    match (root.attribute("condition"), stream_error) {
        (name @ (None | Some("remote-stream-error")), Some(error)) => {
            let refusal = self::stream_error(error, stage);
            // `remote-stream-error` says more than a condition that no RFC defines.
            let is_named = refusal.condition().is_some() || name.is_none();
            let condition = || Some(Condition::Bosh(BoshCondition::RemoteStreamError));
            if is_named { refusal } else { Error::terminated(stage, condition(), text) }
        }
        (Some(name), _) => {
            // Punjab puts the stream error's condition directly into the body, without its wrapper.
            let child = root.children.iter().find(|child| child.namespace == ns::STREAM_ERRORS);
            match (BoshCondition::from(name), child) {
                (BoshCondition::RemoteStreamError, Some(child)) => {
                    let condition = Condition::Stream(child.name.as_str().into());
                    Error::terminated(stage, Some(condition), None)
                }
                (condition, _) => {
                    let address =
                        root.child(ns::HTTPBIND, "uri").filter(|_| condition == BoshCondition::SeeOtherUri);
                    let error = Error::terminated(stage, Some(Condition::Bosh(condition)), text);
                    elsewhere(error, address)
                }
            }
        }
        (None, None) => Error::terminated(stage, None, text),
    }
}

fn stream_error(error: &Element, stage: Stage) -> Error {
    let (condition, text) = error.condition_in(ns::STREAM_ERRORS);
    // Some connection managers lose the namespace of the condition.
    let named =
        || error.children.iter().map(|child| child.name.as_str()).find(|name| is_stream_condition(name));
    let condition = condition.or_else(named);
    let refusal = Error::terminated(stage, condition.map(|name| Condition::Stream(name.into())), text);
    elsewhere(refusal, error.child(ns::STREAM_ERRORS, "see-other-host"))
}

fn is_stream_condition(name: &str) -> bool {
    !matches!(StreamCondition::from(name), StreamCondition::Other(_))
}

/// Adds to the refusal the address that the server refers its clients to.
fn elsewhere(refusal: Error, named: Option<&Element>) -> Error {
    let address = named.map(|it| address(&it.text)).filter(|address| !address.is_empty());
    let Some(address) = address else { return refusal };
    let url = Url::parse(&address).ok().filter(Url::has_host);
    let (place, use_it) = url.map_or_else(
        || (shortened(&address, 100), "use that host's BOSH endpoint as `url`"),
        |url| match url.scheme() {
            "http" | "https" => (place(&url), "use that as `url`"),
            _ => (place(&url), "prebind speaks BOSH, not WebSocket; use that host's BOSH endpoint as `url`"),
        },
    );
    let use_it = if place.starts_with('/') { "use that path in `url`" } else { use_it };
    let remedy = format!("the server sends its clients to {place}: {use_it}");
    refusal.with_remedy(remedy).quoting(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ns::HTTPBIND;

    #[test]
    fn readable_advice_is_used_and_other_advice_is_ignored() {
        for (text, understood) in [
            ("60", Some(60)),
            (" 60 ", Some(60)),
            ("+60", Some(60)),
            ("1800.0", Some(1800)),
            ("29.5", Some(30)),
            ("1.8e+3", Some(1800)),
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("5000000000", Some(u32::MAX)),
            ("1e300", Some(u32::MAX)),
            ("99999999999999999999999999999999999999999", Some(u32::MAX)),
            ("inf", Some(u32::MAX)),
            ("-1", None),
            ("-inf", None),
            ("nan", None),
            ("-nan", None),
            ("", None),
            ("forever", None),
            ("60s", None),
            ("0x3c", None),
            ("1,800", None),
        ] {
            assert_eq!(advice(text), understood, "{text:?}");
        }
    }

    #[test]
    fn a_stray_sid_is_found_in_an_unusable_answer() {
        for (document, sid) in [
            ("<body sid='s1'>", Some("s1")),
            ("\u{feff}<?xml?> <body xmlns='x' sid=\"s1\" wait", Some("s1")),
            ("<body\nsid='&quot;&lt;&#x85;'/>", Some("\"<\u{85}")),
            ("<body sid='s1' type='error'/>", Some("s1")),
            ("<body sid='s1' type='terminate'/>", None),
            ("<body sid='s1", None),
            ("<body sid=s1>", None),
            ("<body sid=''>", None),
            ("<body sid='&#1;'>", None),
            ("<body sid='&bogus;'>", None),
            ("<body><a sid='s1'/></body>", None),
            ("<html sid='s1'>", None),
            ("", None),
        ] {
            assert_eq!(stray_sid(document.as_bytes()), sid.map(Secret::from), "{document}");
        }
        for (length, is_sid) in [(4096, true), (4097, false)] {
            let document = format!("<body sid='{}'/>", "x".repeat(length));
            assert_eq!(stray_sid(document.as_bytes()).is_some(), is_sid, "{length} bytes");
        }
    }

    #[test]
    fn a_sid_is_neither_empty_nor_longer_than_any_is() {
        let config = Config::new("http://localhost/").unwrap();
        for (length, is_sid) in [(0, false), (1, true), (1024, true), (1025, false)] {
            let sid = "x".repeat(length);
            let document = format!("<body xmlns='{HTTPBIND}' sid='{sid}'/>");
            let Ok(Received::Body(body)) = read(document.as_bytes(), Stage::Create) else {
                panic!("no body")
            };
            let taken = body.created(&config).ok().map(|(sid, _)| sid);
            assert_eq!(taken, is_sid.then(|| sid.into()), "{length} bytes");
        }
    }

    fn told(document: &[u8]) -> String {
        match read(document, Stage::Create) {
            Ok(Received::Terminated(error)) | Err(error) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn broken_xml_of_a_bosh_server_does_not_speak_against_the_url() {
        let body = format!("<body xmlns='{HTTPBIND}' sid='s1'><a:b/></body>");
        let utf_16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for document in [body.as_bytes(), &utf_16, &[body.as_bytes(), b"\xff"].concat()] {
            let told = told(document);
            assert!(told.contains("see the logs") && !told.contains("`url`"), "{told}");
        }
        for document in [&b"<html/>"[..], b"<html><title>There is no such page here</html>"] {
            assert!(told(document).contains("check that `url`"));
        }
        assert!(told(b"{\"error\": 1}").contains("text that is not XML: check that `url`"));
    }

    #[test]
    fn the_reason_for_an_end_is_found_without_its_namespaces() {
        let streams = "urn:ietf:params:xml:ns:xmpp-streams";
        for (error, told) in [
            (format!("<error><conflict xmlns='{streams}'/></error>"), "(conflict)"),
            (format!("<s:error><conflict xmlns='{streams}'/></s:error>"), "(conflict)"),
            ("<stream:error><conflict/></stream:error>".to_owned(), "(conflict)"),
            ("<stream:error><mine xmlns='urn:x'/></stream:error>".to_owned(), "(remote-stream-error)"),
            ("<error xmlns='urn:x'><conflict/></error>".to_owned(), "(remote-stream-error)"),
            ("<other:error><conflict/></other:error>".to_owned(), "(remote-stream-error)"),
        ] {
            let body = format!(
                "<body xmlns='{HTTPBIND}' type='terminate' condition='remote-stream-error'>{error}</body>"
            );
            assert!(self::told(body.as_bytes()).contains(told), "{error}: {}", self::told(body.as_bytes()));
        }
    }

    #[test]
    fn node_xmpp_bosh_says_more_in_an_attribute() {
        let body = format!(
            "<body xmlns='{HTTPBIND}' type='terminate' condition='host-unknown' message='No such host'/>"
        );
        assert!(told(body.as_bytes()).contains("(host-unknown, \"No such host\")"));
    }

    #[test]
    fn another_address_is_recommended_only_if_bosh_may_be_there() {
        for (uri, told) in [
            ("https://node/bosh", "https://node/bosh: use that as `url`"),
            ("wss://node/ws", "wss://node/ws: prebind speaks BOSH"),
            ("/bosh", "/bosh: use that path in `url`"),
            ("node", "node: use that host's BOSH endpoint"),
        ] {
            let body = format!(
                "<body xmlns='{HTTPBIND}' type='terminate' condition='see-other-uri'><uri>{uri}</uri></body>"
            );
            assert!(self::told(body.as_bytes()).contains(told), "{}", self::told(body.as_bytes()));
        }
    }
}
