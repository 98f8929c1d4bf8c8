//! Makes one HTTP request and reads its reply, within one deadline.

use std::ffi::OsStr;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};
use rustls::crypto::ring;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Error as HttpError};

use super::watched::Live;
use crate::connection::seconds;

/// The longest deadline. ejabberd waits for 30 s and then starts another process.
const LONGEST: Duration = Duration::from_secs(20);

/// The most bytes of a file of certificates.
const MAX_CERTIFICATES: u64 = 1024 * 1024;

/// The most bytes of the head of a reply.
const MAX_HEAD: usize = 16 * 1024;

#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct HttpOptions {
    /// How long one question to the site or the provider may take
    #[arg(long, value_name = "SECONDS", value_parser = deadline, default_value = "5")]
    deadline: Duration,
    /// Trust the certificates in this PEM file instead of the operating system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

fn deadline(text: &str) -> Result<Duration, String> {
    let deadline = seconds(text)?;
    if deadline.is_zero() || deadline > LONGEST {
        let longest = LONGEST.as_secs();
        return Err(format!("give more than 0 and at most {longest} seconds: ejabberd does not wait longer"));
    }
    Ok(deadline)
}

/// A URL that a secret may be sent to: https, or http on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Url(Uri);

/// Parses a URL. Unlike clap's own parsers, it does not repeat the wrong value, because that may hold a
/// password.
#[derive(Clone)]
pub(crate) struct UrlParser;

impl TypedValueParser for UrlParser {
    type Value = Url;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Url, clap::Error> {
        url(value.to_str().unwrap_or_default()).map_err(|problem| {
            let name = argument.and_then(Arg::get_long).unwrap_or_default();
            clap::Error::raw(ErrorKind::ValueValidation, format!("--{name}: {problem}\n")).with_cmd(command)
        })
    }
}

fn url(text: &str) -> Result<Url, &'static str> {
    let wanted = "give a URL like https://www.example.org/chat-login";
    let uri: Uri = text.parse().map_err(|_| wanted)?;
    let authority = uri.authority().ok_or(wanted)?;
    if authority.as_str().contains('@') {
        return Err("leave out the user name and password: the secret comes from a file");
    }
    match uri.scheme_str() {
        Some("https") => Ok(Url(uri)),
        Some("http") if is_here(authority.host()) => Ok(Url(uri)),
        Some("http") => Err("use https: a secret and tokens go over the network"),
        _ => Err(wanted),
    }
}

fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Makes requests, each on a new connection. On a connection that the site closes at that moment, a request
/// would be lost, and it must not be sent twice because a token may be valid for only one login.
pub(crate) struct Http {
    deadline: Duration,
    agents: Agents,
}

/// The HTTP agents, by the certificates that they trust.
enum Agents {
    System(Agent),
    File(Live<Agent>),
}

/// The parts of a reply that are needed.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn new(options: &HttpOptions) -> Self {
        let agents = match &options.ca {
            None => Agents::System(agent(RootCerts::PlatformVerifier)),
            Some(file) => Agents::File(Live::new(file, MAX_CERTIFICATES, agent_trusting)),
        };
        Self { deadline: options.deadline, agents }
    }

    /// Posts JSON, and reads at most this many bytes of the reply and one more.
    ///
    /// # Errors
    /// Says what happened and how to fix it.
    pub(crate) fn post(
        &self,
        url: &Url,
        secret: &HeaderValue,
        json: &[u8],
        most: usize,
    ) -> Result<Reply, String> {
        let request = self.agent()?.post(&url.0).config().timeout_global(Some(self.deadline)).build();
        let request = request.header(AUTHORIZATION, secret).header(CONTENT_TYPE, "application/json");
        self.read(request.send(json), most)
    }

    /// Gets a document, and reads at most this many bytes and one more.
    ///
    /// # Errors
    /// Says what happened and how to fix it.
    pub(crate) fn get(&self, url: &Url, most: usize) -> Result<Reply, String> {
        let request = self.agent()?.get(&url.0).config().timeout_global(Some(self.deadline)).build();
        self.read(request.call(), most)
    }

    fn agent(&self) -> Result<Agent, String> {
        match &self.agents {
            Agents::System(agent) => Ok(agent.clone()),
            Agents::File(agent) => match agent.get() {
                Some(agent) => Ok(agent.as_ref().clone()),
                None => Err("the file of --ca cannot be used: see above".to_owned()),
            },
        }
    }

    fn read(&self, response: Result<Response<Body>, HttpError>, most: usize) -> Result<Reply, String> {
        let (head, body) = response.map_err(|error| self.told(&error))?.into_parts();
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut reply = Reply {
            status: head.status.as_u16(),
            content_type: content_type.map(str::to_owned),
            body: Vec::new(),
        };
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let read = body.into_reader().take(limit).read_to_end(&mut reply.body);
        read.map_err(|error| self.told(&HttpError::from(error)))?;
        Ok(reply)
    }

    fn told(&self, error: &HttpError) -> String {
        match error {
            HttpError::Timeout(_) => {
                let seconds = self.deadline.as_secs_f64();
                format!("no reply within {seconds} s: make it answer faster, or raise --deadline")
            }
            HttpError::HostNotFound => "its host is unknown: correct the URL, or the name service".to_owned(),
            error => {
                format!("no reply ({error}): check that it runs, and that this machine reaches it")
            }
        }
    }
}

fn agent(roots: RootCerts) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None)
        .user_agent(concat!("prebind/", env!("CARGO_PKG_VERSION")))
        .accept("application/json")
        .accept_encoding("identity")
        .max_response_header_size(MAX_HEAD)
        .build();
    config.new_agent()
}

fn agent_trusting(pem: &str) -> Result<Agent, String> {
    let certificates = parse_pem(pem.as_bytes()).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<Certificate<'static>> = certificates.collect();
    if certificates.is_empty() {
        return Err("holds no certificate in PEM: give the file of the authority's certificate".to_owned());
    }
    Ok(agent(RootCerts::Specific(Arc::new(certificates))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_by_tls_or_stays_here() {
        for good in [
            "https://www.example.org/chat-login",
            "https://10.0.0.1:8443/?a=b",
            "http://localhost:8000/",
            "http://127.0.0.2/",
            "http://[::1]:8000/",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "www.example.org",
            "/chat-login",
            "http://www.example.org/",
            "http://localhost.example.org/",
            "http://10.0.0.1/",
            "ftp://localhost/",
            "https://user:Xyzzy@www.example.org/",
        ] {
            assert!(!url(bad).unwrap_err().contains("Xyzzy"), "{bad}");
        }
    }

    #[test]
    fn a_deadline_is_shorter_than_the_servers() {
        for (text, is_good) in [("20", true), ("0.5", true), ("0", false), ("20.1", false), ("x", false)] {
            assert_eq!(deadline(text).is_ok(), is_good, "{text}");
        }
    }

    #[test]
    fn only_certificates_are_trusted() {
        assert!(agent_trusting("").is_err());
        assert!(agent_trusting("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----").is_err());
    }
}
