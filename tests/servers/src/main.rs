//! The command `servers`: starts the same servers for tests in other languages, and for people.

mod report;

use std::{
    collections::BTreeMap,
    env, fs, io,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Child, Command, ExitCode},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use serde::Deserialize;
use serde_json::json;
use servers::hosts::EXTAUTH;
use servers::{Balancer, IdentityProvider, Info, Kind, Options, Server};
use tempfile::TempDir;

/// The environment variable that describes the servers to a command.
const VARIABLE: &str = "PREBIND_SERVERS";

/// The environment variable with the site's secret. `prebind extauth` reads it as well.
const SECRET: &str = "PREBIND_SITE_SECRET";

/// The environment variable that describes the identity provider to a command.
const PROVIDER: &str = "PREBIND_PROVIDER";

/// How long a command may take to end after a signal. A terminal sends the signal to the command as well.
const GRACE: Duration = Duration::from_secs(2);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Start real XMPP servers with BOSH for tests, on free loopback ports, in temporary directories.
///
/// The servers run until standard input is closed, a signal comes or COMMAND ends, and leave nothing behind.
/// COMMAND gets their description in `PREBIND_SERVERS`, as --json prints it.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start Prosody
    Prosody(Run),
    /// Start Prosody 13, fetched from Debian 13 the first time
    Prosody13(Run),
    /// Start ejabberd
    Ejabberd(Run),
    /// Start ejabberd 24, fetched from Debian 13 the first time
    Ejabberd24(Run),
    /// Start ejabberd 26, fetched from the backports of Debian 13 the first time
    Ejabberd26(Run),
    /// Start Apache Vysper, fetched from Maven Central the first time
    Vysper(Run),
    /// Start Prosody and ejabberd
    All(Run),
    /// Start two Prosody servers behind a balancer that leads each client to the same one by a cookie. They
    /// are described as one Prosody
    Sticky(Run),
    /// Start an identity provider, and Prosody 13 and ejabberd, which take its tokens; COMMAND finds the provider's
    /// description in `PREBIND_PROVIDER`
    Provider(Run),
    /// Start Prosody, Prosody 13 and ejabberd, with a host for each way in `tests/vectors/ways.json` by which a site's
    /// users log in. This takes --site
    Ways(Run),
    /// Print who is connected to the servers of `PREBIND_SERVERS`, as JSON
    Sessions,
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Run {
    /// Print the description as one line of JSON
    #[arg(long)]
    json: bool,
    /// Lift the rate limits of Debian's configuration
    #[arg(long)]
    no_limits: bool,
    /// Make Prosody hide its mechanisms on plain http, as it does by default
    #[arg(long)]
    no_mechanisms_on_http: bool,
    /// Have the host `extauth.local` ask the site at this URL who may log in, with the secret in
    /// `PREBIND_SITE_SECRET`: Prosody by `mod_auth_prebind`, ejabberd by the command `prebind` beside this one
    #[arg(long, value_name = "URL")]
    site: Option<String>,
    /// Have localhost take the tokens that a site signs, beside its passwords
    #[arg(long)]
    site_tokens: bool,
    /// Run this command against the servers and exit with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().action {
        Action::Prosody(run) => run.start(&[Kind::Prosody]),
        Action::Prosody13(run) => run.start(&[Kind::Prosody13]),
        Action::Ejabberd(run) => run.start(&[Kind::Ejabberd]),
        Action::Ejabberd24(run) => run.start(&[Kind::Ejabberd24]),
        Action::Ejabberd26(run) => run.start(&[Kind::Ejabberd26]),
        Action::Vysper(run) => run.start(&[Kind::Vysper]),
        Action::All(run) => run.start(&[Kind::Prosody, Kind::Ejabberd]),
        Action::Sticky(run) => run.start_sticky(),
        Action::Provider(run) => run.start_provider(),
        Action::Ways(run) => run.start_ways(),
        Action::Sessions => print_sessions(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("servers: {error}");
        ExitCode::FAILURE
    })
}

impl Run {
    fn start(self, kinds: &[Kind]) -> Result<ExitCode> {
        let signals = Signals::new()?;
        let servers = start_all(kinds, self.options(), self.site()?.as_ref())?;
        let infos = servers.iter().map(|server| (server.kind, server.info())).collect();
        self.serve(&infos, None, signals)
    }

