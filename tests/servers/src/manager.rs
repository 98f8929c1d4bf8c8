//! A connection manager, which speaks BOSH with clients and XMPP over TCP with a server (XEP-0124 §1).

use std::{collections::BTreeMap, fmt, fs, path::Path};

use crate::{
    Info,
    error::{Error, Result},
    guardian::{Guardian, Launch},
    install::install,
    program::{directory, listen, retried},
    setup::{find_program, free_ports},
    version,
};

/// The program of a connection manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagerKind {
    /// node-xmpp-bosh, from npm.
    NodeXmppBosh,
    /// Punjab, from `PyPI`.
    Punjab,
}

/// A running connection manager. It stops when this is dropped.
#[derive(Debug)]
pub struct Manager {
    /// The BOSH URL.
    pub url: String,
    _guardian: Guardian,
}

impl ManagerKind {
    /// Every program.
    pub const ALL: [Self; 2] = [Self::NodeXmppBosh, Self::Punjab];

    /// The version, for example `0.7`.
    #[must_use]
    pub fn version(self) -> String {
        let (file, before) = match self {
            Self::NodeXmppBosh => {
                (include_str!("../config/node-xmpp-bosh/package.json"), "\"node-xmpp-bosh\": \"")
            }
            Self::Punjab => (include_str!("../config/punjab/requirements.txt"), "punjab=="),
        };
        let (_, rest) = file.split_once(before).unwrap_or_default();
        version::shortened(rest).unwrap_or_default()
    }

    /// The name of its folder.
    fn name(self) -> &'static str {
        match self {
            Self::NodeXmppBosh => "node-xmpp-bosh",
            Self::Punjab => "punjab",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::NodeXmppBosh => include_str!("../config/node-xmpp-bosh/bosh.js"),
            Self::Punjab => include_str!("../config/punjab/start.py"),
        }
    }

    fn launch(self, installed: &Path, config: &Path) -> Result<Launch> {
        let (program, arguments) = match self {
            Self::NodeXmppBosh => {
                let missing = Error::NoProgram { program: self.name(), package: "nodejs" };
                let server = installed.join("node_modules/node-xmpp-bosh/run-server.js");
                let config = format!("--config={}", config.display());
                (find_program("node").ok_or(missing)?, vec![server.into(), config.into()])
            }
            Self::Punjab => (installed.join("bin/python"), vec![config.into()]),
        };
        Ok(Launch { program, arguments, environment: BTreeMap::new() })
    }
}

impl fmt::Display for ManagerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodeXmppBosh => "node-xmpp-bosh",
            Self::Punjab => "Punjab",
        })
    }
}

impl Manager {
    /// Starts a connection manager in front of a server that was started with [`crate::Options::tcp`]. The
    /// first time, this fetches its packages and installs them below `target`.
    ///
    /// # Errors
    /// If its packages cannot be fetched, or it does not start. The message says what to do.
    pub fn start(program: ManagerKind, server: &Info) -> Result<Self> {
        let tcp_port = server.tcp_port.ok_or_else(|| {
            Error::NotOffered("a connection manager needs a server with `Options::tcp`".to_owned())
        })?;
        let installed = install(program.name())?;
        retried(|| Self::attempt(program, &installed, tcp_port))
    }

    fn attempt(program: ManagerKind, installed: &Path, tcp_port: u16) -> Result<Self> {
        let directory = directory(program.name())?;
        let [port, _] = free_ports()?;
        let config = program
            .template()
            .replace("@INSTALLED@", &installed.to_string_lossy())
            .replace("@HTTP_PORT@", &port.to_string())
            .replace("@TCP_PORT@", &tcp_port.to_string());
        let file = directory.path().join("config");
        fs::write(&file, config).map_err(Error::io("write a configuration"))?;
        let launch = program.launch(installed, &file)?;
        let guardian = listen(program.name(), directory, &launch, port)?;
        Ok(Self { url: format!("http://127.0.0.1:{port}/http-bind"), _guardian: guardian })
    }
}
