//! ejabberd: its files, its command line, its answers.
//!
//! It runs on Erlang's virtual machine directly, not by `ejabberdctl`, which insists on Debian's
//! user and paths. It is no member of a cluster and so needs no Erlang distribution, no cookie,
//! no `epmd`; any number of them may run side by side.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    Kind,
    error::{Error, Result},
    guardian::Launch,
    hosts::{self, ACCOUNTS},
    info::{Sessions, ask},
    setup::{Setup, find_program},
    tokens,
};

/// How ejabberd says that somebody else has its port.
pub(crate) const PORT_TAKEN: &str = "address already in use";

pub(crate) fn launch(setup: &Setup<'_>) -> Result<Launch> {
    let missing = |package| Error::Missing { kind: Kind::Ejabberd, package };
    let program = find_program("erl").ok_or_else(|| missing("ejabberd"))?;
    let libraries = libraries_with("ejabberd-").ok_or_else(|| missing("ejabberd"))?;
    if libraries_with("p1_oauth2-").is_none() {
        return Err(missing("erlang-p1-oauth2"));
    }

    let shaper = if setup.options.limits { "normal" } else { "none" };
    let config = include_str!("../config/ejabberd.yml");
    setup.write("ejabberd.yml", config, &[("@SHAPER@", shaper)])?;
    setup.write("jwt.jwk", &tokens::jwt_key_file(), &[])?;

    let path = |name: &str| setup.directory.join(name).into_os_string();
    let database = format!("\"{}\"", setup.directory.join("database").display());
    let arguments = ["-noinput", "-mnesia", "dir", &database, "-s", "ejabberd"];
    Ok(Launch {
        program,
        arguments: arguments.map(Into::into).into(),
        environment: BTreeMap::from([
            ("EJABBERD_CONFIG_PATH", path("ejabberd.yml")),
            ("EJABBERD_LOG_PATH", path("ejabberd.log")),
            ("ERL_CRASH_DUMP_SECONDS", "0".into()),
            ("ERL_LIBS", libraries.into_os_string()),
        ]),
    })
}

/// Makes the accounts, which Prosody does by itself.
pub(crate) fn register(control_url: &str) -> Result<()> {
    for host in hosts::of(Kind::Ejabberd).filter(|host| host.passwords) {
        for (user, password) in ACCOUNTS {
            let account = json!({ "user": user, "host": host.name, "password": password });
            ask(&format!("{control_url}/register"), Some(&account))?;
        }
    }
    Ok(())
}

pub(crate) fn sessions(control_url: &str) -> Result<Sessions> {
    let connected = ask(&format!("{control_url}/connected_users"), Some(&json!({})))?;
    let table = json!({ "table": "bosh" });
    let table = ask(&format!("{control_url}/mnesia_table_info"), Some(&table))?;
    let unusable = |question: &str, answer: &Value| Error::Control {
        question: question.to_owned(),
        reason: answer.to_string(),
    };
    let jids =
        serde_json::from_value(connected.clone()).map_err(|_| unusable("who is connected", &connected))?;
    let streams = size(&table).ok_or_else(|| unusable("how many streams there are", &table))?;
    Ok(Sessions { jids, streams })
}

pub(crate) fn oauth_token(control_url: &str, jid: &str) -> Result<String> {
    let request = json!({ "jid": jid, "ttl": 3600, "scopes": "sasl_auth" });
    let answer = ask(&format!("{control_url}/oauth_issue_token"), Some(&request))?;
    answer["token"].as_str().map(str::to_owned).ok_or_else(|| Error::Control {
        question: format!("for a token for {jid}"),
        reason: answer.to_string(),
    })
}

/// The number of rows in the description of a table, which is an Erlang term within JSON:
/// `{"res": "[…{size,3},…]"}`.
fn size(table: &Value) -> Option<usize> {
    let (_, rest) = table["res"].as_str()?.split_once("{size,")?;
    rest.split_once('}')?.0.parse().ok()
}

/// The directory of Erlang libraries, one for each architecture, that holds the named one.
fn libraries_with(name: &str) -> Option<PathBuf> {
    let directories = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    directories.chain(["/usr/lib/erlang/lib".into()]).find(|directory| {
        fs::read_dir(directory).is_ok_and(|mut entries| {
            entries
                .any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(name)))
        })
    })
}
