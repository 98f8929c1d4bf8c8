//! Tests connection managers in front of Prosody: users can log in, and the server sees them.

mod common;

use std::time::Duration;

use common::{Bosh, agent, mechanisms, plain};
use servers::{Kind, Manager, ManagerKind, Options, Server, hosts};

#[test]
fn speak_for_a_server() {
    let options = Options { tcp: true, ..Options::default() };
    let server = Server::start_with(Kind::Prosody, options).unwrap_or_else(|error| panic!("{error}"));
    let agent = agent(&server);
    for program in ManagerKind::ALL {
        let manager = Manager::start(program, &server).unwrap_or_else(|error| panic!("{error}"));
        let (mut session, answer) = Bosh::create(&agent, &manager.url, hosts::PLAIN);
        assert_eq!(mechanisms(&answer), server.hosts[hosts::PLAIN], "{program}: {answer}");
        session.authenticate("PLAIN", &plain("carol", "carrot-1"));
        session.bind("desk");
        let seen = server.sessions().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((seen.jids, seen.streams), (vec!["carol@plain.local/desk".to_owned()], 1), "{program}");
        session.terminate();
        let left = server.wait_until_empty(Duration::from_secs(10));
        assert!(left.as_ref().is_ok_and(servers::Sessions::is_empty), "{program}: {left:?}");
    }
}
