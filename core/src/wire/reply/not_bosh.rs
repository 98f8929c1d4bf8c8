//! Explains an HTTP response that is no answer of a BOSH server, by its status, by the words of its page, and
//! by the request.

use std::fmt::Write as _;

use super::Reply;
use super::retry_after::LONGEST;
use crate::config::{Config, place};
use crate::error::{Error, ErrorKind, Retry, Stage, address, shortened};

use Retry::{AfterConfigChange, Later};

/// Words of web servers about a host name that they do not serve: Prosody, IIS, Jetty, Fastly, and the
/// default backend of Kubernetes' ingress.
const UNKNOWN_HOST: [&str; 5] =
    ["unknown host", "invalid hostname", "invalid sni", "unknown domain", "default backend"];

/// Words of web servers about plain http on a TLS port: nginx, Apache, Go, Tomcat.
const WANTS_TLS: [&str; 5] = ["https port", "ssl-enabled", "https server", "https instead", "requires tls"];

/// Words of web servers about a client without a certificate.
const WANTS_CERTIFICATE: [&str; 3] = ["ssl certificate", "client certificate", "certificate required"];

/// Words of nginx about a header that is too large, sent with the status 400.
const LARGE_HEADER: [&str; 2] = ["cookie too", "header too"];

/// Openfire refuses new sessions beyond its limit with HTTP 403 and this text.
const TOO_MANY: [&str; 1] = ["too many"];

/// Words that the URL of a login page may have in it.
const LOGIN_PLACES: [&str; 9] =
    ["login", "logon", "signin", "sign-in", "sign_in", "/auth", "oauth", "sso", "saml"];

/// How the paths of WebSocket endpoints end.
const WEBSOCKET_PATHS: [&str; 3] = ["websocket", "/ws", "/ws/"];

/// A response that is no BOSH answer, and the request that it answers.
pub(super) struct NotBosh<'a> {
    pub(super) reply: &'a Reply,
    pub(super) stage: Stage,
    pub(super) config: &'a Config,
}

