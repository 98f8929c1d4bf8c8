//! A reverse proxy in front of one server, as sites use it.

use std::path::{Path, PathBuf};

use crate::{
    Program, certificates,
    error::{Error, Result},
    guardian::Guardian,
    program::retried,
    setup::free_ports,
};

/// How a reverse proxy forwards requests. Each way has its own path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Under the server's own path, with a new connection to the server for each request.
    Closed,
    /// Under another path, with connections to the server that are kept open.
    Kept,
    /// By a rule that rewrites the path. With Apache it is the `RewriteRule` of Converse's documentation.
    Rewritten,
    /// With gzip for clients that accept it.
    Compressed,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Kept, Self::Rewritten, Self::Compressed];
}

/// A running reverse proxy. It stops when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// The authority to trust.
    pub ca_pem: PathBuf,
    ports: [u16; 2],
    /// The path of the server behind it.
    path: String,
    _guardian: Guardian,
}

impl Proxy {
    /// Starts a reverse proxy in front of the server at this http URL.
    ///
    /// # Errors
    /// If its package is missing, or it does not start. The message says what to do.
    pub fn start(program: Program, server_url: &str) -> Result<Self> {
        let template = match program {
            Program::Haproxy => include_str!("../config/proxy/haproxy.cfg"),
            Program::Nginx => include_str!("../config/proxy/nginx.conf"),
            Program::Apache => include_str!("../config/proxy/apache.conf"),
            Program::Caddy => include_str!("../config/proxy/Caddyfile"),
        };
        let unusable = || Error::NotOffered(format!("no proxy can be in front of {server_url}"));
        let rest = server_url.strip_prefix("http://").ok_or_else(unusable)?;
        let (address, path) = rest.split_once('/').ok_or_else(unusable)?;
        let (_, port) = address.split_once(':').ok_or_else(unusable)?;
        retried(|| Self::attempt(program, template, [address, port, path]))
    }

    fn attempt(program: Program, template: &str, [address, port, path]: [&str; 3]) -> Result<Self> {
        let directory = program.directory()?;
        certificates::write(directory.path())?;
        let ports = free_ports()?;
        let config = template
            .replace("@DIRECTORY@", &directory.path().to_string_lossy())
            .replace("@HTTP_PORT@", &ports[0].to_string())
            .replace("@HTTPS_PORT@", &ports[1].to_string())
            .replace("@ADDRESS@", address)
            .replace("@PORT@", port)
            .replace("@PATH@", path);
        let ca_pem = directory.path().join("ca.pem");
        let guardian = program.run(directory, &config, ports[0])?;
        Ok(Self { ca_pem, ports, path: path.to_owned(), _guardian: guardian })
    }

    /// The URL of a route without TLS.
    #[must_use]
    pub fn http_url(&self, route: Route) -> String {
        format!("http://127.0.0.1:{}{}", self.ports[0], self.path(route))
    }

    /// The URL of a route over TLS, with a certificate for `localhost` and 127.0.0.1.
    #[must_use]
    pub fn https_url(&self, route: Route) -> String {
        format!("https://127.0.0.1:{}{}", self.ports[1], self.path(route))
    }

    fn path(&self, route: Route) -> String {
        match route {
            Route::Closed => format!("/{}", self.path),
            Route::Kept => "/kept".to_owned(),
            Route::Rewritten => "/rewritten".to_owned(),
            Route::Compressed => "/compressed".to_owned(),
        }
    }
}

/// A program with a configuration that the caller has written; it stops when this is dropped.
#[derive(Debug)]
pub struct Front {
    /// Where the program listens, without scheme and path.
    pub address: String,
    /// The authority of the certificate that the configuration may use.
    pub ca_pem: PathBuf,
    _guardian: Guardian,
}

impl Front {
    /// Starts a program. The configuration is made for the port of 127.0.0.1 at which the program has to listen, and
    /// for the folder with its files: `server.pem` holds a certificate for `localhost` and 127.0.0.1, `server.key`
    /// its key.
    ///
    /// # Errors
    /// When its package is missing, or it does not start; the message says what to do.
    pub fn start(program: Program, config: impl Fn(u16, &Path) -> String) -> Result<Self> {
        retried(|| {
            let directory = program.directory()?;
            certificates::write(directory.path())?;
            let [port, _] = free_ports()?;
            let config = config(port, directory.path());
            let ca_pem = directory.path().join("ca.pem");
            let guardian = program.run(directory, &config, port)?;
            Ok(Self { address: format!("127.0.0.1:{port}"), ca_pem, _guardian: guardian })
        })
    }
}
