//! Which connection carries which request, and what becomes of one that does not last.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use faults::{Reply, Server};
use prebind::{Account, Credentials};
use socket2::{Domain, Socket, Type};

use super::{BOUND, EJABBERD, OFFER, PROSODY, SUCCESS, account, body, classic, client, pair};

/// Prosody does not read for a while from a connection that has created a session.
#[test]
fn what_follows_a_creation_goes_over_another_connection() {
    let replies = (0..40).flat_map(|_| classic(PROSODY)).collect();
    let server = faults::script(replies);
    let client = client(&server, |config| {
        // The longer a request, the longer its connection rests: half a second.
        let long = ("X-Long".to_owned(), "x".repeat(4900).into());
        config.with_learn(false).with_headers(vec![long])
    });
    let rest = Duration::from_millis(490);
    // From now on it is known for Prosody.
    client.prebind(&account()).unwrap();
    // Those that have created a session, and when each was used last.
    let mut slow: HashMap<usize, Duration> = HashMap::new();
    let is_used_again = (1..40).any(|call| {
        thread::sleep(Duration::from_millis(50));
        client.prebind(&account()).unwrap();
        let mut is_used_again = false;
        for (number, request) in server.requests().into_iter().skip(4 * call).enumerate() {
            let used = slow.get(&request.connection).copied();
            let rested = used.map_or(rest, |at| request.at.saturating_sub(at));
            assert!(rested >= rest, "connection {} rests {rested:?}", request.connection);
            if number == 0 {
                is_used_again = used.is_some();
                // The longer requests take a little longer to rest from.
                let oldest = slow.values().min().copied().unwrap_or_default();
                let is_oldest = used.is_none_or(|at| at.saturating_sub(oldest) < Duration::from_millis(50));
                assert!(is_oldest, "the one that has rested longest: {slow:?}, {request:?}");
            }
            if number == 0 || used.is_some() {
                slow.insert(request.connection, request.at);
            }
        }
        is_used_again
    });
    assert!(is_used_again, "none rests for so long");
}

#[test]
fn a_connection_for_what_follows_is_opened_ahead() {
    let profile = {
        let learn = faults::script(classic(EJABBERD));
        let taught = client(&learn, |config| config);
        taught.prebind(&account()).unwrap();
        // Of another URL, so it is made to fit. Nothing is sent ahead of its turn.
        taught.profile().replace("\"server\":", "\"ahead\":\"left\",\"server\":")
    };
    let server = faults::script({
        let mut replies = classic(EJABBERD);
        replies[0] = replies[0].clone().after(Duration::from_secs(2));
        replies.push(body("", BOUND));
        replies
    });
    let ours = client(&server, |config| config).profile();
    let domains = profile.split_once("\"domains\":").unwrap().1;
    let profile = format!("{}\"domains\":{domains}", ours.split_once("\"domains\":").unwrap().0);
    let client = client(&server, |config| config.with_profile(Some(profile)));
    thread::scope(|scope| {
        let call = scope.spawn(|| client.prebind(&account()).unwrap());
        wait_until(|| server.connections() == 2);
        assert!(server.requests().len() < 2, "while the creation is not answered");
        call.join().unwrap();
    });
    assert_eq!(server.connections(), 2, "and no other");
}

#[test]
fn a_classic_exchange_needs_one_connection() {
    let server = faults::script((0..5).flat_map(|_| classic(EJABBERD)).collect());
    let client = client(&server, |config| config.with_learn(false));
    for _ in 0..5 {
        client.prebind(&account()).unwrap();
    }
    assert_eq!(server.connections(), 1);
}

/// Prosody does not read for a while from a connection that has created a session.
#[test]
fn the_end_of_a_session_with_a_server_that_is_known_for_prosody_is_read_at_once() {
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let server = faults::script([classic(PROSODY), vec![super::all_at_once(failure); 5]].concat());
    let taught = client(&server, |config| config);
    taught.prebind(&account()).unwrap();
    // On a busy machine a connection may have rested when the session is ended, not each time.
    let is_read_at_once = (0..5).any(|call| {
        let later = client(&server, |config| config.with_profile(Some(taught.profile())));
        assert_eq!(later.prebind(&account()).unwrap_err().kind().as_str(), "Auth");
        let requests = server.requests();
        let [creation, end] = &requests[4 + 2 * call..] else { panic!("{requests:#?}") };
        assert!(end.body.contains("type=\"terminate\""));
        end.connection != creation.connection
    });
    assert!(is_read_at_once);
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
    // Each in its turn, the bind that is otherwise sent ahead of it, too.
    let ahead = vec![
        body(EJABBERD, OFFER).when("\"1.0\"><auth"),
        body("", SUCCESS).when("xmpp:version=\"0.9\""),
        body("", BOUND).when("<bind"),
    ];
    // A failure by OAUTHBEARER has another message, so nothing is sent ahead.
    let bearer = Account::new("alice@localhost", Credentials::oauthbearer("token")).unwrap();
    let by_bearer = |mut reply: Reply| {
        reply.body = String::from_utf8(reply.body).unwrap().replace("ANONYMOUS", "OAUTHBEARER").into_bytes();
        reply
    };
    for (then, account) in [(pair(), bearer), (ahead, account())] {
        let replies = [classic(EJABBERD), then.clone(), then].concat();
        let server = faults::script(replies.into_iter().map(by_bearer).collect());
        let url = one_connection_to(&server);
        let client = client(&server, |config| config.with_url(&url).unwrap());
        for _ in 0..3 {
            let (session, took) = faults::timed(|| client.prebind(&account));
            session.unwrap();
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
        assert_eq!(server.connections(), 1);
        assert!(!client.profile().contains("classic_until"));
    }
}

/// It may take a while until it does.
#[test]
fn a_connection_that_the_server_is_going_to_close_carries_no_further_request() {
    let replies = classic(EJABBERD).into_iter().map(|reply| reply.header("Connection", "close"));
    let server = faults::script(replies.collect());
    client(&server, |config| config.with_learn(false)).prebind(&account()).unwrap();
    assert_eq!((server.requests().len(), server.connections()), (4, 4));
}

/// A creation that is lost with its connection is not sent again, so it must not be lost.
#[test]
fn a_server_that_closes_idle_connections_loses_no_creation() {
    let replies = (0..4).flat_map(|_| classic(PROSODY));
    let replies = replies.map(|reply| reply.closes_after(Duration::from_millis(300)));
    let server = faults::script(replies.collect());
    let client = client(&server, |config| config.with_learn(false));
    for _ in 0..4 {
        client.prebind(&account()).unwrap();
        wait_until(|| server.open_connections() == 0);
    }
    assert_eq!(server.requests().len(), 16, "nothing is sent twice");
}

fn wait_until(holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_new_connection_takes_up_the_tls_of_an_earlier_one() {
    let replies: Vec<Reply> = classic(PROSODY).into_iter().map(Reply::closes).collect();
    let server = faults::script_tls(replies);
    let client = client(&server, |config| config.with_ca(server.ca_pem().map(|pem| pem.as_bytes().to_vec())));
    client.prebind(&account()).unwrap();
    let is_resumed: Vec<bool> = server.requests().iter().map(|request| request.is_resumed).collect();
    assert_eq!(is_resumed, [false, true, true, true]);
}
