//! `web-requests.json`, `web-answers.json`, `web-cookies.json`, `web-pages.json`, `web-given.json`,
//! `web-cache.json` and `web-doctor.json`: the rules of a site's endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use prebind::binding::doctor::{self, Check};
use prebind::binding::{Content, Given, Language, Shape, misnamed};
use prebind::web::{Answer, Cache, Page, Refusal, Request};
use prebind::{Cookie, ErrorKind};
use serde_json::{Map, Value, json};

use crate::case;

#[test]
fn every_request_is_refused_or_admitted_as_it_has_to_be() {
    let file = case::web("requests");
    let answers = refusals();
    for row in rows(&file, "requests") {
        let name = &row["name"];
        let request = request(&file, row);
        let jid = or(row, &file, "jid").as_str();
        let is_signed_in = or(row, &file, "signed_in").as_bool().unwrap();
        let refusal = request.refusal(is_signed_in).or_else(|| request.refusal_of(jid));
        assert_eq!(json!(refusal.map(Refusal::as_str)), row["refusal"], "{name}");
        if let Some(refusal) = refusal {
            assert_eq!(told(&Answer::refused(refusal)), answers[refusal.as_str()], "{name}");
        }
        if let Some(full) = row.get("full_jid") {
            assert_eq!(&json!(request.full_jid(jid.unwrap())), full, "{name}");
        }
        if let Some(complaint) = row.get("complaint") {
            let (url, setting) = (text(&file["bosh_url"]), text(&file["setting"]));
            assert_eq!(&json!(request.complaint(url, setting)), complaint, "{name}");
        }
    }
}

#[test]
fn every_outcome_has_its_answer() {
    for row in rows(&case::web("answers"), "answers") {
        let outcome = &row["outcome"];
        let answer = if let Some(session) = outcome.get("granted") {
            Answer::granted(&session.to_string())
        } else if let Some(failure) = outcome.get("failed") {
            let wait = failure["retry_after"].as_u64().map(Duration::from_secs);
            Answer::failed_as(text(&failure["kind"]), text(&failure["retry"]), wait)
        } else if outcome.get("broken").is_some() {
            Answer::broken()
        } else if let Some(wait) = outcome.get("wait") {
            Answer::refused(Refusal::too_often(wait.as_u64().unwrap()))
        } else {
            // The requests give these.
            continue;
        };
        assert_eq!(told(&answer), expected(row), "{}", row["name"]);
    }
}

#[test]
fn no_browser_is_told_to_come_too_early() {
    for (wait, seconds) in [(0, "0"), (1, "1"), (999, "1"), (1000, "1"), (1001, "2"), (2500, "3")] {
        let answer = Answer::failed_as("Timeout", "later", Some(Duration::from_millis(wait)));
        let told = answer.headers().iter().find(|(name, _)| *name == "Retry-After");
        assert_eq!(told.unwrap().1, seconds, "{wait} ms");
    }
}

#[test]
fn a_cache_that_is_away_is_left_alone() {
    let (file, cache) = (case::web("cache"), Cache::new());
    for row in rows(&file, "questions") {
        let (asked, answered) = (row["asked"].as_u64().unwrap(), row["answered"].as_u64());
        assert_eq!(cache.is_asked(asked), answered.is_some(), "{}", row["name"]);
        if let Some(answered) = answered {
            let said = cache.answered(asked, answered, text(&file["question"]), row["failure"].as_str());
            assert_eq!(json!(said), row["said"], "{}", row["name"]);
        }
    }
}

/// Neither a kind of refusal nor a kind of error lacks a case.
#[test]
fn no_outcome_is_left_out() {
    let answers = case::web("answers");
    let kinds = |wanted: &str| -> BTreeSet<String> {
        let of = |row: &Value| match wanted {
            "failed" => row["outcome"][wanted]["kind"].as_str().map(ToOwned::to_owned),
            _ => row["outcome"][wanted].as_str().map(ToOwned::to_owned),
        };
        rows(&answers, "answers").filter_map(of).collect()
    };
    assert_eq!(kinds("refused"), Refusal::NAMES.map(String::from).into());
    assert_eq!(kinds("failed"), ErrorKind::NAMES.iter().map(ToString::to_string).collect());
    let requests = case::web("requests");
    let asked: BTreeSet<_> = rows(&requests, "requests")
        .filter_map(|row| row["refusal"].as_str().map(ToOwned::to_owned))
        .collect();
    let by_site = ["SignInAgain", "RateLimit"];
    let by_requests = Refusal::NAMES.iter().filter(|name| !by_site.contains(name));
    assert_eq!(asked, by_requests.map(ToString::to_string).collect());
    assert!(rows(&requests, "requests").count() >= 60);
}