impl NotBosh<'_> {
    pub(super) fn error(&self) -> Error {
        let location = self.location();
        let (retry, mut message) = self.cause(location.as_deref());
        if let Some(time) = self.reply.retry_after.filter(|time| !time.is_zero()) {
            let or_longer = if time < LONGEST { "" } else { " or longer" };
            let _ = write!(message, "; the server asks to wait {} s{or_longer}", time.as_secs());
        }
        let kind = ErrorKind::Http { status: self.reply.status, location: location.clone() };
        let error = Error::new(kind, self.stage, retry, message).with_retry_after(self.reply.retry_after);
        location.into_iter().chain(self.media_type()).fold(error, Error::quoting)
    }

    /// Whether a retry may help, and the message: what happened and the remedy.
    fn cause(&self, location: Option<&str>) -> (Retry, String) {
        let status = self.reply.status;
        let is_refused = (400..600).contains(&status);
        if is_refused && !self.config.url.is_https() && (status == 497 || self.reply.says(&WANTS_TLS)) {
            return config("the port expects TLS: begin `url` with https://");
        }
        if is_refused && (matches!(status, 495 | 496) || self.reply.says(&WANTS_CERTIFICATE)) {
            return config(format!(
                "the server wants a client certificate (HTTP {status}): give one that it trusts in \
                 `client_certificate`"
            ));
        }
        if status == 421 || (is_refused && self.reply.says(&UNKNOWN_HOST)) {
            return config(format!(
                "the web server does not serve the host name {} (HTTP {status}): use a name in `url` that it \
                 serves (Prosody: that of a VirtualHost), or add such a name as Host in `headers`",
                shortened(&self.config.url.authority(), 80)
            ));
        }
        if status == 426 || (is_refused && self.is_for_websocket()) {
            return config(format!(
                "`url` is that of a WebSocket endpoint (HTTP {status}): BOSH has a path of its own, usually \
                 /http-bind or /bosh"
            ));
        }
        match (status, location) {
            (304, _) => config("a cache in front answers (HTTP 304): exempt the BOSH path from caching"),
            (300..=399, Some(place)) => config(self.redirect(place)),
            (300..=399, None) => config(format!(
                "the server redirects (HTTP {status}) without a place that can be read: check `url`; prebind \
                 follows no redirects"
            )),
            (200..=299, _) => self.page(),
            (500..=599, _) => self.server_error(),
            _ => self.client_error(),
        }
    }

    /// The message about a redirect to this place.
    fn redirect(&self, place: &str) -> String {
        let head = format!("the server redirects (HTTP {}) to {place}", self.reply.status);
        let is_same = self.config.url.join("").is_some_and(|url| self::place(&url) == place);
        let path = place.split_once("://").map_or(place, |(_, rest)| rest).to_lowercase();
        if LOGIN_PLACES.iter().any(|word| path.contains(word)) {
            return format!(
                "{head}, which looks like a login: exempt the BOSH path from the login of the web server or proxy in \
                 front, or give what it wants in `headers`"
            );
        }
        if self.stage != Stage::Create {
            return format!(
                "{head} in an open session: something in front of the server answers in its place; make the BOSH path \
                 an exception there"
            );
        }
        if is_same {
            return format!(
                "{head}, which is `url` itself: something in front of the server wants a cookie or a login; make the \
                 BOSH path an exception there"
            );
        }
        if place.starts_with("ws") {
            return format!(
                "{head}, a WebSocket endpoint: BOSH has a path of its own, usually /http-bind or /bosh; use that in `url`"
            );
        }
        format!("{head}: use that as `url` if it is the BOSH endpoint; prebind follows no redirects")
    }

    /// The message about a web page, or about something else that no BOSH server sends.
    fn page(&self) -> (Retry, String) {
        let status = self.reply.status;
        let is_page = self.reply.says(&["<html", "<!doctype html"]);
        let what = match self.media_type() {
            _ if self.reply.body.is_empty() => "nothing".to_owned(),
            _ if is_page => "a web page".to_owned(),
            Some(media_type) => media_type,
            None => "something".to_owned(),
        };
        if is_page && self.reply.says(&["type=\"password\"", "type='password'", "type=password"]) {
            return config(
                "a login page came instead of an answer: exempt the BOSH path from the login of the web server or \
                 proxy in front, or give what it wants in `headers`",
            );
        }
        let got = if status == 200 { String::new() } else { format!(" (HTTP {status})") };
        if self.stage == Stage::Create {
            config(format!(
                "{what}{got} came instead of a BOSH answer: check the path of `url`, which is usually /http-bind \
                 or /bosh"
            ))
        } else {
            config(format!(
                "{what}{got} came instead of an answer in an open session: something in front of the server answers in \
                 its place; make the BOSH path an exception there"
            ))
        }
    }

    fn client_error(&self) -> (Retry, String) {
        let status = self.reply.status;
        match status {
            401 => config(
                "the web server in front wants a login (HTTP 401): give it as Authorization in `headers`, or exempt \
                 the BOSH path from it",
            ),
            403 if self.reply.retry_after.is_some() || self.reply.says(&TOO_MANY) => limited(status),
            403 => config(
                "the web server or a firewall in front forbids the request (HTTP 403): allow POST on the BOSH path \
                 from this machine's address",
            ),
            404 | 410 if self.stage != Stage::Create => config(format!(
                "the session was opened, but a later request found nothing (HTTP {status}): the proxy or balancer in \
                 front sends requests of one session to different servers; make it sticky"
            )),
            404 | 410 => config(format!(
                "nothing is at the path of `url` (HTTP {status}): BOSH is usually at /http-bind or /bosh; check that \
                 the server has it switched on (Prosody: module bosh, ejabberd: mod_bosh)"
            )),
            405 => no_post(status),
            407 => config(
                "the proxy wants a login (HTTP 407): give user and password in `proxy`, as in \
                 http://user:password@host:3128",
            ),
            408 | 425 => later(format!(
                "the server gave the request up (HTTP {status}): it or the network is slow; try again later"
            )),
            413 | 414 => config(format!(
                "a proxy in front finds the request too large (HTTP {status}): raise its limit (nginx: \
                 client_max_body_size)"
            )),
            429 => limited(status),
            _ if matches!(status, 431 | 494) || self.reply.says(&LARGE_HEADER) => config(format!(
                "the header of the request is too large for the server (HTTP {status}): shorten `headers`"
            )),
            _ => config(format!(
                "the web server refuses the request (HTTP {status}): check that `url` is the server's BOSH endpoint, \
                 and the log of that web server"
            )),
        }
    }

    fn server_error(&self) -> (Retry, String) {
        let status = self.reply.status;
        match status {
            501 => no_post(status),
            505 => config("the server does not speak HTTP/1.1 (HTTP 505): put a proxy that does in front of it"),
            511 => config("the network wants a login first (HTTP 511): log this machine in, or use another network"),
            525 | 526 => config(format!(
                "the proxy in front does not trust the server behind it (HTTP {status}): renew that server's \
                 certificate"
            )),
            502 | 520..=523 | 530 => later(format!(
                "the proxy in front does not reach the XMPP server (HTTP {status}): check that the server runs and \
                 that the proxy has its address and port"
            )),
            504 | 524 => later(format!(
                "the XMPP server did not answer the proxy in front in time (HTTP {status}): check that it runs and is \
                 not overloaded"
            )),
            503 => later(
                "the XMPP server is down or overloaded (HTTP 503): see its log and that of any proxy in front".to_owned(),
            ),
            _ => later(format!("the server failed (HTTP {status}): see its log and that of any proxy in front")),
        }
    }

    /// The media type of the body, without parameters.
    fn media_type(&self) -> Option<String> {
        let media_type = self.reply.content_type.as_deref()?.split(';').next()?;
        Some(shortened(&address(media_type), 40)).filter(|media_type| !media_type.is_empty())
    }

    /// Where a redirect leads, without the parts that may be secret.
    fn location(&self) -> Option<String> {
        let url = self.config.url.join(self.reply.location.as_deref()?)?;
        (300..400).contains(&self.reply.status).then(|| place(&url))
    }

    fn is_for_websocket(&self) -> bool {
        let is_path = WEBSOCKET_PATHS.iter().any(|end| self.config.url.path().ends_with(end));
        is_path || (self.reply.status == 400 && self.reply.says(&["websocket"]))
    }
}

