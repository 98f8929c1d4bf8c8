//! Makes an account for each user who has none, before the login and without ever standing in its way.

use std::sync::RwLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::api::{Answer, Api};
use super::give_up;
use super::patience;
use super::post::Service;
use super::recent::Recent;
use super::terminate;
use crate::account::Account;
use crate::config::{Accounts, Administrator, Config, Way};
use crate::error::{Error, Result, Stage, presentable, shortened};
use crate::jid::Jid;
use crate::random;
use crate::sasl::Credentials;
use crate::secret::Secret;
use crate::session::Session;
use crate::wire::add_user::{self, Answer as Added};
use crate::wire::body::{Frame, Received};
use crate::wire::cookies;
use crate::wire::request::Request;

/// The part of the deadline that making an account may take.
const SHARE: u32 = 4;

/// Users come from the caller; one that makes them up must not fill the memory.
const MAX_USERS: usize = 10_000;

/// How long an account is known to be there. Someone may delete it.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 3600);

/// How long a call waits before it looks again whether another call has made the account.
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// How long to leave a user alone whose account the server does not make: it will not a moment later, either.
const REFUSED_FOR: Duration = Duration::from_secs(600);

/// Makes accounts, and knows for whom that is done.
#[derive(Debug)]
pub(super) struct AccountMaker {
    means: Means,
    group: Option<String>,
    users: RwLock<Recent<String, Known>>,
}

/// Opens a session for an account, within a time.
pub(super) type Open<'a> = dyn Fn(&Account, Instant) -> Result<Session> + 'a;

#[derive(Debug)]
enum Means {
    Api(Box<Api>),
    Command(Box<Account>),
}

#[derive(Debug, Clone, Copy)]
enum Known {
    /// Nothing is to be done until then.
    Left(Instant),
    /// The account was made, and what belongs to it is not complete.
    New,
    /// Another call is about it, until then at most. ejabberd with `auth_use_cache` keeps a wrong note of a user who is
    /// registered twice at once, and its messages to the user fail for an hour.
    UnderWay { until: Instant, is_new: bool },
}

/// What has come of it.
enum Outcome {
    Made,
    WasThere,
    /// ejabberd says that it was there, and says so as well of a user who has none and one session by a JWT.
    SeemsThere,
}

/// Why the account, or what belongs to it, is missing.
enum Failure {
    /// The server will not make it for this user.
    Refused(Error),
    /// Something that the next call may not meet.
    Passing(Error),
    /// The same, after the account was made.
    Incomplete(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Passing(error)
    }
}

impl AccountMaker {
    /// # Errors
    /// `Config` if accounts cannot be made like this.
    pub(super) fn new(config: &Config, accounts: &Accounts) -> Result<Self> {
        let means = match &accounts.way {
            Way::Api(api) => Means::Api(Api::new(config, Accounts::OPTION, api)?.into()),
            Way::Command(Administrator { jid, password }) => Means::Command(
                Account::new(&jid.to_string(), Credentials::password(password.clone()))?.into(),
            ),
        };
        Ok(Self { means, group: accounts.group.clone(), users: RwLock::new(Recent::new(MAX_USERS)) })
    }

