//! Makes ejabberd's files and command line, and asks it questions.
//!
//! ejabberd is started directly on Erlang's virtual machine. `ejabberdctl` is not used, because it insists on
//! Debian's user and paths. Outside a cluster, ejabberd needs no Erlang distribution, no cookie and no
//! `epmd`, so any number of servers can run at the same time.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    Kind,
    error::{Error, Result},
    guardian::Launch,
    hosts::{self, ACCOUNTS},
    info::{Sessions, ask},
    setup::{Membership, Setup, find_program},
    tokens,
    trixie::Trixie,
};

const GUIDE: &str = include_str!("../../../core/docs/accounts.md");

/// The programs that Erlang itself starts.
const STARTED_BY_ERLANG: [&str; 3] = ["beam.smp", "erl_child_setup", "inet_gethost"];

/// The file in the server's directory with the key that verifies the tokens of `jwt.local`.
pub(crate) const JWT_KEY_FILE: &str = "jwt.jwk";

/// What ejabberd logs if another program has its port.
pub(crate) const PORT_TAKEN: &str = "address already in use";

pub(crate) fn launch(setup: &Setup<'_>, kind: Kind) -> Result<Launch> {
    let mut launch = match kind {
        Kind::Ejabberd24 => from_trixie(setup, kind, "trixie")?,
        Kind::Ejabberd26 => from_trixie(setup, kind, "trixie-backports")?,
        _ => installed()?,
    };

    let shaper = if setup.options.limits { "normal" } else { "none" };
    let config = include_str!("../config/ejabberd.yml");
    let (extauth_host, extauth) = setup.options.extauth.map(extauth).unwrap_or_default();
    let site_tokens = if setup.options.site_tokens { site_tokens(setup) } else { String::new() };
    let (more_names, more_hosts) = more_hosts(setup.more_hosts);
    let values = [
        ("@SHAPER@", shaper),
        ("@SITE_TOKENS@", &site_tokens),
        ("@EXTAUTH_HOST@", &extauth_host),
        ("@EXTAUTH@", &extauth),
        ("@MORE_NAMES@", &more_names),
        ("@MORE_HOSTS@", &more_hosts),
    ];
    setup.write("ejabberd.yml", config, &values)?;
    setup.write("guide.yml", &guide(), &[])?;
    setup.write(JWT_KEY_FILE, &tokens::jwt_key_file(), &[])?;

    let path = |name: &str| setup.directory.join(name).into_os_string();
    let database = format!("\"{}\"", setup.directory.join("database").display());
    launch.arguments.extend(["-noinput", "-mnesia", "dir", &database, "-s", "ejabberd"].map(Into::into));
    if let Some(cluster) = &setup.cluster {
        launch.arguments.extend(cluster.node(&node_name(setup.address), setup.address).map(Into::into));
    }
    launch.environment.extend([
        ("EJABBERD_CONFIG_PATH", path("ejabberd.yml")),
        ("EJABBERD_LOG_PATH", path("ejabberd.log")),
        ("ERL_CRASH_DUMP_SECONDS", "0".into()),
    ]);
    Ok(launch)
}

/// The configuration in the guide to accounts, which is its only block, for this server's host.
fn guide() -> String {
    let block = GUIDE.split("```").nth(1).and_then(|block| block.strip_prefix("yaml\n"));
    let lines = block.into_iter().flat_map(str::lines).map(|line| line.strip_prefix("   ").unwrap_or(line));
    let block = lines.fold(String::new(), |block, line| block + line + "\n");
    let block =
        block.replace("svc@example.org", "alice@localhost").replace("example.org", hosts::NO_ACCOUNTS);
    block.replace("/etc/ejabberd/", "@DIRECTORY@/")
}

