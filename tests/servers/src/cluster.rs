//! Two ejabberd nodes that share sessions and accounts by Mnesia, which is ejabberd's default.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Kind, Options, Server, ejabberd,
    error::{Error, Result},
    setup::Membership,
    tokens,
};

/// Two nodes of ejabberd. They stop when this is dropped.
///
/// A node hears of a session on the other node a few milliseconds late. Until then it answers
/// `item-not-found`.
#[derive(Debug)]
pub struct Cluster {
    nodes: [Server; 2],
}

impl Cluster {
    /// Starts both nodes and waits until they know each other.
    ///
    /// # Errors
    /// If a package is missing or a node does not start. The message says what to do.
    pub fn start() -> Result<Self> {
        let membership = Membership { cookie: tokens::random()?, port: free_port(Ipv4Addr::LOCALHOST)? };
        // These are addresses of this machine that no other test is likely to use.
        let [second, third] = free_port(Ipv4Addr::LOCALHOST)?.to_be_bytes();
        let address = |number| Ipv4Addr::new(127, second, third, number);
        let start = |address| {
            let ports = [free_port(address)?, free_port(address)?];
            Server::run(Kind::Ejabberd, Options::default(), ports, address, Some(membership.clone()), "")
        };
        let nodes = [start(address(2))?, start(address(3))?];
        membership.join(address(3), address(2), address(4))?;
        // Joining the cluster restarts ejabberd on this node.
        nodes[1].wait_until_ready()?;
        ejabberd::register_all(&nodes[0].control_url)?;
        wait_until_shared(&nodes[1])?;
        let [first, second] = nodes;
        Ok(Self { nodes: [first.with_tokens()?, second.with_tokens()?] })
    }

    /// Both nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Server; 2] {
        &self.nodes
    }

    /// Kills a node, as if its machine failed.
    ///
    /// # Errors
    /// If the node has no process any more.
    pub fn kill(&self, node: usize) -> Result<()> {
        self.signal(node, "KILL")
    }

    /// Stops a node without ending it, as if its machine hung: connections are accepted and not answered.
    ///
    /// # Errors
    /// If the node has no process any more.
    pub fn freeze(&self, node: usize) -> Result<()> {
        self.signal(node, "STOP")
    }

    fn signal(&self, node: usize, signal: &str) -> Result<()> {
        let pid = self.nodes[node].pid.to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status();
        if status.map_err(Error::io("signal a node"))?.success() {
            Ok(())
        } else {
            Err(Error::Io { action: "signal a node", source: std::io::ErrorKind::NotFound.into() })
        }
    }
}

/// Waits until the node knows the accounts of the other node.
fn wait_until_shared(node: &Server) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(60);
    while !ejabberd::has_accounts(&node.control_url)? {
        if Instant::now() > until {
            return Err(Error::Control {
                question: "for the accounts of the cluster".to_owned(),
                reason: "none".to_owned(),
            });
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn free_port(address: Ipv4Addr) -> Result<u16> {
    let listener = TcpListener::bind((address, 0)).map_err(Error::io("find a free port"))?;
    Ok(listener.local_addr().map_err(Error::io("find a free port"))?.port())
}
