//! A site that the chat server asks who may log in. How it answers depends on the user.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

/// What proves to the site that the chat server asks.
pub(crate) const SECRET: &str = "chat-server-to-site";

/// After this time, what a test waits for will not come.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The password or token that it says yes to.
pub(crate) const GOOD: &str = "once-5d1f0c";

/// The users about whom it gives no usable answer at once.
pub(crate) const BROKEN: [&str; 6] = ["error", "html", "redirect", "huge", "vague", "closes"];

pub(crate) struct Site {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    questions: Vec<Value>,
    /// How many questions wait for an answer that does not come.
    held: usize,
    is_released: bool,
}

impl Site {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let state = Arc::clone(&site.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                thread::spawn(move || state.answer(stream));
            }
        });
        site
    }

    /// Every question so far, as JSON.
    pub(crate) fn questions(&self) -> Vec<Value> {
        self.state.seen.lock().unwrap().questions.clone()
    }

    /// Waits until so many questions about `slow` have no answer.
    pub(crate) fn wait_until_held(&self, count: usize) {
        let seen = self.state.seen.lock().unwrap();
        let waited = self.state.changed.wait_timeout_while(seen, LIMIT, |seen| seen.held < count).unwrap();
        assert!(!waited.1.timed_out(), "the site is not asked");
    }

    /// Answers them.
    pub(crate) fn release(&self) {
        self.state.seen.lock().unwrap().is_released = true;
        self.state.changed.notify_all();
    }
}

impl State {
    fn answer(&self, mut stream: TcpStream) {
        let Some(question) = read_question(&stream) else { return };
        let user = question["user"].as_str().unwrap().to_owned();
        let is_good = question["password"] == GOOD;
        self.seen.lock().unwrap().questions.push(question);
        let json = |body: &str| reply("200 OK", "Content-Type: application/json; charset=utf-8", body);
        let answer = match user.as_str() {
            "error" => reply("500 Internal Server Error", "Content-Type: application/json", r#"{"ok":true}"#),
            "html" => reply("200 OK", "Content-Type: text/html", r#"{"ok":true}"#),
            "redirect" => {
                reply("302 Found", "Location: /elsewhere\r\nContent-Type: application/json", r#"{"ok":true}"#)
            }
            "huge" => json(&format!(r#"{{"ok":true,"more":"{}"}}"#, "x".repeat(100_000))),
            "vague" => json(r#"{"ok":"yes"}"#),
            "closes" => return,
            "hangs" => {
                // Until the server gives up.
                let _ = stream.read(&mut [0]);
                return;
            }
            "slow" => {
                let mut seen = self.seen.lock().unwrap();
                seen.held += 1;
                self.changed.notify_all();
                drop(self.changed.wait_while(seen, |seen| !seen.is_released).unwrap());
                json(r#"{"ok":true}"#)
            }
            _ => json(if is_good { r#"{"ok": true}"# } else { r#"{"ok": false}"# }),
        };
        // A server that has given up does not matter.
        let _ = stream.write_all(answer.as_bytes());
    }
}

/// The question, if it is one of the chat server's.
fn read_question(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut is_ours, mut line) = (0, false, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            assert_eq!(line.trim_end(), "POST /chat-login HTTP/1.1");
            continue;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => assert_eq!(value, "application/json"),
            "authorization" => is_ours = value == format!("Bearer {SECRET}"),
            _ => {}
        }
    }
    assert!(is_ours, "the secret is missing");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
