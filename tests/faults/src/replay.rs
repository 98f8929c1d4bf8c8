//! Serves a test vector to an implementation that draws its own RID.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;
use serde_json::Value;

use crate::classic;
use crate::peek;
use crate::request::Recorded;
use crate::server::{Server, Service};
use crate::tls::Authority;
use crate::vector::Case;
use crate::wire::{Link, Wire};

/// Serves one case of `tests/vectors`: `file.json`, or a row of a table as `file.json#row`.
///
/// Requests have to come in the order of the exchange, byte for byte. Only the RIDs differ: each is shifted
/// by the difference between the first RID and the recorded one. A request that is not in the exchange gets
/// status 599 and the difference as text. Only the request that cleans up may come twice.
///
/// If the case ends in an error that a fresh session may fix, the exchange is served once more, because a
/// client may begin again by itself. It may do so twice if the creation itself was lost.
///
/// # Errors
///
/// If the file cannot be used, or if the case depends on a nonce or a URL that a server cannot choose.
/// [`replayable`](crate::replayable) lists the cases that can be served.
///
/// # Panics
///
/// If no port can be opened on the loopback interface.
pub fn replay(case: &str) -> Result<Replay, String> {
    let case = Case::read(case)?;
    if let Some(obstacle) = case.obstacle() {
        return Err(format!("{} cannot be replayed: {obstacle}", case.name));
    }
    let secure = case.url().is_some_and(|url| url.starts_with("https://"));
    let case = Arc::new(case);
    let progress = Arc::new(Mutex::new(Progress::default()));
    let authority = (secure && !case.exchange.is_empty()).then(|| Authority::new("prebind replay"));
    let server = Server::start(Player {
        case: Arc::clone(&case),
        progress: Arc::clone(&progress),
        tls: authority.map(|authority| (authority.pem(), authority.trusted())),
    });
    Ok(Replay {
        url: match case.url() {
            Some(url) if case.exchange.is_empty() => url.to_owned(),
            _ => server.url.replace("/http-bind", case.path()),
        },
        server,
        case,
        progress,
    })
}

/// A case that is being served.
#[derive(Debug)]
pub struct Replay {
    /// The URL for the implementation: the server's, or the case's own URL if nothing may be sent.
    pub url: String,
    server: Server,
    case: Arc<Case>,
    progress: Arc<Mutex<Progress>>,
}

impl Replay {
    /// The certificate to trust, if the case uses https.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.server.ca_pem()
    }

    /// The case's `expect`, with the session's `rid` shifted to match the client's first RID.
    ///
    /// # Errors
    ///
    /// Says how the requests differed from the exchange.
    pub fn finish(self) -> Result<Value, String> {
        let progress = lock(&self.progress);
        if let Some(difference) = &progress.difference {
            return Err(difference.clone());
        }
        if let Some(missing) = self.case.exchange.get(progress.answered) {
            let (at, of) = (progress.answered + 1, self.case.exchange.len());
            return Err(format!("request {at} of {of} never came\n  expected: {}\n", missing.request));
        }
        let mut expect = self.case.expect.clone();
        if let Some(rid) = expect.pointer_mut("/session/rid")
            && let Some(recorded) = rid.as_u64()
        {
            *rid = progress.shift.undo(recorded).into();
        }
        Ok(expect)
    }
}

/// The distance between the client's RIDs and the recorded ones.
#[derive(Clone, Copy, Debug, Default)]
struct Shift {
    recorded: u64,
    sent: u64,
}

impl Shift {
    fn apply(self, sent: u64) -> u64 {
        sent.wrapping_sub(self.sent).wrapping_add(self.recorded)
    }

    fn undo(self, recorded: u64) -> u64 {
        recorded.wrapping_sub(self.recorded).wrapping_add(self.sent)
    }
}

#[derive(Debug, Default)]
struct Progress {
    shift: Shift,
    answered: usize,
    repeats: usize,
    difference: Option<String>,
}