/// The command line of the system's Erlang, which finds the system's ejabberd.
fn installed() -> Result<Launch> {
    let missing = |package| Error::Missing { kind: Kind::Ejabberd, package };
    let program = find_program("erl").ok_or_else(|| missing("ejabberd"))?;
    let libraries = libraries_with("ejabberd-").ok_or_else(|| missing("ejabberd"))?;
    if libraries_with("p1_oauth2-").is_none() {
        return Err(missing("erlang-p1-oauth2"));
    }
    let environment = BTreeMap::from([("ERL_LIBS", libraries.into_os_string())]);
    Ok(Launch { program, arguments: Vec::new(), environment })
}

/// The command line of Debian 13's Erlang, which finds the ejabberd of this suite.
fn from_trixie(setup: &Setup<'_>, kind: Kind, suite: &str) -> Result<Launch> {
    let trixie = Trixie::with(kind, suite, &["ejabberd", "erlang-p1-oauth2"])?;
    let erlang = trixie.usr.join("lib/erlang");
    let programs = trixie.find(&erlang, "erts-")?.join("bin");
    // Erlang starts these programs by their names. Each is a script here, because it has to run with Debian
    // 13's C library as well.
    let directory = setup.directory.join("bin");
    fs::create_dir(&directory).map_err(Error::io("make a directory"))?;
    for name in STARTED_BY_ERLANG {
        let script = directory.join(name);
        fs::write(&script, trixie.script(&programs.join(name))).map_err(Error::io("write a script"))?;
        fs::set_permissions(script, Permissions::from_mode(0o700)).map_err(Error::io("write a script"))?;
    }

    let mut launch = trixie.launch(&programs.join("erlexec"));
    launch.environment.extend([
        ("BINDIR", directory.into_os_string()),
        ("ROOTDIR", erlang.into_os_string()),
        ("EMU", "beam".into()),
        ("PROGNAME", "erl".into()),
        ("ERL_LIBS", trixie.libraries.into_os_string()),
    ]);
    Ok(launch)
}

/// The configuration of a host that takes tokens beside passwords.
fn site_tokens(setup: &Setup<'_>) -> String {
    let key = json!(setup.directory.join(JWT_KEY_FILE));
    format!(
        "{}:
    auth_method: [jwt, internal]
    jwt_key: {key}",
        hosts::LOCALHOST
    )
}

/// The entry in the list of hosts, and the configuration, of the host that this command answers for.
fn extauth(command: &str) -> (String, String) {
    let (host, command) = (hosts::EXTAUTH, json!(command));
    let config = format!(
        "{host}:
    auth_method: [external]
    auth_use_cache: false
    extauth_program: {command}
    extauth_pool_size: 16"
    );
    (format!("- {host}"), config)
}

/// Hosts with their options, as below `host_config`: for the list of hosts, and indented.
fn more_hosts(hosts: &str) -> (String, String) {
    let names = hosts.lines().filter(|line| !line.starts_with([' ', '#']));
    let names = names.filter_map(|line| line.strip_suffix(':')).map(|name| format!("- {name}"));
    let hosts = hosts.lines().map(|line| format!("  {line}"));
    (names.collect::<Vec<_>>().join("\n  "), hosts.collect::<Vec<_>>().join("\n"))
}

pub(crate) fn node_name(address: Ipv4Addr) -> String {
    format!("ejabberd@{address}")
}

impl Membership {
    /// The arguments for an Erlang node with this name at this address.
    fn node(&self, name: &str, address: Ipv4Addr) -> [String; 11] {
        let interface = address.octets().map(|octet| octet.to_string()).join(",");
        [
            "-name".to_owned(),
            name.to_owned(),
            "-setcookie".to_owned(),
            self.cookie.clone(),
            "-start_epmd".to_owned(),
            "false".to_owned(),
            "-erl_epmd_port".to_owned(),
            self.port.to_string(),
            "-kernel".to_owned(),
            "inet_dist_use_interface".to_owned(),
            format!("{{{interface}}}"),
        ]
    }