    /// Makes sure that the user has an account, unless that is known. A failure is logged, and nothing else. `open`
    /// opens a session for an administrator.
    pub(super) fn ensure(&self, service: &Service, open: &Open<'_>, account: &Account, until: Instant) {
        let jid = account.jid();
        // Who has a password or keys of the account has an account.
        if jid.local().is_none() || account.credentials().prove_account() {
            return;
        }
        let key = jid.bare().to_string();
        let until = until.min(Instant::now() + service.config.deadline / SHARE);
        let is_new = loop {
            match patience::write(&self.users, |users| begun(users, &key, until)) {
                Some(Turn::Own { is_new }) => break is_new,
                Some(Turn::Others) if Instant::now() < until && give_up::pause(LOOK_AGAIN) => {}
                _ => return,
            }
        };
        let left = |time| Some(Known::Left(Instant::now() + time));
        let user = match self.make(service, open, account, is_new, until) {
            Ok(Outcome::Made) => {
                tracing::info!("an account was made");
                left(KNOWN_FOR)
            }
            Ok(Outcome::WasThere) => {
                tracing::debug!("the account was there already");
                left(KNOWN_FOR)
            }
            Ok(Outcome::SeemsThere) => {
                tracing::debug!("whether there is an account shows once the user is offline");
                None
            }
            Err(Failure::Refused(error)) => {
                tracing::warn!(kind = error.kind().as_str(), "no account could be made: {error}");
                left(REFUSED_FOR)
            }
            Err(Failure::Passing(error)) => {
                // If the caller gave up, the call itself says so.
                if !give_up::is_stopped() {
                    let kind = error.kind().as_str();
                    tracing::warn!(kind, "no account could be made, the login goes on: {error}");
                }
                is_new.then_some(Known::New)
            }
            Err(Failure::Incomplete(error)) => {
                tracing::warn!(
                    kind = error.kind().as_str(),
                    "an account was made, and is not complete: {error}"
                );
                Some(Known::New)
            }
        };
        patience::write(&self.users, |users| match user {
            Some(user) => users.put(key, user),
            None => drop(users.remove(&key)),
        });
    }

    fn make(
        &self,
        service: &Service,
        open: &Open<'_>,
        account: &Account,
        is_new: bool,
        until: Instant,
    ) -> Result<Outcome, Failure> {
        let jid = account.jid();
        let password = unknown_password()?;
        match &self.means {
            Means::Api(api) => self.by_api(api, account, &password, is_new, until),
            Means::Command(administrator) => {
                let session = open(administrator, until)?;
                by_command(service, &session, jid, &password, until)
            }
        }
    }

    fn by_api(
        &self,
        api: &Api,
        account: &Account,
        password: &Secret,
        is_new: bool,
        until: Instant,
    ) -> Result<Outcome, Failure> {
        let jid = account.jid();
        let (user, host) = (jid.local().unwrap_or_default(), jid.domain());
        let register = Register { user, host, password: password.expose() };
        let outcome = match api.run("register", &register, password.expose(), until)? {
            Answer::Done(_) => Outcome::Made,
            Answer::Conflict if is_new => Outcome::Made,
            Answer::Conflict => match api.run("num_resources", &User { user, host }, "", until)? {
                // `{"resources":1}` in ejabberd 23, `1` in later ones.
                Answer::Done(number) if *number.get("resources").unwrap_or(&number) == 1 => {
                    Outcome::SeemsThere
                }
                _ => Outcome::WasThere,
            },
            Answer::Failed(error) => return Err(Failure::Refused(error)),
        };
        let is_made = matches!(outcome, Outcome::Made);
        let missing = |error| if is_made { Failure::Incomplete(error) } else { Failure::Passing(error) };
        // Who had an account before may have chosen a name.
        if let Some(nickname) = account.credentials().nickname_of_new().filter(|_| is_made) {
            let arguments = SetNickname { user, host, nickname };
            done(api.run("set_nickname", &arguments, "", until)).map_err(missing)?;
        }
        if let Some(group) = &self.group {
            let arguments = AddToGroup { user, host, group, grouphost: host };
            done(api.run("srg_user_add", &arguments, "", until)).map_err(missing)?;
        }
        Ok(outcome)
    }
}

/// Who is to do something for a user.
enum Turn {
    /// This call, for an account that is known to be new or not.
    Own { is_new: bool },
    /// Another call, which is at it.
    Others,
    /// Nobody.
    Nobodys,
}

/// Notes that a call is about this user, if it is this call's turn.
fn begun(users: &mut Recent<String, Known>, key: &str, until: Instant) -> Turn {
    let now = Instant::now();
    let is_new = match users.get(key) {
        Some(Known::Left(until)) if now < *until => return Turn::Nobodys,
        Some(Known::UnderWay { until, .. }) if now < *until => return Turn::Others,
        Some(Known::New | Known::UnderWay { is_new: true, .. }) => true,
        _ => false,
    };
    users.put(key.to_owned(), Known::UnderWay { until, is_new });
    Turn::Own { is_new }
}

