//! What a browser client does with JID, SID and RID: a BOSH client (XEP-0124, XEP-0206) as small as
//! can be. Nothing here knows of prebind; Strophe.js and Converse.js do the same.

use std::io;
use std::time::{Duration, Instant};

use quick_xml::escape::escape;
use serde::{Deserialize, Serialize};
use ureq::Agent;

use crate::Result;

/// How long an errand may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Told on standard output as soon as the server treats us as the user.
#[derive(Serialize, Deserialize)]
pub(crate) struct Online {
    online: String,
}

/// Told on standard output when a message arrives.
#[derive(Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) from: String,
    pub(crate) text: String,
}

/// Reads `{"jid", "sid", "rid"}` from standard input, does the errand, and leaves.
pub(crate) fn run(url: &str, errand: &[&str]) -> Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let handed_over = serde_json::from_str(&line)?;
    let agent = Agent::new_with_defaults();
    let mut page = Page { agent, url, until: Instant::now() + LIMIT, handed_over };
    match *errand {
        ["hear"] => page.hear()?,
        ["say", to, text] => page.say(to, text)?,
        _ => return Err("a browser can \"hear\" or \"say TO TEXT\"".into()),
    }
    page.leave()
}

struct Page<'a> {
    agent: Agent,
    url: &'a str,
    until: Instant,
    handed_over: HandedOver,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandedOver {
    jid: String,
    sid: String,
    /// The RID of the next request.
    rid: u64,
}

impl Page<'_> {
    fn hear(&mut self) -> Result<()> {
        let mut reply = self.go_online("")?;
        loop {
            if let Some(Incoming { from, body: Some(text) }) = reply.message.into_iter().next() {
                return tell(&Message { from, text });
            }
            reply = self.request("")?;
        }
    }

    fn say(&mut self, to: &str, text: &str) -> Result<()> {
        let (to, text) = (escape(to), escape(text));
        let message =
            format!("<message xmlns='jabber:client' type='chat' to='{to}'><body>{text}</body></message>");
        self.go_online(&message).map(drop)
    }

    /// Sends the first presence, as every client does after it has attached, and waits until the
    /// server sends it back, which it does to every session of the user (RFC 6121 §4.2.2).
    ///
    /// `more` goes with it: alone, a request that needs no answer would be held by the server.
    fn go_online(&mut self, more: &str) -> Result<Reply> {
        let mut reply = self.request(&format!("<presence xmlns='jabber:client'/>{more}"))?;
        while !reply.presence.iter().any(|presence| presence.from == self.handed_over.jid) {
            reply = self.request("")?;
        }
        tell(&Online { online: self.handed_over.jid.clone() })?;
        Ok(reply)
    }

    fn leave(mut self) -> Result<()> {
        let body = self.body(" type='terminate'", "<presence xmlns='jabber:client' type='unavailable'/>");
        self.post(&body).map(drop)
    }

    fn request(&mut self, stanzas: &str) -> Result<Reply> {
        let body = self.body("", stanzas);
        let reply: Reply = quick_xml::de::from_str(&self.post(&body)?)?;
        match reply.kind.as_deref() {
            None => Ok(reply),
            Some(_) => Err(format!(
                "the server ended the session of {} ({})",
                self.handed_over.jid,
                reply.condition.as_deref().unwrap_or("no reason given")
            )
            .into()),
        }
    }

    fn body(&mut self, attributes: &str, stanzas: &str) -> String {
        let HandedOver { sid, rid, .. } = &mut self.handed_over;
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' sid='{}' rid='{rid}'{attributes}>{stanzas}</body>",
            escape(sid.as_str())
        );
        *rid += 1;
        body
    }

    fn post(&self, body: &str) -> Result<String> {
        let left = self.until.saturating_duration_since(Instant::now());
        let request = self.agent.post(self.url).config().timeout_global(Some(left)).build();
        let mut response = request.content_type("text/xml; charset=utf-8").send(body)?;
        Ok(response.body_mut().read_to_string()?)
    }
}

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "@type")]
    kind: Option<String>,
    #[serde(rename = "@condition")]
    condition: Option<String>,
    #[serde(default)]
    presence: Vec<Presence>,
    #[serde(default)]
    message: Vec<Incoming>,
}

#[derive(Deserialize)]
struct Presence {
    #[serde(rename = "@from")]
    from: String,
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(rename = "@from")]
    from: String,
    body: Option<String>,
}

fn tell(news: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(news)?);
    Ok(())
}
