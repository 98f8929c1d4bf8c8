//! `prebind extauth`, the program that ejabberd runs to ask whether users may log in.
//!
//! [`serve`] reads requests and writes answers. [`service`] finds the answers: it verifies tokens with
//! [`keys`], or with those of an identity [`provider`], by the [`rules`]; or it asks the [`site`] over
//! [`http`]. [`watched`] reads files again when they change, and [`log`] says what is wrong. `pool` looks whether ejabberd runs
//! enough of these processes.
//!
//! If the program exits at its start, or writes anything but frames, ejabberd loses BOSH for all of its
//! hosts. So this command never ends before its input ends, and writes nothing else to standard output while
//! ejabberd asks.

mod http;
mod keys;
mod log;
#[cfg(target_os = "linux")]
mod pool;
mod provider;
mod rules;
mod serve;
mod service;
mod site;
mod watched;

use std::env;
use std::ffi::OsString;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use prebind::extauth::{Request, UserList, setup};

use crate::failure::Failure;
use crate::help::examples;
use crate::output;
use http::{Http, HttpOptions, Url, UrlParser};
use keys::KeyRing;
use provider::Provider;
use rules::Rules;
use serve::{Service, serve};
use service::{Answers, Exists, Tokens};
use site::SiteOptions;
use watched::Live;

/// The most bytes of a list of users.
const MAX_USERS: u64 = 16 * 1024 * 1024;

/// The error if a secret is given as an argument.
pub(crate) const NEVER_AN_ARGUMENT: &str = "a secret is never an argument, since every user of the machine could \
     read it in the list of processes; put it into a file for --site-secret-file, or into the environment variable \
     PREBIND_SITE_SECRET";

/// Answer ejabberd's questions whether users may log in and exist
///
/// ejabberd's external authentication runs this command, writes requests to its stdin and reads answers from
/// its stdout. It accepts users whose password is a token that the site signed, or whom the site accepts. It
/// runs until stdin ends. If an option is wrong, it answers no to everything; if there is no key, it refuses
/// each login; and the log says how to fix it.
#[derive(Args)]
#[command(after_help = examples(EXAMPLES))]
pub(crate) struct Extauth {
    /// Verify tokens with the key in this file (JWK or PEM), or with the keys in the files *.jwk, *.json and
    /// *.pem of this folder; may be given several times. Files are read again when they change
    #[arg(long = "key", value_name = "PATH", help_heading = "Tokens")]
    keys: Vec<PathBuf>,
    /// Verify tokens with the keys that an identity provider publishes at this URL (its `jwks_uri`). They are fetched
    /// again every ten minutes, and when a token names another key
    #[arg(long, value_name = "URL", value_parser = UrlParser, conflicts_with = "keys", requires = "audience",
          requires = "issuer", help_heading = "Tokens")]
    jwks: Option<Url>,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    site: SiteOptions,
    /// Which users exist: those that the site knows, all or none [default: site with --site, else all]
    #[arg(long, value_enum, value_name = "WHO", help_heading = "Users")]
    isuser: Option<IsUser>,
    /// Only the users in this file exist: one name or JID per line. It is read again when it changes
    #[arg(long, value_name = "FILE", conflicts_with = "isuser", help_heading = "Users")]
    users: Option<PathBuf>,
    #[command(flatten)]
    http: HttpOptions,
    /// Log to this file instead of stderr
    #[arg(long, value_name = "FILE", help_heading = "Log")]
    log: Option<PathBuf>,
    /// Print what to write into the configuration of ejabberd and of its proxy for this virtual host, and
    /// exit
    #[arg(long, value_name = "HOST", num_args = 0..=1, require_equals = true, default_missing_value = "example.org",
          help_heading = "Setup")]
    config: Option<String>,
}

const EXAMPLES: &[&str] = &[
    "prebind extauth --key /etc/ejabberd/chat.jwk --config=example.org",
    "prebind extauth --key /etc/ejabberd/keys --site https://www.example.org/chat-login --site-secret-file secret",
];

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IsUser {
    /// The users that the site knows
    Site,
    /// All users
    All,
    /// No users
    None,
}

