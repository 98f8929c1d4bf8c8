//! What works for the users of one way.

use std::fmt::{self, Display};
use std::thread;
use std::time::{Duration, Instant};

use prebind::{Account, Client, Config, Credentials, ErrorKind, Session};
use serde_json::{Value, json};
use servers::Server;

use crate::Surroundings;
use crate::browser::Browser;
use crate::way::{ADMINISTRATOR, Accounts, PASSWORD, Product, Proof, Way, api_of, password_of};

/// A line of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Worked {
    pub(crate) offline: Offline,
    pub(crate) roster: Answer,
    pub(crate) tabs: Answer,
    pub(crate) app: Answer,
}

/// Whether a message reaches a user who is offline.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Offline {
    Always,
    AfterTheFirstLogin,
    Never,
    NotPossible,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    /// With this mechanism.
    By(String),
    No,
    NotPossible,
}

/// One site's users on one server.
pub(crate) struct Users<'a> {
    way: &'a Way,
    server: &'a Server,
    surroundings: &'a Surroundings,
    host: String,
    client: Client,
}

/// What works for these users: several log in, and talk. Alice also has a chat app; Carol has never logged in.
pub(crate) fn measure(users: &Users<'_>) -> Worked {
    if users.way.proof == Proof::Visitor {
        users.are_strangers();
        return Worked::nothing();
    }
    users.nobody_else_is_let_in();
    Worked { offline: users.offline(), roster: users.roster(), tabs: users.tabs(), app: users.app() }
}

/// Makes the accounts that the way needs, and the client of the site.
pub(crate) fn users<'a>(way: &'a Way, server: &'a Server, surroundings: &'a Surroundings) -> Users<'a> {
    let host = way.host();
    if way.product == Product::Ejabberd {
        let users: &[&str] = match way.accounts {
            Accounts::Elsewhere => &[],
            Accounts::Alice | Accounts::ByTheClient => &["alice"],
            Accounts::Everybody => &["alice", "bob", "carol"],
        };
        for user in users {
            server
                .register(&host, user, password_of(user))
                .unwrap_or_else(|error| panic!("{}: {error}", way.section));
        }
    }
    // The browser of the tests has one connection: it waits for what the server holds on it.
    let config = Config::new(&server.http_url).and_then(|config| config.with_wait(1));
    let config = config.and_then(|config| config.with_deadline(Duration::from_secs(60))).expect("it is good");
    let config = match way.accounts {
        Accounts::ByTheClient => {
            let accounts = prebind::Accounts::by_ejabberd(api_of(server), ADMINISTRATOR, PASSWORD);
            config.with_accounts(Some(accounts.expect("it is good")))
        }
        _ => config,
    };
    let client = Client::new(config).expect("it is good");
    Users { way, server, surroundings, host, client }
}

