//! Reads the parts of the files in `tests/vectors` that a server needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The cases in a directory that [`replay`](crate::replay()) can serve.
///
/// Each is an object with `case`, which is the argument for [`replay`](crate::replay()), and with the `name`,
/// `config`, `account` and `expect` of the case.
///
/// # Errors
///
/// Says which file is wrong, and why.
pub fn replayable(directory: &Path) -> Result<Vec<Value>, String> {
    let entries = fs::read_dir(directory).map_err(|e| about(directory, &e))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut found = Vec::new();
    for file in files {
        for (row, case) in cases(&file)? {
            if case.obstacle().is_none() {
                let row = row.map(|row| format!("#{row}")).unwrap_or_default();
                found.push(json!({
                    "case": format!("{}{row}", file.display()),
                    "name": case.name,
                    "config": case.config,
                    "account": case.account,
                    "expect": case.expect,
                }));
            }
        }
    }
    Ok(found)
}

/// One exchange.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default)]
    config: Map<String, Value>,
    account: Value,
    #[serde(default)]
    random: Random,
    learned: Option<Value>,
    pub(crate) exchange: Vec<Entry>,
    pub(crate) expect: Value,
}

impl Case {
    /// Reads `file.json`, or a row of a table as `file.json#row`.
    pub(crate) fn read(argument: &str) -> Result<Self, String> {
        let (file, row) = match argument.split_once('#') {
            Some((file, row)) => (file, Some(row)),
            None => (argument, None),
        };
        let cases = cases(Path::new(file))?;
        let is_table = cases.iter().any(|(row, _)| row.is_some());
        let mut cases = cases.into_iter();
        match cases.find(|(name, _)| name.as_deref() == row) {
            Some((_, case)) => Ok(case),
            None if row.is_none() && is_table => Err(format!("{file} is a table: name a row as {file}#ROW")),
            None => Err(format!("no such case: {argument}")),
        }
    }

    /// Why the case cannot be replayed to a client with its own random values.
    pub(crate) fn obstacle(&self) -> Option<&'static str> {
        if self.random.nonce.is_some() {
            return Some("it depends on the client's nonce, which a server cannot choose");
        }
        if self.random.user_agent.is_some() {
            return Some("it depends on the ID the client gives itself, which a server cannot choose");
        }
        if self.learned.is_some() {
            return Some("it depends on what the client learned before");
        }
        let url = self.url().unwrap_or_default();
        let host = url.split("://").nth(1).unwrap_or("127.");
        let here = host.starts_with("127.") || host.starts_with("[::1]");
        if !here && !self.exchange.is_empty() {
            return Some("it depends on a URL that is not on this machine");
        }
        None
    }

    pub(crate) fn rid(&self) -> Option<u64> {
        self.random.rid
    }

    /// How often a client may begin again by itself after the error that the case ends in.
    pub(crate) fn new_beginnings(&self) -> usize {
        let is = |what: &str, value: &str| self.expect.pointer(what).is_some_and(|found| found == value);
        // A proxy may have lost the server only for a moment, unless it says for how long.
        let lost = |entry: &Entry| {
            let answer = &entry.answer;
            matches!(answer.status, 502..=504) && !answer.headers.contains_key("Retry-After")
        };
        match self.exchange.as_slice() {
            [creation] if is("/error/kind", "Http") && lost(creation) => 2,
            exchange if is("/error/kind", "Http") && exchange.iter().any(lost) => 1,
            _ => usize::from(is("/error/retry", "fresh-session")),
        }
    }

    pub(crate) fn url(&self) -> Option<&str> {
        self.config.get("url")?.as_str()
    }

    /// The path that the requests go to.
    pub(crate) fn path(&self) -> &str {
        let url = self.url().and_then(|url| url.split("://").nth(1));
        let path = url.and_then(|url| url.find('/').map(|at| &url[at..]));
        path.unwrap_or("/http-bind")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Random {
    rid: Option<u64>,
    nonce: Option<String>,
    user_agent: Option<String>,
}

/// A request and its reply.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) request: String,
    #[serde(default)]
    pub(crate) request_headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) cleanup: bool,
    #[serde(flatten)]
    pub(crate) answer: Answer,
}

