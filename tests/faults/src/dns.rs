//! A name server that never answers.
//!
//! A server cannot make a resolver hang; only the machine that it asks can. On Linux this needs its own
//! network and mount namespaces, as root or where users may create them. Inside, `/etc/resolv.conf` names
//! `127.0.0.1`, where a UDP socket is bound and never read. `localhost` and other entries of `/etc/hosts`
//! still resolve, and servers started inside can be reached.
//!
//! This needs the commands `unshare`, `mount` and `ip`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the body of a Rust test in a namespace where names do not resolve.
///
/// `test` is the full name of the calling test, which is needed to start that test again inside:
///
/// ```no_run
/// #[test]
/// fn a_name_server_that_does_not_answer() {
///     faults::dns::black_hole("a_name_server_that_does_not_answer", || {
///         // `http://chat.example/` takes for ever in here
///     })
///     .unwrap();
/// }
/// ```
///
/// # Errors
///
/// If this machine does not allow namespaces. The body did not run then.
///
/// # Panics
///
/// If the body does.
pub fn black_hole(test: &str, body: impl FnOnce()) -> Result<(), String> {
    if std::env::var_os(INSIDE).is_some() {
        let _hole = Hole::dig()?;
        body();
        return Ok(());
    }
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut again = command(this)?;
    again.args(["--exact", test, "--nocapture", "--include-ignored"]);
    let output = again.env(INSIDE, "1").output().map_err(|e| e.to_string())?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains(" 1 passed"),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A command that runs a program in its own namespaces. The program has to [dig](Hole::dig) before anything
/// else.
///
/// # Errors
///
/// If this machine does not allow namespaces.
pub fn command(program: impl AsRef<OsStr>) -> Result<Command, String> {
    let ways: [&[&str]; 2] = [&["--net", "--mount"], &["--map-root-user", "--net", "--mount"]];
    for way in ways {
        let mut unshare = Command::new("unshare");
        unshare.args(way);
        let mut probe = Command::new("unshare");
        probe.args(way).arg("true").stderr(Stdio::null());
        if probe.status().is_ok_and(|status| status.success()) {
            unshare.arg("--").arg(program);
            return Ok(unshare);
        }
    }
    Err("no namespaces: this takes `unshare` and root, or user namespaces".into())
}

/// Keeps queries unanswered until it is dropped. A refused query would fail at once.
#[derive(Debug)]
pub struct Hole {
    _unread: UdpSocket,
}

impl Hole {
    /// Sends all queries of this mount and network namespace to a socket that nobody reads.
    ///
    /// # Errors
    ///
    /// Says what could not be set up. Outside of its own namespaces it is port 53 or the mount.
    pub fn dig() -> Result<Self, String> {
        run(Command::new("ip").args(["link", "set", "lo", "up"]))?;
        let unread = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53))
            .map_err(|e| format!("port 53 of the name server: {e}"))?;
        cover("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")?;
        // Some machines ask a daemon instead, which can be reached from inside a network namespace.
        if let Ok(switch) = fs::read_to_string("/etc/nsswitch.conf") {
            let others = switch.lines().filter(|line| !line.trim_start().starts_with("hosts:"));
            let lines: Vec<_> = others.chain(["hosts: files dns", ""]).collect();
            cover("/etc/nsswitch.conf", &lines.join("\n"))?;
        }
        Ok(Self { _unread: unread })
    }
}

/// The variable that is set for a test that was started again inside.
const INSIDE: &str = "FAULTS_BLACK_HOLE";

/// Mounts a file with this content over another.
fn cover(path: &str, content: &str) -> Result<(), String> {
    let name = Path::new(path).file_name().unwrap_or_default();
    let mut other = std::env::temp_dir();
    other.push(format!("{}.{}", std::process::id(), name.display()));
    fs::write(&other, content).map_err(|e| format!("{}: {e}", other.display()))?;
    let mounted = run(Command::new("mount").arg("--bind").arg(&other).arg(path));
    // The mount keeps the content.
    let removed = fs::remove_file(&other);
    mounted.and(removed.map_err(|e: io::Error| e.to_string()))
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
