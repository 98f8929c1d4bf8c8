//! The faults, by name, with the kind of error that each has to end in.

use std::str::FromStr;

use Fault::{
    BodyDrips, BodyEndless, BodyNeverComes, BodyTooLarge, BodyTruncated, ClosedBeforeReply, ClosedMidBody,
    ClosedMidHeaders, ConnectHangs, ContentEncoding, EmptyBody, EndlessHeaders, EndlessInterim, GzipBomb,
    HeadersDrip, HtmlPage, JsonPage, NeverReads, NoHeaders, NotHttp, Redirect, Refused, ResetBeforeReply,
    ResetMidBody, Status, TlsDrips, TlsExpired, TlsNotTls, TlsSilent, TlsUnknownCa, TlsWrongName,
    UnclosedXml,
};

/// One way in which a server misbehaves.
///
/// A complete body is always the right answer to the request. So a client that overlooks the fault gets its
/// session, and the test notices that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// TCP: nobody listens on the port.
    Refused,
    /// TCP: the handshake is never completed, as behind a firewall that drops packets.
    ConnectHangs,
    /// TCP: the connection is accepted, then neither read nor answered.
    NeverReads,
    /// TLS: the connection is accepted, and the `ClientHello` is never answered.
    TlsSilent,
    /// TLS: the handshake arrives one byte at a time.
    TlsDrips,
    /// TLS: a valid certificate of a CA that the client does not know.
    TlsUnknownCa,
    /// TLS: a certificate of the right CA, but for another host name.
    TlsWrongName,
    /// TLS: an expired certificate of the right CA with the right name.
    TlsExpired,
    /// TLS: the `ClientHello` is answered with plain HTTP.
    TlsNotTls,
    /// The request is read and never answered.
    NoHeaders,
    /// A header field that arrives one byte at a time and never ends.
    HeadersDrip,
    /// `100 Continue` without end.
    EndlessInterim,
    /// Header fields without end.
    EndlessHeaders,
    /// The connection is closed before any byte of a response.
    ClosedBeforeReply,
    /// The connection is reset before any byte of a response.
    ResetBeforeReply,
    /// The connection is closed in the middle of a header field.
    ClosedMidHeaders,
    /// Bytes that are not HTTP.
    NotHttp,
    /// A `Content-Length`, and no byte of the body.
    BodyNeverComes,
    /// A body that arrives one byte at a time.
    BodyDrips,
    /// A right answer followed by white space without end, chunked.
    BodyEndless,
    /// A well-formed body of 300 KiB.
    BodyTooLarge,
    /// A complete answer with a `Content-Length` that promises more, then the end of the connection.
    BodyTruncated,
    /// Half an answer, chunked, then the end of the connection.
    ClosedMidBody,
    /// Half an answer, then a reset.
    ResetMidBody,
    /// HTTP/1.0, where the body ends with the connection, and the XML is not closed.
    UnclosedXml,
    /// `Content-Encoding: gzip` with a few kilobytes that unpack to 32 MiB of well-formed XML.
    GzipBomb,
    /// A right answer with a `Content-Encoding`, although the client asked for none.
    ContentEncoding,
    /// A redirect with this status to another host name, where the right answer is.
    Redirect(u16),
    /// This status with an HTML page (204: without a page).
    Status(u16),
    /// 200 with an HTML page, such as a login form.
    HtmlPage,
    /// 200 with JSON.
    JsonPage,
    /// 200 with an empty body of the type XML.
    EmptyBody,
}

impl Fault {
    /// Strikes at the `n`-th request, counted from 1, and at all requests after it.
    #[must_use]
    pub fn at(self, n: usize) -> Strike {
        Strike { fault: self, at: n.max(1), once: false }
    }

    /// Whether it strikes in TCP or TLS, before there is a request.
    #[must_use]
    pub fn is_before_http(self) -> bool {
        self.is_tls() || matches!(self, Refused | ConnectHangs | NeverReads)
    }

