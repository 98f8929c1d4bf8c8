//! ejabberd's HTTP API: one command and its answer.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use super::fail_fast::{FailFast, Outcome};
use super::give_up;
use super::lost::Lost;
use super::net::Http;
use super::process::PerProcess;
use crate::config::{self, Config};
use crate::error::{Error, ErrorKind, Result, Retry, Secrets, Stage, presentable, shortened};
use crate::secret::Secret;

/// The most bytes of an answer.
const MAX_ANSWER: usize = 64 * 1024;

/// ejabberd's code of an error in a command that it has run.
const OF_COMMAND: i64 = 10001;

/// The API, as one option names it.
#[derive(Debug)]
pub(super) struct Api {
    /// The option, for errors.
    option: &'static str,
    config: Config,
    http: Http,
    authorization: HeaderValue,
    password: Secret,
    /// Spares an API that is away.
    fail_fast: PerProcess<FailFast>,
}

/// What a command has come to.
#[derive(Debug)]
pub(super) enum Answer {
    Done(Value),
    /// There is such a thing already (409).
    Conflict,
    /// ejabberd has run the command, and it failed: the next one may do better.
    Failed(Error),
}

impl Api {
    /// Trusts and reaches servers like a client with this configuration, but shows its own credential only.
    ///
    /// # Errors
    /// `Config` if an option has a value that cannot work.
    pub(super) fn new(base: &Config, option: &'static str, api: &config::Api) -> Result<Self> {
        let config =
            Config { url: api.url.clone(), headers: Vec::new(), max_reply: MAX_ANSWER, ..base.clone() };
        if !config.may_send_secrets() {
            let problem = "would send the administrator's password over plain http: begin its `url` with https://, or \
                           set `allow_cleartext`";
            return Err(Error::config(option, problem));
        }
        let administrator = &api.administrator;
        let password = administrator.password.clone();
        let pair = Zeroizing::new(format!("{}:{}", administrator.jid, password.expose()));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut authorization = HeaderValue::try_from(basic.as_str()).expect("base64 is fit for a header");
        authorization.set_sensitive(true);
        let http = Http::new(&config)?;
        Ok(Self { option, config, http, authorization, password, fail_fast: PerProcess::new() })
    }

    /// Has ejabberd run a command. `secret` is what the arguments hold that must not be repeated.
    ///
    /// # Errors
    /// `Config` if ejabberd refuses the administrator; what a connection fails with; `Http` for any other answer.
    pub(super) fn run(
        &self,
        command: &'static str,
        arguments: &impl Serialize,
        secret: &str,
        until: Instant,
    ) -> Result<Answer> {
        let fail_fast = self.fail_fast.get(|| FailFast::new(&self.config, None));
        let host = self.config.url.host();
        let admitted = fail_fast.admit(Stage::Create, host).map_err(Error::of_another_server)?;
        let json = serde_json::to_string(arguments).expect("texts and numbers are JSON");
        let json = Secret::from(json);
        let post = || {
            self.http
                .command(command, &self.authorization, &json, until)
                .map_err(|obstacle| Lost::new(obstacle, Stage::Create, &self.config))
        };
        let posted = match post() {
            // The API closed a connection that was kept. Each command may run twice.
            Err(Lost { is_broken: true, .. }) => post(),
            posted => posted,
        };
        let answer = posted.map_err(|lost| lost.error.with_url_of(self.option)).and_then(|reply| {
            tracing::debug!(command, status = reply.status, "ejabberd's API answered");
            self.understood(command, reply.status, &reply.body)
        });
        // An API that refuses everybody is spared like one that is away.
        let outcome = if answer.is_ok() { Outcome::Reached } else { Outcome::Unreached };
        fail_fast.record(admitted, if give_up::is_stopped() { Outcome::Unknown } else { outcome });
        let mut secrets = Secrets::default();
        secrets.add(self.password.expose().as_bytes());
        if !secret.is_empty() {
            secrets.add(secret.as_bytes());
        }
        match answer {
            Ok(Answer::Failed(error)) => Ok(Answer::Failed(error.without(&secrets))),
            answer => answer.map_err(|error| error.without(&secrets).of_another_server()),
        }
    }

    fn understood(&self, command: &str, status: u16, body: &[u8]) -> Result<Answer> {
        let (option, host) = (self.option, shortened(self.config.url.host(), 80));
        let answer = serde_json::from_slice::<Value>(body).ok();
        let config = |problem: String| Err(Error::config(option, problem));
        let http = |retry, message: String| {
            let kind = ErrorKind::Http { status, location: None };
            Error::new(kind, Stage::Create, retry, message)
        };
        let said = answer.as_ref().and_then(|answer| answer.get("message")?.as_str()).map(presentable);
        let said = said.filter(|said| !said.is_empty());
        match (status, answer) {
            (200, Some(answer)) => Ok(Answer::Done(answer)),
            (409, _) => Ok(Answer::Conflict),
            (401, _) => config(format!(
                "{host} does not accept the administrator (HTTP 401): check `jid` and `password`, which are those of an \
                 account on ejabberd"
            )),
            (403, _) => config(format!(
                "the administrator may not run {command} at {host} (HTTP 403): allow it in ejabberd's `api_permissions`"
            )),
            (200 | 300..=399 | 404 | 405, _) => Err(http(
                Retry::AfterConfigChange,
                format!(
                    "{host} has no command {command} there (HTTP {status}): check the `url` of `{option}`, and that \
                     ejabberd serves mod_http_api at that path and has the command's module"
                ),
            )),
            (500, Some(answer)) if answer.get("code").and_then(Value::as_i64) == Some(OF_COMMAND) => {
                let said = said.unwrap_or_default();
                let message = format!(
                    "ejabberd did not do {command} (\"{said}\"): check the domain of the JID, and that its `auth_method` has \
                     internal beside jwt"
                );
                Ok(Answer::Failed(http(Retry::AfterConfigChange, message).quoting(said)))
            }
            (400, _) => {
                let said = said.unwrap_or_default();
                let message = format!(
                    "ejabberd does not understand {command} (\"{said}\"): check the domain of the JID, and that ejabberd \
                     is version 23.01 or newer"
                );
                Ok(Answer::Failed(http(Retry::AfterConfigChange, message).quoting(said)))
            }
            _ => Err(http(
                Retry::Later,
                format!(
                    "{host} did not do {command} (HTTP {status}): see ejabberd's log, or that of a proxy in front"
                ),
            )),
        }
    }
}