fn config(message: impl Into<String>) -> (Retry, String) {
    (AfterConfigChange, message.into())
}

fn later(message: String) -> (Retry, String) {
    (Later, message)
}

/// The message about a rate limit. All users of a site log in from the site's one address, so such limits are
/// easily reached.
fn limited(status: u16) -> (Retry, String) {
    later(format!(
        "the server or a proxy in front limits requests (HTTP {status}): try again later, or exempt the address of \
         this machine there"
    ))
}

fn no_post(status: u16) -> (Retry, String) {
    config(format!(
        "`url` leads to something that does not accept POST (HTTP {status}), so it is not a BOSH endpoint: check the \
         path, which is usually /http-bind or /bosh"
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::body::Received;

    const HTTPS: &str = "https://chat.example.org/http-bind";
    const HTTP: &str = "http://127.0.0.1:5280/http-bind";

    fn reply(status: u16, page: &str) -> Reply {
        let mut reply = Reply::new(1, status, page);
        reply.content_type = Some("text/html; charset=utf-8".to_owned());
        reply
    }

    fn error(reply: &Reply, url: &str, stage: Stage) -> Error {
        reply.read(stage, stage != Stage::Create, &Config::new(url).unwrap()).unwrap_err()
    }

    #[test]
    fn a_status_has_its_own_remedy() {
        for (status, retry, remedy) in [
            (200, AfterConfigChange, "check the path of `url`, which is usually /http-bind or /bosh"),
            (204, AfterConfigChange, "a web page (HTTP 204) came instead"),
            (300, AfterConfigChange, "follows no redirects"),
            (399, AfterConfigChange, "follows no redirects"),
            (400, AfterConfigChange, "check that `url` is the server's BOSH endpoint"),
            (401, AfterConfigChange, "Authorization in `headers`"),
            (403, AfterConfigChange, "allow POST on the BOSH path"),
            (404, AfterConfigChange, "BOSH is usually at /http-bind or /bosh"),
            (405, AfterConfigChange, "does not accept POST"),
            (407, AfterConfigChange, "in `proxy`"),
            (408, Later, "gave the request up"),
            (410, AfterConfigChange, "BOSH is usually at /http-bind or /bosh"),
            (413, AfterConfigChange, "client_max_body_size"),
            (418, AfterConfigChange, "check that `url` is the server's BOSH endpoint"),
            (421, AfterConfigChange, "does not serve the host name chat.example.org"),
            (426, AfterConfigChange, "WebSocket"),
            (429, Later, "limits requests"),
            (431, AfterConfigChange, "shorten `headers`"),
            (496, AfterConfigChange, "`client_certificate`"),
            (500, Later, "the server failed"),
            (501, AfterConfigChange, "does not accept POST"),
            (502, Later, "does not reach the XMPP server"),
            (503, Later, "down or overloaded"),
            (504, Later, "did not answer the proxy"),
            (505, AfterConfigChange, "HTTP/1.1"),
            (511, AfterConfigChange, "the network wants a login"),
            (520, Later, "does not reach the XMPP server"),
            (526, AfterConfigChange, "does not trust the server"),
            (599, Later, "the server failed"),
        ] {
            let error = error(&reply(status, "<html></html>"), HTTPS, Stage::Create);
            assert_eq!(error.kind(), &ErrorKind::Http { status, location: None });
            assert_eq!(error.retry(), retry, "{error}");
            assert!(error.to_string().contains(remedy), "{status}: {error}");
        }
    }

    /// The pages are those of the servers named beside them, shortened.
    #[test]
    fn a_page_may_say_more_than_its_status() {
        for (url, status, page, remedy) in [
            // Prosody 0.12.
            (
                HTTP,
                404,
                "<html><p class=\"extra\">Unknown host: 127.0.0.1</p></html>",
                "127.0.0.1:5280 (HTTP 404)",
            ),
            // http.sys of Windows.
            (HTTP, 400, "<HTML><H2>Bad Request - Invalid Hostname</H2></HTML>", "127.0.0.1:5280 (HTTP 400)"),
            // Jetty 12, which Openfire has inside.
            (HTTPS, 400, "<html>HTTP ERROR 400 Invalid SNI</html>", "chat.example.org (HTTP 400)"),
            // nginx, Apache, Go.
            (
                HTTP,
                400,
                "<html>The plain HTTP request was sent to HTTPS port</html>",
                "begin `url` with https://",
            ),
            (
                HTTP,
                400,
                "<html>speaking plain HTTP to an SSL-enabled server port</html>",
                "begin `url` with https://",
            ),
            (HTTP, 400, "Client sent an HTTP request to an HTTPS server.", "begin `url` with https://"),
            // nginx with ssl_verify_client.
            (HTTPS, 400, "<html>No required SSL certificate was sent</html>", "`client_certificate`"),
            ("https://chat.example.org/xmpp-websocket", 404, "<html></html>", "WebSocket"),
            ("https://chat.example.org:5443/ws", 400, "<html></html>", "WebSocket"),
            // Gorilla.
            (HTTPS, 400, "Bad Request: the client is not using the websocket protocol", "WebSocket"),
            // Tomcat says this.
            (HTTP, 400, "This combination of host and port requires TLS.", "begin `url` with https://"),
            (HTTP, 497, "<html></html>", "begin `url` with https://"),
            (HTTPS, 400, "<html>400 Request Header Or Cookie Too Large</html>", "shorten `headers`"),
            (HTTPS, 304, "", "a cache in front answers"),
            (HTTPS, 204, "", "nothing (HTTP 204) came"),
            (HTTPS, 200, "<html><input type=\"password\"></html>", "a login page"),
        ] {
            let error = error(&reply(status, page), url, Stage::Create);
            assert!(error.to_string().contains(remedy), "{page}: {error}");
            assert_eq!(error.retry(), AfterConfigChange, "{error}");
        }
        let json = Reply { content_type: Some("application/json".to_owned()), ..reply(200, "{}") };
        let told = error(&json, HTTPS, Stage::Create).to_string();
        assert!(told.starts_with("application/json came instead of a BOSH answer"), "{told}");
    }

    #[test]
    fn a_limit_of_openfire_is_recognized_by_its_page() {
        let page = "<html><title>Error 403 Too many new connections; please try again later.</title></html>";
        let limited = error(&reply(403, page), HTTPS, Stage::Create);
        assert!(limited.to_string().contains("limits requests (HTTP 403)"), "{limited}");
        assert_eq!(limited.retry(), Later, "{limited}");
    }

    #[test]
    fn in_a_session_the_url_is_not_to_blame() {
        for (status, remedy) in
            [(404, "make it sticky"), (200, "something in front of the server answers in its place")]
        {
            let told = error(&reply(status, "<html></html>"), HTTPS, Stage::Bind).to_string();
            assert!(told.contains(remedy) && !told.contains("/http-bind"), "{told}");
        }
    }

    #[test]
    fn a_status_without_a_page_may_come_from_something_in_front() {
        for (status, remedy) in [(403, "allow POST on the BOSH path"), (400, "check that `url`")] {
            for stage in [Stage::Create, Stage::Bind] {
                let config = Config::new(HTTPS).unwrap();
                let received = Reply::new(1, status, "").read(stage, stage == Stage::Bind, &config);
                let Ok(Received::Terminated(error)) = received else { panic!("{status}") };
                assert!(error.to_string().contains(remedy), "{error}");
                // A connection manager sends a body, which says more than the status.
                let body = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>";
                let received = Reply::new(1, status, body).read(stage, stage == Stage::Bind, &config);
                let Ok(Received::Terminated(error)) = received else { panic!("{status}") };
                assert!(!error.to_string().contains(remedy), "{error}");
            }
        }
    }

    #[test]
    fn a_redirect_is_shown_without_its_secrets() {
        for (url, location, place) in [
            (HTTP, "http://127.0.0.1:8080/http-bind/", Some("http://127.0.0.1:8080/http-bind/")),
            (HTTP, "/bosh/?token=hidden#hidden", Some("http://127.0.0.1:5280/bosh/")),
            (HTTP, "https://hidden:hidden@chat.example.org/a", Some("https://chat.example.org/a")),
            (HTTPS, "//cdn.example.org:8443", Some("https://cdn.example.org:8443/")),
            (HTTPS, "http://[", None),
            (HTTPS, "mailto:hidden@example.org", None),
        ] {
            let mut redirect = Reply::new(1, 301, "");
            redirect.location = Some(location.to_owned());
            let error = error(&redirect, url, Stage::Create);
            let location = place.map(str::to_owned);
            assert_eq!(error.kind(), &ErrorKind::Http { status: 301, location });
            let told = error.to_string();
            assert!(told.contains(place.unwrap_or("without a place")) && !told.contains("hidden"), "{told}");
        }
    }

    #[test]
    fn a_redirect_to_no_bosh_endpoint_is_not_recommended() {
        for (location, stage, remedy) in [
            ("/bosh/", Stage::Create, "use that as `url` if it is the BOSH endpoint"),
            ("/bosh/", Stage::Bind, "something in front of the server answers in its place"),
            ("?cookie=1", Stage::Create, "which is `url` itself"),
            ("/accounts/login/?next=/http-bind", Stage::Create, "which looks like a login"),
            ("https://sso.example.org/", Stage::Bind, "which looks like a login"),
            ("wss://chat.example.org/ws", Stage::Create, "a WebSocket endpoint"),
        ] {
            let redirect = Reply { location: Some(location.to_owned()), ..Reply::new(1, 302, "") };
            let told = error(&redirect, HTTPS, stage).to_string();
            assert!(told.contains(remedy), "{told}");
            assert!(told.contains("use that as") == remedy.contains("use that as"), "{told}");
        }
    }

    #[test]
    fn a_refusal_with_a_time_to_wait_is_a_limit() {
        let limited = Reply { retry_after: Some(Duration::from_secs(9)), ..reply(403, "<html></html>") };
        let error = error(&limited, HTTPS, Stage::Create);
        assert!(error.to_string().contains("limits requests (HTTP 403)"), "{error}");
        assert_eq!(error.retry(), Later);
    }

    #[test]
    fn a_server_may_ask_to_wait() {
        let mut busy = reply(503, "<html></html>");
        busy.retry_after = Some(Duration::from_secs(120));
        let error = error(&busy, HTTPS, Stage::Create);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
        assert!(error.to_string().ends_with("the server asks to wait 120 s"), "{error}");
        for (time, told) in [(Duration::ZERO, None), (LONGEST, Some("wait 86400 s or longer"))] {
            busy.retry_after = Some(time);
            let error = self::error(&busy, HTTPS, Stage::Create).to_string();
            assert_eq!(error.contains("asks to wait"), told.is_some(), "{error}");
            assert!(error.contains(told.unwrap_or_default()), "{error}");
        }
    }
}