#[derive(Serialize)]
struct User<'a> {
    user: &'a str,
    host: &'a str,
}

#[derive(Serialize)]
struct Register<'a> {
    user: &'a str,
    host: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct SetNickname<'a> {
    user: &'a str,
    host: &'a str,
    nickname: &'a str,
}

#[derive(Serialize)]
struct AddToGroup<'a> {
    user: &'a str,
    host: &'a str,
    group: &'a str,
    grouphost: &'a str,
}

fn done(answer: Result<Answer>) -> Result<()> {
    match answer? {
        Answer::Failed(error) => Err(error),
        Answer::Done(_) | Answer::Conflict => Ok(()),
    }
}

/// A password that nobody keeps: the account is used with tokens.
fn unknown_password() -> Result<Secret> {
    let mut bytes = [0; 24];
    random::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

fn by_command(
    service: &Service,
    session: &Session,
    jid: &Jid,
    password: &Secret,
    until: Instant,
) -> Result<Outcome, Failure> {
    let mut conversation = Conversation { service, session, rid: session.rid(), until };
    let answer = conversation.add(jid, password);
    conversation.end();
    match answer? {
        Added::Added => Ok(Outcome::Made),
        Added::IsThere => Ok(Outcome::WasThere),
        Added::Form(_) => Err(Failure::Refused(refused(jid, ""))),
        Added::Refused(reason) => Err(Failure::Refused(refused(jid, &presentable(&reason)))),
    }
}

/// What is said in the administrator's session.
struct Conversation<'a> {
    service: &'a Service,
    session: &'a Session,
    rid: u64,
    until: Instant,
}

impl Conversation<'_> {
    fn add(&mut self, jid: &Jid, password: &Secret) -> Result<Added> {
        match self.ask(&add_user::begin(jid))? {
            Added::Form(id) => self.ask(&add_user::fill_in(jid, &id, password)),
            answer => Ok(answer),
        }
    }

    /// Sends a request, and waits for its answer, which may come in a later reply.
    fn ask(&mut self, stanza: &Secret) -> Result<Added> {
        let mut payload = stanza.expose();
        loop {
            let (sid, cookie) = (self.session.sid(), cookies::header(self.session.cookies().iter()));
            let request = Request::new(&Frame::Plain, Stage::Session, self.rid, Some(sid), payload, cookie);
            self.rid += 1;
            let service = self.service;
            let reply = service.ask(&request, None, self.until).map_err(|lost| lost.error)?;
            match reply.read(Stage::Session, true, &service.config)? {
                Received::Body(body) => {
                    if let Some(answer) = add_user::answer(body.payload()) {
                        return Ok(answer);
                    }
                }
                Received::Terminated(error) => return Err(error),
                Received::Recoverable => return Err(disturbed()),
            }
            payload = "";
        }
    }

    /// Ends the session. If that fails, the server does it after its inactivity time.
    fn end(&self) {
        let cookie = cookies::header(self.session.cookies().iter());
        if let Ok(request) = terminate::request(self.session.sid(), self.rid, cookie) {
            let is_ended = self.service.ask(&request, None, self.until).is_ok();
            tracing::debug!(is_ended, "the administrator has left");
        }
    }
}

/// It is not worth another try within the time there is.
fn disturbed() -> Error {
    Error::protocol(Stage::Session, "an answer to a command", "an error")
}

fn refused(jid: &Jid, reason: &str) -> Error {
    let domain = shortened(jid.domain(), 80);
    Error::config(
        Accounts::OPTION,
        format!(
            "the command add-user of {domain} failed (\"{reason}\"): on Prosody, enable admin_adhoc for that domain and put \
             the administrator's `jid` into `admins`"
        ),
    )
}

#[cfg(test)]
pub(super) fn examples() -> [Error; 2] {
    [refused(&Jid::new("alice@example.org").unwrap(), "forbidden"), disturbed()]
}