/// The reply, as an entry or a row describes it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default = "ok")]
    pub(crate) status: u16,
    #[serde(default = "xml")]
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    reply: String,
    reply_base64: Option<String>,
}

impl Answer {
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let content_type = self.content_type.iter().cloned();
        let mut all: Vec<_> = content_type.map(|value| ("Content-Type".into(), value)).collect();
        for (name, values) in &self.headers {
            let values = match values {
                OneOrMore::One(value) => std::slice::from_ref(value),
                OneOrMore::More(values) => values,
            };
            all.extend(values.iter().map(|value| (name.clone(), value.clone())));
        }
        all
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let encoded = self.reply_base64.as_deref();
        // The base64 was checked when the file was read.
        let bytes = encoded.and_then(|text| BASE64.decode(text).ok());
        bytes.unwrap_or_else(|| self.reply.clone().into_bytes())
    }

    fn is_base64(&self) -> bool {
        let encoded = self.reply_base64.as_deref();
        encoded.is_none_or(|text| BASE64.decode(text).is_ok())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Many cases with the same beginning.
#[derive(Debug, Deserialize)]
struct Table {
    name: String,
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    account: Value,
    #[serde(default)]
    random: Random,
    #[serde(default)]
    prefix: Vec<Entry>,
    request: Option<String>,
    cases: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    name: String,
    config: Option<Map<String, Value>>,
    account: Option<Value>,
    #[serde(default)]
    request_headers: BTreeMap<String, String>,
    #[serde(flatten)]
    answer: Answer,
    #[serde(default)]
    then: Vec<Entry>,
    expect: Value,
}

impl Table {
    fn case(&self, row: Row) -> (Option<String>, Case) {
        let mut exchange = self.prefix.clone();
        exchange.extend(self.request.clone().map(|request| Entry {
            request,
            request_headers: row.request_headers,
            cleanup: false,
            answer: row.answer,
        }));
        exchange.extend(row.then);
        let case = Case {
            name: format!("{}/{}", self.name, row.name),
            config: row.config.unwrap_or_else(|| self.config.clone()),
            account: row.account.unwrap_or_else(|| self.account.clone()),
            random: self.random.clone(),
            learned: None,
            exchange,
            expect: row.expect,
        };
        (Some(row.name), case)
    }
}

/// All cases of a file, with the names of their rows. A file without cases gives none.
fn cases(file: &Path) -> Result<Vec<(Option<String>, Case)>, String> {
    let text = fs::read_to_string(file).map_err(|e| about(file, &e))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| about(file, &e))?;
    let rows = value.get("cases").and_then(Value::as_array);
    let found = if value.get("exchange").is_some() {
        vec![(None, serde_json::from_value(value).map_err(|e| about(file, &e))?)]
    } else if rows.is_some_and(|rows| rows.iter().all(|row| row.get("expect").is_some())) {
        let mut table: Table = serde_json::from_value(value).map_err(|e| about(file, &e))?;
        let rows = std::mem::take(&mut table.cases);
        rows.into_iter().map(|row| table.case(row)).collect()
    } else {
        Vec::new()
    };
    for (_, case) in &found {
        if !case.exchange.iter().all(|entry| entry.answer.is_base64()) {
            return Err(about(file, &"`reply_base64` is not base64"));
        }
    }
    Ok(found)
}

fn about(file: &Path, problem: &dyn std::fmt::Display) -> String {
    format!("{}: {problem}", file.display())
}

fn ok() -> u16 {
    200
}

// Serde needs the type of the field: a missing key means XML, and `null` means no header.
#[allow(clippy::unnecessary_wraps)]
fn xml() -> Option<String> {
    Some(crate::script::XML.to_owned())
}