impl Users<'_> {
    /// A fresh proof for each login.
    fn login(&self, user: &str) -> Session {
        let credentials = self.way.credentials(user, self.server, self.surroundings);
        self.client
            .prebind(&self.account(user, credentials))
            .unwrap_or_else(|error| panic!("{}, {user}: {error}", self.way.section))
    }

    fn account(&self, user: &str, credentials: Credentials) -> Account {
        let jid = if self.way.proof == Proof::Visitor {
            self.host.clone()
        } else {
            format!("{user}@{}", self.host)
        };
        Account::new(&jid, credentials).expect("it is one")
    }

    fn browser(&self, user: &str) -> Browser {
        let mut browser = Browser::attach(self.server, &self.login(user));
        browser.send("<presence xmlns='jabber:client'/>");
        // It has been seen.
        let own = browser.jid.clone();
        browser.wait_for(&own);
        browser
    }

    /// Ends a session, and waits until the server knows. Until then a message may get lost in it.
    fn leave(&self, browser: Browser) {
        let jid = browser.jid.clone();
        browser.leave();
        let until = Instant::now() + Duration::from_secs(60);
        while self.server.sessions().expect("it answers").jids.contains(&jid) {
            assert!(Instant::now() < until, "{jid} is still there");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Alice's session, for a page to go on with.
    pub(crate) fn handed_over(&self) -> Value {
        let session = self.login("alice");
        json!({
            "name": self.way.section,
            "url": self.server.http_url,
            "jid": session.jid().to_string(),
            "sid": session.sid(),
            "rid": session.rid(),
        })
    }

    /// Two visits are two users.
    fn are_strangers(&self) {
        let [first, second] = [(); 2].map(|()| self.login("visitor"));
        assert_ne!(first.jid().bare(), second.jid().bare());
        for session in [first, second] {
            self.client.terminate(&session).expect("it ends");
        }
    }

    /// What proves Bob does not prove Alice.
    fn nobody_else_is_let_in(&self) {
        let credentials = match self.way.proof {
            Proof::SiteToken => Credentials::plain("eyJhbGciOiJub25lIn0.e30."),
            Proof::XOauth2 => Credentials::x_oauth2("NotIssuedByEjabberd"),
            _ => self.way.credentials("bob", self.server, self.surroundings),
        };
        let error = self.client.prebind(&self.account("alice", credentials));
        let kind = error.map(|session| session.jid().to_string()).map_err(|error| error.kind().clone());
        assert_eq!(kind, Err(ErrorKind::Auth), "{}", self.way.section);
    }

    fn offline(&self) -> Offline {
        let mut bob = self.browser("bob");
        let mut seen = 0;
        let mut reaches = |text: &str| {
            let carol = format!("carol@{}", self.host);
            bob.send(&format!(
                "<message xmlns='jabber:client' type='chat' id='{text}' to='{carol}'><body>{text}</body></message>"
            ));
            // The server takes stanzas in their order.
            bob.send(&format!("<iq xmlns='jabber:client' type='get' id='after-{text}'><query xmlns='jabber:iq:roster'/></iq>"));
            let received = bob.wait_for(&format!("after-{text}"));
            let (_, since) = received.split_at(seen);
            seen = received.len();
            let is_bounced = since.contains("service-unavailable");
            let mut carol = self.browser("carol");
            if !is_bounced {
                carol.wait_for(&format!(">{text}<"));
            }
            self.leave(carol);
            !is_bounced
        };
        let answer = match (reaches("early"), reaches("late")) {
            (true, true) => Offline::Always,
            (false, true) => Offline::AfterTheFirstLogin,
            _ => Offline::Never,
        };
        bob.leave();
        answer
    }

    fn roster(&self) -> Answer {
        let mut carol = self.browser("carol");
        carol.send(&format!(
            "<iq xmlns='jabber:client' type='set' id='add'><query xmlns='jabber:iq:roster'><item jid='friend@{}'/></query></iq>",
            self.host
        ));
        carol.wait_for("'add'");
        carol.leave();
        let mut carol = self.browser("carol");
        carol.send(
            "<iq xmlns='jabber:client' type='get' id='contacts'><query xmlns='jabber:iq:roster'/></iq>",
        );
        let has_friend = carol.wait_for("'contacts'").contains("friend@");
        carol.leave();
        if has_friend { Answer::Yes } else { Answer::No }
    }

    fn tabs(&self) -> Answer {
        let mut tabs = [self.browser("carol"), self.browser("carol")];
        let mut alice = self.browser("alice");
        alice.send(&format!("<presence xmlns='jabber:client' type='subscribe' to='carol@{}'/>", self.host));
        // The server delivers in order, so the tabs have the request before these messages, or never.
        for tab in &tabs {
            alice.send(&format!(
                "<message xmlns='jabber:client' type='chat' to='{}'><body>marker</body></message>",
                tab.jid
            ));
        }
        let have_it = tabs.each_mut().map(|tab| tab.wait_for("marker").contains("subscribe"));
        alice.leave();
        for tab in tabs {
            tab.leave();
        }
        if have_it == [true; 2] { Answer::Yes } else { Answer::No }
    }

    /// Whether a chat app can log in with a password of its own, and how.
    fn app(&self) -> Answer {
        let client =
            Client::new(Config::new(&self.server.http_url).expect("it is good")).expect("it is good");
        match client.prebind(&self.account("alice", Credentials::password(PASSWORD))) {
            Ok(session) => {
                client.terminate(&session).expect("it ends");
                Answer::By(session.mechanism().to_owned())
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Auth | ErrorKind::Mechanism { .. }), "{error}");
                Answer::No
            }
        }
    }
}

impl Worked {
    /// Where the server is too old for the way, and for visitors, who have no account.
    pub(crate) fn nothing() -> Self {
        Self {
            offline: Offline::NotPossible,
            roster: Answer::NotPossible,
            tabs: Answer::NotPossible,
            app: Answer::NotPossible,
        }
    }
}

impl Display for Offline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "yes",
            Self::AfterTheFirstLogin => "after the first login",
            Self::Never => "no",
            Self::NotPossible => "–",
        })
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("yes"),
            Self::By(mechanism) => write!(f, "yes, by {mechanism}"),
            Self::No => f.write_str("no"),
            Self::NotPossible => f.write_str("–"),
        }
    }
}
