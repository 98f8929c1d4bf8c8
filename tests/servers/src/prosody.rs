//! Prosody: its files, its command line, its answers.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use crate::{
    Kind,
    error::{Error, Result},
    guardian::Launch,
    hosts::ACCOUNTS,
    info::{Sessions, ask},
    setup::{Setup, find_program},
    tokens, trixie,
};

/// How Prosody says that somebody else has its port. It then runs on without it.
pub(crate) const PORT_TAKEN: &str = "Failed to open server port";

pub(crate) fn launch(setup: &Setup<'_>, kind: Kind) -> Result<Launch> {
    let mut launch = program(kind)?;

    let limits = if setup.options.limits { "\"limits\";" } else { "" };
    let sasl2 = match kind {
        Kind::Prosody13 => "\"sasl2\"; \"sasl2_bind2\"; \"sasl2_fast\";",
        Kind::Prosody | Kind::Ejabberd => "",
    };
    let accounts = lua_table(ACCOUNTS.map(|(user, password)| (user.into(), password.into())));
    let tokens = lua_table(ACCOUNTS.map(|(user, _)| (tokens::bearer(user), user.into())));
    setup.write(
        "prosody.cfg.lua",
        include_str!("../config/prosody.cfg.lua"),
        &[
            ("@LIMITS@", limits),
            ("@SASL2@", sasl2),
            ("@MECHANISMS_ON_HTTP@", &setup.options.mechanisms_on_http.to_string()),
            ("@ACCOUNTS@", &accounts),
            ("@BEARER_TOKENS@", &tokens),
        ],
    )?;
    setup.write("mod_servers.lua", include_str!("../config/mod_servers.lua"), &[])?;
    setup.write("mod_auth_servers_bearer.lua", include_str!("../config/mod_auth_servers_bearer.lua"), &[])?;

    let config = setup.directory.join("prosody.cfg.lua");
    launch.arguments.extend(["--no-daemonize".into(), "--config".into(), config.into()]);
    Ok(launch)
}

/// What runs Prosody, before its own arguments.
fn program(kind: Kind) -> Result<Launch> {
    if kind == Kind::Prosody13 {
        return trixie::prosody();
    }
    let missing = |package| Error::Missing { kind, package };
    let program = find_program("prosody").ok_or_else(|| missing("prosody"))?;
    if !Path::new("/usr/lib/prosody/modules/mod_auth_ccert").exists() {
        return Err(missing("prosody-modules"));
    }
    Ok(Launch { program, arguments: Vec::new(), environment: BTreeMap::new() })
}

pub(crate) fn sessions(control_url: &str) -> Result<Sessions> {
    let answer = ask(&format!("{control_url}/sessions"), None)?;
    serde_json::from_value(answer).map_err(|error| Error::Control {
        question: "who is connected".to_owned(),
        reason: error.to_string(),
    })
}

fn lua_table<const N: usize>(entries: [(String, String); N]) -> String {
    let mut table = "{".to_owned();
    for (key, value) in entries {
        let _ = write!(table, " [\"{key}\"] = \"{value}\";");
    }
    table + " }"
}
