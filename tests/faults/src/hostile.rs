//! Makes each [`Fault`] happen on the wire.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use rustls::ServerConfig;

use crate::classic::{classic, idle};
use crate::fault::{Fault, Strike};
use crate::peek;
use crate::request::Recorded;
use crate::script::XML;
use crate::server::{Door, Server, Service, ended};
use crate::tls::Authority;
use crate::wire::{Link, Wire};

/// Serves the [`classic`] login until the fault strikes.
///
/// A [`Fault`] alone strikes at the first request; [`Fault::at`] and [`Strike::once`] change that. A fault in
/// TCP or TLS that strikes later first closes all connections, so that the client has to open a new one.
///
/// # Panics
///
/// If no port can be opened on the loopback interface.
#[must_use]
pub fn serve(strike: impl Into<Strike>) -> Server {
    let strike = strike.into();
    let server = Server::start(Hostile {
        strike,
        armed: AtomicBool::new(strike.at == 1),
        tls: strike.fault.is_tls().then(|| Tls::of(strike.fault)),
    });
    if strike.at == 1 && strike.fault.door() != Door::Open {
        server.shared().shut(strike.fault.door());
    }
    server
}

/// The pause between two bytes. A whole body with such pauses takes longer than any deadline.
const SLOW: Duration = Duration::from_millis(200);
/// The pause in a flood. It keeps the flood ahead of its reader and leaves the reader enough processor time.
const FLOOD: Duration = Duration::from_millis(1);

struct Hostile {
    strike: Strike,
    /// Whether the fault strikes at new connections.
    armed: AtomicBool,
    tls: Option<Tls>,
}

struct Tls {
    ca_pem: String,
    good: Arc<ServerConfig>,
    bad: Arc<ServerConfig>,
}

impl Tls {
    fn of(fault: Fault) -> Self {
        let authority = Authority::new("prebind faults");
        let good = authority.trusted();
        let bad = match fault {
            Fault::TlsUnknownCa => Authority::new("nobody knows").trusted(),
            Fault::TlsWrongName => authority.wrong_name(),
            Fault::TlsExpired => authority.expired(),
            _ => Arc::clone(&good),
        };
        Self { ca_pem: authority.pem(), good, bad }
    }
}

impl Service for Hostile {
    fn open(&self, mut link: Link) -> io::Result<Wire> {
        let fault = self.strike.fault;
        let struck = fault.is_before_http()
            && if self.strike.once {
                self.armed.swap(false, Ordering::SeqCst)
            } else {
                self.armed.load(Ordering::SeqCst)
            };
        if struck {
            link.shared().count_strike();
        }
        let Some(tls) = &self.tls else {
            return if struck { Err(link.shared().hold()) } else { Ok(Wire::plain(link)) };
        };
        let (good, bad) = (Arc::clone(&tls.good), Arc::clone(&tls.bad));
        match fault {
            _ if !struck => Wire::tls(link, good),
            Fault::TlsSilent => Err(link.shared().hold()),
            Fault::TlsDrips => Wire::tls(link.dripping(SLOW), good),
            Fault::TlsNotTls => {
                // Read the ClientHello, because closing before that would reset the connection.
                let _ = link.read(&mut [0; 16 << 10])?;
                link.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
                Err(ended())
            }
            _ => Wire::tls(link, bad),
        }
    }

    fn answer(&self, wire: &mut Wire, index: usize, request: &Recorded) -> io::Result<()> {
        let Strike { fault, at, once } = self.strike;
        let (n, body) = (index + 1, right_answer(request));
        if fault.is_before_http() && n + 1 == at {
            self.armed.store(true, Ordering::SeqCst);
            if fault.door() != Door::Open {
                wire.shared().shut(fault.door());
            }
            wire.shared().close_others(wire.connection());
            wire.respond(200, &[xml(), header("Connection", "close")], &body)?;
            return Err(ended());
        }
        let strikes = !fault.is_before_http() && (n == at || n > at && !once);
        if strikes && request.path != ELSEWHERE {
            wire.shared().count_strike();
            fault.strike(wire, &body)
        } else {
            wire.respond(200, &[xml()], &body)
        }
    }

    fn ca_pem(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| tls.ca_pem.clone())
    }

    fn backlog(&self) -> i32 {
        // A backlog of 0 leaves few places to fill.
        if self.strike.fault == Fault::ConnectHangs { 0 } else { 128 }
    }
}

/// The path that redirects lead to.
const ELSEWHERE: &str = "/elsewhere";

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
    <body><h1>Sign in</h1><form method=\"post\"><input name=\"user\"></form></body></html>\n";

impl Fault {
    fn door(self) -> Door {
        match self {
            Fault::Refused => Door::Refused,
            Fault::ConnectHangs => Door::Full,
            _ => Door::Open,
        }
    }

