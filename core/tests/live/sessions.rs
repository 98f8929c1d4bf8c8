//! What a session is good for once it stands.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use prebind::{Account, Client, Credentials};

use crate::browser::Browser;
use crate::{everywhere, login};

#[test]
fn an_ended_session_is_gone_and_ending_it_again_says_so() {
    for (server, config) in everywhere() {
        let client = Client::new(config).unwrap();
        let account = Account::new("carol@plain.local", Credentials::password("carrot-1")).unwrap();
        let session = client.prebind(&account).unwrap();
        let jid = session.jid().to_string();
        assert!(server.sessions().unwrap().jids.contains(&jid));
        client.terminate(&session).unwrap();
        // Others log in to this host, too.
        let is_gone = |_| {
            thread::sleep(Duration::from_millis(50));
            !server.sessions().unwrap().jids.contains(&jid)
        };
        assert!((0..200).any(is_gone), "{jid}");
        let error = client.terminate(&session).unwrap_err();
        assert_eq!(error.condition().unwrap().as_str(), "item-not-found");
    }
}

#[test]
fn a_hundred_sessions_from_sixteen_threads() {
    for (server, mut config) in everywhere() {
        config = config
            .with_deadline(Duration::from_secs(60))
            .unwrap()
            .with_request_timeout(Duration::from_secs(60))
            .unwrap();
        let client = Client::new(config).unwrap();
        let next = AtomicUsize::new(0);
        let sessions = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::Relaxed) < 100 {
                        let account = Account::new("anon.local", Credentials::anonymous()).unwrap();
                        let session = client.prebind(&account).unwrap();
                        sessions.lock().unwrap().push(session);
                    }
                });
            }
        });
        let sessions = sessions.into_inner().unwrap();
        assert_eq!(sessions.len(), 100);
        let alive = server.sessions().unwrap().jids;
        for session in &sessions {
            assert!(alive.contains(&session.jid().to_string()), "{} is not what was bound", session.jid());
            client.terminate(session).unwrap();
        }
    }
}

/// What is handed over is all a browser needs: another connection goes on with it, at once and later. What the
/// server might have held back for the library's own request, it would have answered by then.
#[test]
fn a_browser_attaches_and_talks() {
    let talks = everywhere().map(|(server, mut config)| {
        // This browser has one connection only: what the server holds on it, it waits for.
        config = config.with_wait(1).unwrap();
        thread::spawn(move || {
            for pause in [0, 3] {
                let bob = login(config.clone(), "bob@localhost", Credentials::password("builder-1")).unwrap();
                let mut bob = Browser::attach(server, &bob);
                bob.send("<presence xmlns='jabber:client'/>");
                let session =
                    login(config.clone(), "alice@localhost", Credentials::password("wonder-1")).unwrap();
                thread::sleep(Duration::from_secs(pause));
                let mut alice = Browser::attach(server, &session);
                let text = format!("after {pause} s on {}", server.kind);
                alice.send(&format!(
                    "<message xmlns='jabber:client' type='chat' to='{}'><body>{text}</body></message>",
                    bob.jid
                ));
                let received = bob.wait_for(&text);
                assert!(received.contains(&format!("from='{}'", session.jid())), "{received}");
                alice.leave();
                bob.leave();
            }
        })
    });
    for talk in talks {
        talk.join().unwrap();
    }
}
