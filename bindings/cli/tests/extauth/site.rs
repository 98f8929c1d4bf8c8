//! Asking the site.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use faults::Reply;
use tempfile::TempDir;

use crate::support::{NEW, OLD, PASSWORD, Program, frame, jwk, text, token};

const SECRET: &str = "shared-secret-0123456789";

fn json(body: &str) -> Reply {
    Reply::new(200, body).header("Content-Type", "application/json")
}

fn yes() -> Reply {
    json(r#"{"ok":true}"#)
}

fn no() -> Reply {
    json(r#"{"ok":false}"#)
}

/// The command with a site to ask.
fn asking(site: &str, more: &[&str]) -> (TempDir, Program) {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).expect("there is room");
    let options = ["--site", site, "--site-secret-file", text(&file)];
    let program = Program::start(options.into_iter().chain(more.iter().copied()));
    (folder, program)
}

/// No log has the secret.
fn well(program: Program) -> String {
    let log = program.end().well();
    assert!(!log.contains("shared-secret"), "{log}");
    log
}

#[test]
fn the_site_says_who_may_log_in_and_who_exists() {
    let site = faults::script(vec![yes(), no(), yes(), no()]);
    let (_folder, mut program) = asking(&site.url, &["--ask"]);
    assert!(program.accepts(PASSWORD) && !program.accepts("a:\"b\""));
    assert!(program.knows("alice") && !program.knows("bob"));
    let log = well(program);
    assert!(log.contains("alice@localhost is refused: the site says no"), "{log}");
    let requests = site.requests();
    let bodies: Vec<&str> = requests.iter().map(|request| request.body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            r#"{"command":"auth","user":"alice","host":"localhost","password":"Xyzzy-1964"}"#,
            r#"{"command":"auth","user":"alice","host":"localhost","password":"a:\"b\""}"#,
            r#"{"command":"isuser","user":"alice","host":"localhost"}"#,
            r#"{"command":"isuser","user":"bob","host":"localhost"}"#,
        ]
    );
    for request in requests {
        assert_eq!(request.method, "POST");
        assert_eq!(request.header("authorization"), Some("Bearer shared-secret-0123456789"));
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
}

#[test]
fn a_secret_may_be_a_variable_and_has_to_be_one() {
    for (secret, is_asked) in
        [(SECRET, true), ("short", false), ("", false), ("two words of a secret", false)]
    {
        let site = faults::script(vec![yes()]);
        let options = ["--ask", "--site", &site.url];
        let mut program = Program::start_with(options, |command| command.env("PREBIND_SITE_SECRET", secret));
        assert_eq!(program.accepts(PASSWORD), is_asked, "{secret}");
        let log = well(program);
        assert_eq!(site.requests().len(), usize::from(is_asked));
        assert!(
            is_asked || log.contains("the shared secret in PREBIND_SITE_SECRET has to be 16 or more"),
            "{log}"
        );
    }
}

/// A token that the keys know is nothing for the site.
#[test]
fn the_site_is_asked_only_for_what_is_no_token() {
    let site = faults::script(vec![yes()]);
    let keys = tempfile::tempdir().expect("there is room");
    fs::write(keys.path().join("chat.jwk"), jwk(NEW)).expect("there is room");
    let (_folder, mut program) = asking(&site.url, &["--ask", "--key", text(keys.path())]);
    assert!(program.accepts(&token(NEW, "alice@localhost")));
    assert!(
        !program.accepts(&token(OLD, "alice@localhost")) && !program.accepts(&token(NEW, "bob@localhost"))
    );
    assert!(site.requests().is_empty());
    assert!(program.accepts(PASSWORD));
    assert_eq!(site.requests().len(), 1);
    well(program);
}

#[test]
fn without_ask_no_password_leaves_the_command() {
    let site = faults::script(vec![yes()]);
    let keys = tempfile::tempdir().expect("there is room");
    fs::write(keys.path().join("chat.jwk"), jwk(NEW)).expect("there is room");
    let (_folder, mut program) = asking(&site.url, &["--key", text(keys.path())]);
    assert!(!program.accepts(PASSWORD) && site.requests().is_empty());
    assert!(program.knows("alice"));
    assert_eq!(site.requests()[0].body, r#"{"command":"isuser","user":"alice","host":"localhost"}"#);
    well(program);
}

#[test]
fn a_reply_that_is_no_answer_is_a_no_and_the_log_says_why() {
    for (reply, told) in [
        (Reply::new(500, "oops"), "its status is 500"),
        (Reply::new(404, "oops"), "its status is 404"),
        (Reply::new(401, ""), "it refuses the question (401)"),
        (
            Reply::new(403, r#"{"ok":true}"#).header("Content-Type", "application/json"),
            "refuses the question (403)",
        ),
        (Reply::new(302, "").header("Location", "/login"), "it leads elsewhere (302)"),
        (Reply::new(307, "").header("Location", "/login"), "it leads elsewhere (307)"),
        (Reply::new(200, "<html>").header("Content-Type", "text/html"), "it is not application/json"),
        (Reply::new(200, r#"{"ok":true}"#), "it is not application/json"),
        (json(r#"{"ok":"yes"}"#), "it is neither"),
        (json("true"), "it is neither"),
        (json(&format!(r#"{{"ok":true,"x":"{}"}}"#, "x".repeat(5000))), "it has more than 4096 bytes"),
    ] {
        let site = faults::script(vec![reply, yes()]);
        let (_folder, mut program) = asking(&site.url, &["--ask"]);
        assert!(!program.accepts(PASSWORD), "{told}");
        assert!(program.accepts(PASSWORD), "the next answer counts");
        let log = well(program);
        assert!(
            log.contains("alice@localhost is refused, because the site gave no answer") && log.contains(told),
            "{log}"
        );
    }
}

#[test]
fn a_site_that_misbehaves_in_any_way_is_a_no_in_time() {
    for case in faults::ALL {
        let site = faults::serve(case.fault.at(0));
        let (_folder, mut program) = asking(&site.url, &["--ask", "--deadline", "0.5"]);
        assert!(!program.accepts(PASSWORD), "{case:?}");
        // Nobody knows better, so a message is kept.
        assert!(program.knows("alice"), "{case:?}");
        well(program);
    }
}

#[test]
fn while_the_site_is_away_everybody_exists_and_it_is_not_asked_again_at_once() {
    let site = faults::script(vec![Reply::new(500, ""), yes()]);
    let (_folder, mut program) = asking(&site.url, &["--ask"]);
    for _ in 0..50 {
        assert!(program.knows("alice"));
    }
    assert_eq!(site.requests().len(), 1);
    assert!(program.accepts(PASSWORD), "who may log in is asked at once");
    let log = well(program);
    assert!(log.matches("every user exists").count() == 1, "{log}");
}

/// A site that answers nobody before four have asked.
#[test]
fn questions_wait_side_by_side() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let url = format!("http://{}/", listener.local_addr().expect("it has one"));
    let site = thread::spawn(move || {
        let mut asked: Vec<_> = (0..4).map(|_| listener.accept().expect("it asks").0).map(read).collect();
        for (stream, body) in &mut asked {
            let is_bob = body.contains("bob");
            let json = format!("{{\"ok\":{}}}", !is_bob);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}",
                json.len()
            );
            write!(stream, "{head}\r\n\r\n{json}").expect("it reads");
        }
    });
    let (_folder, mut program) = asking(&url, &["--ask", "--deadline", "20"]);
    for name in ["alice", "alice", "bob", "alice"] {
        program.send(&frame(format!("auth:{name}:localhost:x").as_bytes()));
    }
    assert_eq!([(); 4].map(|()| program.answer()), [true, true, false, true], "in the order of the requests");
    site.join().expect("four have asked");
    well(program);
}

/// A request, until the end of its JSON.
fn read(mut stream: TcpStream) -> (TcpStream, String) {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"}") {
        let length = stream.read(&mut part).expect("it sends");
        assert_ne!(length, 0, "it sends all of it");
        request.extend_from_slice(&part[..length]);
    }
    (stream, String::from_utf8(request).expect("it is text"))
}

#[test]
fn a_site_with_its_own_authority_is_trusted_by_it() {
    let site = faults::script_tls(vec![yes(), yes()]);
    let folder = tempfile::tempdir().expect("there is room");
    let ca = folder.path().join("ca.pem");
    let (_folder, mut program) = asking(&site.url, &["--ask", "--ca", text(&ca)]);
    assert!(!program.accepts(PASSWORD), "there is no authority");
    fs::write(&ca, site.ca_pem().expect("it has one")).expect("there is room");
    assert!(program.comes_to(|program| program.accepts(PASSWORD)));
    well(program);

    let (_folder, mut program) = asking(&site.url, &["--ask"]);
    assert!(!program.accepts(PASSWORD), "the system does not know its authority");
    let log = well(program);
    assert!(log.contains("no reply ("), "{log}");
}
