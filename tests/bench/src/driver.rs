//! What is measured, each in a process of its own: it makes one call for each line it reads, and
//! answers with one line of JSON.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::cpu::{self, Clock};
use crate::target::Target;

/// Longer than any call, or burst of calls, takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The answer to a line: what became of the call, or of all calls of a burst.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// How long it took.
    #[serde(default)]
    pub(crate) seconds: f64,
    /// The processor time of that, if the driver knows it; else what it does before and after counts too.
    #[serde(default)]
    pub(crate) cpu_seconds: Option<f64>,
    /// How many times a request was sent and its reply waited for.
    #[serde(default)]
    pub(crate) round_trips: Option<u32>,
    /// How many calls fell back to the classic exchange, or began with it, since a shorter one had failed.
    #[serde(default)]
    pub(crate) fallbacks: usize,
    /// SID and next RID of what was opened, to be ended.
    #[serde(default)]
    pub(crate) sessions: Vec<(String, u64)>,
    /// What went wrong, a line for each call.
    #[serde(default)]
    pub(crate) errors: Vec<String>,
}

/// A running driver; dropping it ends it.
pub(crate) struct Driver {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    clock: Clock,
}

/// One call, seen from outside.
pub(crate) struct Call {
    pub(crate) answer: Answer,
    pub(crate) client_cpu: Duration,
    pub(crate) server_cpu: Duration,
}

impl Driver {
    /// Starts a command. What it needs to know is in its environment; `URL` among its arguments is
    /// replaced too.
    pub(crate) fn start(command: &[OsString], target: &Target<'_>) -> Result<Self> {
        let replaced = |word: &OsString| if word == "URL" { target.url.clone().into() } else { word.clone() };
        let mut words = command.iter().map(replaced);
        let program = words.next().ok_or("an empty command")?;
        let mut child = Command::new(&program)
            .args(words)
            .envs(target.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let clock = Clock::of(child.id())?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let (sender, output) = channel();
        thread::spawn(move || {
            lines.map_while(std::result::Result::ok).try_for_each(|line| sender.send(line))
        });
        Ok(Self { input: child.stdin.take(), output, clock, child })
    }

    /// Lets it use only these processors.
    pub(crate) fn keep_to(&self, processors: &[usize]) -> Result<()> {
        cpu::keep_to(self.child.id(), processors)
    }

    /// One call, whose sessions are ended afterwards.
    pub(crate) fn call(&mut self, target: &Target<'_>) -> Result<Call> {
        let call = self.call_and_leave(target)?;
        target.end(&call.answer.sessions)?;
        Ok(call)
    }

    /// One call, whose sessions are left to the caller.
    pub(crate) fn call_and_leave(&mut self, target: &Target<'_>) -> Result<Call> {
        let server = Clock::of(target.server.pid)?;
        let before = (self.clock.now()?, server.now()?);
        let input = self.input.as_mut().ok_or("no input")?;
        input.write_all(b"\n")?;
        let line = self.output.recv_timeout(PATIENCE).map_err(|_| "a driver ended, or does not answer")?;
        let after = (self.clock.now()?, server.now()?);
        let answer: Answer =
            serde_json::from_str(&line).map_err(|error| format!("a driver wrote {line:?}: {error}"))?;
        let (client_cpu, server_cpu) = (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1));
        let client_cpu = answer.cpu_seconds.map_or(client_cpu, Duration::from_secs_f64);
        Ok(Call { answer, client_cpu, server_cpu })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.input.take());
        // It may be in a call that nobody waits for any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