    /// Whether the server speaks TLS.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, TlsSilent | TlsDrips | TlsUnknownCa | TlsWrongName | TlsExpired | TlsNotTls)
    }
}

/// Parses the name used in [`ALL`].
impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let case = ALL.iter().find(|case| case.name == name);
        case.map(|case| case.fault).ok_or_else(|| format!("no fault is called `{name}`; see `faults list`"))
    }
}

/// A fault, and the request at which it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    pub(crate) fault: Fault,
    pub(crate) at: usize,
    pub(crate) once: bool,
}

impl Strike {
    /// Strikes at a single request or connection. Later ones are served.
    ///
    /// [`Fault::Refused`] and [`Fault::ConnectHangs`] stay.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// Strikes at the first request.
impl From<Fault> for Strike {
    fn from(fault: Fault) -> Self {
        fault.at(1)
    }
}

/// A fault, its name for the command line, and the `ErrorKind` that it has to end in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The name, in lower case with hyphens.
    pub name: &'static str,
    /// The fault.
    pub fault: Fault,
    /// The name of prebind's `ErrorKind`. It is the same wherever in the session the fault strikes.
    pub kind: &'static str,
}

/// Every fault.
pub const ALL: &[Case] = &[
    case("refused", Refused, "Connect"),
    case("connect-hangs", ConnectHangs, "Timeout"),
    case("never-reads", NeverReads, "Timeout"),
    case("tls-silent", TlsSilent, "Timeout"),
    case("tls-drips", TlsDrips, "Timeout"),
    case("tls-unknown-ca", TlsUnknownCa, "Connect"),
    case("tls-wrong-name", TlsWrongName, "Connect"),
    case("tls-expired", TlsExpired, "Connect"),
    case("tls-not-tls", TlsNotTls, "Connect"),
    case("no-headers", NoHeaders, "Timeout"),
    case("headers-drip", HeadersDrip, "Timeout"),
    case("endless-interim", EndlessInterim, "Timeout"),
    case("endless-headers", EndlessHeaders, "Protocol"),
    case("closed-before-reply", ClosedBeforeReply, "Connect"),
    case("reset-before-reply", ResetBeforeReply, "Connect"),
    case("closed-mid-headers", ClosedMidHeaders, "Connect"),
    case("not-http", NotHttp, "Protocol"),
    case("body-never-comes", BodyNeverComes, "Timeout"),
    case("body-drips", BodyDrips, "Timeout"),
    case("body-endless", BodyEndless, "Protocol"),
    case("body-too-large", BodyTooLarge, "Protocol"),
    case("body-truncated", BodyTruncated, "Connect"),
    case("closed-mid-body", ClosedMidBody, "Connect"),
    case("reset-mid-body", ResetMidBody, "Connect"),
    case("unclosed-xml", UnclosedXml, "Protocol"),
    case("gzip-bomb", GzipBomb, "Protocol"),
    case("content-encoding", ContentEncoding, "Protocol"),
    case("redirect-301", Redirect(301), "Http"),
    case("redirect-302", Redirect(302), "Http"),
    case("redirect-307", Redirect(307), "Http"),
    case("redirect-308", Redirect(308), "Http"),
    case("status-204", Status(204), "Http"),
    case("status-401", Status(401), "Http"),
    case("status-403", Status(403), "Http"),
    case("status-404", Status(404), "Http"),
    case("status-407", Status(407), "Http"),
    case("status-413", Status(413), "Http"),
    case("status-429", Status(429), "Http"),
    case("status-500", Status(500), "Http"),
    case("status-502", Status(502), "Http"),
    case("status-503", Status(503), "Http"),
    case("status-504", Status(504), "Http"),
    case("html-page", HtmlPage, "Http"),
    case("json-page", JsonPage, "Http"),
    case("empty-body", EmptyBody, "Protocol"),
];

const fn case(name: &'static str, fault: Fault, kind: &'static str) -> Case {
    Case { name, fault, kind }
}
