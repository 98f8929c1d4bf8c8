//! A list of the users that exist, as a site writes it for a chat server.

use std::collections::HashSet;

use super::request::User;
use crate::jid::Jid;

/// The users that exist: one name or JID a line. A name is a user of every host. Empty lines and lines that begin with
/// `#` are ignored.
#[derive(Debug, Clone, Default)]
pub struct UserList {
    accounts: HashSet<String>,
    unusable: Option<usize>,
}

impl UserList {
    /// Reads a list.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut list = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match account(line) {
                Some(account) => _ = list.accounts.insert(account),
                None => list.unusable = list.unusable.or(Some(at + 1)),
            }
        }
        list
    }

    /// Whether this user is in the list.
    #[must_use]
    pub fn has(&self, user: &User) -> bool {
        let Some(account) = account(&user.jid()) else { return false };
        let name = account.find('@').map_or("", |at| &account[..=at]);
        self.accounts.contains(&account) || self.accounts.contains(name)
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether the list names no user.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// The first line that is neither a name nor a JID, counted from 1.
    #[must_use]
    pub fn unusable(&self) -> Option<usize> {
        self.unusable
    }
}

/// The account of a JID; of a name, everything before the domain.
fn account(line: &str) -> Option<String> {
    let is_name = !line.contains('@');
    let jid = if is_name { format!("{line}@localhost") } else { line.to_owned() };
    let jid = Jid::new(&jid).ok().filter(|jid| jid.local().is_some() && jid.resource().is_none())?;
    let mut account = jid.account();
    if is_name {
        account.truncate(account.find('@')? + 1);
    }
    Some(account)
}

#[cfg(test)]
mod tests {
    use super::super::request::Request;
    use super::*;

    fn has(list: &UserList, name: &str, host: &str) -> bool {
        match Request::parse(format!("isuser:{name}:{host}").as_bytes()) {
            Request::IsUser(user) => list.has(&user),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn users_are_found_as_the_server_tells_them_apart() {
        let list = UserList::read("# people\n\n  Alice@Example.org \r\nbob\nstrauß@example.org\nBÜCHER\n");
        assert_eq!((list.len(), list.unusable()), (4, None));
        for (name, host, is_there) in [
            ("alice", "example.org", true),
            ("alice", "example.com", false),
            ("bob", "example.org", true),
            ("bob", "example.com", true),
            ("strauss", "example.org", true),
            ("bücher", "example.org", true),
            ("carol", "example.org", false),
            ("", "example.org", false),
            ("alice@example.org", "", false),
            ("alice@example.org/", "example.com", false),
        ] {
            assert_eq!(has(&list, name, host), is_there, "{name} at {host}");
        }
    }

    #[test]
    fn the_first_unusable_line_is_known_and_the_others_count() {
        let list = UserList::read("alice\n\n@example.org\nbob@example.org/web\ncarol");
        assert_eq!((list.len(), list.unusable()), (2, Some(3)));
        assert!(has(&list, "carol", "localhost") && UserList::read("\n#\n").is_empty());
        assert!(!list.is_empty());
    }
}
