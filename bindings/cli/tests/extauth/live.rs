//! A real ejabberd that asks the command.

#[path = "../../../../core/tests/live/browser.rs"]
mod browser;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use browser::Browser;
use faults::Reply;
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Session};
use serde_json::json;
use servers::{Kind, Options, Program, Proxy, Route, Server};
use tempfile::TempDir;

use crate::support::{BINARY, NEW, OLD, jwk, now, replace, signed, text, token};

/// A key that was added or removed is known to every process this much later.
const KNOWN_AFTER: Duration = Duration::from_secs(1);

/// An ejabberd, and the folder of the keys that its users' tokens are verified by.
struct Chat {
    server: Server,
    keys: PathBuf,
    log: PathBuf,
    _folder: TempDir,
}

static CHAT: LazyLock<Chat> = LazyLock::new(|| {
    let chat = Chat::start(&[]);
    chat.learn_old();
    chat
});

impl Chat {
    /// Without a key.
    fn start(options: &[&str]) -> Self {
        Self::start_on(Kind::Ejabberd, options)
    }

    fn start_on(kind: Kind, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let (keys, log) = (folder.path().join("keys"), folder.path().join("log"));
        fs::create_dir(&keys).expect("there is room");
        let own = ["--key", text(&keys), "--log", text(&log)];
        let command =
            [BINARY, "extauth"].iter().chain(&own).chain(options).copied().collect::<Vec<_>>().join(" ");
        let options = Options { limits: false, extauth: Some(command.leak()), ..Options::default() };
        let server = Server::start_with(kind, options).unwrap_or_else(|error| panic!("{error}"));
        Self { server, keys, log, _folder: folder }
    }

    /// Adds the old key.
    fn learn_old(&self) {
        fs::write(self.keys.join("old.jwk"), jwk(OLD)).expect("there is room");
        assert!(
            comes_true(|| self.login("alice", &alice(OLD)).is_ok()),
            "the key becomes known: {}",
            self.log()
        );
    }

    /// A user's browser, logged in with a token.
    fn browser(&self, user: &str) -> Browser {
        let token = token(OLD, &format!("{user}@extauth.local"));
        Browser::attach(&self.server, &self.login(user, &token).expect("the token is good"))
    }

    fn client(&self) -> Client {
        // A browser here has one connection only: what the server holds on it, it waits for.
        let config = Config::new(&self.server.http_url).and_then(|config| config.with_wait(1));
        Client::new(config.expect("it is good")).expect("it is good")
    }

    fn login(&self, user: &str, token: &str) -> Result<Session, Error> {
        self.client().prebind(&account(user, token))
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether users with a password, on another host, can log in: whether BOSH lives.
    fn is_alive(&self) -> bool {
        let account = Account::new("alice@localhost", Credentials::password("wonder-1")).expect("it is one");
        let client = self.client();
        client.prebind(&account).and_then(|session| client.terminate(&session)).is_ok()
    }

    /// Logs in so many times, by four threads, each time with another token; returns how many were refused.
    fn refused(&self, count: usize, mint: impl Fn(&str) -> String + Sync) -> usize {
        let (next, refused, client) = (AtomicUsize::new(0), AtomicUsize::new(0), self.client());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let number = next.fetch_add(1, Ordering::Relaxed)
                        && number < count
                    {
                        let user = format!("user{}", number % 50);
                        match client.prebind(&account(&user, &mint(&format!("{user}@extauth.local")))) {
                            Ok(session) => client.terminate(&session).expect("it ends"),
                            Err(error) => {
                                eprintln!("{error}");
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                });
            }
        });
        refused.into_inner()
    }
}

fn account(user: &str, token: &str) -> Account {
    Account::new(&format!("{user}@extauth.local"), Credentials::plain(token)).expect("it is one")
}

fn alice(secret: &str) -> String {
    token(secret, "alice@extauth.local")
}

