//! The options that say how to reach the server; every command that does so has them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};
use prebind::{ClientCertificate, Config, IpFamily, Secret};

use crate::failure::Failure;
use crate::help::{DEFAULTS, with_default};
use crate::secret;

pub(crate) const URL_HELP: &str = "The BOSH endpoint, for example https://chat.example.org/http-bind";

#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionOptions {
    /// Send this header, 'Name: value', with each request; @FILE reads such lines from a file,
    /// which keeps secrets out of the list of processes
    #[arg(long = "header", value_name = "HEADER|@FILE", value_parser = HeadersParser)]
    headers: Vec<Headers>,
    /// Trust the certificates in this PEM file instead of the operating system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Present this certificate (PEM, with those that lead to the authority)
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// The private key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Go through this proxy: http://, https:// or socks5://; a password in it is safer in the
    /// environment than in the list of processes
    #[arg(long, value_name = "URL", env = "PREBIND_PROXY", hide_env_values = true)]
    proxy: Option<String>,
    /// Use IPv4 only
    #[arg(long, conflicts_with = "ipv6")]
    ipv4: bool,
    /// Use IPv6 only
    #[arg(long)]
    ipv6: bool,
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          help = with_default("How long everything may take", DEFAULTS.deadline.as_secs_f64()))]
    deadline: Option<Duration>,
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          help = with_default("How long a name lookup may take", DEFAULTS.resolve_timeout.as_secs_f64()))]
    resolve_timeout: Option<Duration>,
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          help = with_default("How long TCP and TLS may take to connect", DEFAULTS.connect_timeout.as_secs_f64()))]
    connect_timeout: Option<Duration>,
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          help = with_default("How long one request may take", DEFAULTS.request_timeout.as_secs_f64()))]
    request_timeout: Option<Duration>,
    #[arg(long, value_name = "BYTES", help = with_default("The most bytes of one reply", DEFAULTS.max_reply))]
    max_reply: Option<usize>,
}

impl ConnectionOptions {
    /// The library's defaults, and what was asked for instead.
    ///
    /// # Errors
    /// `Config` if the URL is none, `Input` if a file cannot be read.
    pub(crate) fn config(&self, url: &str) -> Result<Config, Failure> {
        let mut config = Config::new(url)?;
        for headers in &self.headers {
            config.headers.extend(headers.read()?);
        }
        config.ca = self.ca.as_deref().map(read_bytes).transpose()?;
        if let (Some(chain), Some(key)) = (&self.client_cert, &self.client_key) {
            let key = secret::read_file(key)?.as_str().into();
            config.client_certificate = Some(ClientCertificate { chain: read_bytes(chain)?, key });
        }
        // An empty variable is how one is taken back in some shells' settings.
        config.proxy = self.proxy.as_deref().filter(|proxy| !proxy.is_empty()).map(Secret::from);
        config.ip_family = match (self.ipv4, self.ipv6) {
            (true, _) => IpFamily::Ipv4,
            (false, true) => IpFamily::Ipv6,
            (false, false) => config.ip_family,
        };
        config.deadline = self.deadline.unwrap_or(config.deadline);
        config.resolve_timeout = self.resolve_timeout.unwrap_or(config.resolve_timeout);
        config.connect_timeout = self.connect_timeout.unwrap_or(config.connect_timeout);
        config.request_timeout = self.request_timeout.unwrap_or(config.request_timeout);
        config.max_reply = self.max_reply.unwrap_or(config.max_reply);
        Ok(config)
    }
}

/// What `--header` was given.
#[derive(Clone)]
enum Headers {
    Inline(String, Secret),
    File(PathBuf),
}

impl Headers {
    fn read(&self) -> Result<Vec<(String, Secret)>, Failure> {
        let path = match self {
            Self::Inline(name, value) => return Ok(vec![(name.clone(), value.clone())]),
            Self::File(path) => path,
        };
        let text = secret::read_file(path)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(at, line)| {
                header(line).ok_or_else(|| {
                    let place = format!("{}, line {}", path.display(), at + 1);
                    Failure::Input(format!("{place}: is not a header like 'Name: value'"))
                })
            })
            .collect()
    }
}

/// Unlike clap's own parsers it does not repeat what is wrong: that may be a secret.
#[derive(Clone)]
struct HeadersParser;

impl TypedValueParser for HeadersParser {
    type Value = Headers;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Headers, clap::Error> {
        let headers = match value.to_str() {
            Some(text) if text.starts_with('@') => Some(Headers::File(text[1..].into())),
            text => text.and_then(header).map(|(name, value)| Headers::Inline(name, value)),
        };
        headers.ok_or_else(|| {
            let message = "--header wants 'Name: value', or @FILE for a file of such lines\n";
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

fn header(line: &str) -> Option<(String, Secret)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_owned(), value.trim().into()))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::unreadable(path, &error))
}

pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let refused = "a number of seconds is wanted, for example 2 or 0.5";
    let seconds = text.parse().map_err(|_| refused)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| refused)
}
