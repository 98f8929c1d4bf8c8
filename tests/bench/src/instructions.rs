//! Whole negotiations against recorded replies, without any I/O: what the instructions of one are
//! counted with.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use prebind::{Account, Config, Credentials, Negotiation, Plan, Random, Reply, ScramCache, Step};
use serde_json::Value;

use crate::Result;

#[derive(Args)]
pub(crate) struct Negotiate {
    /// A case of tests/vectors
    case: PathBuf,
    /// How often
    count: usize,
}

impl Negotiate {
    pub(crate) fn run(&self) -> Result<()> {
        let case: Value = serde_json::from_str(&fs::read_to_string(&self.case)?)?;
        let text =
            |value: &Value| -> Result<String> { Ok(value.as_str().ok_or("a case that is none")?.to_owned()) };
        let config =
            Config::new(case["config"]["url"].as_str().unwrap_or("http://127.0.0.1:5280/http-bind"))?;
        let credentials = &case["account"]["credentials"];
        let credentials = match credentials["token"].as_str() {
            Some(secret) => Credentials::plain(secret),
            None => Credentials::password(text(&credentials["password"])?),
        };
        let account = Account::new(&text(&case["account"]["jid"])?, credentials)?;
        let nonce = case["random"]["nonce"].as_str().unwrap_or_default();
        let rid = case["random"]["rid"].as_u64().ok_or("a case without a rid")?;
        let plan = match &case["learned"] {
            Value::Null => Plan::classic(),
            learned => Plan::shortest(&config, &account, &serde_json::from_value(learned.clone())?),
        };
        let replies = case["exchange"].as_array().ok_or("a case without an exchange")?;
        let mut replies = replies.iter().map(|entry| text(&entry["reply"])).collect::<Result<Vec<_>>>()?;
        let (random, cache) = (Random::fixed(rid, nonce), ScramCache::new(1)?);
        for _ in 0..self.count {
            let (negotiation, _) = Negotiation::start(&config, &account, plan.clone(), random.clone())?;
            finish(negotiation.with_scram_cache(&cache), rid, &mut replies)?;
        }
        Ok(())
    }
}

/// Receives one reply after the other: they come in the order of the requests.
fn finish(mut negotiation: Negotiation<'_>, first_rid: u64, replies: &mut [String]) -> Result<()> {
    for (rid, body) in (first_rid..).zip(replies) {
        let mut reply = Reply::new(rid, 200, std::mem::take(body));
        reply.content_type = Some("text/xml; charset=utf-8".to_owned());
        let step = negotiation.receive(&reply).map_err(|failure| failure.error)?;
        *body = String::from_utf8(reply.body)?;
        match step {
            Step::Send(next, _) | Step::Wait(next) => negotiation = next,
            Step::Done(..) => return Ok(()),
        }
    }
    Err("the case ends before the negotiation".into())
}
