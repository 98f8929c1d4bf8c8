//! What only another login or another request tells of a chat server that takes tokens.

use crate::account::Account;
use crate::client::Client;
use crate::config::Config;
use crate::error::{Condition, ErrorKind, Result};
use crate::named::Value;
use crate::sasl::Credentials;
use crate::web::DEADLINE;

/// The name of an outcome, and the words of its text.
pub type Outcome = (&'static str, Vec<(String, String)>);

/// More than ejabberd can pass on to a program that it asks: the length of a frame has two bytes.
const TOO_LONG: usize = 70_000;

/// The outcome of [`NextLogin`](super::Check::NextLogin): logs in once more and ends the session. `first` are the credentials of the login
/// that succeeded, `next` those that the site gives when asked again. ejabberd with `auth_use_cache` keeps the first token
/// of a user as the password, and refuses every other one.
///
/// # Errors
/// What the login fails with, unless the outcome says it.
pub fn next_login(
    client: &Client,
    jid: &str,
    first: Vec<(String, Value)>,
    next: Vec<(String, Value)>,
) -> Result<Outcome> {
    let [first, next] = [Credentials::from_named(first)?, Credentials::from_named(next)?];
    if !first.is_token() || !next.is_token() {
        return Ok(("no_token", Vec::new()));
    }
    // Two tokens of one second may be the same, and that says nothing.
    let next = next.with_id();
    if first.secrets().any(|token| next.secrets().any(|other| other == token)) {
        return Ok(("same_token", Vec::new()));
    }
    match client.prebind(&Account::new(jid, next)?) {
        Ok(session) => client.terminate(&session).map(|()| ("in", Vec::new())),
        Err(error)
            if client.is_ejabberd()
                && *error.kind() == ErrorKind::Auth
                && error.condition().map(Condition::as_str) == Some("not-authorized") =>
        {
            Ok(("cached", Vec::new()))
        }
        Err(error) => Err(error),
    }
}

/// The outcome of [`BodyLimit`](super::Check::BodyLimit): whether something between the browser and the chat server refuses a body that is
/// too long for a program that ejabberd asks. `url` is the BOSH endpoint as the browser reaches it.
///
/// # Errors
/// `Config` if the credentials are none.
pub fn body_limit(client: &Client, credentials: Vec<(String, Value)>, url: &str) -> Result<Outcome> {
    let credentials = Credentials::from_named(credentials)?;
    let words = |name: &str, word: String| vec![(name.to_owned(), word)];
    if !credentials.is_token() {
        return Ok(("no_token", Vec::new()));
    }
    if !client.is_ejabberd() {
        return Ok(("no_program", Vec::new()));
    }
    if url.starts_with('/') {
        return Ok(("path", words("url", url.to_owned())));
    }
    let status = Config::new(url)
        .and_then(|config| Client::new(config.with_deadline(DEADLINE)?))
        .and_then(|client| client.status_of_filler(TOO_LONG));
    Ok(match status {
        Ok(413) => ("limited", Vec::new()),
        // ejabberd cannot know by itself that a token was used before, so it asks somebody.
        Ok(_) if credentials.is_for_one_login() => ("open", Vec::new()),
        Ok(_) => ("open_to_ejabberd", Vec::new()),
        Err(error) => ("unanswered", words("message", error.to_string())),
    })
}
