//! An identity provider (`OpenID` Connect), where people sign in by their browser.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::json;

use crate::{
    error::{Error, Result},
    guardian::{Guardian, Launch},
    hosts,
    install::install,
    program::{directory, listen, retried},
    setup::{find_program, free_ports},
};

const PROGRAM: &str = "oidc-provider";

/// The host whose users log in with the provider's tokens, by PLAIN or OAUTHBEARER (Prosody 13).
const HOST: &str = "provider.local";

/// Who the provider's tokens for the chat are for.
const AUDIENCE: &str = "chat";

/// A running identity provider; it stops when this is dropped.
///
/// As JSON it can be given to another process.
#[derive(Debug, Serialize)]
pub struct IdentityProvider {
    /// The address that all others begin with, and that its tokens name.
    pub issuer: String,
    /// The secret of each of its clients.
    ///
    /// The access tokens of `chat` are for the chat. Those of `shop` are for another audience. Those of `site` are
    /// opaque.
    pub clients: BTreeMap<&'static str, String>,
    #[serde(skip)]
    key_pem: PathBuf,
    #[serde(skip)]
    _guardian: Guardian,
}

impl IdentityProvider {
    /// Starts it. The first time, its packages are fetched and installed below `target`.
    ///
    /// # Errors
    /// When its packages cannot be had, or it does not start; the message says what to do.
    pub fn start() -> Result<Self> {
        let installed = install(PROGRAM)?;
        retried(|| Self::attempt(&installed))
    }

    fn attempt(installed: &Path) -> Result<Self> {
        let clients = [("chat", Some(AUDIENCE)), ("shop", Some("shop")), ("site", None)];
        let directory = directory(PROGRAM)?;
        let [port, _] = free_ports()?;
        let source = include_str!("../config/oidc-provider/provider.mjs")
            .replace("@INSTALLED@", &installed.to_string_lossy())
            .replace("@PORT@", &port.to_string())
            .replace("@HOST@", HOST)
            .replace("@CLIENTS@", &json!(BTreeMap::from(clients)).to_string());
        let file = directory.path().join("provider.mjs");
        fs::write(&file, source).map_err(Error::io("write a configuration"))?;
        let key_pem = directory.path().join("provider.pem");
        let missing = Error::NoProgram { program: "node", package: "nodejs" };
        let program = find_program("node").ok_or(missing)?;
        let launch = Launch { program, arguments: vec![file.into()], environment: BTreeMap::new() };
        Ok(Self {
            _guardian: listen(PROGRAM, directory, &launch, port)?,
            issuer: format!("http://127.0.0.1:{port}"),
            clients: clients.map(|(name, _)| (name, format!("secret-of-{name}"))).into(),
            key_pem,
        })
    }

    /// The host of Prosody 13 that takes the provider's tokens for the chat, for
    /// [`Server::start_with_hosts`](crate::Server::start_with_hosts).
    #[must_use]
    pub fn prosody_host(&self) -> String {
        format!(
            r#"
VirtualHost "{HOST}"
	authentication = "prebind"
	prebind_keys = "{}"
	prebind_audience = "{AUDIENCE}"
	prebind_issuer = "{}"
	prebind_create_accounts = true
"#,
            self.key_pem.display(),
            self.issuer
        )
    }

    /// The command that takes the provider's tokens for the chat, for
    /// [`Options::extauth`](crate::Options::extauth). `prebind` is the path of the command.
    #[must_use]
    pub fn extauth(&self, prebind: &Path) -> String {
        format!(
            "{} extauth --jwks {issuer}/jwks --issuer {issuer} --audience {AUDIENCE} \
             --claim preferred_username --domain {}",
            prebind.display(),
            hosts::EXTAUTH,
            issuer = self.issuer
        )
    }
}