fn comes_true(holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    while !holds() {
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    true
}

#[test]
fn users_log_in_by_fresh_tokens_and_nothing_else() {
    let soon = now() + 60;
    let claims = |extra: u64| json!({ "jid": "alice@extauth.local", "exp": soon + extra });
    for extra in 0..2 {
        let session = CHAT.login("alice", &signed(OLD, &claims(extra))).expect("a fresh token is good");
        assert_eq!(session.jid().bare().to_string(), "alice@extauth.local");
        assert_eq!(session.mechanism(), "PLAIN");
    }
    let good = alice(OLD);
    for bad in [
        signed(OLD, &json!({ "jid": "alice@extauth.local", "exp": now() - 1 })),
        signed(OLD, &json!({ "jid": "alice@extauth.local", "exp": null })),
        token(OLD, "bob@extauth.local"),
        token(OLD, "alice@localhost"),
        token("another key of 32 bytes or longer", "alice@extauth.local"),
        format!("{good}x"),
        "wonder-1".to_owned(),
    ] {
        let error = CHAT.login("alice", &bad).expect_err("it is no good");
        assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
    }
    assert!(CHAT.login("alice", &good).is_ok());
    let signature = good.rsplit('.').next().expect("it has one");
    assert!(!CHAT.log().contains(signature), "{}", CHAT.log());
}

#[test]
fn a_message_to_somebody_offline_arrives() {
    message_to_somebody_offline(&CHAT);
}

fn message_to_somebody_offline(chat: &Chat) {
    let mut sender = chat.browser("sender");
    sender.send(
        "<message xmlns='jabber:client' type='chat' to='sleeper@extauth.local'><body>good morning</body></message>",
    );
    // The server takes stanzas in their order, so it has kept the message once this is answered.
    sender.send("<iq xmlns='jabber:client' type='get' id='after'><query xmlns='jabber:iq:roster'/></iq>");
    let answers = sender.wait_for("after");
    assert!(!answers.contains("service-unavailable"), "{answers}");
    sender.leave();
    let mut sleeper = chat.browser("sleeper");
    sleeper.send("<presence xmlns='jabber:client'/>");
    sleeper.wait_for("good morning");
    sleeper.leave();
}

/// With ejabberd's own `jwt`, neither of them gets it.
#[test]
fn a_contact_request_reaches_both_tabs() {
    let mut tabs = [CHAT.browser("tabs"), CHAT.browser("tabs")];
    for tab in &mut tabs {
        tab.send("<presence xmlns='jabber:client'/>");
    }
    let mut friend = CHAT.browser("friend");
    friend.send("<presence xmlns='jabber:client' type='subscribe' to='tabs@extauth.local'/>");
    for mut tab in tabs {
        let received = tab.wait_for("subscribe");
        assert!(received.contains("friend@extauth.local"), "{received}");
        tab.leave();
    }
    friend.leave();
}

#[test]
fn a_newer_ejabberd_asks_the_same() {
    let chat = Chat::start_on(Kind::Ejabberd24, &[]);
    chat.learn_old();
    assert_eq!(chat.refused(50, |jid| token(OLD, jid)), 0, "{}", chat.log());
    assert_eq!(chat.login("alice", &alice(NEW)).expect_err("no key").kind(), &ErrorKind::Auth);
    message_to_somebody_offline(&chat);
}

/// So many logins: 300, or what `PREBIND_LOGINS` says.
#[test]
fn no_login_of_many_is_refused() {
    let start = Instant::now();
    let logins = number("PREBIND_LOGINS", 300);
    assert_eq!(CHAT.refused(logins, |jid| token(OLD, jid)), 0, "{}", CHAT.log());
    println!("{logins} logins in {:?}", start.elapsed());
}

/// So many logins while the key is changed: 200, or what `PREBIND_ROTATION_LOGINS` says.
#[test]
fn no_login_is_refused_while_keys_rotate() {
    rotate(number("PREBIND_ROTATION_LOGINS", 200));
}

/// What a variable says.
fn number(variable: &str, otherwise: usize) -> usize {
    env::var(variable).map_or(otherwise, |number| number.parse().expect("it is a number"))
}

/// As the guide says: the new key is known before a token is signed by it, and the old one until its tokens expired.
fn rotate(count: usize) {
    let chat = Chat::start(&[]);
    let [old, new] = ["old.jwk", "new.jwk"].map(|name| chat.keys.join(name));
    fs::write(&old, jwk(OLD)).expect("there is room");
    thread::sleep(KNOWN_AFTER);
    let part = count / 4;
    assert_eq!(chat.refused(part, |jid| token(OLD, jid)), 0, "{}", chat.log());
    replace(&new, &jwk(NEW));
    assert_eq!(chat.refused(part, |jid| token(OLD, jid)), 0, "{}", chat.log());
    thread::sleep(KNOWN_AFTER);
    let both = AtomicUsize::new(0);
    let is_old = || both.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
    let mixed = |jid: &str| token(if is_old() { OLD } else { NEW }, jid);
    assert_eq!(chat.refused(part, mixed), 0, "{}", chat.log());
    fs::remove_file(&old).expect("it is there");
    assert_eq!(chat.refused(part, |jid| token(NEW, jid)), 0, "{}", chat.log());
    thread::sleep(KNOWN_AFTER);
    assert_eq!(chat.login("alice", &alice(OLD)).expect_err("its key is gone").kind(), &ErrorKind::Auth);
}

#[test]
fn a_missing_key_is_no_end_of_the_server() {
    let chat = Chat::start(&[]);
    for _ in 0..20 {
        assert_eq!(chat.login("alice", &alice(NEW)).expect_err("there is no key").kind(), &ErrorKind::Auth);
    }
    assert!(chat.is_alive());
    assert!(chat.log().contains("has no key: put one there"), "{}", chat.log());
    replace(&chat.keys.join("chat.jwk"), &jwk(NEW));
    thread::sleep(KNOWN_AFTER);
    assert_eq!(chat.refused(50, |jid| token(NEW, jid)), 0, "{}", chat.log());
    // Each process is one that ejabberd started with itself.
    let log = chat.log();
    assert_eq!(log.matches("answers the requests").count(), 16, "{log}");
}

#[test]
fn wrong_options_are_no_end_of_the_server() {
    let chat = Chat::start(&["--bogus"]);
    for _ in 0..20 {
        assert_eq!(
            chat.login("alice", &alice(NEW)).expect_err("nobody is accepted").kind(),
            &ErrorKind::Auth
        );
    }
    assert!(chat.is_alive());
    let log = chat.log();
    assert_eq!(log.matches("unexpected argument '--bogus'").count(), 16, "{log}");
}

/// ejabberd cannot send a password of 66,000 bytes to a process. It ends all of them, and in the end BOSH for every host,
/// so the proxy has to keep such passwords out.
#[test]
fn passwords_that_are_too_long_stay_at_the_proxy() {
    let chat = Chat::start(&[]);
    chat.learn_old();
    let proxy = Proxy::start(Program::Nginx, &chat.server.http_url).unwrap_or_else(|error| panic!("{error}"));
    let url = proxy.http_url(Route::Kept);
    assert_eq!(offer(&url, 40_000), 200);
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| (0..6).for_each(|_| assert_eq!(offer(&url, 66_000), 413)));
        }
    });
    assert_eq!(chat.refused(50, |jid| token(OLD, jid)), 0, "{}", chat.log());
}

