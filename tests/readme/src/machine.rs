//! The machine of a guide that sets a chat server up: Debian's configurations, in a folder, and commands that use them.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use tempfile::TempDir;

/// The guide that has such a machine.
pub(crate) const GUIDE: &str = "core/docs/chat-server.md";

/// Where the guide lets Prosody and ejabberd listen for the proxy.
const PORTS: [&str; 2] = ["5280", "5380"];

/// A folder that stands for a machine.
pub(crate) struct Machine {
    folder: TempDir,
    ports: [u16; 3],
    commands: PathBuf,
}

impl Machine {
    /// A machine on which the packages have just been installed.
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let [prosody, ejabberd, erlang, others @ ..] = free_ports::<10>()?;
        let etc = folder.path().join("etc");
        let inside = format!("{}/", folder.path().display());
        let moved = |text: String| {
            ["etc/", "var/", "run/", "usr/local/"]
                .iter()
                .fold(text, |text, top| text.replace(&format!("\"/{top}"), &format!("\"{inside}{top}")))
        };
        for directory in [
            "etc/prosody/conf.d",
            "etc/prosody/certs",
            "etc/ejabberd",
            "data",
            "run/prosody",
            "var/log/prosody",
        ] {
            fs::create_dir_all(folder.path().join(directory))?;
        }

        // Only Debian's own settings of ports and places are others.
        let debians = moved(installed("/etc/prosody/prosody.cfg.lua")?);
        let config = format!(
            "run_as_root = true\ndata_path = \"{inside}data\"\nhttp_ports = {{ {prosody} }}\nhttps_ports = {{ }}\n\
             c2s_ports = {{ }}\ns2s_ports = {{ }}\n{debians}"
        );
        fs::write(etc.join("prosody/prosody.cfg.lua"), config)?;

        let mut config =
            moved(installed("/etc/ejabberd/ejabberd.yml")?).replace("ip: \"::\"", "ip: \"127.0.0.1\"");
        let listed: Vec<String> =
            config.lines().filter(|line| line.starts_with("    port: ")).map(str::to_owned).collect();
        for (line, port) in listed.iter().zip(others) {
            config = config.replace(&format!("{line}\n"), &format!("    port: {port}\n"));
        }
        fs::write(etc.join("ejabberd/ejabberd.yml"), config)?;
        fs::write(etc.join("ejabberd/ejabberd.pem"), installed("/etc/ejabberd/ejabberd.pem")?)?;
        Ok(Self { folder, ports: [prosody, ejabberd, erlang], commands: root.join("tests/readme/machine") })
    }

    /// A block for this machine.
    pub(crate) fn localized(&self, block: &str) -> String {
        let folder = self.folder.path().display();
        let block = ["/etc/", "/usr/local/"]
            .iter()
            .fold(block.to_owned(), |block, top| block.replace(top, &format!("{folder}{top}")));
        PORTS
            .iter()
            .zip(self.ports)
            .fold(block, |block, (guides, own)| block.replace(guides, &own.to_string()))
    }

    /// Gives a command the machine's own commands, which come first in the `path`.
    pub(crate) fn prepare(&self, command: &mut Command, path: &str) {
        let [prosody, ejabberd, erlang] = self.ports.map(|port| port.to_string());
        command
            .env("PATH", format!("{}:{path}", self.commands.display()))
            .env("MACHINE", self.folder.path())
            .env("HOLDER", process::id().to_string())
            .env("COOKIE", format!("readme-{prosody}"))
            .env("PROSODY_PORT", prosody)
            .env("EJABBERD_PORT", ejabberd)
            .env("ERLANG_PORT", erlang);
    }
}

/// A file of a package's configuration, which often only root may read.
fn installed(path: &str) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| {
        io::Error::other(format!("{path}: {error}; install its package, and run this as root"))
    })
}

fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    // All at once, so that they differ.
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}