#[test]
fn the_browser_gets_the_cookies_of_a_balancer_that_it_reaches_by_the_host_of_the_site() {
    let file = case::web("cookies");
    for row in rows(&file, "rows") {
        let of = |cookie: &Value| {
            let [name, value, path] = ["name", "value", "path"].map(|field| text(&cookie[field]).to_owned());
            Cookie::new(name, value, path)
        };
        let cookies: Vec<_> = rows_of(or(row, &file, "cookies")).map(of).collect();
        let set = request(&file, row).cookies(text(or(row, &file, "bosh_url")), &cookies);
        assert_eq!(json!(set), row["set"], "{}", row["name"]);
    }
    assert!(rows(&file, "rows").count() >= 40);
}

#[test]
fn the_script_is_kept_under_its_own_version_only() {
    for row in rows(&case::web("answers"), "scripts") {
        let headers = Answer::script_headers(row["is_own_version"].as_bool().unwrap());
        let headers: Map<_, _> =
            headers.map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect();
        assert_eq!(Value::Object(headers), row["headers"]);
    }
}

#[test]
fn a_page_tells_what_a_session_needs_and_nothing_gets_out_of_its_element() {
    let file = case::web("pages");
    for row in rows(&file, "pages") {
        let (given, settings) = page(&file, &row["page"]);
        let page = with(&given, &settings);
        let html = page.html().unwrap();
        let data = html.strip_prefix("<script id=\"prebind-converse\" type=\"application/json\">").unwrap();
        let (data, rest) = data.split_once("</script>\n").unwrap();
        assert!(data.is_ascii() && !data.contains(['<', '>', '&']), "{}: {data}", row["name"]);
        assert_eq!(serde_json::from_str::<Value>(data).unwrap(), row["settings"], "{}", row["name"]);
        assert_eq!(rest, text(&row["rest"]), "{}", row["name"]);
        assert_eq!(page.converse().unwrap(), data);
    }
}

#[test]
fn the_names_that_a_site_must_not_set_are_found() {
    let file = case::web("pages");
    for row in rows(&file, "reserved") {
        let settings = row["settings"].to_string();
        let page = Page { settings: &settings, assets: text(&row["assets"]), ..Page::default() };
        assert_eq!(json!(page.reserved().unwrap()), row["names"], "{row}");
    }
}

#[test]
fn a_page_that_cannot_work_is_refused() {
    let file = case::web("pages");
    for row in rows(&file, "refused") {
        let (given, settings) = page(&file, &row["page"]);
        let error = with(&given, &settings).html().unwrap_err();
        let ErrorKind::Config { field } = error.kind() else { panic!("{error}") };
        assert_eq!(json!(field), row["field"]);
        assert!(error.to_string().starts_with(field), "{error}");
    }
}

#[test]
fn what_the_site_gives_is_told_by_class_and_name() {
    let file = case::web("given");
    let called = text(&file["called"]);
    for (language, words) in file["words"].as_object().unwrap() {
        let spoken = spoken(language);
        let mut seen = BTreeSet::new();
        for row in rows(&file, "values") {
            let given = Given::ALL.into_iter().find(|given| given.as_str() == row["given"]).unwrap();
            seen.insert(given.as_str());
            let shape = shape(words, &row["value"]);
            let complaint = given.complaint_in(spoken, called, &shape);
            assert_eq!(given.complaint(called, &shape), given.complaint_in(Language::Rust, called, &shape));
            let expected =
                row["complaint"].as_str().map(|problem| format!("{called}: {}", said(words, problem)));
            assert_eq!(complaint, expected, "{} in {language}", row["name"]);
            assert!(!complaint.unwrap_or_default().contains("-secret"), "{}", row["name"]);
        }
        assert_eq!(seen.len(), Given::ALL.len());
    }
    for row in rows(&file, "names") {
        let known: Vec<&str> = rows(row, "known").map(text).collect();
        let complaint = misnamed(text(&row["called"]), text(&row["sort"]), text(&row["misnamed"]), &known);
        assert_eq!(json!(complaint), row["complaint"], "{}", row["name"]);
    }
}

#[test]
fn the_doctor_says_the_same_in_every_language() {
    let file = case::web("doctor");
    let checks: Vec<_> = rows(&file, "checks").map(text).collect();
    assert_eq!(checks, Check::ALL.map(Check::as_str));
    for (language, words) in file["words"].as_object().unwrap() {
        for row in rows(&file, "findings") {
            let given = row["words"].as_object().unwrap().iter();
            let given = given.map(|(name, word)| (name.clone(), text(word).to_owned()));
            let took = row["milliseconds"].as_u64().map(Duration::from_millis);
            let finding =
                doctor::found_in(spoken(language), check(&row["check"]), text(&row["outcome"]), given, took);
            let finding = finding.unwrap();
            let (name, line) = (&row["name"], said(words, text(&row["line"])));
            assert_eq!((finding.grade.as_str(), finding.line), (text(&row["grade"]), line), "{name}");
        }
    }
    for row in rows(&file, "unmet") {
        let wrong: Vec<_> = rows(row, "wrong").map(check).collect();
        assert_eq!(json!(doctor::unmet(check(&row["check"]), &wrong)), row["line"], "{row}");
    }
}

