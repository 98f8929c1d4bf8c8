//! Stands in for ejabberd's API where that has to answer as no ejabberd does on request.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

/// How it answers.
#[derive(Clone)]
pub(crate) enum Says {
    /// With this status and body.
    Status(u16, String),
    /// Never, while the client waits.
    Nothing,
}

pub(crate) struct Api {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<String>>,
    answers: Mutex<VecDeque<Says>>,
    is_over: AtomicBool,
}

impl Api {
    /// Gives these answers in turn, and the last of them for ever.
    pub(crate) fn start(answers: impl IntoIterator<Item = Says>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Mutex::new(answers.into_iter().collect());
        let shared = Arc::new(Shared { answers, ..Shared::default() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.is_over.load(SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // A client that closed the connection needs no answer.
                thread::spawn(move || serving.serve(&stream).unwrap_or_default());
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Each request so far: its command, a space, its credential, a space and its JSON.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shared.is_over.store(true, SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let (mut command, mut length, mut credential) = (String::new(), 0, String::new());
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                let line = line.trim_end();
                if line.is_empty() {
                    break;
                }
                if let Some(path) = line.strip_prefix("POST /api/") {
                    path.split(' ').next().unwrap_or_default().clone_into(&mut command);
                }
                let header = line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value));
                match header {
                    Some((name, value)) if name == "content-length" => length = value.parse().unwrap(),
                    Some((name, value)) if name == "authorization" => value.clone_into(&mut credential),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let body = String::from_utf8_lossy(&body);
            self.asked.lock().unwrap().push(format!("{command} {credential} {body}"));
            let answer = {
                let mut answers = self.answers.lock().unwrap();
                if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
            };
            match answer {
                Some(Says::Status(status, body)) => {
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
                    );
                    (&mut &*stream).write_all((head + &body).as_bytes())?;
                }
                // Until the client closes the connection.
                Some(Says::Nothing) | None => {
                    reader.read_exact(&mut [0])?;
                }
            }
        }
    }
}
