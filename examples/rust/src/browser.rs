//! Another process in the browser's place.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use prebind::Session;
use serde::de::DeserializeOwned;

use crate::Result;

/// The first argument that makes this program a browser.
pub(crate) const COMMAND: &str = "browser";

pub(crate) struct Browser {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts this program anew, with the BOSH URL and an errand, as a page would have them, and
    /// hands over what the site answers to the page: `{"jid", "sid", "rid"}`.
    pub(crate) fn open(url: &str, session: &Session, errand: &[&str]) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args([COMMAND, url])
            .args(errand)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take().map(BufReader::new).ok_or("the browser has no output")?;
        let browser = Self { process, output };
        writeln!(input.ok_or("the browser has no input")?, "{}", session.to_json())?;
        Ok(browser)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next thing the browser has to tell.
    pub(crate) fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the browser could not use the session".into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Waits until the browser has left.
    pub(crate) fn close(mut self) -> Result<()> {
        match self.process.wait()? {
            status if status.success() => Ok(()),
            status => Err(format!("the browser ended with {status}").into()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // After a failed proof it may still wait for something; if it has ended, nothing happens.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
