//! A server process that cannot outlive the process that holds it.
//!
//! The guardian is a small shell script between the holder and the server. Not a signal, not a
//! destructor, but the end of a pipe tells it to stop the server, and the kernel closes that pipe
//! whatever happens to the holder, SIGKILL included.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::error::{Error, Result};

const SCRIPT: &str = include_str!("guardian.sh");

/// A command line with its additions to the environment.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: BTreeMap<&'static str, OsString>,
}

/// A running server and its directory; both are gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Guardian {
    process: Child,
    directory: PathBuf,
    pub(crate) server_pid: u32,
}

impl Guardian {
    pub(crate) fn start(directory: TempDir, launch: &Launch) -> Result<Self> {
        let script = directory.path().join("guardian.sh");
        fs::write(&script, SCRIPT).map_err(Error::io("write the guardian"))?;
        let mut process = Command::new("/bin/sh")
            .arg(script)
            .arg(directory.path())
            .arg(&launch.program)
            .args(&launch.arguments)
            .envs(&launch.environment)
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is meant for the holder; the guardian must live on to clean up.
            .process_group(0)
            .spawn()
            .map_err(Error::io("start the guardian (/bin/sh)"))?;

        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(Error::io("read from the guardian"))?;
        }
        let mut guardian = Self { process, directory: directory.keep(), server_pid: 0 };
        guardian.server_pid = line.trim().parse().map_err(|_| Error::Io {
            action: "read the server's process id from the guardian",
            source: std::io::ErrorKind::InvalidData.into(),
        })?;
        Ok(guardian)
    }

    pub(crate) fn has_exited(&self) -> bool {
        self.directory.join("exited").exists()
    }

    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.directory.join("server.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines of the log, enough to find the cause.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // A guardian that somebody else reaped has nothing more to wait for.
        let _ = self.process.wait();
    }
}
