//! Which connection carries which request, and what becomes of one that does not last.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use faults::{Recorded, Reply, Server};
use socket2::{Domain, Socket, Type};

use super::{BOUND, EJABBERD, PROSODY, account, body, classic, client, pair};

/// Prosody does not read for a while from a connection that has created a session.
#[test]
fn what_follows_a_creation_goes_over_another_connection() {
    let replies = (0..4).flat_map(|_| classic(PROSODY)).collect();
    let server = faults::script(replies);
    let client = client(&server, |config| {
        config.learn = false;
        // The longer a request, the longer its connection rests: half a second, in which three calls are made
        // on a busy machine too.
        config.headers.push(("X-Long".to_owned(), "x".repeat(4900).into()));
    });
    for _ in 0..3 {
        client.prebind(&account()).unwrap();
    }
    let requests = server.requests();
    let mut creations = Vec::new();
    for call in requests.chunks(4) {
        creations.push(call[0].connection);
        let rested = |request: &Recorded| !creations.contains(&request.connection);
        assert!(call[1..].iter().all(rested), "{creations:?} rest");
    }
    creations.dedup();
    assert_eq!(creations.len(), 3, "each by another");
    thread::sleep(Duration::from_millis(800));
    client.prebind(&account()).unwrap();
    assert_eq!(server.requests()[12].connection, creations[0], "the one that has rested longest");
}

/// A creation must not be repeated, so it only takes a connection that is sure to be open still.
#[test]
fn how_long_a_server_leaves_connections_open_is_learned() {
    let server = faults::script((0..3).flat_map(|_| faults::classic()).collect());
    let client = client(&server, |_| {});
    let connections = [0, 5000, 4300].map(|pause| {
        thread::sleep(Duration::from_millis(pause));
        client.prebind(&account()).unwrap();
        server.connections()
    });
    assert_eq!(connections, [1, 2, 2], "at first Apache's 5 s are feared");
}

#[test]
fn a_connection_for_what_follows_is_opened_ahead() {
    let profile = {
        let learn = faults::script(classic(EJABBERD));
        let taught = client(&learn, |_| {});
        taught.prebind(&account()).unwrap();
        // Of another URL, so it is made to fit.
        taught.profile()
    };
    let server = faults::script({
        let mut replies = classic(EJABBERD);
        replies[0] = replies[0].clone().after(Duration::from_millis(300));
        replies.push(body("", BOUND));
        replies
    });
    let ours = client(&server, |_| {}).profile();
    let domains = profile.split_once("\"domains\":").unwrap().1;
    let profile = format!("{}\"domains\":{domains}", ours.split_once("\"domains\":").unwrap().0);
    let client = client(&server, |config| config.profile = Some(profile));
    thread::scope(|scope| {
        let call = scope.spawn(|| client.prebind(&account()).unwrap());
        thread::sleep(Duration::from_millis(200));
        assert_eq!(server.connections(), 2, "while the creation is not answered");
        call.join().unwrap();
    });
    assert_eq!(server.connections(), 2, "and no other");
}

/// A way to the server for one connection only; others wait for ever.
fn one_connection_to(server: &Server) -> String {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let target = server.url.split('/').nth(2).unwrap().to_owned();
    let url = server.url.replace(&target, &address.to_string());
    thread::spawn(move || {
        let client: TcpStream = socket.accept().unwrap().0.into();
        let _filler = TcpStream::connect(address).unwrap();
        let server = TcpStream::connect(target).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| io::copy(&mut &client, &mut &server));
            let _ = io::copy(&mut &server, &mut &client);
            // Ends the other direction.
            let _ = client.shutdown(std::net::Shutdown::Both);
        });
    });
    url
}

#[test]
fn one_connection_is_enough_if_no_other_can_be_had() {
    let server = faults::script([classic(EJABBERD), pair(), pair()].concat());
    let url = one_connection_to(&server);
    let client = client(&server, |config| config.url = prebind::Config::new(&url).unwrap().url);
    for _ in 0..3 {
        let start = Instant::now();
        client.prebind(&account()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
    assert_eq!(server.connections(), 1);
    assert!(!client.profile().contains("classic_until"));
}

/// A creation that is lost with its connection is not sent again, so it must not be lost.
#[test]
fn a_server_that_closes_idle_connections_loses_no_creation() {
    let check = |idle: u64, pauses: [u64; 4]| {
        let replies = (0..4).flat_map(|_| classic(PROSODY));
        let replies = replies.map(|reply| reply.closes_after(Duration::from_millis(idle)));
        let server = faults::script(replies.collect());
        let client = client(&server, |config| config.learn = false);
        for pause in pauses {
            thread::sleep(Duration::from_millis(pause));
            client.prebind(&account()).unwrap();
        }
        assert_eq!(server.requests().len(), 16, "nothing is sent twice");
    };
    thread::scope(|scope| {
        scope.spawn(|| check(1000, [0, 700, 1300, 1300]));
        // As Apache does.
        scope.spawn(|| check(5000, [0, 4600, 5400, 4500]));
    });
}

#[test]
fn a_new_connection_takes_up_the_tls_of_an_earlier_one() {
    let replies: Vec<Reply> = classic(PROSODY).into_iter().map(Reply::closes).collect();
    let server = faults::script_tls(replies);
    let client = client(&server, |config| config.ca = server.ca_pem().map(|pem| pem.as_bytes().to_vec()));
    client.prebind(&account()).unwrap();
    let is_resumed: Vec<bool> = server.requests().iter().map(|request| request.is_resumed).collect();
    assert_eq!(is_resumed, [false, true, true, true]);
}
