//! A way to a real server on which requests are lost.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use faults::{Loss, Relay};
use prebind::{Account, Client, Config, Credentials, Error, ErrorKind, Retry, Session};
use servers::Server;

/// How much longer than an undisturbed login one may take.
const MENDED: Duration = Duration::from_millis(50);

/// How long a plan is not used after a loss that was not mended, at most.
const RELEARNED: Duration = Duration::from_secs(1);

/// Servers may stand still for seconds where others keep the machine busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// Never in the way.
const NONE: usize = usize::MAX;

/// What the client knows of the server, which decides what it sends together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Knowledge {
    Nothing,
    /// Another domain of the server, as in the first login of a process.
    Server,
    Domain,
}

pub(crate) struct Path {
    relay: Relay,
    config: Config,
    knowledge: Knowledge,
    /// The one that learns, for all logins.
    client: Client,
}

impl Path {
    pub(crate) fn to(server: &Server, knowledge: Knowledge, change: impl FnOnce(Config) -> Config) -> Self {
        let port = server.http_url.split(':').nth(2).unwrap().split('/').next().unwrap();
        let relay = faults::relay(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())));
        let mut config = Config::new(&relay.through(&server.http_url))
            .unwrap()
            .with_learn(!matches!(knowledge, Knowledge::Nothing))
            .with_fail_fast_after(0)
            .with_deadline(PATIENCE)
            .unwrap()
            .with_request_timeout(PATIENCE)
            .unwrap();
        // Every loss is made up for, so none is held against the plan.
        config = change(config.with_relearn_after(RELEARNED).unwrap());
        let client = Client::new(config.clone()).unwrap();
        if matches!(knowledge, Knowledge::Server) {
            let other = Account::new("bob@plain.local", Credentials::password("builder-1")).unwrap();
            client.terminate(&client.prebind(&other).unwrap()).unwrap();
            config = config.with_profile(Some(client.profile()));
        }
        Self { relay, config, knowledge, client }
    }

    /// The same, where a restart reaches the server before the bind, whichever goes out first.
    #[allow(dead_code, reason = "only ejabberd can be sent a bind ahead of its turn")]
    pub(crate) fn restart_first(self) -> Self {
        self.relay.reverse("<bind", "xmpp:restart");
        self
    }

    pub(crate) fn client(&self) -> Client {
        match self.knowledge {
            Knowledge::Server => Client::new(self.config.clone()).unwrap(),
            Knowledge::Nothing | Knowledge::Domain => self.client.clone(),
        }
    }

    /// Loses each request of a login in every way, and asserts that it is mended at once. A request that may have
    /// shown a secret to the server is not repeated in another session, so the loss of one that `is_final` may be an
    /// error. An undisturbed login takes so many round trips.
    pub(crate) fn assert_mended(
        &self,
        account: &Account,
        round_trips: u32,
        is_final: impl Fn(usize) -> bool,
    ) {
        // What the first logins teach.
        for _ in 0..3 {
            self.disturbed(account, NONE, Loss::Closed).0.unwrap();
        }
        let (_, count) = self.undisturbed(account, round_trips);
        for loss in Loss::ALL {
            for at in 0..count {
                let what = || format!("{account:?}, known: {:?}, {loss:?} at {at}", self.knowledge);
                // The scheduler may hold a login up, not each time.
                let mut seen = Vec::new();
                let is_mended = (0..20).any(|_| {
                    let (usual, _) = self.undisturbed(account, round_trips);
                    let (result, took, _) = self.disturbed(account, at, loss);
                    if let Err(error) = &result {
                        let is_typed = matches!(
                            error.kind(),
                            ErrorKind::Connect { .. } | ErrorKind::Http { .. } | ErrorKind::Terminated
                        );
                        assert!(is_typed && is_final(at), "{}: {error:?}\n{}", what(), self.story(took));
                        assert!(matches!(error.retry(), Retry::FreshSession | Retry::Later), "{error:?}");
                    }
                    seen.push(took.saturating_sub(usual));
                    took <= usual + MENDED
                });
                assert!(is_mended, "{}: {seen:?} late", what());
            }
        }
    }

    /// How long an undisturbed login takes that has so many round trips, and how many requests. By chance one has
    /// others, where two requests arrive in another order or the server says two things at once. And the plan is held
    /// back for a while after a loss that was final.
    fn undisturbed(&self, account: &Account, round_trips: u32) -> (Duration, usize) {
        let latest = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let (result, took, count) = self.disturbed(account, NONE, Loss::Closed);
            let trips = result.unwrap().round_trips();
            if trips == round_trips {
                return (took, count);
            }
            seen.push(trips);
            assert!(
                Instant::now() < latest,
                "{account:?}, known: {:?}: {seen:?} round trips",
                self.knowledge
            );
        }
    }

    /// The requests of the last calls, which took so long, and how long each came before the last one.
    fn story(&self, took: Duration) -> String {
        let requests = self.relay.requests();
        let last = requests.last().map_or(Duration::ZERO, |request| request.at);
        let told = requests.iter().rev().take(20).rev();
        let told = told.map(|request| {
            format!("{:?} {}: {}", last.saturating_sub(request.at), request.connection, request.body)
        });
        format!("{took:?}\n{}", told.collect::<Vec<_>>().join("\n"))
    }

    /// A login with one request lost, how long it took, and how many requests there were.
    fn disturbed(
        &self,
        account: &Account,
        at: usize,
        loss: Loss,
    ) -> (Result<Session, Error>, Duration, usize) {
        let client = self.client();
        self.relay.lose(at, loss);
        let (result, took) = faults::timed(|| client.prebind(account));
        let count = self.relay.count();
        self.relay.lose(NONE, loss);
        if let Ok(session) = &result {
            client.terminate(session).unwrap();
        }
        (result, took, count)
    }
}

/// The password may be sent, but not before the server has offered to take it.
pub(crate) fn in_cleartext(config: Config) -> Config {
    // This leads to this machine, too, but prebind does not know that.
    let url = config.url().as_str().replace("127.0.0.1", "0.0.0.0");
    config.with_url(&url).unwrap().with_allow_cleartext(true)
}
