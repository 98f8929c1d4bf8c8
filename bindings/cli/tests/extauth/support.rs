//! The command, what it is asked, and tokens.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_prebind");

/// Secrets of tokens.
pub(crate) const OLD: &str = "the old key of 32 bytes or longer";
pub(crate) const NEW: &str = "the new key of 32 bytes or longer";

/// No log may have it.
pub(crate) const PASSWORD: &str = "Xyzzy-1964";

/// The command while it runs, over pipes as ejabberd has them.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    log: Arc<Mutex<String>>,
    logger: JoinHandle<()>,
}

/// How the command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// What it wrote beyond the answers that were read.
    pub(crate) rest: Vec<u8>,
    pub(crate) log: String,
}

impl Program {
    pub(crate) fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::start_with(arguments, |command| command)
    }

    /// Starts it after this change.
    pub(crate) fn start_with<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
        change: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("extauth").args(arguments).env_remove("PREBIND_SITE_SECRET");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = change(&mut command).spawn().expect("the command starts");
        let stderr = child.stderr.take();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&log);
        let logger = thread::spawn(move || {
            for line in stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).lines()) {
                let line = line.expect("a log is text");
                let mut lines = lines.lock().expect("nobody panics");
                lines.push_str(&line);
                lines.push('\n');
            }
        });
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("it is piped"));
        Self { child, stdin, stdout, log, logger }
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(bytes).expect("the command reads");
        stdin.flush().expect("the command reads");
    }

    /// Reads the next answer.
    pub(crate) fn answer(&mut self) -> bool {
        let mut answer = [0; 4];
        self.stdout.read_exact(&mut answer).expect("there is an answer");
        match answer {
            [0, 2, 0, 1] => true,
            [0, 2, 0, 0] => false,
            other => panic!("{other:?} is no answer"),
        }
    }

    pub(crate) fn ask(&mut self, content: &str) -> bool {
        self.send(&frame(content.as_bytes()));
        self.answer()
    }

    /// Whether alice may log in with this.
    pub(crate) fn accepts(&mut self, password: &str) -> bool {
        self.ask(&format!("auth:alice:localhost:{password}"))
    }

    pub(crate) fn knows(&mut self, name: &str) -> bool {
        self.ask(&format!("isuser:{name}:localhost"))
    }

    /// Asks again and again, for what no event tells.
    pub(crate) fn comes_to(&mut self, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let until = Instant::now() + Duration::from_secs(30);
        while !holds(self) {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// Asks until the log has so many lines with this.
    pub(crate) fn comes_to_log(&mut self, part: &str, times: usize) {
        let has_come = self.comes_to(|program| {
            program.accepts("");
            program.knows("alice");
            program.log.lock().expect("nobody panics").matches(part).count() >= times
        });
        assert!(has_come, "the log does not come to {part:?}");
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// Ends its input, and waits for it.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let mut rest = Vec::new();
        self.stdout.read_to_end(&mut rest).expect("it can be read");
        let code = self.child.wait().expect("it ends").code();
        self.logger.join().expect("the log was read");
        let log = self.log.lock().expect("nobody panics").clone();
        Ended { code, rest, log }
    }
}

impl Ended {
    /// It ended as it should, without another word than answers, and no secret is in its log.
    pub(crate) fn well(self) -> String {
        assert_eq!((self.code, self.rest.as_slice()), (Some(0), &b""[..]), "{}", self.log);
        assert!(!self.log.contains(PASSWORD), "{}", self.log);
        self.log
    }
}

pub(crate) fn frame(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a frame is short").to_be_bytes();
    [&length, content].concat()
}

/// A token for a JID that is good for a minute.
pub(crate) fn token(secret: &str, jid: &str) -> String {
    signed(secret, &json!({ "jid": jid, "exp": now() + 60 }))
}

/// A token of HS256 with these claims.
pub(crate) fn signed(secret: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// In seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs()
}

/// A key as a file has it.
pub(crate) fn jwk(secret: &str) -> String {
    json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret) }).to_string()
}

/// Replaces a file in one step.
pub(crate) fn replace(path: &Path, content: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, content).expect("there is room");
    std::fs::rename(&beside, path).expect("it can be renamed");
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}