impl Extauth {
    /// The error if the options do not fit together.
    pub(crate) fn conflict(&self) -> Option<&'static str> {
        if self.keys.is_empty() && self.jwks.is_none() && !self.site.ask {
            return Some(
                "nobody could log in: give the key of the site's tokens with --key, or the provider's with --jwks, or \
                 let the site decide with --site and --ask",
            );
        }
        let wants_site = self.isuser == Some(IsUser::Site);
        (wants_site && !self.site.is_given())
            .then_some("--isuser site needs the URL of the site: give --site")
    }

    /// # Errors
    /// `Output` if `--config` cannot print, `Input` if the input cannot be read any more.
    pub(crate) fn run(self) -> Result<(), Failure> {
        log::install(self.log.clone());
        if let Some(host) = &self.config {
            if are_pipes() && answers_no("--config is not for extauth_program: leave it out there")? {
                return Ok(());
            }
            self.answers();
            return output::print(&setup(host, &own_command()));
        }
        let Ok(answers) = panic::catch_unwind(AssertUnwindSafe(|| self.answers())) else {
            return answers_no("prebind has a defect, see above").map(drop);
        };
        tracing::info!("answers the requests of standard input");
        serve(&mut io::stdin().lock(), io::stdout(), &answers).map(drop).map_err(|error| unreadable(&error))
    }

    /// The service that answers. It reads its files now, so that the log says at the start what is wrong.
    fn answers(&self) -> Answers {
        let rules = self.rules.clone();
        let tokens = match &self.jwks {
            Some(url) => Tokens::Provider(Provider::new(url.clone(), Http::new(&self.http), rules)),
            None if self.keys.is_empty() => Tokens::Nothing,
            None => Tokens::Keys(KeyRing::new(self.keys.clone(), rules)),
        };
        let answers = Answers {
            tokens,
            site: self.site.site(&self.http),
            asks: self.site.ask,
            exists: match (&self.users, self.isuser) {
                (Some(file), _) => Exists::Listed(Live::new(file, MAX_USERS, users)),
                (None, Some(IsUser::None)) => Exists::Nobody,
                (None, Some(IsUser::Site)) => Exists::Site,
                (None, None) if self.site.is_given() => Exists::Site,
                (None, Some(IsUser::All) | None) => Exists::All,
            },
        };
        answers.prepare();
        answers
    }
}

/// If ejabberd runs the command with wrong options, answers no to everything. Returns whether it did.
///
/// # Errors
/// `Input` if the input cannot be read any more.
pub(crate) fn stands_in(error: &clap::Error) -> Result<bool, Failure> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_none_or(|command| command != "extauth") || !are_pipes() {
        return Ok(false);
    }
    log::install(log_file(arguments));
    let text = error.to_string();
    // The usage follows after the first paragraph.
    let problem = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    answers_no(&problem.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Answers no to everything. Returns whether there was a request.
fn answers_no(problem: &str) -> Result<bool, Failure> {
    struct No;
    impl Service for No {
        fn may_wait(&self, _: &Request) -> bool {
            false
        }
        fn answer(&self, _: &Request) -> bool {
            false
        }
    }
    tracing::error!("every request is refused: {problem}");
    serve(&mut io::stdin().lock(), io::stdout(), &No)
        .map(|requests| requests > 0)
        .map_err(|error| unreadable(&error))
}

/// Whether ejabberd may have started this command, because ejabberd talks over pipes. A terminal, a file or a
/// network connection is something else.
#[cfg(unix)]
fn are_pipes() -> bool {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt as _;

    fn is_pipe(stream: impl AsFd) -> bool {
        let metadata = stream.as_fd().try_clone_to_owned().map(File::from).and_then(|file| file.metadata());
        metadata.is_ok_and(|metadata| metadata.file_type().is_fifo())
    }
    is_pipe(io::stdin()) && is_pipe(io::stdout())
}

/// Whether ejabberd may have started this command, because ejabberd talks over pipes.
#[cfg(not(unix))]
fn are_pipes() -> bool {
    use std::io::IsTerminal as _;

    !io::stdin().is_terminal() && !io::stdout().is_terminal()
}

/// Finds the log file among options that may be wrong.
fn log_file(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut is_next = false;
    for argument in arguments {
        if is_next {
            return Some(argument.into());
        }
        if let Some(file) = argument.to_str().and_then(|argument| argument.strip_prefix("--log=")) {
            return Some(file.into());
        }
        is_next = argument == "--log";
    }
    None
}

/// This command, quoted for ejabberd's shell.
fn own_command() -> String {
    let program = env::current_exe().map_or_else(|_| "prebind".into(), PathBuf::into_os_string);
    let arguments = env::args_os().skip(1).filter(|argument| {
        let argument = argument.to_string_lossy();
        argument != "--config" && !argument.starts_with("--config=")
    });
    let words: Vec<String> =
        [program].into_iter().chain(arguments).map(|word| word.to_string_lossy().into_owned()).collect();
    shell_words::join(words)
}

/// Parses the list of users. An empty list is refused, because mostly it is being written.
fn users(text: &str) -> Result<UserList, String> {
    let list = UserList::read(text);
    if let Some(line) = list.unusable() {
        tracing::warn!("line {line} of the list of users is neither a name nor a JID: correct it");
    }
    if list.is_empty() { Err("names nobody: write one name or JID a line".to_owned()) } else { Ok(list) }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::Input(format!("cannot read the requests: {error}"))
}