fn check(name: &Value) -> Check {
    text(name).parse().unwrap()
}

fn spoken(language: &str) -> Language {
    match language {
        "python" => Language::Python,
        "ruby" => Language::Ruby,
        "php" => Language::Php,
        "kotlin" => Language::Kotlin,
        other => panic!("{other} is no language"),
    }
}

/// What is said, with the words of a language in its braces.
fn said(words: &Value, line: &str) -> String {
    let put =
        |said: String, (name, word): (&String, &Value)| said.replace(&format!("{{{name}}}"), text(word));
    words.as_object().unwrap().iter().fold(line.to_owned(), put)
}

/// A value as a binding of the language would describe it.
fn shape(words: &Value, value: &Value) -> Shape {
    let (sort, content) = match value {
        Value::Null => ("nothing", Content::Nothing),
        Value::Bool(_) => ("flag", Content::Flag),
        Value::Number(number) => ("count", Content::Count(number.as_i64().unwrap())),
        Value::String(text) => ("text", Content::Text(text.clone().into())),
        Value::Array(all) => ("list", Content::List(all.iter().map(|each| shape(words, each)).collect())),
        Value::Object(all) => {
            ("map", Content::Map(all.iter().map(|(name, each)| (name.clone(), shape(words, each))).collect()))
        }
    };
    let class = text(&words[sort]);
    let class = class.strip_prefix("an ").or_else(|| class.strip_prefix("a ")).unwrap_or(class);
    Shape { class: class.to_owned(), content }
}

/// Who reads a log finds no address of a page and no session in it.
#[test]
fn nothing_is_shown_of_a_request_and_an_answer() {
    let request =
        Request::new("GET", "https", "h", None, [("Referer", "https://h/?token=hidden")], "jid=hidden");
    assert_eq!(format!("{request:?}"), "Request { method: \"GET\", .. }");
    let answer = Answer::granted("hidden");
    assert_eq!(format!("{answer:?}"), "Answer { status: 200, .. }");
}

fn rows<'a>(file: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    rows_of(&file[name])
}

fn rows_of(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}

/// What the row says, or else the file.
fn or<'a>(row: &'a Value, file: &'a Value, name: &str) -> &'a Value {
    row.get(name).unwrap_or(&file[name])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn request(file: &Value, row: &Value) -> Request {
    let nothing = json!({});
    let of = |name: &str| or(row.get("request").unwrap_or(&nothing), &file["request"], name).clone();
    let headers = of("headers");
    let headers = headers.as_object().unwrap().iter().map(|(name, value)| (name, text(value)));
    let port = of("port").as_u64().map(|port| port.try_into().unwrap());
    let [method, scheme, host, query] = ["method", "scheme", "host", "query"].map(of);
    Request::new(text(&method), text(&scheme), text(&host), port, headers, text(&query))
}

/// The fields of a page, and its settings as text.
fn page(file: &Value, row: &Value) -> (Map<String, Value>, String) {
    let mut given = file["page"].as_object().unwrap().clone();
    given.extend(row.as_object().unwrap().clone());
    let settings = given.remove("settings").unwrap().to_string();
    (given, settings)
}

fn with<'a>(given: &'a Map<String, Value>, settings: &'a str) -> Page<'a> {
    let of = |name: &str| text(&given[name]);
    Page {
        jid: of("jid"),
        endpoint: of("endpoint"),
        bosh_url: of("bosh_url"),
        script: of("script"),
        assets: of("assets"),
        nonce: of("nonce"),
        settings,
    }
}

fn refusals() -> BTreeMap<String, Value> {
    let file = case::web("answers");
    let all = rows(&file, "answers").filter(|row| row["outcome"].get("refused").is_some());
    all.map(|row| (text(&row["outcome"]["refused"]).to_owned(), expected(row))).collect()
}

fn expected(row: &Value) -> Value {
    json!({ "status": row["status"], "headers": row["headers"], "body": row["body"] })
}

fn told(answer: &Answer) -> Value {
    let headers: Map<_, _> =
        answer.headers().iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    assert_eq!(headers.len(), answer.headers().len(), "a header is there twice");
    let body: Value = serde_json::from_str(answer.body()).unwrap();
    json!({ "status": answer.status(), "headers": headers, "body": body })
}
