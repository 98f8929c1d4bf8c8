//! Negotiates again and again against recorded replies, without any I/O: `instructions CASE COUNT`.
//!
//! CASE is a file of `tests/vectors`. The test `ceilings` runs this under callgrind.

use std::env;
use std::error::Error;
use std::fs;

use prebind::protocol::{Negotiation, Plan, Random, Reply, ScramCache, Step};
use prebind::{Account, Config, Credentials};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let (Some(file), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: instructions CASE COUNT".into());
    };
    let case: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    negotiate(&case, count.parse()?)
}

fn negotiate(case: &Value, count: usize) -> Result<()> {
    let text =
        |value: &Value| -> Result<String> { Ok(value.as_str().ok_or("a case that is none")?.to_owned()) };
    let url = case["config"]["url"].as_str().unwrap_or("http://127.0.0.1:5280/http-bind");
    let config = Config::new(url)?.with_allow_cleartext(case["config"]["allow_cleartext"] == true);
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
    let exchange = case["exchange"].as_array().ok_or("a case without an exchange")?;
    let mut replies = exchange
        .iter()
        .map(|entry| Ok((rid_of(&text(&entry["request"])?)?, text(&entry["reply"])?)))
        .collect::<Result<Vec<_>>>()?;
    replies.sort_unstable();
    let (random, cache) = (Random::fixed(rid, nonce), ScramCache::new(1)?);
    for _ in 0..count {
        let (plan, random) = (plan.clone(), random.clone());
        let (negotiation, _) = Negotiation::start(&config, &account, plan, random, Some(&cache))?;
        finish(negotiation, &mut replies)?;
    }
    Ok(())
}

fn rid_of(request: &str) -> Result<u64> {
    let rid = request.split(" rid=\"").nth(1).and_then(|rest| rest.split('"').next());
    Ok(rid.ok_or("a request without a rid")?.parse()?)
}

/// Receives one reply after the other, in the order of the RIDs.
fn finish(mut negotiation: Negotiation<'_>, replies: &mut [(u64, String)]) -> Result<()> {
    for (rid, body) in replies {
        let mut reply = Reply::new(*rid, 200, std::mem::take(body));
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