    /// Makes the node at `address` share the sessions and accounts of the node at `first`. The command runs
    /// at a third address, `from`.
    pub(crate) fn join(&self, address: Ipv4Addr, first: Ipv4Addr, from: Ipv4Addr) -> Result<()> {
        let missing = Error::Missing { kind: Kind::Ejabberd, package: "ejabberd" };
        let program = find_program("erl").ok_or(missing)?;
        let [node, first] = [address, first].map(node_name);
        let order = format!(
            "io:format(\"~p\", [rpc:call('{node}', ejabberd_cluster, join, ['{first}'], 60000)]), halt()."
        );
        let output = Command::new(program)
            .args(["-noinput", "-hidden", "-eval", &order])
            .args(self.node(&format!("join@{from}"), from))
            .output()
            .map_err(Error::io("start Erlang"))?;
        match String::from_utf8_lossy(&output.stdout) {
            answer if answer == "ok" => Ok(()),
            answer => Err(Error::Control {
                question: "for a node to join a cluster".to_owned(),
                reason: format!("{answer} {}", String::from_utf8_lossy(&output.stderr)),
            }),
        }
    }
}

/// Registers the accounts. Prosody makes them by itself.
pub(crate) fn register_all(control_url: &str) -> Result<()> {
    for host in hosts::of(Kind::Ejabberd).filter(|host| host.passwords) {
        for (user, password) in ACCOUNTS {
            register(control_url, host.name, user, password)?;
        }
    }
    Ok(())
}

pub(crate) fn register(control_url: &str, host: &str, user: &str, password: &str) -> Result<()> {
    let account = json!({ "user": user, "host": host, "password": password });
    command(control_url, "register", &account).map(drop)
}

/// Whether the last account exists.
///
/// This reads the list of accounts. Asking for one account would not do: ejabberd remembers for an hour that
/// an account is missing, so a node that is asked a moment too early never finds it.
pub(crate) fn has_accounts(control_url: &str) -> Result<bool> {
    let last = hosts::of(Kind::Ejabberd).filter(|host| host.passwords).last();
    let Some((host, (user, _))) = last.zip(ACCOUNTS.last()) else { return Ok(true) };
    let users = command(control_url, "registered_users", &json!({ "host": host.name }))?;
    Ok(users.as_array().is_some_and(|users| users.contains(&json!(user))))
}

pub(crate) fn sessions(control_url: &str) -> Result<Sessions> {
    let connected = command(control_url, "connected_users", &json!({}))?;
    let table = json!({ "table": "bosh" });
    let table = command(control_url, "mnesia_table_info", &table)?;
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
    let request = json!({ "jid": jid, "ttl": 3600, "scopes": ["sasl_auth"] });
    let answer = command(control_url, "oauth_issue_token", &request)?;
    answer["token"].as_str().map(str::to_owned).ok_or_else(|| Error::Control {
        question: format!("for a token for {jid}"),
        reason: answer.to_string(),
    })
}

/// Makes the server read its configuration again, and the files that it names.
pub(crate) fn reload(control_url: &str) -> Result<()> {
    command(control_url, "reload_config", &json!({})).map(drop)
}

/// Makes the server run a command.
pub(crate) fn command(control_url: &str, name: &str, arguments: &Value) -> Result<Value> {
    ask(&format!("{control_url}/{name}"), Some(arguments))
}

/// The number of rows in the description of a table. The description is an Erlang term inside JSON: `{"res":
/// "[…{size,3},…]"}` in ejabberd 23, `"[…{size,3},…]"` in later versions.
fn size(table: &Value) -> Option<usize> {
    let term = table.get("res").unwrap_or(table).as_str()?;
    let (_, rest) = term.split_once("{size,")?;
    rest.split_once('}')?.0.parse().ok()
}

/// The directory of Erlang libraries that holds the named one. Each architecture has its own directory.
fn libraries_with(name: &str) -> Option<PathBuf> {
    let directories = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    directories.chain(["/usr/lib/erlang/lib".into()]).find(|directory| {
        fs::read_dir(directory).is_ok_and(|mut entries| {
            entries
                .any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(name)))
        })
    })
}
