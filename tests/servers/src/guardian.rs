//! A server process that cannot outlive the process that holds it.
//!
//! The guardian is a small shell script between the holder and the server. The end of a pipe tells it to stop
//! the server, not a signal or a destructor: the kernel closes the pipe whatever happens to the holder, even
//! after SIGKILL.

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

/// A command line, with variables to add to the environment.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: BTreeMap<&'static str, OsString>,
}

/// A running server and its directory. Dropping this stops the server and deletes the directory.
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
            // Ctrl-C must reach only the holder, because the guardian has to clean up afterwards.
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
        // The wait fails if the guardian was already reaped, and then there is nothing to wait for.
        let _ = self.process.wait();
    }
}