    fn start_sticky(self) -> Result<ExitCode> {
        let signals = Signals::new()?;
        let servers = start_all(&[Kind::Prosody, Kind::Prosody], self.options(), self.site()?.as_ref())?;
        let nodes: Vec<_> = servers.iter().map(Server::info).collect();
        let balancer = Balancer::sticky(&nodes)?;
        let mut info = nodes[0].clone();
        info.http_url.clone_from(&balancer.url);
        self.serve(&[(Kind::Prosody, &info)].into(), None, signals)
    }

    fn start_provider(self) -> Result<ExitCode> {
        let signals = Signals::new()?;
        let provider = IdentityProvider::start()?;
        let command = provider.extauth(&env::current_exe()?.with_file_name("prebind"));
        // For the life of this process.
        let extauth = Some(&*command.leak());
        let (prosody, ejabberd) = thread::scope(|scope| {
            let options = self.options();
            let prosody = scope.spawn(|| {
                Server::start_with_hosts(Kind::Prosody13, self.options(), &provider.prosody_host())
            });
            let ejabberd = Server::start_with(Kind::Ejabberd, Options { extauth, ..options });
            (prosody.join(), ejabberd)
        });
        let (prosody, ejabberd) = (prosody.map_err(|_| "a server's start panicked")??, ejabberd?);
        let infos = [(Kind::Prosody13, prosody.info()), (Kind::Ejabberd, ejabberd.info())];
        self.serve(&infos.into(), Some(&provider), signals)
    }

    fn start_ways(self) -> Result<ExitCode> {
        let signals = Signals::new()?;
        let site = self.site()?.ok_or("some of these hosts ask the site: give its URL by --site")?;
        let ways = Ways::read()?;
        let options = self.options();
        let servers = start_each(&Ways::KINDS, |kind| site.start(kind, options, &ways.lines(kind)))?;
        let infos = servers.iter().map(|server| (server.kind, server.info())).collect();
        self.serve(&infos, None, signals)
    }

    fn options(&self) -> Options {
        Options {
            limits: !self.no_limits,
            mechanisms_on_http: !self.no_mechanisms_on_http,
            site_tokens: self.site_tokens,
            ..Options::default()
        }
    }

    fn site(&self) -> Result<Option<Site>> {
        self.site.as_deref().map(Site::new).transpose()
    }

