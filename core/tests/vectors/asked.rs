//! `web-asked.json`: what a chat server asks a site, and what it is answered.

use std::collections::BTreeSet;

use prebind::binding::{self, Value};
use prebind::extauth::{Asked, Inquiry, Next, Question, Refusal, Request};
use prebind::token;
use prebind::web::Answer;
use prebind::{Error, ErrorKind};
use serde_json::{Map, Value as Json, json};

use crate::case;

#[test]
fn every_question_is_answered_as_it_has_to_be() {
    let file = case::web("asked");
    let mut seen = BTreeSet::new();
    for row in file["questions"].as_array().unwrap() {
        let name = &row["name"];
        let asked = asked(&file, row).unwrap();
        let next = match asked.next() {
            next @ (Next::Refuse | Next::Accept) => json!(next.as_str()),
            next @ Next::Once(entry) => json!({next.as_str(): {"key": entry.key, "seconds": entry.seconds}}),
            next @ Next::Exists(jid) => {
                json!({next.as_str(): {"jid": jid.to_string(), "user": jid.to_user()}})
            }
        };
        assert_eq!(next, row["next"], "{name}");
        let refusal = asked.refusal(false).map(Refusal::as_str);
        assert_eq!(json!(refusal), row["refusal"], "{name}");
        seen.extend(refusal);
        let answer = row["answer"].as_str().unwrap();
        assert_eq!(told(&asked.answer(false, None)), file["answers"][answer], "{name}");
        let (form, _) = answer.split_once('-').unwrap();
        let yes = if next == "refuse" { answer.to_owned() } else { format!("{form}-yes") };
        assert_eq!(told(&asked.answer(true, None)), file["answers"][&yes], "{name}: found out as yes");
        assert_eq!(told(&asked.broken()), file["answers"][format!("{form}-broken")], "{name}");
        assert_eq!(asked.refusal(true).is_some(), next == "refuse" && refusal.is_some(), "{name}");
        assert_eq!(asked.counter(false).is_some(), refusal.is_some(), "{name}");
        if let Some(complaint) = row.get("complaint") {
            assert_eq!(&complained(&asked, None), complaint, "{name}");
        }
        let shown = format!("{asked:?}");
        assert!(!shown.contains("eyJ") && !shown.contains("wonder"), "{name}: {shown}");
    }
    let ours = ["Address", "Proxy", "Secret", "Method", "Command", "Question", "Used"];
    let tokens =
        ["TooLong", "Malformed", "Algorithm", "Signature", "NoExpiry", "Expired", "Audience", "OtherUser"];
    assert_eq!(seen, ours.into_iter().chain(tokens).collect());
    assert!(token::Refusal::ALL.iter().all(|refusal| !ours.contains(&refusal.as_str())));
}

#[test]
fn a_flood_is_told_so_and_logged_once() {
    let file = case::web("asked");
    for row in file["floods"].as_array().unwrap() {
        let (name, count) = (&row["name"], row["count"].as_u64());
        let asked = asked(&file, row).unwrap();
        let answer = row["answer"].as_str().unwrap();
        assert_eq!(told(&asked.answer(false, count)), file["answers"][answer], "{name}");
        assert_eq!(complained(&asked, count), row["complaint"], "{name}");
        let counter = asked.counter(false).unwrap();
        assert_eq!(json!({"key": counter.key, "seconds": counter.seconds}), row["counter"], "{name}");
    }
}

/// Otherwise anyone could lock out all users.
#[test]
fn a_flood_keeps_no_good_token_out() {
    let file = case::web("asked");
    let asked = asked(&file, &file["questions"][0]).unwrap();
    assert_eq!(told(&asked.answer(true, Some(u64::MAX))), file["answers"]["json-yes"]);
    assert_eq!((asked.counter(true), asked.complaint(true, Some(u64::MAX))), (None, None));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let file = case::web("asked");
    for row in file["settings_refused"].as_array().unwrap() {
        let error = asked(&file, row).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Config { field } if row["field"] == *field),
            "{}: {error:?}",
            row["name"]
        );
    }
}

/// `prebind extauth` asks in the form that is understood here.
#[test]
fn what_is_asked_is_understood() {
    let file = case::web("asked");
    let ask = |body: &[u8]| {
        let inquiry = Inquiry { method: "POST", address: "127.0.0.1", body, ..Inquiry::default() };
        let inquiry = inquiry.with_header("Authorization", "Bearer chat-server-to-site");
        binding::asked(value(&file["settings"]), &inquiry, 0).unwrap()
    };
    for (frame, refusal) in
        [("auth:alice:example.org:\"ü\":\\1\u{1}", Some("Malformed")), ("isuser:zoë:example.org", None)]
    {
        let asked = match Request::parse(frame.as_bytes()) {
            Request::Auth(user, password) => ask(&Question::login(&user, &password).to_json()),
            Request::IsUser(user) => ask(&Question::existence(&user).to_json()),
            other => panic!("{other:?}"),
        };
        assert_eq!(asked.refusal(false).map(Refusal::as_str), refusal, "{frame}");
        let answer = asked.answer(true, None);
        let content_type = answer.headers().iter().find(|(name, _)| *name == "Content-Type").unwrap();
        let understood = Question::answer(answer.status(), Some(&content_type.1), answer.body().as_bytes());
        assert_eq!(understood, Ok(refusal.is_none()), "{frame}");
    }
}

fn asked(file: &Json, row: &Json) -> Result<Asked, Error> {
    let with = |name: &str| {
        let mut fields = file[name].as_object().unwrap().clone();
        fields.extend(row.get(name).and_then(Json::as_object).cloned().unwrap_or_default());
        fields
    };
    let (mut settings, inquiry) = (with("settings"), with("inquiry"));
    if let Some(addresses) = row.get("addresses") {
        settings.insert("addresses".to_owned(), addresses.clone());
    }
    let text = |name: &str| inquiry[name].as_str().unwrap();
    let [method, path, query, address] = ["method", "path", "query", "address"].map(text);
    let mut asks =
        Inquiry { method, path, query, address, body: text("body").as_bytes(), ..Inquiry::default() };
    for (name, value) in inquiry["headers"].as_object().unwrap() {
        asks = asks.with_header(name, value.as_str().unwrap());
    }
    let now = row.get("now").unwrap_or(&file["now"]).as_u64().unwrap();
    binding::asked(value(&Json::Object(settings)), &asks, now)
}

fn value(json: &Json) -> Value {
    match json {
        Json::String(text) => text.clone().into(),
        Json::Array(values) => Value::List(values.iter().map(value).collect()),
        Json::Object(fields) => {
            Value::Map(fields.iter().map(|(name, each)| (name.clone(), value(each))).collect())
        }
        other => panic!("no setting is {other}"),
    }
}

fn told(answer: &Answer) -> Json {
    let headers = answer.headers().iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    json!({"status": answer.status(), "headers": headers.collect::<Map<_, _>>(), "body": answer.body()})
}

fn complained(asked: &Asked, count: Option<u64>) -> Json {
    asked.complaint(false, count).map_or(Json::Null, |(level, text)| json!([level.as_str(), text]))
}
