//! That options are those of the library, and reach the wire.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use prebind::Config;
use prebind::binding::{Parameter, ValueType};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;

use crate::support::{file, login, prebind, text};

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/// A server for one request: its URL, and what it was sent.
pub(crate) fn answering(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let url = format!("http://{}/http-bind", listener.local_addr().expect("it has one"));
    let request = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the command connects");
        let mut request = Vec::new();
        let mut part = [0; 4096];
        while !(request.ends_with(b">") || request.ends_with(b"\r\n\r\n") && request.starts_with(b"CONNECT"))
        {
            let length = stream.read(&mut part).expect("the command sends");
            assert_ne!(length, 0, "the command sends all of it");
            request.extend_from_slice(&part[..length]);
        }
        stream.write_all(answer.as_bytes()).expect("the command reads");
        String::from_utf8(request).expect("BOSH is text")
    });
    (url, request)
}

/// The flags that stand for an option of the library.
fn flags(option: &str) -> Vec<String> {
    let flags: &[&str] = match option {
        "headers" => &["--header"],
        "client_certificate" => &["--client-cert", "--client-key"],
        "ip_family" => &["--ipv4", "--ipv6"],
        "iterations" => &["--min-iterations", "--max-iterations"],
        "learn" => &["--no-learn"],
        // The command makes one call for one account, and these are about further calls and the users of a site.
        "scram_cache" | "max_calls" | "workers" | "max_host_calls" | "fail_fast_after" | "fail_fast_for"
        | "accounts" => &[],
        _ => return vec![format!("--{}", option.replace('_', "-"))],
    };
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

/// What the help says of each flag, from its name on, by section and flag.
fn help() -> Vec<(String, String, String)> {
    let output = prebind(["login", "--help"]).output().expect("it runs");
    let mut section = String::new();
    let mut flags: Vec<(String, String, String)> = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let words = line.trim();
        if let Some(heading) = line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            heading.clone_into(&mut section);
        } else if words.starts_with("--") {
            let flag = words.split([' ', '=']).next().unwrap_or_default();
            flags.push((section.clone(), flag.to_owned(), words.to_owned()));
        } else if let Some((.., text)) = flags.last_mut() {
            text.push(' ');
            text.push_str(words);
        }
    }
    flags
}

#[test]
fn the_flags_are_the_options_of_the_library() {
    let sections = ["Connection", "Session", "Trust", "Round trips"];
    let flags_in_help: BTreeSet<_> = help()
        .into_iter()
        .filter(|(section, ..)| sections.contains(&section.as_str()))
        .map(|(_, flag, _)| flag)
        .collect();
    assert_eq!(flags_in_help, Config::options().flat_map(|option| flags(option.name)).collect());
}

#[test]
fn help_shows_the_librarys_defaults() {
    let schema: Value = serde_json::from_str(&prebind::binding::schema_json()).expect("it is JSON");
    let help = help();
    for option in schema["options"].as_array().expect("there are options") {
        let default = &option["default"];
        // Switches have none, and what is not there needs no words.
        if default.is_null() || default.is_boolean() || default.is_object() || option["name"] == "ip_family" {
            continue;
        }
        let defaults = default.as_array().map_or_else(|| vec![default], |both| both.iter().collect());
        for (flag, default) in flags(option["name"].as_str().unwrap_or_default()).iter().zip(defaults) {
            let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            let (.., text) = help.iter().find(|(_, found, _)| found == flag).expect("the flag is there");
            assert!(text.contains(&format!("[default: {default}]")), "{text}");
        }
    }
}

/// The values that all languages share, of the options that are one flag with a number or a text.
#[test]
fn values_are_taken_and_refused_as_everywhere() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/options.json");
    let table = std::fs::read_to_string(file).expect("the table is there");
    let table: Value = serde_json::from_str(&table).expect("it is JSON");
    for option in Config::options() {
        let values = &table["options"][option.name];
        for value in arguments(&option, &values["good"]) {
            let code = exit_code(&option, &value);
            assert!(![0, 2, 3].contains(&code), "{} = {value:?} is refused with {code}", option.name);
        }
        for value in arguments(&option, &values["bad"]) {
            let code = exit_code(&option, &value);
            assert!([2, 3].contains(&code), "{} = {value:?} is taken, and ends with {code}", option.name);
        }
    }
}

/// The values that can be arguments: numbers of the right kind and texts that a shell can hand over.
fn arguments(option: &Parameter, values: &Value) -> Vec<String> {
    // A language may be empty, which is none, and a profile is the name of a file.
    if flags(option.name).len() != 1 || ["lang", "profile"].contains(&option.name) {
        return Vec::new();
    }
    let values = values.as_array().into_iter().flatten();
    values
        .filter_map(|value| match option.takes {
            ValueType::Count { .. } | ValueType::Seconds { .. } => value.as_number().map(ToString::to_string),
            ValueType::Text => value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned),
            _ => None,
        })
        .collect()
}

