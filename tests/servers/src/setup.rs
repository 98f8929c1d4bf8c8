//! The values that the configuration of a server is made from.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use crate::{
    Options,
    error::{Error, Result},
    tokens,
};

pub(crate) struct Setup<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) http_port: u16,
    pub(crate) https_port: u16,
    /// The port for XMPP over TCP, if there is one.
    pub(crate) tcp_port: Option<u16>,
    /// The path below which the server answers questions about itself.
    pub(crate) secret: String,
    pub(crate) options: Options,
    pub(crate) address: Ipv4Addr,
    /// The cluster that an ejabberd is a node of.
    pub(crate) cluster: Option<Membership>,
    /// More virtual hosts, in the language of the server's configuration.
    pub(crate) more_hosts: &'a str,
}

/// What the nodes of a cluster have in common. Each node has its own address, so all of them can use the same
/// port for Erlang's distribution, without `epmd`.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) cookie: String,
    pub(crate) port: u16,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(directory: &'a Path, options: Options, ports: [u16; 2]) -> Result<Self> {
        let tcp_port = if options.tcp { Some(free_ports()?[0]) } else { None };
        Ok(Self {
            directory,
            http_port: ports[0],
            https_port: ports[1],
            tcp_port,
            secret: tokens::random()?,
            options,
            address: Ipv4Addr::LOCALHOST,
            cluster: None,
            more_hosts: "",
        })
    }

    /// Writes a file into the server's directory, with every `@NAME@` of the template filled in.
    pub(crate) fn write(&self, name: &str, template: &str, values: &[(&str, &str)]) -> Result<()> {
        let mut text = template
            .replace("@DIRECTORY@", &self.directory.to_string_lossy())
            .replace("@HTTP_PORT@", &self.http_port.to_string())
            .replace("@HTTPS_PORT@", &self.https_port.to_string())
            .replace("@ADDRESS@", &self.address.to_string())
            .replace("@SECRET@", &self.secret);
        for (key, value) in values {
            text = text.replace(key, value);
        }
        fs::write(self.directory.join(name), text).map_err(Error::io("write a configuration"))
    }
}

/// Finds a program in `PATH`, as a shell does, or in the directories where Debian keeps servers.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/bin".into(), "/usr/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

/// Two ports that are free now. Another program may take them before the server does; then the start is tried
/// again.
pub(crate) fn free_ports() -> Result<[u16; 2]> {
    let listen = || TcpListener::bind("127.0.0.1:0").map_err(Error::io("find a free port"));
    // Both are open at the same time, so that they differ.
    let listeners = [listen()?, listen()?];
    let port = |listener: &TcpListener| {
        listener.local_addr().map(|address| address.port()).map_err(Error::io("find a free port"))
    };
    Ok([port(&listeners[0])?, port(&listeners[1])?])
}
