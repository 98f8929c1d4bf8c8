//! A server from its start to its end.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    ops::Deref,
    os::unix::fs::PermissionsExt as _,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Info, Kind, Options, certificates, ejabberd,
    error::{Error, Result},
    guardian::Guardian,
    hosts, prosody,
    setup::{Setup, free_ports},
};

/// How often another pair of ports is tried.
pub(crate) const ATTEMPTS: usize = 3;

/// Most of it for a machine that is busy compiling: 2 s are enough on a quiet one.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    info: Info,
    _guardian: Guardian,
}

impl Server {
    /// Starts a server in its usual set-up and waits until it is ready.
    ///
    /// # Errors
    /// When a package is missing or the server does not come up; the message says what to do.
    pub fn start(kind: Kind) -> Result<Self> {
        Self::start_with(kind, Options::default())
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// When a package is missing or the server does not come up; the message says what to do.
    pub fn start_with(kind: Kind, options: Options) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            match Self::attempt(kind, options, free_ports()?) {
                Err(Error::PortTaken(_)) => {}
                result => return result,
            }
        }
        Err(Error::PortTaken(kind))
    }

    /// What another process needs to know to use this server.
    #[must_use]
    pub fn info(&self) -> &Info {
        &self.info
    }

    fn attempt(kind: Kind, options: Options, ports: [u16; 2]) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("{kind}-"))
            // It holds keys, and the path that lets one ask the server about itself.
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(Error::io("make a temporary directory"))?;
        certificates::write(directory.path())?;
        let setup = Setup::new(directory.path(), options, ports)?;
        let launch = match kind {
            Kind::Prosody | Kind::Prosody13 => prosody::launch(&setup, kind)?,
            Kind::Ejabberd => ejabberd::launch(&setup)?,
        };
        let mut info = describe(kind, &setup);
        let guardian = Guardian::start(directory, &launch)?;
        info.pid = guardian.server_pid;

        wait_until_ready(&info, &guardian)?;
        if kind == Kind::Ejabberd {
            ejabberd::register(&info.control_url)?;
        }
        info.issue_tokens()?;
        Ok(Self { info, _guardian: guardian })
    }
}

impl Deref for Server {
    type Target = Info;

    fn deref(&self) -> &Info {
        &self.info
    }
}

fn describe(kind: Kind, setup: &Setup<'_>) -> Info {
    let Setup { directory, http_port, https_port, secret, .. } = setup;
    let path = match kind {
        Kind::Prosody | Kind::Prosody13 => "http-bind",
        Kind::Ejabberd => "bosh",
    };
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Info {
        kind,
        pid: 0,
        http_url: format!("http://127.0.0.1:{http_port}/{path}"),
        https_url: format!("https://127.0.0.1:{https_port}/{path}"),
        ca_pem: directory.join("ca.pem"),
        client_cert: directory.join("client.pem"),
        client_key: directory.join("client.key"),
        hosts: hosts::of(kind).map(|host| (host.name.to_owned(), names(host.mechanisms(kind)))).collect(),
        accounts: hosts::ACCOUNTS.map(|(user, password)| (user.into(), password.into())).into(),
        tokens: BTreeMap::new(),
        control_url: format!("http://127.0.0.1:{http_port}/{secret}"),
    }
}

fn wait_until_ready(info: &Info, guardian: &Guardian) -> Result<()> {
    let kind = info.kind;
    let port_taken = match kind {
        Kind::Prosody | Kind::Prosody13 => prosody::PORT_TAKEN,
        Kind::Ejabberd => ejabberd::PORT_TAKEN,
    };
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        // Only our server knows the secret path, whoever else may listen on the port.
        let answers = info.sessions().is_ok();
        if guardian.log().contains(port_taken) {
            return Err(Error::PortTaken(kind));
        } else if guardian.has_exited() {
            return Err(Error::Exited { kind, log: guardian.log_tail() });
        } else if answers {
            return Ok(());
        } else if Instant::now() > deadline {
            return Err(Error::NotReady { kind, log: guardian.log_tail() });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn notices_that_a_port_is_taken() {
        for kind in [Kind::Prosody, Kind::Ejabberd] {
            let other = TcpListener::bind("127.0.0.1:0").unwrap();
            let [free, _] = free_ports().unwrap();
            let ports = [free, other.local_addr().unwrap().port()];
            let result = Server::attempt(kind, Options::default(), ports);
            assert!(matches!(result, Err(Error::PortTaken(_))), "{kind}: {result:?}");
        }
    }
}