    /// Runs the command or waits for the end, after the servers have started.
    fn serve(
        self,
        infos: &BTreeMap<Kind, &Info>,
        provider: Option<&IdentityProvider>,
        Signals { end, ended }: Signals,
    ) -> Result<ExitCode> {
        let json = serde_json::to_string(infos)?;
        let provider = provider.map(serde_json::to_string).transpose()?;

        if ended.try_recv().is_ok() {
            return Err("stopped by a signal".into());
        }
        if let [program, arguments @ ..] = self.command.as_slice() {
            let child = Command::new(program)
                .args(arguments)
                .env(VARIABLE, json)
                .envs(provider.map(|json| (PROVIDER, json)))
                .spawn();
            let child = child.map_err(|error| format!("cannot run {program}: {error}"))?;
            return wait_for(child, &ended);
        }
        if self.json {
            println!("{json}");
        } else {
            print!("{}", report::text(infos.values().copied()));
        }
        thread::spawn(move || {
            // The input has ended, whether by its end or by an error.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            end.send(()).unwrap_or_default();
        });
        ended.recv()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Reports that the servers have to end.
struct Signals {
    end: Sender<()>,
    ended: Receiver<()>,
}

impl Signals {
    /// Set this up before the first server, so that no signal can end this process while a server still runs.
    fn new() -> Result<Self> {
        let (end, ended) = mpsc::channel();
        ctrlc::set_handler({
            let end = end.clone();
            move || end.send(()).unwrap_or_default()
        })?;
        Ok(Self { end, ended })
    }
}

/// How each server asks a site.
struct Site {
    /// The host on Prosody.
    host: String,
    /// The command that ejabberd runs. It is leaked, because the options take a static text.
    command: &'static str,
}

impl Site {
    fn new(url: &str) -> Result<Self> {
        let secret = env::var(SECRET).map_err(|_| format!("{SECRET} is not set: the site wants a secret"))?;
        let (name, url) = (EXTAUTH, json!(url));
        let host = format!(
            "VirtualHost \"{name}\"
    authentication = \"prebind\"
    prebind_site_url = {url}
    prebind_site_secret = {}
    prebind_create_accounts = true
",
            json!(secret)
        );
        let program = env::current_exe()?.with_file_name("prebind");
        let command = format!("{} extauth --site {url} --ask", program.display());
        Ok(Self { host, command: command.leak() })
    }

    fn start(&self, kind: Kind, options: Options, more_hosts: &str) -> servers::Result<Server> {
        match kind {
            Kind::Prosody | Kind::Prosody13 => {
                Server::start_with_hosts(kind, options, &format!("{more_hosts}\n{}", self.host))
            }
            _ => {
                let options = Options { extauth: Some(self.command), ..options };
                Server::start_with_hosts(kind, options, more_hosts)
            }
        }
    }
}

/// The hosts of `tests/vectors/ways.json`.
struct Ways {
    hosts: BTreeMap<Kind, Vec<String>>,
    files: TempDir,
    prebind: PathBuf,
}

impl Ways {
    const KINDS: [Kind; 3] = [Kind::Prosody, Kind::Prosody13, Kind::Ejabberd];

    fn read() -> Result<Self> {
        #[derive(Deserialize)]
        struct File {
            files: BTreeMap<String, String>,
            hosts: BTreeMap<Kind, Vec<String>>,
        }

        let File { files, hosts } = serde_json::from_str(include_str!("../../vectors/ways.json"))?;
        let folder = TempDir::with_prefix("ways-")?;
        for (name, text) in files {
            fs::write(folder.path().join(name), text)?;
        }
        Ok(Self { hosts, files: folder, prebind: env::current_exe()?.with_file_name("prebind") })
    }

    /// Lines for the configuration of a server.
    fn lines(&self, kind: Kind) -> String {
        self.hosts[&kind]
            .join("\n")
            .replace("@FILES@", &self.files.path().to_string_lossy())
            .replace("@PREBIND@", &self.prebind.to_string_lossy())
    }
}

fn start_all(kinds: &[Kind], options: Options, site: Option<&Site>) -> Result<Vec<Server>> {
    start_each(kinds, |kind| match site {
        Some(site) => site.start(kind, options, ""),
        None => Server::start_with(kind, options),
    })
}

/// Starts the servers at the same time, because each takes seconds to start.
fn start_each(kinds: &[Kind], start: impl Fn(Kind) -> servers::Result<Server> + Sync) -> Result<Vec<Server>> {
    let start = &start;
    thread::scope(|scope| {
        let starting: Vec<_> = kinds.iter().map(|&kind| scope.spawn(move || start(kind))).collect();
        let started = starting.into_iter().map(|thread| match thread.join() {
            Ok(result) => result.map_err(Into::into),
            Err(_) => Err("a server's start panicked".into()),
        });
        started.collect()
    })
}

fn wait_for(mut child: Child, ended: &Receiver<()>) -> Result<ExitCode> {
    let mut grace = Duration::MAX;
    let pause = Duration::from_millis(20);
    loop {
        if let Some(status) = child.try_wait()? {
            // Like shells do, this reports death by a signal as 128 plus its number.
            let code = status.code().or(status.signal().map(|signal| 128 + signal));
            return Ok(code.map_or(ExitCode::FAILURE, |code| ExitCode::from(code.to_le_bytes()[0])));
        } else if grace.is_zero() {
            child.kill()?;
        }
        if ended.recv_timeout(pause).is_ok() {
            grace = GRACE;
        } else {
            grace = grace.saturating_sub(pause);
        }
    }
}

fn print_sessions() -> Result<ExitCode> {
    let json = env::var(VARIABLE)
        .map_err(|_| format!("{VARIABLE} is not set; set it to what `servers … --json` printed"))?;
    let infos: BTreeMap<Kind, Info> = serde_json::from_str(&json)?;
    let mut sessions = BTreeMap::new();
    for (kind, info) in infos {
        sessions.insert(kind, info.sessions()?);
    }
    println!("{}", serde_json::to_string(&sessions)?);
    Ok(ExitCode::SUCCESS)
}
