//! What ejabberd asks.

use std::fmt;

use crate::error::{address, shortened};
use crate::jid::Jid;
use crate::secret::Secret;

/// How many characters of a name a log line gets.
const SHOWN: usize = 80;

/// A request of ejabberd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `auth`: may this user log in with this password or token?
    Auth(User, Secret),
    /// `isuser`: does this user exist? ejabberd asks for each message and subscription to somebody offline.
    IsUser(User),
    /// `tryregister`, `setpass`, `removeuser` or `removeuser3`: accounts are the site's to change.
    Change(&'static str),
    /// Anything else.
    Unknown,
}

impl Request {
    /// What a frame asks. A password may hold colons; a user and a host cannot.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(frame) else { return Self::Unknown };
        let (command, rest) = text.split_once(':').unwrap_or((text, ""));
        match command {
            "auth" => {
                let mut parts = rest.splitn(3, ':');
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(name), Some(host), Some(password)) => {
                        Self::Auth(User::new(name, host), password.into())
                    }
                    _ => Self::Unknown,
                }
            }
            "isuser" => match rest.split_once(':') {
                Some((name, host)) => Self::IsUser(User::new(name, host)),
                None => Self::Unknown,
            },
            _ => {
                let changes = ["tryregister", "setpass", "removeuser", "removeuser3"];
                changes.into_iter().find(|change| *change == command).map_or(Self::Unknown, Self::Change)
            }
        }
    }
}

/// The user that a request is about, as ejabberd prepared the name: in lower case. Shown without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    name: String,
    host: String,
}

impl User {
    pub(super) fn new(name: &str, host: &str) -> Self {
        Self { name: name.to_owned(), host: host.to_owned() }
    }

    /// The part of the JID before the `@`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The virtual host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the account of that JID is this user's. Case and resource make no difference.
    #[must_use]
    pub fn is(&self, jid: &Jid) -> bool {
        jid.local().is_some() && self.account().is_some_and(|own| own.account() == jid.account())
    }

    /// The account; `None` if nobody can have such a name.
    pub(super) fn account(&self) -> Option<Jid> {
        Jid::new(&self.jid()).ok().filter(|jid| jid.local().is_some())
    }

    /// The JID; no JID if a part could be read as that of another address.
    pub(super) fn jid(&self) -> String {
        let is_whole = |part: &String| !part.contains(['@', '/']);
        if [&self.name, &self.host].into_iter().all(is_whole) {
            format!("{}@{}", self.name, self.host)
        } else {
            String::new()
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, host] = [&self.name, &self.host].map(|part| shortened(&address(part), SHOWN));
        write!(f, "{name}@{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, host: &str) -> User {
        User::new(name, host)
    }

    #[test]
    fn each_command_is_understood() {
        for (frame, request) in [
            ("auth:alice:localhost:wonder-1", Request::Auth(user("alice", "localhost"), "wonder-1".into())),
            ("auth:alice:localhost:a:b::c", Request::Auth(user("alice", "localhost"), "a:b::c".into())),
            ("auth:alice:localhost:", Request::Auth(user("alice", "localhost"), "".into())),
            ("auth:alice:localhost", Request::Unknown),
            ("auth", Request::Unknown),
            ("isuser:alice:localhost", Request::IsUser(user("alice", "localhost"))),
            ("isuser:alice:[::1]", Request::IsUser(user("alice", "[::1]"))),
            ("isuser:alice", Request::Unknown),
            ("tryregister:alice:localhost:wonder-1", Request::Change("tryregister")),
            ("setpass:alice:localhost:wonder-1", Request::Change("setpass")),
            ("removeuser:alice:localhost", Request::Change("removeuser")),
            ("removeuser3:alice:localhost:wonder-1", Request::Change("removeuser3")),
            ("removeuser", Request::Change("removeuser")),
            ("AUTH:alice:localhost:wonder-1", Request::Unknown),
            ("certauth:alice", Request::Unknown),
            ("", Request::Unknown),
            (":::", Request::Unknown),
        ] {
            assert_eq!(Request::parse(frame.as_bytes()), request, "{frame}");
        }
        assert_eq!(Request::parse(b"auth:alice:localhost:\xff"), Request::Unknown);
    }

    #[test]
    fn no_password_is_shown() {
        let request = Request::parse(b"auth:alice:localhost:wonder-1");
        assert!(!format!("{request:?}").contains("wonder"), "{request:?}");
    }

    #[test]
    fn accounts_are_compared_as_the_server_tells_them_apart() {
        for (name, host, jid, is_same) in [
            ("alice", "localhost", "alice@localhost", true),
            ("alice", "localhost", "Alice@LOCALHOST/web", true),
            ("alice", "localhost", "bob@localhost", false),
            ("alice", "localhost", "alice@example.org", false),
            ("alice", "localhost", "localhost", false),
            ("", "localhost", "localhost", false),
            ("strauss", "localhost", "strauß@localhost", true),
            ("bücher", "bücher.example", "bücher@xn--bcher-kva.example", true),
            ("alice@localhost/", "example.org", "alice@localhost", false),
            ("alice", "localhost/web", "alice@localhost", false),
            ("alice@localhost", "", "alice@localhost", false),
        ] {
            assert_eq!(user(name, host).is(&Jid::new(jid).unwrap()), is_same, "{name} at {host} and {jid}");
        }
    }

    #[test]
    fn names_do_not_command_a_terminal_or_fill_a_log() {
        let shown = user("al\u{1b}[31mice\n2026-01-01 faked", &"x".repeat(60_000)).to_string();
        assert!(!shown.contains(char::is_control) && shown.chars().count() < 200, "{shown}");
        assert_eq!(user("alice", "localhost").to_string(), "alice@localhost");
    }
}
