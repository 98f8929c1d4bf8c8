//! What a chat server sent, read as a question.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::super::question::MAX_QUESTION;
use super::super::request::User;
use super::networks::read_ip;
use super::refusal::Refusal;
use crate::secret::Secret;

/// A request as the site's web framework knows it.
///
/// `Debug` shows only method and address: the rest may hold a secret or a token.
#[derive(Clone, Default)]
pub struct Inquiry<'a> {
    /// The HTTP method, in capitals.
    pub method: &'a str,
    /// The path; its last part counts.
    pub path: &'a str,
    /// The address after its `?`, as it came.
    pub query: &'a str,
    /// The IP address of the machine that asks, as the framework believes it with whatever proxy it trusts; empty if
    /// that is unknown.
    pub address: &'a str,
    /// The body; no more than [`MAX_QUESTION`] bytes and one need be read.
    pub body: &'a [u8],
    /// The header `Authorization`, if there is one.
    pub authorization: Option<&'a str>,
    /// The header `X-Forwarded-For`, if there is one.
    pub x_forwarded_for: Option<&'a str>,
    /// The header `Forwarded` (RFC 7239), if there is one.
    pub forwarded: Option<&'a str>,
}

impl<'a> Inquiry<'a> {
    /// The headers that matter; a binding need not pass on any other.
    pub const HEADERS: [&'static str; 3] = ["Authorization", "Forwarded", "X-Forwarded-For"];

    /// With a header of the request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &'a str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "authorization" => self.authorization = Some(value),
            "forwarded" => self.forwarded = Some(value),
            "x-forwarded-for" => self.x_forwarded_for = Some(value),
            _ => {}
        }
        self
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        read_ip(self.address)
    }

    /// Whether a proxy says that it passes on a request of another machine. A framework that trusts the proxy would have
    /// taken that machine's address.
    pub(super) fn is_from_elsewhere(&self) -> bool {
        let is_here = |from: &str| read_ip(from).is_some_and(|ip| ip.is_loopback());
        self.forwarded.is_some() || self.x_forwarded_for.is_some_and(|from| !from.split(',').all(is_here))
    }

    /// The secret that it shows.
    pub(super) fn secret(&self) -> Option<Secret> {
        let (scheme, given) = self.authorization?.trim().split_once(' ')?;
        let given = given.trim();
        if scheme.eq_ignore_ascii_case("Bearer") {
            return Some(given.into());
        }
        if !scheme.eq_ignore_ascii_case("Basic") {
            return None;
        }
        let decoded = Zeroizing::new(STANDARD.decode(given).ok()?);
        let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(password.into())
    }
}

impl fmt::Debug for Inquiry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry")
            .field("method", &self.method)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// In which form a question is asked and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Ours: JSON.
    Json,
    /// That of `MongooseIM` and `ejabberd_auth_http`: plain text.
    Text(Command),
}

/// The last part of the path in the form of plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    CheckPassword,
    UserExists,
    /// It asks for something that the site does not have.
    Absent,
    /// It changes accounts, which are the site's to change.
    Change,
}

/// What is asked about whom.
pub(super) struct Question {
    pub(super) user: User,
    /// The password or token to look at; `None` if it is asked whether the user exists.
    pub(super) password: Option<Secret>,
}

impl Form {
    pub(super) fn of(inquiry: &Inquiry<'_>) -> Self {
        let path = inquiry.path.trim_end_matches('/');
        match path.rsplit_once('/').map_or(path, |(_, last)| last) {
            "check_password" => Self::Text(Command::CheckPassword),
            "user_exists" => Self::Text(Command::UserExists),
            "get_password" | "get_certs" => Self::Text(Command::Absent),
            "register" | "set_password" | "remove_user" | "remove_user_validate" => {
                Self::Text(Command::Change)
            }
            _ => Self::Json,
        }
    }

    /// The question.
    ///
    /// # Errors
    /// Why it is none that is answered.
    pub(super) fn read(self, inquiry: &Inquiry<'_>) -> Result<Question, Refusal> {
        match self {
            Self::Text(Command::Absent | Command::Change) => Err(Refusal::Command),
            Self::Text(command) if inquiry.method == "GET" => read_query(inquiry.query, command),
            Self::Json if inquiry.method == "POST" => read_json(inquiry.body),
            _ => Err(Refusal::Method),
        }
    }
}

fn read_json(body: &[u8]) -> Result<Question, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        command: String,
        user: String,
        host: String,
        password: Option<String>,
    }
    if body.len() > MAX_QUESTION {
        return Err(Refusal::Question);
    }
    let body: Body = serde_json::from_slice(body).map_err(|_| Refusal::Question)?;
    let user = User::new(&body.user, &body.host);
    match (body.command.as_str(), body.password) {
        ("auth", Some(password)) => Ok(Question { user, password: Some(password.into()) }),
        ("isuser", _) => Ok(Question { user, password: None }),
        _ => Err(Refusal::Question),
    }
}

/// Each name has to be there once. A value of `pass` means nothing where it is asked who exists.
fn read_query(query: &str, command: Command) -> Result<Question, Refusal> {
    if query.len() > MAX_QUESTION {
        return Err(Refusal::Question);
    }
    let one = |wanted: &str| {
        let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
        let value = found.next().map(|(_, value)| value.into_owned());
        value.filter(|_| found.next().is_none()).ok_or(Refusal::Question)
    };
    let user = User::new(&one("user")?, &one("server")?);
    let password = match command {
        Command::CheckPassword => Some(one("pass")?.into()),
        _ => None,
    };
    Ok(Question { user, password })
}