/// Begins a login with a password of so many bytes, and returns the status of the reply.
fn offer(url: &str, length: usize) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |attributes: &str, content: &str| {
        let body = format!("<body xmlns='http://jabber.org/protocol/httpbind' {attributes}>{content}</body>");
        let mut response = agent.post(url).content_type("text/xml").send(&body).expect("it answers");
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap_or_default())
    };
    let (_, created) = post(
        "rid='1000' to='extauth.local' wait='5' hold='1' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'",
        "",
    );
    let (_, sid) = created.split_once("sid='").expect("it has a session");
    let sid = sid.split('\'').next().expect("it ends");
    let response = STANDARD.encode(format!("\0alice\0{}", "x".repeat(length)));
    let (status, _) = post(
        &format!("rid='1001' sid='{sid}'"),
        &format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{response}</auth>"),
    );
    status
}

#[test]
fn the_site_is_asked_who_may_log_in_and_who_exists() {
    let json = |body: &str| Reply::new(200, body).header("Content-Type", "application/json");
    let hour = Duration::from_secs(3600);
    let site = faults::script(vec![
        json(r#"{"ok":true}"#).when(r#""password":"one-time""#).lasts(hour),
        json(r#"{"ok":false}"#).when(r#""password":"#).lasts(hour),
        json(r#"{"ok":false}"#).when(r#""user":"nobody""#).lasts(hour),
        json(r#"{"ok":true}"#).lasts(hour),
    ]);
    let secret = tempfile::NamedTempFile::new().expect("there is room");
    fs::write(secret.path(), "shared-secret-0123456789").expect("there is room");
    let path: &Path = secret.path();
    let chat = Chat::start(&["--ask", "--site", &site.url, "--site-secret-file", text(path)]);
    replace(&chat.keys.join("chat.jwk"), &jwk(NEW));
    thread::sleep(KNOWN_AFTER);
    let session = chat.login("alice", "one-time").expect("the site says yes");
    assert_eq!(chat.login("alice", "used").expect_err("the site says no").kind(), &ErrorKind::Auth);

    let mut alice = Browser::attach(&chat.server, &session);
    for to in ["nobody", "bob"] {
        alice.send(&format!(
            "<message xmlns='jabber:client' type='chat' id='to-{to}' to='{to}@extauth.local'><body>x</body></message>"
        ));
    }
    alice.send("<iq xmlns='jabber:client' type='get' id='after'><query xmlns='jabber:iq:roster'/></iq>");
    let answers = alice.wait_for("after");
    assert!(answers.contains("to-nobody") && !answers.contains("to-bob"), "{answers}");
    alice.leave();
}
