//! What the pure parts cost: `cargo bench -p prebind`. The exchanges are recorded ones of
//! `tests/vectors`, and everything is called as another HTTP library would call it.

#![allow(clippy::unwrap_used, reason = "nobody else runs it")]

use std::fs;
use std::path::Path;

use divan::Bencher;
use divan::counter::BytesCount;
use prebind::protocol::{Negotiation, Plan, Random, Reply, Request, ScramCache, Step};
use prebind::{Account, Config, Credentials, Jid};
use serde_json::Value;

fn main() {
    divan::main();
}

const PLAIN: &str = "prosody-0.12-plain";
const SCRAM: &str = "prosody-0.12-scram-sha-1";

/// A recorded exchange, and what it was made with.
struct Case {
    config: Config,
    account: Account,
    random: Random,
    replies: Vec<Reply>,
}

impl Case {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/vectors/{name}.json"));
        let case: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let given = &case["account"]["credentials"];
        let credentials = match given["plain"].as_str() {
            Some(secret) => Credentials::plain(secret),
            None => Credentials::password(given["password"].as_str().unwrap()),
        };
        let rid = case["random"]["rid"].as_u64().unwrap();
        let bodies =
            case["exchange"].as_array().unwrap().iter().map(|entry| entry["reply"].as_str().unwrap());
        let reply = |(rid, body)| {
            let mut reply = Reply::new(rid, 200, body);
            reply.content_type = Some("text/xml; charset=utf-8".to_owned());
            reply
        };
        Self {
            config: Config::new(case["config"]["url"].as_str().unwrap_or("http://127.0.0.1:5280/")).unwrap(),
            account: Account::new(case["account"]["jid"].as_str().unwrap(), credentials).unwrap(),
            random: Random::fixed(rid, case["random"]["nonce"].as_str().unwrap_or_default()),
            replies: (rid..).zip(bodies).map(reply).collect(),
        }
    }

    fn start<'a>(&'a self, cache: &'a ScramCache) -> Negotiation<'a> {
        self.written(Some(cache)).0
    }

    fn written<'a>(&'a self, cache: Option<&'a ScramCache>) -> (Negotiation<'a>, Vec<Request>) {
        let random = self.random.clone();
        Negotiation::start(&self.config, &self.account, Plan::classic(), random, cache).unwrap()
    }

    /// The state after so many replies.
    fn after<'a>(&'a self, replies: usize, cache: &'a ScramCache) -> Negotiation<'a> {
        self.replies[..replies].iter().fold(self.start(cache), |negotiation, reply| {
            match negotiation.receive(reply).unwrap() {
                Step::Send(next, _) => next,
                other => panic!("{other:?}"),
            }
        })
    }

    fn all(&self, cache: &ScramCache) {
        let before_last = self.after(self.replies.len() - 1, cache);
        assert!(matches!(before_last.receive(self.replies.last().unwrap()), Ok(Step::Done(..))));
    }

    /// What it costs to receive one reply, the number of replies before it given.
    fn receiving(&self, bencher: Bencher<'_, '_>, before: usize, cache: &ScramCache) {
        bencher
            .counter(BytesCount::of_slice(&self.replies[before].body))
            .with_inputs(|| self.after(before, cache))
            .bench_local_values(|negotiation| negotiation.receive(&self.replies[before]));
    }
}

/// Keeps no keys.
fn forgetful() -> ScramCache {
    ScramCache::new(0).unwrap()
}

/// Knows the keys of that exchange.
fn knowing(case: &Case) -> ScramCache {
    let cache = ScramCache::new(1).unwrap();
    case.all(&cache);
    cache
}

#[divan::bench(args = ["alice@example.org", "Jos\u{e9}.Garc\u{ed}a@b\u{fc}cher.example/m\u{fc}hle"])]
fn jid(jid: &str) -> Jid {
    Jid::new(jid).unwrap()
}

#[divan::bench]
fn creation_written(bencher: Bencher<'_, '_>) {
    let case = Case::read(PLAIN);
    bencher.bench_local(|| case.written(None));
}

/// Reads stream features, chooses a mechanism and writes its first message.
#[divan::bench(args = [PLAIN, SCRAM])]
fn features_read_and_login_begun(bencher: Bencher<'_, '_>, name: &str) {
    Case::read(name).receiving(bencher, 0, &forgetful());
}

#[divan::bench]
fn scram_final_with_keys_to_derive(bencher: Bencher<'_, '_>) {
    Case::read(SCRAM).receiving(bencher, 1, &forgetful());
}

#[divan::bench]
fn scram_final_with_known_keys(bencher: Bencher<'_, '_>) {
    let case = Case::read(SCRAM);
    case.receiving(bencher, 1, &knowing(&case));
}

/// Verifies the server's signature and writes the restart.
#[divan::bench]
fn scram_success(bencher: Bencher<'_, '_>) {
    let case = Case::read(SCRAM);
    let cache = knowing(&case);
    case.receiving(bencher, 2, &cache);
}

#[divan::bench]
fn whole_plain_negotiation(bencher: Bencher<'_, '_>) {
    let case = Case::read(PLAIN);
    let cache = forgetful();
    bencher.bench_local(|| case.all(&cache));
}

#[divan::bench]
fn whole_scram_negotiation_with_known_keys(bencher: Bencher<'_, '_>) {
    let case = Case::read(SCRAM);
    let cache = knowing(&case);
    bencher.bench_local(|| case.all(&cache));
}
