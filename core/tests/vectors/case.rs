//! The shared cases, read as `tests/vectors/README.md` defines them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prebind::binding;
use prebind::protocol::{Learned, Plan, Random, Reply};
use prebind::{Account, Config, Credentials, Error};
use serde_json::Value;

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) exchange: Vec<Entry>,
    pub(crate) expect: Value,
    config: Value,
    account: Value,
    random: Value,
    learned: Value,
}

pub(crate) struct Entry {
    pub(crate) request: String,
    pub(crate) cookie: Option<String>,
    pub(crate) is_together: bool,
    pub(crate) is_cleanup: bool,
    /// Whether the reply comes before those to requests with lower RIDs.
    is_at_once: bool,
    reply: Value,
}

/// Every case: those of one file each and the rows of the tables.
pub(crate) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if file.get("cases").is_some() {
            cases.extend(file["cases"].as_array().unwrap().iter().map(|row| from_row(&file, row)));
        } else if file.get("exchange").is_some() {
            cases.push(from_file(&file));
        }
    }
    cases
}

/// `jids.json`, which has no exchanges.
pub(crate) fn jids() -> Value {
    without_exchanges("jids.json")
}

/// `options.json`, which has no exchanges.
#[cfg(feature = "client")]
pub(crate) fn options() -> Value {
    without_exchanges("options.json")
}

/// `scram-derived.json`, which has no exchanges.
pub(crate) fn scram_keys() -> Value {
    without_exchanges("scram-derived.json")
}

/// `tokens.json`, which has no exchanges.
pub(crate) fn tokens() -> Value {
    without_exchanges("tokens.json")
}

/// `web-requests.json` and the like, which have no exchanges.
pub(crate) fn web(name: &str) -> Value {
    without_exchanges(&format!("web-{name}.json"))
}

