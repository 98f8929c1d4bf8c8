//! Runs the shared cases of `tests/vectors` against the state machine, every byte compared, no
//! network.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod asked;
mod case;
mod jids;
#[cfg(feature = "client")]
mod options;
mod scram_keys;
mod tokens;
mod web;

use std::panic::{AssertUnwindSafe, catch_unwind};

use prebind::binding::{Field, FieldType, Value};
use prebind::protocol::{Failure, Learned, Negotiation, Plan, Reply, Request, ScramCache, Step};
use prebind::{Error, Session};
use serde_json::Value as Json;

use case::{Case, Entry};

/// What came out of an exchange: the session or the error, and how many entries were used up.
struct Outcome {
    result: Result<(Session, Learned), Error>,
    used: usize,
}

#[test]
fn every_case() {
    check_all(|case| check(case, None));
}

/// The keys of a password that one case leaves behind are good for others, and change nothing.
#[test]
fn every_case_with_known_keys() {
    let cache = ScramCache::new(1000).unwrap();
    check_all(|case| {
        check(case, Some(&cache))?;
        check(case, Some(&cache))
    });
}

fn check_all(check: impl Fn(&Case) -> Result<(), String>) {
    let cases = case::all();
    assert!(cases.len() > 300, "only {} cases were found", cases.len());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let verdict = catch_unwind(AssertUnwindSafe(|| check(case)));
            let problem = verdict.unwrap_or_else(|_| Err("panicked".to_owned())).err()?;
            Some(format!("{}: {problem}", case.name))
        })
        // A core that is broken everywhere fails nearly all of them.
        .take(10)
        .collect();
    assert!(failures.is_empty(), "these of {} cases fail:\n{}", cases.len(), failures.join("\n"));
}

#[test]
fn every_error_kind_that_needs_no_network_has_a_case() {
    let cases = case::all();
    let kinds = ["Config", "Http", "Protocol", "Terminated", "Mechanism", "Auth", "ServerUnverified", "Bind"];
    for kind in kinds {
        let has_case = cases.iter().any(|case| case.expect["error"]["kind"] == kind);
        assert!(has_case, "no case expects {kind}");
    }
}

#[test]
fn every_condition_has_a_case() {
    use prebind::{BoshCondition, SaslCondition, ScramCondition, StanzaCondition, StreamCondition};
    let cases = case::all();
    let check = |table: &str, conditions: Vec<&str>| {
        for condition in conditions {
            let is_expected =
                |case: &&Case| case.name.starts_with(table) && case.expect["error"]["condition"] == condition;
            assert!(cases.iter().any(|case| is_expected(&case)), "{table} lacks {condition}");
        }
    };
    check("conditions-bosh/", BoshCondition::ALL.iter().map(BoshCondition::as_str).collect());
    check("conditions-stream/", StreamCondition::ALL.iter().map(StreamCondition::as_str).collect());
    check("conditions-sasl/", SaslCondition::ALL.iter().map(SaslCondition::as_str).collect());
    check("conditions-scram/", ScramCondition::ALL.iter().map(ScramCondition::as_str).collect());
    check("conditions-bind/", StanzaCondition::ALL.iter().map(StanzaCondition::as_str).collect());
    check("conditions-http/", vec!["bad-request", "policy-violation", "item-not-found"]);
}

fn check(case: &Case, cache: Option<&ScramCache>) -> Result<(), String> {
    let outcome = run(case, cache)?;
    if outcome.used != case.exchange.len() {
        return Err(format!("{} of {} requests were sent", outcome.used, case.exchange.len()));
    }
    match (&outcome.result, case.expect.get("session"), case.expect.get("error")) {
        (Ok((session, learned)), Some(expected), None) => {
            compare(expected, &described(session.to_named()))?;
            let learned = serde_json::to_value(learned).unwrap();
            case.expect.get("learned").map_or(Ok(()), |expected| compare(expected, &learned))
        }
        (Err(error), None, Some(expected)) => {
            leaks_nothing(case, error)?;
            compare(expected, &described(error.to_named()))
        }
        (Ok((session, _)), ..) => Err(format!("opened {session:?}")),
        (Err(error), ..) => Err(format!("failed with {error:?}")),
    }
}

