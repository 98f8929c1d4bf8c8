//! The options that say how to reach the server. Every command that connects to it has them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};
use prebind::{ClientCertificate, Config, IpFamily, Secret};

use crate::failure::Failure;
use crate::help::default;
use crate::secret;

pub(crate) const URL_HELP: &str = "The BOSH endpoint, for example https://chat.example.org/http-bind";

#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionOptions {
    /// Send this header, 'Name: value', with each request; @FILE reads such lines from a file, which keeps
    /// secrets out of the list of processes
    #[arg(long = "header", value_name = "HEADER|@FILE", value_parser = HeadersParser)]
    headers: Vec<Headers>,
    /// Trust the certificates in this PEM file instead of the operating system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Present this certificate (PEM, with its intermediate certificates)
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// The private key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Connect through this proxy: http://, https:// or socks5://; a password in it is safer in the
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
          default_value = default("deadline"), help = "How long the whole call may take")]
    deadline: Duration,
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          default_value = default("resolve_timeout"), help = "How long a name lookup may take")]
    resolve_timeout: Duration,
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          default_value = default("connect_timeout"), help = "How long TCP and TLS may take to connect")]
    connect_timeout: Duration,
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          default_value = default("request_timeout"), help = "How long one request may take")]
    request_timeout: Duration,
    #[arg(long, value_name = "BYTES", default_value = default("max_reply"), help = "The most bytes of one reply")]
    max_reply: usize,
}

impl ConnectionOptions {
    /// The configuration: the library's defaults, changed by the options.
    ///
    /// # Errors
    /// `Config` if the URL is not valid, `Input` if a file cannot be read.
    pub(crate) fn config(&self, url: &str) -> Result<Config, Failure> {
        let mut headers = Vec::new();
        for some in &self.headers {
            headers.extend(some.read()?);
        }
        let mut config = Config::new(url)?
            .with_headers(headers)
            .with_ca(self.ca.as_deref().map(read_bytes).transpose()?)
            // Some shells' settings can only unset a variable by making it empty.
            .with_proxy(self.proxy.as_deref().filter(|proxy| !proxy.is_empty()).map(Secret::from));
        if let (Some(chain), Some(key)) = (&self.client_cert, &self.client_key) {
            let key = secret::read_file(key)?.as_str().into();
            config =
                config.with_client_certificate(Some(ClientCertificate { chain: read_bytes(chain)?, key }));
        }
        if self.ipv4 || self.ipv6 {
            config = config.with_ip_family(if self.ipv4 { IpFamily::Ipv4 } else { IpFamily::Ipv6 });
        }
        Ok(config
            .with_deadline(self.deadline)?
            .with_resolve_timeout(self.resolve_timeout)?
            .with_connect_timeout(self.connect_timeout)?
            .with_request_timeout(self.request_timeout)?
            .with_max_reply(self.max_reply)?)
    }
}

/// The value of `--header`.
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
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(at, line)| {
                header(line).ok_or_else(|| {
                    let place = format!("{}, line {}", path.display(), at + 1);
                    Failure::Input(format!("{place}: is not a header like 'Name: value'"))
                })
            })
            .collect()
    }
}

/// Parses `--header`. Unlike clap's own parsers, it does not repeat the wrong value, because that may be a
/// secret.
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