    /// Makes a fault happen after a request has been read.
    fn strike(self, wire: &mut Wire, body: &[u8]) -> io::Result<()> {
        let half = &body[..body.len() / 2];
        match self {
            Fault::HeadersDrip => {
                wire.send("HTTP/1.1 200 OK\r\nX-Drip: ")?;
                wire.repeat("a", SLOW)
            }
            // They are sent one by one: many at once may look like a head that is too long.
            Fault::EndlessInterim => wire.repeat("HTTP/1.1 100 Continue\r\n\r\n", FLOOD),
            Fault::EndlessHeaders => {
                wire.send("HTTP/1.1 200 OK\r\n")?;
                wire.repeat("X-Endless: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(64), FLOOD)
            }
            Fault::ClosedBeforeReply => Err(ended()),
            Fault::ResetBeforeReply => Err(wire.reset()),
            Fault::ClosedMidHeaders => {
                wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/xml; cha")?;
                Err(ended())
            }
            Fault::NotHttp => {
                wire.send("220 mail.invalid ESMTP\r\n\u{1}\u{2}\u{3}\r\n\r\n")?;
                Err(ended())
            }
            Fault::BodyNeverComes => {
                wire.send(head(&format!("Content-Length: {}", body.len())))?;
                Err(wire.shared().hold())
            }
            Fault::BodyDrips => {
                wire.send(head(&format!("Content-Length: {}", body.len())))?;
                wire.drip(body, SLOW)
            }
            Fault::BodyEndless => {
                wire.send(head("Transfer-Encoding: chunked"))?;
                wire.send(chunk(body))?;
                wire.repeat(chunk(&[b' '; 16 << 10]), FLOOD)
            }
            Fault::BodyTruncated => {
                wire.send(head(&format!("Content-Length: {}", body.len() + 10)))?;
                wire.send(body)?;
                Err(ended())
            }
            Fault::ClosedMidBody => {
                wire.send(head("Transfer-Encoding: chunked"))?;
                wire.send(chunk(half))?;
                Err(ended())
            }
            Fault::ResetMidBody => {
                wire.send(head(&format!("Content-Length: {}", body.len())))?;
                wire.send(half)?;
                // A reset would overtake bytes that are still on their way.
                wire.shared().pause(Duration::from_millis(20))?;
                Err(wire.reset())
            }
            Fault::UnclosedXml => {
                wire.send(format!("HTTP/1.0 200 OK\r\nContent-Type: {XML}\r\n\r\n"))?;
                wire.send(half)?;
                Err(ended())
            }
            _ => self.respond(wire, body),
        }
    }

    /// Makes a fault happen that is a complete HTTP response.
    fn respond(self, wire: &mut Wire, body: &[u8]) -> io::Result<()> {
        let html = header("Content-Type", "text/html; charset=utf-8");
        match self {
            Fault::BodyTooLarge => wire.respond(200, &[xml()], &padded(body, 300 << 10)),
            Fault::GzipBomb => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                packed.write_all(&padded(body, 32 << 20))?;
                wire.respond(200, &[header("Content-Encoding", "gzip")], &packed.finish()?)
            }
            Fault::ContentEncoding => wire.respond(200, &[xml(), header("Content-Encoding", "br")], body),
            Fault::Redirect(status) => {
                let url = format!("http://localhost:{}{ELSEWHERE}", wire.shared().port());
                wire.respond(status, &[header("Location", &url), html], HTML.as_bytes())
            }
            Fault::Status(204) => wire.respond(204, &[], b""),
            Fault::Status(status) => wire.respond(status, &[html], HTML.as_bytes()),
            Fault::HtmlPage => wire.respond(200, &[html], HTML.as_bytes()),
            Fault::JsonPage => {
                let json = header("Content-Type", "application/json");
                wire.respond(200, &[json], br#"{"error":"no such route"}"#)
            }
            Fault::EmptyBody => wire.respond(200, &[xml()], b""),
            // This is `NoHeaders`. All other faults are handled above, or strike before there is a request.
            _ => Err(wire.shared().hold()),
        }
    }
}

/// The answer of the classic server. The same request gets the same answer each time.
fn right_answer(request: &Recorded) -> Vec<u8> {
    let idle = idle(peek::terminates(&request.body));
    let known = classic().into_iter().find(|reply| reply.accepts(request));
    known.unwrap_or(idle).body_for(request)
}

fn head(framing: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: {XML}\r\n{framing}\r\n\r\n")
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", bytes.len());
    [size.as_bytes(), bytes, b"\r\n"].concat()
}

/// The same XML, padded to this length with white space inside its last tag.
fn padded(body: &[u8], length: usize) -> Vec<u8> {
    let at = body.len() - if body.ends_with(b"/>") { 2 } else { 1 };
    let pad = vec![b' '; length.saturating_sub(body.len())];
    [&body[..at], &pad, &body[at..]].concat()
}

fn xml() -> (String, String) {
    header("Content-Type", XML)
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
