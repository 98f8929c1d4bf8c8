//! A server, from its start to its end.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    io,
    net::Ipv4Addr,
    ops::Deref,
    os::unix::fs::PermissionsExt as _,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Info, Kind, Options, certificates, ejabberd,
    error::{Error, Result},
    guardian::Guardian,
    hosts, prosody,
    setup::{Membership, Setup, free_ports},
    tokens, vysper,
};

/// How often to try another pair of ports.
pub(crate) const ATTEMPTS: usize = 3;

/// How long to wait for a server to be ready. It is this long for a machine that is busy compiling; a quiet
/// machine needs 2 s.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    info: Info,
    guardian: Guardian,
}

impl Server {
    /// Starts a server in its usual set-up and waits until it is ready.
    ///
    /// # Errors
    /// If a package is missing or the server does not start. The message says what to do.
    pub fn start(kind: Kind) -> Result<Self> {
        Self::start_with(kind, Options::default())
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// If a package is missing or the server does not start. The message says what to do.
    pub fn start_with(kind: Kind, options: Options) -> Result<Self> {
        Self::start_with_hosts(kind, options, "")
    }

    /// Starts a server with more virtual hosts and waits until it is ready. For Prosody, `more_hosts` are lines for the
    /// end of its configuration, and a host with `servers_accounts = accounts` has the accounts of [`Info::accounts`].
    /// For ejabberd, they are the lines below `host_config`.
    ///
    /// # Errors
    /// If a package is missing or the server does not start. The message says what to do.
    pub fn start_with_hosts(kind: Kind, options: Options, more_hosts: &str) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            match Self::attempt(kind, options, free_ports()?, more_hosts) {
                Err(Error::PortTaken(_)) => {}
                result => return result,
            }
        }
        Err(Error::PortTaken(kind))
    }

    /// Everything that another process needs to know to use this server.
    #[must_use]
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The log of the server so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.guardian.log()
    }

    /// Makes Prosody read its configuration again. It has done so once its log says so.
    ///
    /// # Errors
    /// If the signal cannot be sent.
    pub fn reload(&self) -> Result<()> {
        let kill = Command::new("kill").args(["-s", "HUP", &self.pid.to_string()]).status();
        let failed = || Error::Io { action: "reload a server", source: io::ErrorKind::Other.into() };
        kill.map_err(Error::io("run kill"))?.success().then_some(()).ok_or_else(failed)
    }

    fn attempt(kind: Kind, options: Options, ports: [u16; 2], more_hosts: &str) -> Result<Self> {
        let server = Self::run(kind, options, ports, Ipv4Addr::LOCALHOST, None, more_hosts)?;
        if matches!(kind, Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26) {
            ejabberd::register_all(&server.control_url)?;
        }
        server.with_tokens()
    }

    pub(crate) fn with_tokens(mut self) -> Result<Self> {
        self.info.issue_tokens()?;
        Ok(self)
    }

    /// Starts a server. On ejabberd it has no accounts yet.
    pub(crate) fn run(
        kind: Kind,
        options: Options,
        ports: [u16; 2],
        address: Ipv4Addr,
        cluster: Option<Membership>,
        more_hosts: &str,
    ) -> Result<Self> {
        if options.tcp && !matches!(kind, Kind::Prosody | Kind::Prosody13) {
            return Err(Error::NotOffered(format!("{kind} speaks no XMPP over TCP here")));
        }
        if options.extauth.is_some() && !matches!(kind, Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26)
        {
            return Err(Error::NotOffered(format!("{kind} asks no command who may log in")));
        }
        if options.site_tokens && kind == Kind::Vysper {
            return Err(Error::NotOffered(format!("{kind} takes no tokens")));
        }
        let directory = tempfile::Builder::new()
            .prefix(&format!("{kind}-"))
            // Only this user may read the directory, because it holds keys and the secret path of the server.
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(Error::io("make a temporary directory"))?;
        certificates::write(directory.path())?;
        let setup = Setup { address, cluster, more_hosts, ..Setup::new(directory.path(), options, ports)? };
        let launch = match kind {
            Kind::Prosody | Kind::Prosody13 => prosody::launch(&setup, kind)?,
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => ejabberd::launch(&setup, kind)?,
            Kind::Vysper => vysper::launch(&setup)?,
        };
        let mut info = describe(kind, &setup);
        let guardian = Guardian::start(directory, &launch)?;
        info.pid = guardian.server_pid;

        let server = Self { info, guardian };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Waits until the server answers.
    pub(crate) fn wait_until_ready(&self) -> Result<()> {
        let kind = self.kind;
        let port_taken = match kind {
            Kind::Prosody | Kind::Prosody13 => prosody::PORT_TAKEN,
            Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => ejabberd::PORT_TAKEN,
            Kind::Vysper => vysper::PORT_TAKEN,
        };
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            // Only this server knows the secret path, so no other program on the port can answer.
            let answers = self.sessions().is_ok();
            if self.guardian.log().contains(port_taken) {
                return Err(Error::PortTaken(kind));
            } else if self.guardian.has_exited() {
                return Err(Error::Exited { kind, log: self.guardian.log_tail() });
            } else if answers {
                return Ok(());
            } else if Instant::now() > deadline {
                return Err(Error::NotReady { kind, log: self.guardian.log_tail() });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Deref for Server {
    type Target = Info;

    fn deref(&self) -> &Info {
        &self.info
    }
}

fn describe(kind: Kind, setup: &Setup<'_>) -> Info {
    let Setup { directory, http_port, https_port, tcp_port, secret, address, .. } = setup;
    let path = match kind {
        Kind::Prosody | Kind::Prosody13 => "http-bind",
        Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => "bosh",
        // Without the slash, Vysper redirects.
        Kind::Vysper => "bosh/",
    };
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let mechanisms = |host: &hosts::Host| {
        let without_scram = setup.options.site_tokens && host.name == hosts::LOCALHOST;
        let offered = host.mechanisms(kind).iter().copied();
        offered.filter(|name| !without_scram || !name.starts_with("SCRAM")).collect::<Vec<_>>()
    };
    Info {
        kind,
        pid: 0,
        http_url: format!("http://{address}:{http_port}/{path}"),
        https_url: format!("https://{address}:{https_port}/{path}"),
        tcp_port: *tcp_port,
        ca_pem: directory.join("ca.pem"),
        client_cert: directory.join("client.pem"),
        client_key: directory.join("client.key"),
        hosts: hosts::of(kind).map(|host| (host.name.to_owned(), names(&mechanisms(host)))).collect(),
        accounts: hosts::ACCOUNTS.map(|(user, password)| (user.into(), password.into())).into(),
        tokens: BTreeMap::new(),
        site_key: setup.options.site_tokens.then(tokens::jwt_key_file),
        api_url: matches!(kind, Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26)
            .then(|| format!("http://{address}:{http_port}/api")),
        control_url: format!("http://{address}:{http_port}/{secret}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn notices_that_a_port_is_taken() {
        for kind in [Kind::Prosody, Kind::Ejabberd, Kind::Ejabberd24, Kind::Ejabberd26, Kind::Vysper] {
            let other = TcpListener::bind("127.0.0.1:0").unwrap();
            let [free, _] = free_ports().unwrap();
            let ports = [free, other.local_addr().unwrap().port()];
            let result = Server::attempt(kind, Options::default(), ports, "");
            assert!(matches!(result, Err(Error::PortTaken(_))), "{kind}: {result:?}");
        }
    }
}
