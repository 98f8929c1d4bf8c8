//! The rows of the table. A new server or program needs a new entry here, and nothing else.

use std::path::Path;
use std::thread;

use servers::{Info, Kind, Manager, ManagerKind, Options, Program, Proxy, Route, Server};

use crate::door::Door;

/// What runs while the test does.
pub(crate) struct Started {
    servers: Vec<Server>,
    proxies: Vec<(usize, Program, Proxy)>,
    managers: Vec<(ManagerKind, Manager)>,
}

/// A line of the table.
pub(crate) struct Row {
    /// The server, with its version.
    pub(crate) server: String,
    /// What is in front of it, with its version.
    pub(crate) front: String,
    /// How that passes requests on.
    pub(crate) ways: Vec<Way>,
}

/// One way to the server, with an address for each scheme.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) doors: Vec<Door>,
}

const SERVERS: [Kind; 6] =
    [Kind::Prosody, Kind::Prosody13, Kind::Ejabberd, Kind::Ejabberd24, Kind::Ejabberd26, Kind::Vysper];

/// The server that connection managers are in front of.
const MANAGED: Kind = Kind::Prosody;

impl Started {
    pub(crate) fn new() -> Self {
        // Side by side, since a server takes seconds to start.
        let servers = thread::scope(|scope| {
            let starting = SERVERS.map(|kind| {
                // For the connection managers in front of it.
                let options = Options { tcp: kind == MANAGED, ..Options::default() };
                scope.spawn(move || Server::start_with(kind, options))
            });
            starting.map(|thread| started(thread.join().unwrap()))
        });
        let behind_some = servers.iter().enumerate().filter(|(_, server)| !routes(server.kind).is_empty());
        let proxies = behind_some.flat_map(|(number, server)| {
            Program::ALL.map(|program| (number, program, started(Proxy::start(program, &server.http_url))))
        });
        let managed = servers.iter().filter(|server| server.kind == MANAGED);
        let managers = managed.flat_map(|server| {
            ManagerKind::ALL.map(|program| (program, started(Manager::start(program, server))))
        });
        Self { proxies: proxies.collect(), managers: managers.collect(), servers: servers.into() }
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (number, server) in self.servers.iter().enumerate() {
            let name = match server.kind {
                Kind::Prosody | Kind::Prosody13 => "Prosody",
                Kind::Ejabberd | Kind::Ejabberd24 | Kind::Ejabberd26 => "ejabberd",
                Kind::Vysper => "Apache Vysper",
            };
            let name = match server.kind {
                // Backports are replaced by newer ones, which must not change the table.
                Kind::Ejabberd26 => format!("{name} 26.07 or newer"),
                kind => format!("{name} {}", started(kind.version())),
            };
            let mut row = |front, ways| rows.push(Row { server: name.clone(), front, ways });
            let doors = both(server, &server.http_url, &server.https_url, &server.ca_pem);
            row("nothing".to_owned(), vec![Way { name: "–", doors }]);
            for (_, program, proxy) in self.proxies.iter().filter(|(of, ..)| *of == number) {
                let ways = routes(server.kind).iter().map(|&route| Way {
                    name: what_it_does(route),
                    doors: both(server, &proxy.http_url(route), &proxy.https_url(route), &proxy.ca_pem),
                });
                row(format!("{program} {}", started(program.version())), ways.collect());
            }
            for (program, manager) in self.managers.iter().filter(|_| server.kind == MANAGED) {
                let doors = vec![Door::new(server, &manager.url, &manager.url, &server.ca_pem)];
                row(format!("{program} {}", program.version()), vec![Way { name: "–", doors }]);
            }
        }
        rows
    }
}

/// How the proxies in front of a server pass requests on. To the servers of Debian 13 they do so only as most
/// proxies are configured, since each way takes seconds, and to the newest and Vysper not at all.
fn routes(kind: Kind) -> &'static [Route] {
    match kind {
        Kind::Prosody | Kind::Ejabberd => &Route::ALL,
        Kind::Prosody13 | Kind::Ejabberd24 => &[Route::Kept],
        Kind::Ejabberd26 | Kind::Vysper => &[],
    }
}

fn what_it_does(route: Route) -> &'static str {
    match route {
        Route::Closed => "a connection for each request",
        Route::Kept => "connections kept",
        Route::Rewritten => "path rewritten",
        Route::Compressed => "gzip",
    }
}

fn both(server: &Info, http: &str, https: &str, ca_pem: &Path) -> Vec<Door> {
    [http, https].map(|url| Door::new(server, url, http, ca_pem)).into()
}

fn started<T>(result: servers::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