struct Player {
    case: Arc<Case>,
    progress: Arc<Mutex<Progress>>,
    tls: Option<(String, Arc<ServerConfig>)>,
}

impl Service for Player {
    fn open(&self, link: Link) -> io::Result<Wire> {
        match &self.tls {
            Some((_, config)) => Wire::tls(link, Arc::clone(config)),
            None => Ok(Wire::plain(link)),
        }
    }

    fn answer(&self, wire: &mut Wire, _: usize, request: &Recorded) -> io::Result<()> {
        let mut progress = lock(&self.progress);
        if self.has_ended(&progress, request) {
            drop(progress);
            return classic::idle(true).send(wire, request);
        }
        if progress.answered == self.case.exchange.len() && progress.repeats < self.case.new_beginnings() {
            progress.repeats += 1;
            progress.answered = 0;
        }
        if progress.answered == 0
            && let (Some(recorded), Some(sent)) = (self.case.rid(), request.rid())
        {
            progress.shift = Shift { recorded, sent };
        }
        let at = progress.answered;
        match self.check(at, request, progress.shift) {
            Ok(()) => progress.answered += 1,
            Err(difference) => {
                // Only the first difference is kept, because later ones follow from it.
                progress.difference.get_or_insert(difference.clone());
                drop(progress);
                let text = [("Content-Type".into(), "text/plain; charset=utf-8".into())];
                return wire.respond(599, &text, difference.as_bytes());
            }
        }
        drop(progress);
        let entry = &self.case.exchange[at];
        if entry.cleanup {
            return classic::idle(true).send(wire, request);
        }
        let answer = &entry.answer;
        wire.respond(answer.status, &answer.headers(), &answer.body())
    }

    fn ca_pem(&self) -> Option<String> {
        self.tls.as_ref().map(|(pem, _)| pem.clone())
    }
}

impl Player {
    /// Whether this request has ended the session before. A client sends it once more if the answer is late,
    /// which happens on a busy machine.
    fn has_ended(&self, progress: &Progress, request: &Recorded) -> bool {
        let last = progress.answered.checked_sub(1).map(|at| &self.case.exchange[at]);
        last.is_some_and(|last| last.cleanup && last.request == shifted(&request.body, progress.shift))
    }

    fn check(&self, at: usize, request: &Recorded, shift: Shift) -> Result<(), String> {
        let received = shifted(&request.body, shift);
        let of = self.case.exchange.len();
        let Some(entry) = self.case.exchange.get(at) else {
            return Err(format!("request {} after all {of}\n  received: {received}\n", at + 1));
        };
        let differs = |what: &str, expected: &str, received: &str| {
            let same = expected.chars().zip(received.chars()).take_while(|(a, b)| a == b);
            let mark = " ".repeat(same.count());
            Err(format!(
                "request {} of {of}: {what} differs\n  expected: {expected}\n  received: {received}\n            {mark}^\n",
                at + 1
            ))
        };
        if received != entry.request {
            return differs("the body", &entry.request, &received);
        }
        let line = format!("{} {}", request.method, request.path);
        let expected = format!("POST {}", self.case.path());
        if line != expected {
            return differs("the request line", &expected, &line);
        }
        for (name, expected) in &entry.request_headers {
            let received = request.header(name).unwrap_or_default();
            if received != expected {
                return differs(name, expected, received);
            }
        }
        let listed = |name: &String| name.eq_ignore_ascii_case("cookie");
        match request.header("cookie") {
            Some(cookie) if !entry.request_headers.keys().any(listed) => differs("Cookie", "", cookie),
            _ => Ok(()),
        }
    }
}

/// The body with the RID that it would have if the client had begun with the recorded RID.
fn shifted(body: &str, shift: Shift) -> String {
    let mut body = body.to_owned();
    if let Some((range, Some(rid))) = peek::rid(&body) {
        body.replace_range(range, &shift.apply(rid).to_string());
    }
    body
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