#[cfg(test)]
pub(super) fn examples() -> Vec<Error> {
    let config = Config::new("https://chat.example.org/http-bind").unwrap();
    let of = |url: &str| config::Api::new("accounts", url, "svc@example.org", "secret".into()).unwrap();
    let cleartext = Api::new(&config, "accounts", &of("http://chat.example.org:5280/api")).unwrap_err();
    let api = Api::new(&config, "accounts", &of("https://chat.example.org/api")).unwrap();
    let answers: [(u16, &[u8]); 7] = [
        (401, b""),
        (403, b""),
        (404, b""),
        (200, b"<html>"),
        (500, br#"{"code":10001,"message":"Not allowed"}"#),
        (400, br#"{"message":"Arg not in format"}"#),
        (503, b""),
    ];
    let refused = answers.map(|(status, body)| match api.understood("register", status, body) {
        Ok(Answer::Failed(error)) | Err(error) => error,
        answer => panic!("{answer:?}"),
    });
    let away = Lost::new(
        super::net::Obstacle::new(
            crate::error::Phase::Tcp,
            std::io::Error::from(std::io::ErrorKind::ConnectionRefused),
        ),
        Stage::Create,
        &api.config,
    );
    refused.into_iter().chain([cleartext, away.error.with_url_of("accounts")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_answers_is_told_by_status_and_code() {
        let config = Config::new("https://chat.example.org/http-bind").unwrap();
        let api =
            config::Api::new("accounts", "https://chat.example.org/api", "svc@example.org", "secret".into());
        let api = Api::new(&config, "accounts", &api.unwrap()).unwrap();
        let of_command: &[u8] = br#"{"status":"error","code":10001,"message":"\u0007Not allowed"}"#;
        for (status, body, kind, retry) in [
            (401, &b"{}"[..], "Config", Some(Retry::AfterConfigChange)),
            (403, b"", "Config", Some(Retry::AfterConfigChange)),
            (400, b"{\"message\":\"x\"}", "failed Http", None),
            (500, of_command, "failed Http", None),
            (500, b"{\"code\":24}", "Http", Some(Retry::Later)),
            (500, b"oops", "Http", Some(Retry::Later)),
            (502, of_command, "Http", Some(Retry::Later)),
            (404, b"", "Http", Some(Retry::AfterConfigChange)),
            (302, b"", "Http", Some(Retry::AfterConfigChange)),
            (200, b"<html>", "Http", Some(Retry::AfterConfigChange)),
            (409, b"", "conflict", None),
            (200, b"0", "done", None),
        ] {
            let answer = api.understood("register", status, body);
            let told = match &answer {
                Ok(Answer::Done(_)) => "done".to_owned(),
                Ok(Answer::Conflict) => "conflict".to_owned(),
                Ok(Answer::Failed(error)) => format!("failed {}", error.kind()),
                Err(error) => error.kind().to_string(),
            };
            assert_eq!(told, kind, "{status}");
            assert_eq!(answer.as_ref().err().map(Error::retry), retry, "{status}");
            if body == of_command && status == 500 {
                let Ok(Answer::Failed(error)) = answer else { panic!("{answer:?}") };
                assert!(error.to_string().contains("(\"Not allowed\")"), "{error}");
            }
        }
    }

    #[test]
    fn the_credential_is_neither_shown_nor_sent_in_cleartext() {
        let of = |url: &str| config::Api::new("accounts", url, "svc@example.org", "Xyzzy".into()).unwrap();
        let config = Config::new("https://chat.example.org/http-bind").unwrap();
        let api = Api::new(&config, "accounts", &of("https://chat.example.org/api")).unwrap();
        assert_eq!(api.authorization.to_str().unwrap(), "Basic c3ZjQGV4YW1wbGUub3JnOlh5enp5");
        let shown = format!("{api:?}");
        assert!(!shown.contains("Xyzzy") && !shown.contains("c3Zj"), "{shown}");
        let http = of("http://chat.example.org:5280/api");
        assert_eq!(
            Api::new(&config, "accounts", &http).unwrap_err().kind(),
            &ErrorKind::Config { field: "accounts" }
        );
        assert!(Api::new(&config.with_allow_cleartext(true), "accounts", &http).is_ok());
    }
}