/// Of a login with that value, where nobody listens. A refusal names the option.
fn exit_code(option: &Parameter, value: &str) -> i32 {
    let flag = format!("{}={value}", flags(option.name)[0]);
    let output = login([&flag, "http://127.0.0.1:9/", "alice@localhost"]).output().expect("it runs");
    let code = output.status.code().expect("it ends by itself");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(code != 3 || said.contains(&format!("{}: ", flags(option.name)[0])), "{said}");
    assert!(code != 2 || said.contains(&flags(option.name)[0]), "{said}");
    code
}

#[test]
fn session_options_are_asked_for() {
    let (url, request) = answering(NOT_FOUND);
    let options = ["--lang", "de", "--wait", "20", "--hold", "2", "--route", "xmpp:example.org:9999"];
    login(options).args([&url, "alice@localhost"]).assert().code(6);
    let request = request.join().expect("there was a request");
    for attribute in ["xml:lang=\"de\"", "wait=\"20\"", "hold=\"2\"", "route=\"xmpp:example.org:9999\""] {
        assert!(request.contains(attribute), "{attribute} in {request}");
    }
}

#[test]
fn no_language_and_no_options_are_the_defaults() {
    let (url, request) = answering(NOT_FOUND);
    login(["--lang", "", &url, "alice@localhost"]).assert().code(6);
    let request = request.join().expect("there was a request");
    assert!(!request.contains("lang") && !request.contains("route"), "{request}");
    assert!(request.contains("wait=\"55\"") && request.contains("hold=\"1\""), "{request}");
}

#[test]
fn headers_come_from_arguments_and_files() {
    let (url, request) = answering(NOT_FOUND);
    let file = file("Authorization: Basic c2VjcmV0\n\nX-Two: 2\n");
    let from_file = format!("@{}", text(file.path()));
    login(["--header", "X-One: a: b", "--header", &from_file, &url, "alice@localhost"]).assert().code(6);
    let request = request.join().expect("there was a request").to_lowercase();
    for header in ["x-one: a: b\r\n", "authorization: basic c2vjcmv0\r\n", "x-two: 2\r\n"] {
        assert!(request.contains(header), "{header:?} in {request}");
    }
}

#[test]
fn a_header_that_is_none_is_not_repeated() {
    let url = "http://127.0.0.1:9/";
    let refused = || contains("Name: value").and(contains("c2VjcmV0").not());
    login(["--header", "Basic c2VjcmV0", url, "alice@localhost"]).assert().code(2).stderr(refused());
    let file = file("X-One: 1\nBasic c2VjcmV0\n");
    let from_file = format!("@{}", text(file.path()));
    login(["--header", &from_file, url, "alice@localhost"])
        .assert()
        .code(66)
        .stderr(refused().and(contains("line 2")));
}

#[test]
fn a_proxy_comes_from_an_option_or_the_environment() {
    let target = "http://127.0.0.2:9/http-bind";
    let (proxy, request) = answering(NOT_FOUND);
    login(["--proxy", &proxy, target, "alice@localhost"]).assert().failure();
    assert!(request.join().expect("there was a request").contains("127.0.0.2:9"));

    let (proxy, request) = answering(NOT_FOUND);
    login([target, "alice@localhost"]).env("PREBIND_PROXY", &proxy).assert().failure();
    assert!(request.join().expect("there was a request").contains("127.0.0.2:9"));

    let (url, request) = answering(NOT_FOUND);
    login([&url, "alice@localhost"]).env("PREBIND_PROXY", "").assert().code(6);
    request.join().expect("the request went straight to the server");
}

/// A visitor who can set `HTTP_PROXY` for a web server (httpoxy) must not read its logins.
#[test]
fn the_proxies_of_other_programs_are_ignored() {
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        let (url, request) = answering(NOT_FOUND);
        let dead = "http://127.0.0.1:1";
        login([&url, "alice@localhost"]).env(variable, dead).assert().code(6);
        request.join().expect("the request went straight to the server");
    }
}

#[test]
fn limits_are_passed_on() {
    let (url, _) = answering("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 7\r\n\r\n<body/>");
    login(["--max-reply", "3", &url, "alice@localhost"]).assert().code(7).stderr(contains("`--max-reply`"));
    for option in ["--deadline", "--resolve-timeout", "--connect-timeout", "--request-timeout"] {
        for wrong in ["soon", "NaN", "1e999"] {
            login([option, wrong, &url, "alice@localhost"]).assert().code(2).stderr(contains("seconds"));
        }
        login([option, "0", &url, "alice@localhost"]).assert().code(3).stderr(contains("more than zero"));
    }
}

#[test]
fn addresses_are_of_the_family_asked_for() {
    let (url, request) = answering(NOT_FOUND);
    login(["--ipv6", &url, "alice@localhost"]).assert().code(4);
    login(["--ipv4", &url, "alice@localhost"]).assert().code(6);
    request.join().expect("there was one request");
}
