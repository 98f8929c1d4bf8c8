//! What a browser does with JID, SID and RID, on connections of its own and with none of the
//! library's code.

use std::time::{Duration, Instant};

use prebind::Session;
use servers::Server;
use ureq::Agent;

pub(crate) struct Browser {
    pub(crate) jid: String,
    url: String,
    agent: Agent,
    sid: String,
    rid: u64,
    received: String,
}

impl Browser {
    pub(crate) fn attach(server: &Server, session: &Session) -> Self {
        // A session does not care which of its server's doors a request comes through.
        Self::attach_at(&server.http_url, session)
    }

    /// Attaches where `url` leads, without TLS.
    pub(crate) fn attach_at(url: &str, session: &Session) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self {
            jid: session.jid().to_string(),
            url: url.to_owned(),
            agent,
            sid: session.sid().to_owned(),
            rid: session.rid(),
            received: String::new(),
        }
    }

    pub(crate) fn send(&mut self, stanza: &str) {
        self.post("", stanza);
    }

    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.received.contains(text) {
            assert!(Instant::now() < until, "{} waited for {text:?}, got {}", self.jid, self.received);
            self.post("", "");
        }
        self.received.clone()
    }

    pub(crate) fn leave(mut self) {
        // Vysper answers with the stanzas that wait, if any do, and then ignores that the session is to end.
        loop {
            let reply = self.post(" type='terminate'", "");
            if is_terminated(&reply) || !reply.contains("jabber:client") {
                return;
            }
        }
    }

    fn post(&mut self, attributes: &str, stanza: &str) -> String {
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' sid='{}' rid='{}'{attributes}>{stanza}</body>",
            self.sid, self.rid
        );
        self.rid += 1;
        let mut response = self.agent.post(&self.url).content_type("text/xml").send(&body).unwrap();
        let reply = response.body_mut().read_to_string().unwrap();
        assert!(!is_terminated(&reply) || !attributes.is_empty(), "{reply}");
        self.received.push_str(&reply);
        reply
    }
}

fn is_terminated(reply: &str) -> bool {
    reply.contains("type='terminate'") || reply.contains("type=\"terminate\"")
}
