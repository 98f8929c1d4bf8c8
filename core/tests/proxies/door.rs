//! What is tried at one address.

use std::cell::Cell;
use std::fs;
use std::panic::{catch_unwind, resume_unwind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Session, Stage};
use servers::{Info, Kind, hosts};
use tracing::Level;

use crate::browser::Browser;

/// How long a session waits for its browser, less than the 30 s that ejabberd allows.
const IDLE: Duration = Duration::from_secs(25);

/// The mechanisms of the logins that worked, the strongest first.
pub(crate) type Mechanisms = Vec<String>;

/// An address of a server, or of what is in front of it.
pub(crate) struct Door {
    url: String,
    /// Where the browser comes in.
    browser_url: String,
    config: Config,
    server: Info,
}

impl Door {
    pub(crate) fn new(server: &Info, url: &str, browser_url: &str, ca_pem: &Path) -> Self {
        let mut config = Config::new(url).unwrap().with_ca(Some(fs::read(ca_pem).unwrap()));
        // The machine may be busy.
        let patience = Duration::from_secs(60);
        config = config
            .with_deadline(patience)
            .unwrap()
            .with_request_timeout(patience)
            .unwrap()
            .with_connect_timeout(patience)
            .unwrap();
        Self { url: url.to_owned(), browser_url: browser_url.to_owned(), config, server: server.clone() }
    }

    /// This domain, or the only one of a server that does not have it.
    fn domain(&self, name: &'static str) -> &'static str {
        if self.server.hosts.contains_key(name) { name } else { hosts::LOCALHOST }
    }

    fn anonymous(&self) -> Account {
        Account::new(self.domain(hosts::ANONYMOUS), Credentials::anonymous()).unwrap()
    }

    pub(crate) fn scheme(&self) -> &str {
        self.url.split_once(':').unwrap().0
    }

    fn client(&self) -> Client {
        Client::new(self.config.clone()).unwrap()
    }

    /// Tries everything that takes no waiting, with one client. The number decides on the user, and on the order of
    /// the hundred logins.
    pub(crate) fn check(&self, number: usize, hundred_times: bool) -> Mechanisms {
        let client = self.client();
        let (user, password) = user(number);
        let wrong = |credentials| Account::new(&format!("{user}@localhost"), credentials).unwrap();
        refuses_a_password(&client, &wrong(Credentials::plain("wrong")));
        self.refuses_a_domain(&client);

        let account =
            |domain: &str, credentials| Account::new(&format!("{user}@{domain}"), credentials).unwrap();
        let logins = [
            account(self.domain(hosts::PLAIN), Credentials::password(password)),
            account(hosts::LOCALHOST, Credentials::password(password)),
            account(hosts::LOCALHOST, Credentials::plain(password)),
            self.anonymous(),
        ];
        let mut mechanisms = Vec::from(logins.each_ref().map(|account| {
            let session = client.prebind(account).unwrap();
            self.talk(&session);
            session.mechanism().to_owned()
        }));
        mechanisms.dedup();
        // Not by the first, for which keys are derived for each login.
        let quick = logins[1..].iter().cycle().skip(number);
        for account in quick.take(if hundred_times { 100 } else { 0 }) {
            let session = client.prebind(account).unwrap();
            client.terminate(&session).unwrap();
        }

        // It may now know a shorter way.
        refuses_a_password(&client, &wrong(Credentials::plain("wrong")));
        refuses_a_password(&client, &wrong(Credentials::password("wrong")));
        self.refuses_a_domain(&client);
        mechanisms
    }

    /// A browser takes the session over after some time.
    pub(crate) fn hands_over_after_a_while(&self) {
        let account = self.anonymous();
        for is_last in [false, false, true] {
            let begun = Instant::now();
            let session = self.client().prebind(&account).unwrap();
            thread::sleep(IDLE);
            let Err(panic) = catch_unwind(|| self.talk(&session)) else { return };
            // On a machine so busy that the server may have ended the session, that says nothing.
            if is_last || begun.elapsed() < session.inactivity().unwrap_or(Duration::MAX) {
                resume_unwind(panic);
            }
        }
    }

    /// A password is not sent to a server that does not have the domain.
    fn refuses_a_domain(&self, client: &Client) {
        let account = Account::new("alice@nowhere.local", Credentials::password("wonder-1")).unwrap();
        let (error, proofs) = refusal(client, &account);
        // Vysper ignores which domain is asked for, but its answer names the domain that it has.
        let kind = if self.server.kind == Kind::Vysper { ErrorKind::Bind } else { ErrorKind::Terminated };
        assert_eq!((error.kind(), error.stage()), (&kind, Stage::Create), "{error}");
        assert!(error.to_string().contains("nowhere.local"), "{error}");
        assert_eq!(proofs, 0, "{error}");
    }

    /// A browser attaches, sends its user a message, receives it and leaves.
    fn talk(&self, session: &Session) {
        let mut browser = Browser::attach_at(&self.browser_url, session);
        browser.send(&format!(
            "<presence xmlns='jabber:client'/>\
             <message xmlns='jabber:client' type='chat' to='{}'><body>to myself</body></message>",
            browser.jid
        ));
        browser.wait_for("to myself");
        browser.leave();
    }
}

/// A wrong password is sent only once.
fn refuses_a_password(client: &Client, account: &Account) {
    let (error, proofs) = refusal(client, account);
    assert_eq!((error.kind(), error.stage()), (&ErrorKind::Auth, Stage::Authenticate), "{error}");
    assert_eq!(proofs, 1, "{error}");
}

/// The doors share the users out, since ejabberd allows each of them ten sessions.
fn user(number: usize) -> (&'static str, &'static str) {
    [("alice", "wonder-1"), ("bob", "builder-1"), ("carol", "carrot-1")][number % 3]
}

/// Why a login was refused, and how often the password, or a proof of it, was sent.
fn refusal(client: &Client, account: &Account) -> (Error, usize) {
    let proofs = Cell::new(0);
    let count = |happening: prebind::binding::LogEvent<'_>| {
        let line = happening.message;
        let is_proof = line.contains("mechanism=\"PLAIN\"") || line.contains("<response");
        if happening.target == "prebind::wire" && line.starts_with("sent ") && is_proof {
            proofs.set(proofs.get() + 1);
        }
    };
    let error = prebind::binding::with_log(Level::TRACE, count, || client.prebind(account)).unwrap_err();
    (error, proofs.get())
}