fn without_exchanges(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn from_file(file: &Value) -> Case {
    Case {
        name: text(&file["name"]),
        exchange: entries(&file["exchange"]),
        expect: file["expect"].clone(),
        config: file["config"].clone(),
        account: file["account"].clone(),
        random: file["random"].clone(),
        learned: file["learned"].clone(),
    }
}

/// A row of a table: the table's beginning, its request with the row's reply, what follows.
fn from_row(table: &Value, row: &Value) -> Case {
    let of_row_or_table = |key: &str| row.get(key).unwrap_or(&table[key]).clone();
    let mut exchange = entries(&table["prefix"]);
    if let Some(request) = table.get("request") {
        exchange.push(Entry {
            request: text(request),
            cookie: None,
            is_together: false,
            is_cleanup: false,
            is_at_once: false,
            reply: row.clone(),
        });
    }
    exchange.extend(entries(&row["then"]));
    Case {
        name: format!("{}/{}", text(&table["name"]), text(&row["name"])),
        exchange,
        expect: row["expect"].clone(),
        config: of_row_or_table("config"),
        account: of_row_or_table("account"),
        random: table["random"].clone(),
        learned: Value::Null,
    }
}

fn entries(list: &Value) -> Vec<Entry> {
    list.as_array().into_iter().flatten().map(Entry::new).collect()
}

impl Entry {
    fn new(entry: &Value) -> Self {
        Self {
            request: text(&entry["request"]),
            cookie: entry["request_headers"]["Cookie"].as_str().map(str::to_owned),
            is_together: entry["together"] == true,
            is_cleanup: entry["cleanup"] == true,
            is_at_once: entry["at_once"] == true,
            reply: entry.clone(),
        }
    }

    fn rid(&self) -> u64 {
        let rid = self.request.split(" rid=\"").nth(1).and_then(|rest| rest.split('"').next());
        rid.unwrap().parse().unwrap()
    }

    /// By what the replies to the open requests are sorted; equal ones come in the order of sending.
    pub(crate) fn place(&self) -> u64 {
        if self.is_at_once { 0 } else { self.rid() }
    }

    /// The reply to the request that the entry has.
    pub(crate) fn reply(&self) -> Reply {
        let rid = self.rid();
        let body = match self.reply["reply_base64"].as_str() {
            Some(body) => STANDARD.decode(body).unwrap(),
            None => text(&self.reply["reply"]).into_bytes(),
        };
        let status = self.reply["status"].as_u64().unwrap_or(200);
        let mut reply = Reply::new(rid, u16::try_from(status).unwrap(), body);
        reply.content_type = match self.reply.get("content_type") {
            None => Some("text/xml; charset=utf-8".to_owned()),
            Some(content_type) => content_type.as_str().map(str::to_owned),
        };
        reply.content_encoding = self.headers("Content-Encoding").pop();
        reply.location = self.headers("Location").pop();
        let seconds = self.headers("Retry-After").pop().map(|seconds| seconds.parse().unwrap());
        reply.retry_after = seconds.map(Duration::from_secs);
        reply.set_cookie = self.headers("Set-Cookie");
        reply
    }

    fn headers(&self, name: &str) -> Vec<String> {
        match &self.reply["headers"][name] {
            Value::Array(values) => values.iter().map(text).collect(),
            Value::String(value) => vec![value.clone()],
            _ => Vec::new(),
        }
    }
}

impl Case {
    pub(crate) fn config(&self) -> Result<Config, Error> {
        let url = self.config["url"].as_str().unwrap_or("http://127.0.0.1:5280/http-bind");
        let options = self.config.as_object().into_iter().flatten().filter(|(name, _)| *name != "url");
        Config::from_named(url, options.map(|(name, value)| (name.clone(), named(name, value))))
    }

    pub(crate) fn account(&self) -> Result<Account, Error> {
        Account::new(&text(&self.account["jid"]), self.credentials()?)
    }

    /// The classic one, unless the case knows the server.
    pub(crate) fn plan(&self, config: &Config, account: &Account) -> Plan {
        if self.learned.is_null() {
            return Plan::classic();
        }
        let learned: Learned = serde_json::from_value(self.learned.clone()).unwrap();
        Plan::shortest(config, account, &learned)
    }

    /// Without random values a case must not come to need any.
    pub(crate) fn random(&self) -> Random {
        Random::fixed(
            self.random["rid"].as_u64().unwrap_or(1000),
            self.random["nonce"].as_str().unwrap_or("unexpected"),
        )
    }

    /// What no message may repeat: passwords, tokens, SIDs; RIDs of some length.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let credentials = &self.account["credentials"];
        let mut secrets: Vec<String> = ["password", "token", "oauthbearer", "x_oauth2", "initial_response"]
            .iter()
            .filter_map(|key| credentials[key].as_str().map(str::to_owned))
            .collect();
        secrets.extend(self.random["rid"].as_u64().map(|rid| rid.to_string()).filter(|rid| rid.len() > 6));
        for entry in &self.exchange {
            let sid = entry.request.split(" sid=\"").nth(1).and_then(|rest| rest.split('"').next());
            secrets.extend(sid.filter(|sid| sid.len() > 4).map(str::to_owned));
        }
        secrets.retain(|secret| secret.len() > 3);
        secrets
    }

    fn credentials(&self) -> Result<Credentials, Error> {
        let given = self.account["credentials"].as_object().unwrap();
        Credentials::from_named(given.iter().map(|(name, value)| (name.clone(), named(name, value))))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An option or argument as a binding hands it over; what is bytes there is base64 here.
pub(crate) fn named(name: &str, value: &Value) -> binding::Value {
    match value {
        Value::Null => binding::Value::Nothing,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64().unwrap().into(), binding::Value::from)
        }
        Value::String(text) if matches!(name, "salt" | "salted_password" | "client_key" | "server_key") => {
            STANDARD.decode(text).unwrap().into()
        }
        Value::String(text) => text.clone().into(),
        Value::Array(values) => binding::Value::List(values.iter().map(|value| named(name, value)).collect()),
        Value::Object(fields) => binding::Value::Map(
            fields.iter().map(|(name, value)| (name.clone(), named(name, value))).collect(),
        ),
    }
}
