//! Recognizes the server software, if that can shorten an exchange.

use serde::{Deserialize, Serialize};

use super::ns;
use super::xml::Element;
use crate::random::is_uuid;

/// The kinds of servers that a shorter exchange is known for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Server {
    /// Prosody reads the whole body and answers in the same response. It slows down a connection that has
    /// carried a creation (`limits.c2s.rate`).
    Prosody,
    /// ejabberd answers some parts of a body only in the next response, and ignores a payload in a restart.
    Ejabberd,
    /// Any other server. Only the classic exchange is known to work with it.
    #[default]
    Other,
}

impl Server {
    /// Recognizes a server by its session creation response. A server has to show all of the signs, because
    /// each sign alone is shared with other servers: Openfire, for example, also has `ver='1.6'` and repeats
    /// the SID.
    pub(crate) fn recognize(created: &Element) -> Self {
        let attribute = |name| created.attribute(name);
        let has_any = |names: &[&str]| names.iter().any(|name| created.attribute(name).is_some());
        let restarts = created.attribute_in(ns::XBOSH, "restartlogic");
        let is_prosody = attribute("ver") == Some("1.6")
            && attribute("authid").is_some_and(|id| attribute("sid") == Some(id) && is_uuid(id))
            && attribute("polling").is_some()
            && restarts.is_none()
            && !has_any(&["ack", "maxpause", "stream", "window"]);
        let is_ejabberd = attribute("ver") == Some("1.11")
            && restarts == Some("true")
            && attribute("maxpause").is_some()
            && attribute("polling").is_some()
            && !has_any(&["ack", "stream", "window"]);
        match (is_prosody, is_ejabberd) {
            (true, _) => Self::Prosody,
            (_, true) => Self::Ejabberd,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind of server that answers the creation of a session with these attributes.
    fn recognized(attributes: &str) -> Server {
        let body = format!("<body xmlns='{}' xmlns:xmpp='{}' {attributes}/>", ns::HTTPBIND, ns::XBOSH);
        Server::recognize(&Element::parse(body.as_bytes()).unwrap())
    }

    /// Checks that a server is recognized by these signs, and not if one of them is missing.
    fn check(server: Server, signs: &[&str]) {
        assert_eq!(recognized(&signs.join(" ")), server);
        for missing in 0..signs.len() {
            let mut others = signs.to_vec();
            others.remove(missing);
            assert_eq!(recognized(&others.join(" ")), Server::Other, "without {}", signs[missing]);
        }
    }

    /// Checks that a server with this additional sign is recognized as another one.
    fn check_foreign(signs: &[&str], foreign: &str) {
        assert_eq!(recognized(&format!("{} {foreign}", signs.join(" "))), Server::Other, "with {foreign}");
    }

    const PROSODY: [&str; 4] = [
        "ver='1.6'",
        "polling='5'",
        "sid='fcc19054-e208-4d03-99a8-99ec7f710f4c'",
        "authid='fcc19054-e208-4d03-99a8-99ec7f710f4c'",
    ];
    const EJABBERD: [&str; 4] = ["ver='1.11'", "polling='2'", "xmpp:restartlogic='true'", "maxpause='120'"];

    #[test]
    fn prosody_is_recognized_by_all_its_signs() {
        check(Server::Prosody, &PROSODY);
        for foreign in ["ack='1'", "maxpause='120'", "stream='1'", "window='5'", "xmpp:restartlogic='true'"] {
            check_foreign(&PROSODY, foreign);
        }
        let [ver, polling, sid, authid] = PROSODY;
        for other in [
            ["ver='1.11'", polling, sid, authid],
            [ver, polling, sid, "authid='2f1b2dd0-4bb1-4d4e-bd36-a7e6f5f4b7ae'"],
            // Openfire has SIDs like these.
            [ver, polling, "sid='5mhcu29dhk'", "authid='5mhcu29dhk'"],
        ] {
            assert_eq!(recognized(&other.join(" ")), Server::Other, "{other:?}");
        }
    }

    #[test]
    fn ejabberd_is_recognized_by_all_its_signs() {
        check(Server::Ejabberd, &EJABBERD);
        for foreign in ["ack='1'", "stream='1'", "window='5'"] {
            check_foreign(&EJABBERD, foreign);
        }
        let [ver, polling, restarts, maxpause] = EJABBERD;
        for other in [
            ["ver='1.6'", polling, restarts, maxpause],
            [ver, polling, "xmpp:restartlogic='false'", maxpause],
            [ver, polling, "restartlogic='true'", maxpause],
        ] {
            assert_eq!(recognized(&other.join(" ")), Server::Other, "{other:?}");
        }
    }
}
