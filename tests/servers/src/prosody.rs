//! Makes Prosody's files and command line.

use std::{collections::BTreeMap, ffi::OsStr, fmt::Write as _, fs, path::Path};

use crate::{
    Kind,
    error::{Error, Result},
    guardian::Launch,
    hosts::ACCOUNTS,
    setup::{Setup, find_program},
    tokens,
    trixie::Trixie,
};

/// What Prosody logs if another program has its port. Prosody goes on without the port.
pub(crate) const PORT_TAKEN: &str = "Failed to open server port";

/// This project's own module for Prosody.
const AUTH_PREBIND: &str = include_str!("../../../bindings/prosody/mod_auth_prebind.lua");

pub(crate) fn launch(setup: &Setup<'_>, kind: Kind) -> Result<Launch> {
    let mut launch = if kind == Kind::Prosody13 { from_trixie(setup)? } else { installed()? };

    let limits = if setup.options.limits { "\"limits\";" } else { "" };
    let sasl2 = if kind == Kind::Prosody13 { "\"sasl2\"; \"sasl2_bind2\"; \"sasl2_fast\";" } else { "" };
    let (tcp, tls) = match setup.tcp_port {
        // No TLS is offered here: a connection manager would use it, but trusts only the authorities of the
        // system.
        Some(port) => (
            format!(
                "c2s_ports = {{ {port} }}\nc2s_require_encryption = false\nallow_unencrypted_plain_auth = true"
            ),
            "",
        ),
        None => ("c2s_ports = { }".to_owned(), "\"tls\";"),
    };
    let accounts = lua_table(ACCOUNTS.map(|(user, password)| (user.into(), password.into())));
    let tokens = lua_table(ACCOUNTS.map(|(user, _)| (tokens::bearer(user), user.into())));
    let site_tokens = if setup.options.site_tokens {
        setup.write("site.jwk", &tokens::jwt_key_file(), &[])?;
        "authentication = \"prebind\"\n\tprebind_keys = \"site.jwk\""
    } else {
        ""
    };
    setup.write(
        "prosody.cfg.lua",
        include_str!("../config/prosody.cfg.lua"),
        &[
            ("@LIMITS@", limits),
            ("@TLS@", tls),
            ("@TCP@", &tcp),
            ("@SASL2@", sasl2),
            ("@MECHANISMS_ON_HTTP@", &setup.options.mechanisms_on_http.to_string()),
            ("@ACCOUNTS@", &accounts),
            ("@BEARER_TOKENS@", &tokens),
            ("@SITE_TOKENS@", site_tokens),
            ("@LOG_LEVEL@", if setup.options.debug_log { "debug" } else { "info" }),
            ("@MORE_HOSTS@", setup.more_hosts),
        ],
    )?;
    setup.write("mod_servers.lua", include_str!("../config/mod_servers.lua"), &[])?;
    setup.write("mod_auth_prebind.lua", AUTH_PREBIND, &[])?;
    setup.write("mod_auth_servers_bearer.lua", include_str!("../config/mod_auth_servers_bearer.lua"), &[])?;

    let config = setup.directory.join("prosody.cfg.lua");
    launch.arguments.extend(["--no-daemonize".into(), "--config".into(), config.into()]);
    Ok(launch)
}

/// The command line of the system's Prosody, without its arguments.
fn installed() -> Result<Launch> {
    let missing = |package| Error::Missing { kind: Kind::Prosody, package };
    let program = find_program("prosody").ok_or_else(|| missing("prosody"))?;
    if !Path::new("/usr/lib/prosody/modules/mod_auth_ccert").exists() {
        return Err(missing("prosody-modules"));
    }
    Ok(Launch { program, arguments: Vec::new(), environment: BTreeMap::new() })
}

/// The command line of Debian 13's Prosody, with Debian 13's Lua.
fn from_trixie(setup: &Setup<'_>) -> Result<Launch> {
    let trixie =
        Trixie::with(Kind::Prosody13, "trixie", &["prosody", "prosody-modules", "lua-unbound", "lua-ldap"])?;
    let script = fs::read_to_string(trixie.usr.join("bin/prosody")).map_err(Error::io("read Prosody 13"))?;
    // This path in the script is the only way by which Prosody finds its own files.
    let place = format!("'{}", trixie.usr.join("lib/prosody").display());
    setup.write("prosody.lua", &script.replace("'/usr/lib/prosody", &place), &[])?;

    let mut launch = trixie.launch(&trixie.usr.join("bin/lua5.4"));
    launch.arguments.push(setup.directory.join("prosody.lua").into());
    let shared = trixie.usr.join("share/lua/5.4");
    let path = [shared.join("?.lua"), shared.join("?/init.lua")];
    launch.environment.extend([
        ("LUA_PATH", path.each_ref().map(|part| part.as_os_str()).join(OsStr::new(";"))),
        ("LUA_CPATH", trixie.libraries.join("lua/5.4/?.so").into()),
    ]);
    Ok(launch)
}

fn lua_table<const N: usize>(entries: [(String, String); N]) -> String {
    let mut table = "{".to_owned();
    for (key, value) in entries {
        let _ = write!(table, " [\"{key}\"] = \"{value}\";");
    }
    table + " }"
}