fn run<'a>(case: &'a Case, cache: Option<&ScramCache>) -> Result<Outcome, String> {
    let (config, account) = match case.config().and_then(|config| Ok((config, case.account()?))) {
        Ok(both) => both,
        Err(error) => return Ok(Outcome { result: Err(error), used: 0 }),
    };
    let (mut negotiation, requests) =
        match Negotiation::start(&config, &account, case.plan(&config, &account), case.random(), cache) {
            Ok(started) => started,
            Err(error) => return Ok(Outcome { result: Err(error), used: 0 }),
        };
    let (mut sent, mut open) = (0, Vec::new());
    let mut expect = |requests: Vec<Request>, open: &mut Vec<&'a Entry>| -> Result<usize, String> {
        for request in requests {
            let entry = case.exchange.get(sent).ok_or("more requests than the case has")?;
            same_request(&request, entry).map_err(|problem| format!("request {sent}: {problem}"))?;
            if entry.is_together == open.is_empty() {
                return Err(format!("request {sent} is sent while {} are open", open.len()));
            }
            sent += 1;
            open.push(entry);
        }
        if open.is_empty() { Err("no request is open".to_owned()) } else { Ok(sent) }
    };
    let mut used = expect(requests, &mut open)?;
    while let Some(at) = (0..open.len()).min_by_key(|at| open[*at].place()) {
        match negotiation.receive(&open.remove(at).reply()) {
            Ok(Step::Send(next, more)) => {
                negotiation = next;
                used = expect(more, &mut open)?;
            }
            Ok(Step::Wait(next)) => {
                negotiation = next;
                used = expect(Vec::new(), &mut open)?;
            }
            Ok(Step::Done(session, learned)) => {
                return Ok(Outcome { result: Ok((session, learned)), used });
            }
            Err(Failure { error, terminate, .. }) => {
                if let Some(terminate) = terminate {
                    let Some(entry) = case.exchange.get(used).filter(|entry| entry.is_cleanup) else {
                        return Err(format!("ends a session that the case does not end, after {error:?}"));
                    };
                    same_request(&terminate, entry).map_err(|problem| format!("terminate: {problem}"))?;
                    used += 1;
                }
                return Ok(Outcome { result: Err(error), used });
            }
        }
    }
    Err("goes on after the last reply".to_owned())
}

fn same_request(request: &Request, entry: &Entry) -> Result<(), String> {
    if request.body() != entry.request {
        return Err(format!("\n  sent     {}\n  expected {}", request.body(), entry.request));
    }
    if request.cookie() != entry.cookie.as_deref() {
        return Err(format!("cookie {:?}, expected {:?}", request.cookie(), entry.cookie));
    }
    Ok(())
}

fn described(named: impl Iterator<Item = (Field, Value)>) -> Json {
    named.map(|(field, value)| (field.name.to_owned(), json(field.holds, value))).collect()
}

fn json(holds: FieldType, value: Value) -> Json {
    match (holds, value) {
        (_, Value::Nothing) => Json::Null,
        (_, Value::Whole(number)) => number.into(),
        (_, Value::Text(text)) => text.expose().into(),
        (FieldType::Records { fields }, Value::List(records)) => {
            records.into_iter().map(|record| object(fields, record)).collect()
        }
        (_, Value::List(values)) => values.into_iter().map(|value| json(holds, value)).collect(),
        (_, other) => panic!("nothing is a {other:?}"),
    }
}

fn object(names: &[&str], record: Value) -> Json {
    let Value::List(values) = record else { panic!("a record is a {record:?}") };
    assert_eq!(values.len(), names.len());
    names.iter().zip(values).map(|(name, value)| (*name, json(FieldType::Text, value))).collect()
}

/// Only keys that the case looks at are compared.
fn compare(expected: &Json, found: &Json) -> Result<(), String> {
    let expected = expected.as_object().ok_or("expect is not an object")?;
    for (key, value) in expected {
        if found.get(key).is_none() {
            return Err(format!("expects {key}, which nobody knows"));
        }
        if found[key] != *value {
            return Err(format!("{key} is {}, expected {value} (all: {found})", found[key]));
        }
    }
    Ok(())
}

/// No error may repeat a secret of the case.
fn leaks_nothing(case: &Case, error: &Error) -> Result<(), String> {
    let shown = format!("{error} {error:?}");
    match case.secrets().iter().find(|secret| shown.contains(secret.as_str())) {
        Some(secret) => Err(format!("the error repeats {secret:?}: {shown}")),
        None => Ok(()),
    }
}

#[test]
fn a_reply_to_no_open_request_is_refused() {
    let case = &case::all()[0];
    let (config, account) = (case.config().unwrap(), case.account().unwrap());
    let (negotiation, requests) =
        Negotiation::start(&config, &account, Plan::classic(), case.random(), None).unwrap();
    let failure = negotiation.receive(&Reply::new(requests[0].rid() + 7, 200, "")).unwrap_err();
    assert_eq!(failure.error.kind().as_str(), "Protocol");
    assert!(failure.terminate.is_none(), "no session stands yet");
}
