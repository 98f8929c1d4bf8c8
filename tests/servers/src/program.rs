//! The programs in front of servers, and how to start them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    error::{Error, Result},
    guardian::{Guardian, Launch},
    server::ATTEMPTS,
    setup::find_program,
    version,
};

/// How long to wait for a program to listen. It is this long for a machine that is busy compiling.
const LISTENS_WITHIN: Duration = Duration::from_secs(60);

/// A program that forwards requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `HAProxy`.
    Haproxy,
    /// nginx.
    Nginx,
    /// The Apache HTTP server.
    Apache,
    /// Caddy.
    Caddy,
}

impl Program {
    /// Every program.
    pub const ALL: [Self; 4] = [Self::Haproxy, Self::Nginx, Self::Apache, Self::Caddy];

    /// The name of its executable.
    fn executable(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Apache => "apache2",
            Self::Caddy => "caddy",
        }
    }

    /// The version, for example `1.22`.
    ///
    /// # Errors
    /// If it is not installed.
    pub fn version(self) -> Result<String> {
        version::of_package(self.package())
    }

    /// The Debian package of the program.
    fn package(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx-light",
            Self::Apache => "apache2-bin",
            Self::Caddy => "caddy",
        }
    }

    /// A temporary directory for its files.
    pub(crate) fn directory(self) -> Result<TempDir> {
        directory(self.executable())
    }

    /// Runs the program with this configuration until the guardian is dropped.
    pub(crate) fn run(self, directory: TempDir, config: &str, port: u16) -> Result<Guardian> {
        let missing = Error::NoProgram { program: self.executable(), package: self.package() };
        let program = find_program(self.executable()).ok_or(missing)?;
        let file = directory.path().join("config");
        fs::write(&file, config).map_err(Error::io("write a configuration"))?;
        let launch = Launch {
            program,
            arguments: self.arguments(directory.path(), &file),
            // Caddy keeps its own files there.
            environment: BTreeMap::from([
                ("HOME", directory.path().into()),
                ("XDG_DATA_HOME", directory.path().into()),
            ]),
        };
        listen(self.executable(), directory, &launch, port)
    }

    /// The arguments to run in the foreground, without the system's own configuration.
    fn arguments(self, directory: &Path, config: &Path) -> Vec<OsString> {
        let [directory, config] = [directory, config].map(|path| path.as_os_str().to_owned());
        match self {
            Self::Haproxy => vec!["-db".into(), "-f".into(), config],
            Self::Nginx => vec!["-p".into(), directory, "-c".into(), config],
            Self::Apache => vec!["-DFOREGROUND".into(), "-d".into(), directory, "-f".into(), config],
            Self::Caddy => {
                vec!["run".into(), "--adapter".into(), "caddyfile".into(), "--config".into(), config]
            }
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Haproxy => "HAProxy",
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::Caddy => "Caddy",
        })
    }
}

/// A temporary directory for a program.
pub(crate) fn directory(program: &str) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("{program}-"))
        .tempdir()
        .map_err(Error::io("make a temporary directory"))
}

/// Starts a program and waits until it listens on this port.
pub(crate) fn listen(
    program: &'static str,
    directory: TempDir,
    launch: &Launch,
    port: u16,
) -> Result<Guardian> {
    let guardian = Guardian::start(directory, launch)?;
    let until = Instant::now() + LISTENS_WITHIN;
    while !listens(guardian.server_pid, port) {
        let log = guardian.log_tail();
        if guardian.has_exited() || is_port_taken(&log) || Instant::now() > until {
            return Err(Error::NotListening { program, log });
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(guardian)
}

/// Whether this process itself listens on the port, because another program may have it.
fn listens(pid: u32, port: u16) -> bool {
    const LISTENING: &str = "0A";
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let own: Vec<PathBuf> = descriptors.filter_map(|file| fs::read_link(file.path()).ok()).collect();
    let local = format!(":{port:04X}");
    fs::read_to_string("/proc/net/tcp").unwrap_or_default().lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, address, _, state, _, _, _, _, _, inode, ..] = fields[..] else { return false };
        let socket = PathBuf::from(format!("socket:[{inode}]"));
        address.ends_with(&local) && state == LISTENING && own.contains(&socket)
    })
}

/// Tries other ports if another program took one first.
pub(crate) fn retried<T>(start: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match start() {
            Err(Error::NotListening { log, .. }) if is_port_taken(&log) => {}
            result => return result,
        }
    }
    start()
}

fn is_port_taken(log: &str) -> bool {
    log.to_lowercase().contains("address already in use")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::{cell::Cell, net::TcpListener};

    use super::*;

    #[test]
    fn another_port_is_tried_if_one_is_taken() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = other.local_addr().unwrap().port();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let ports = Cell::new(vec![free, taken]);
        let start = || {
            let mut left = ports.take();
            let port = left.pop().unwrap();
            ports.set(left);
            let config =
                format!("defaults\n timeout client 1s\nfrontend all\n bind 127.0.0.1:{port}\n mode http\n");
            Program::Haproxy.run(Program::Haproxy.directory()?, &config, port)
        };
        retried(start).unwrap();
        assert!(ports.take().is_empty());
    }
}
