//! `<body/>` written and read (XEP-0124, XEP-0206).

use quick_xml::Writer;
use quick_xml::events::BytesText;
use quick_xml::writer::ElementWriter;

use crate::condition::{BoshCondition, Condition};
use crate::config::Config;
use crate::error::{Error, Result, Stage};
use crate::learned::Server;
use crate::secret::Secret;
use crate::stanza;
use crate::xml::{Element, is_text};

pub(crate) const NS_HTTPBIND: &str = "http://jabber.org/protocol/httpbind";
pub(crate) const NS_XBOSH: &str = "urn:xmpp:xbosh";

/// The version of XEP-0124 this library speaks.
const VER: &str = "1.11";

/// What kind of body to write.
pub(crate) enum Frame<'a> {
    /// The session creation request (XEP-0124 §7.1).
    Create { config: &'a Config, domain: &'a str, from: Option<&'a str> },
    /// A request in a session.
    Plain,
    /// The stream restart (XEP-0206 §5).
    Restart { lang: Option<&'a str>, domain: &'a str },
    /// The end of the session (XEP-0124 §13).
    Terminate,
}

/// Writes one body around elements that are XML already.
pub(crate) fn write(frame: &Frame<'_>, rid: u64, sid: Option<&str>, payload: &str) -> Secret {
    // Room for all of it: growing would leave pieces of a secret behind in freed memory.
    let mut writer = Writer::new(Vec::with_capacity(payload.len() + 2048));
    let rid = rid.to_string();
    let body = writer.create_element("body").with_attribute(("xmlns", NS_HTTPBIND));
    let body = match frame {
        Frame::Create { config, domain, from } => write_create(body, config, domain, *from, &rid),
        Frame::Plain => with_optional(body.with_attribute(("rid", rid.as_str())), "sid", sid),
        Frame::Terminate => with_optional(body.with_attribute(("rid", rid.as_str())), "sid", sid)
            .with_attribute(("type", "terminate")),
        Frame::Restart { lang, domain } => {
            let body = body.with_attributes([("xmlns:xmpp", NS_XBOSH), ("rid", rid.as_str())]);
            let body = with_optional(body, "sid", sid).with_attribute(("to", *domain));
            with_optional(body, "xml:lang", *lang).with_attribute(("xmpp:restart", "true"))
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
    let body = body.with_attributes([("xmlns:xmpp", NS_XBOSH), ("content", crate::request::CONTENT_TYPE)]);
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

/// What a received body says before its payload is looked at.
#[derive(Debug)]
pub(crate) enum Received {
    /// Payload, perhaps none.
    Body(Body),
    /// `type='error'`: the request is to be repeated (XEP-0124 §17.3).
    Recoverable,
    /// The server ended the session, for this reason.
    Terminated(Error),
}

/// Reads a body. `stage` is where an error is reported to have happened.
pub(crate) fn read(document: &[u8], stage: Stage) -> Result<Received> {
    const EXPECTED: &str = "a BOSH <body/>";
    let root = Element::parse(document).map_err(|error| Error::protocol(stage, EXPECTED, error))?;
    if !root.is(NS_HTTPBIND, "body") {
        return Err(Error::protocol(stage, EXPECTED, "another element"));
    }
    match root.attribute("type") {
        Some("terminate") => Ok(Received::Terminated(termination(&root, stage))),
        Some("error") => Ok(Received::Recoverable),
        _ => match root.child(stanza::NS_STREAMS, "error") {
            // The stream is lost; the connection manager has not said that its session is, too.
            Some(error) => Err(stream_error(error, stage)),
            None => Ok(Received::Body(Body { root })),
        },
    }
}

impl Body {
    /// What the server that sent this session creation response is.
    pub(crate) fn server(&self) -> Server {
        Server::recognize(&self.root)
    }

    pub(crate) fn payload(&self) -> &[Element] {
        &self.root.children
    }

    /// What the session creation response says (XEP-0124 §7.2).
    pub(crate) fn created(&self, config: &Config) -> Result<(Secret, Created)> {
        const EXPECTED: &str = "a session creation response with a sid";
        let stage = Stage::Create;
        let sid = self
            .root
            .attribute("sid")
            .filter(|sid| (1..=1024).contains(&sid.len()) && is_text(sid))
            .ok_or_else(|| Error::protocol(stage, EXPECTED, "none"))?;
        let number = |name| -> Result<Option<u32>> {
            self.root.attribute(name).map(|value| value.trim().parse()).transpose().map_err(|_| {
                Error::protocol(stage, "numbers in the session creation response", "something else")
            })
        };
        let created = Created {
            wait: number("wait")?.unwrap_or_else(|| config.wait.into()),
            hold: number("hold")?.unwrap_or_else(|| config.hold.into()),
            requests: number("requests")?,
            inactivity: number("inactivity")?,
        };
        Ok((sid.into(), created))
    }
}

/// The terms of a session, as the server granted them.
#[derive(Debug, Clone)]
pub(crate) struct Created {
    pub(crate) wait: u32,
    pub(crate) hold: u32,
    pub(crate) requests: Option<u32>,
    pub(crate) inactivity: Option<u32>,
}

fn termination(root: &Element, stage: Stage) -> Error {
    if let Some(error) = stanza::last_words(&root.children) {
        return error;
    }
    let stream_error = root.child(stanza::NS_STREAMS, "error");
    match (root.attribute("condition"), stream_error) {
        (None | Some("remote-stream-error"), Some(error)) => self::stream_error(error, stage),
        (Some(name), _) => {
            // Punjab puts the stream error's condition into the body without its wrapper.
            let child = root.children.iter().find(|child| child.namespace == stanza::NS_STREAM_ERRORS);
            match (BoshCondition::from(name), child) {
                (BoshCondition::RemoteStreamError, Some(child)) => {
                    let condition = Condition::Stream(child.name.as_str().into());
                    Error::terminated(stage, Some(condition), None)
                }
                (condition, _) => Error::terminated(stage, Some(Condition::Bosh(condition)), None),
            }
        }
        (None, None) => Error::terminated(stage, None, None),
    }
}

fn stream_error(error: &Element, stage: Stage) -> Error {
    let (condition, text) = stanza::defined_condition(error, stanza::NS_STREAM_ERRORS);
    Error::terminated(stage, condition.map(|name| Condition::Stream(name.into())), text)
}
