//! A load balancer. It sends each request to the next server, whatever session the request belongs to, or it
//! sends each client to the same server every time.

use crate::{
    Info, Program,
    error::{Error, Result},
    guardian::Guardian,
    program::retried,
    setup::free_ports,
};

/// A running load balancer. It stops when this is dropped.
#[derive(Debug)]
pub struct Balancer {
    /// The URL where it listens, with the path of its servers.
    pub url: String,
    _guardian: Guardian,
}

impl Balancer {
    /// Starts a load balancer in front of these servers: `HAProxy`, which checks whether they run, or nginx,
    /// which keeps its connections to them open.
    ///
    /// # Errors
    /// If its package is missing, or it does not start. The message says what to do.
    ///
    /// # Panics
    /// If a server's URL has no address.
    pub fn start(program: Program, servers: &[&Info]) -> Result<Self> {
        Self::start_with(program, servers, "")
    }

    /// Starts `HAProxy` in front of these servers so that the cookie `SRV` leads a client to the same server
    /// every time.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// # Panics
    /// If a server's URL has no address.
    pub fn sticky(servers: &[&Info]) -> Result<Self> {
        Self::start_with(Program::Haproxy, servers, "cookie SRV insert indirect nocache")
    }

    fn start_with(program: Program, servers: &[&Info], cookie: &str) -> Result<Self> {
        let template = match program {
            Program::Haproxy => include_str!("../config/balancer/haproxy.cfg"),
            Program::Nginx => include_str!("../config/balancer/nginx.conf"),
            Program::Apache | Program::Caddy => {
                return Err(Error::NotOffered(format!("{program} is no balancer here")));
            }
        };
        let addresses = servers.iter().filter_map(|server| server.http_url.split('/').nth(2));
        let line = |(number, address): (usize, &str)| match program {
            Program::Haproxy => {
                format!("  server s{number} {address} cookie s{number} check inter 200ms fall 1 rise 1\n")
            }
            _ => format!("    server {address};\n"),
        };
        let lines: String = addresses.enumerate().map(line).collect();
        let path = servers[0].http_url.splitn(4, '/').nth(3).unwrap_or_default();
        retried(|| {
            let [port, _] = free_ports()?;
            let config = template.replace("@HTTP_PORT@", &port.to_string());
            let config = config.replace("@SERVERS@", &lines).replace("@COOKIE@", cookie);
            let guardian = program.run(program.directory()?, &config, port)?;
            Ok(Self { url: format!("http://127.0.0.1:{port}/{path}"), _guardian: guardian })
        })
    }
}
