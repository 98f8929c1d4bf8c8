//! What the configuration of either server is made from.

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
    /// Where XMPP is spoken over TCP, if anywhere.
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

/// What the nodes of a cluster have in common. Each has an address of its own, so that one port for
/// Erlang's distribution does for all, without `epmd`.
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

    /// Writes a file of the server's directory, with every `@NAME@` of the template filled in.
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

/// Finds a program as a shell would, and where Debian keeps servers.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/bin".into(), "/usr/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

/// Ports nobody listens on now. Another program may be faster than the server; then the start is
/// tried again.
pub(crate) fn free_ports() -> Result<[u16; 2]> {
    let listen = || TcpListener::bind("127.0.0.1:0").map_err(Error::io("find a free port"));
    // Both at once, lest they be the same.
    let listeners = [listen()?, listen()?];
    let port = |listener: &TcpListener| {
        listener.local_addr().map(|address| address.port()).map_err(Error::io("find a free port"))
    };
    Ok([port(&listeners[0])?, port(&listeners[1])?])
}
