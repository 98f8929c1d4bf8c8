//! The question that a site answers in place of ejabberd's request, as JSON.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::request::User;
use crate::secret::Secret;
use crate::text::shown;

/// The most bytes that a site's reply may have.
pub const MAX_REPLY: usize = 4096;

/// More than the bytes of a question beside its values.
const OTHER: usize = 100;

/// The most bytes of a question: those of the longest that ejabberd can ask, with each byte escaped.
pub const MAX_QUESTION: usize = 6 * u16::MAX as usize + OTHER;

/// What a site is asked, by POST, as Prosody's `mod_auth_prebind` asks it. Whether this user may log in with this
/// password or token: `{"command": "auth", "user": "alice", "host": "example.org", "password": "…"}`. Whether this user
/// exists: `{"command": "isuser", "user": "alice", "host": "example.org"}`.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    user: &'a User,
    password: Option<&'a Secret>,
}

impl<'a> Question<'a> {
    /// May this user log in with this password or token?
    #[must_use]
    pub const fn login(user: &'a User, password: &'a Secret) -> Self {
        Self { user, password: Some(password) }
    }

    /// Does this user exist?
    #[must_use]
    pub const fn existence(user: &'a User) -> Self {
        Self { user, password: None }
    }

    /// The body of the request; its media type is `application/json`.
    ///
    /// # Panics
    /// Never: strings are JSON.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        #[derive(Serialize)]
        struct Body<'a> {
            command: &'static str,
            user: &'a str,
            host: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            password: Option<&'a str>,
        }
        let (user, host, password) = (self.user.name(), self.user.host(), self.password.map(Secret::expose));
        let command = if password.is_some() { "auth" } else { "isuser" };
        let length = user.len() + host.len() + password.unwrap_or_default().len();
        // Room for each byte escaped, since a buffer that grows leaves copies behind.
        let mut json = Zeroizing::new(Vec::with_capacity(6 * length + OTHER));
        let body = Body { command, user, host, password };
        serde_json::to_writer(&mut *json, &body).expect("strings are JSON");
        json
    }

    /// The site's answer, which is `{"ok": true}` or `{"ok": false}`; other members are ignored.
    ///
    /// # Errors
    /// Why the reply holds no answer.
    pub fn answer(status: u16, content_type: Option<&str>, body: &[u8]) -> Result<bool, NoAnswer> {
        #[derive(Deserialize)]
        struct Reply {
            ok: bool,
        }
        match status {
            200 => {}
            301..=303 | 307 | 308 => return Err(NoAnswer::Redirect),
            401 | 403 => return Err(NoAnswer::Refused),
            _ => return Err(NoAnswer::Status),
        }
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(NoAnswer::MediaType);
        }
        if body.len() > MAX_REPLY {
            return Err(NoAnswer::TooLong);
        }
        serde_json::from_slice(body).map(|reply: Reply| reply.ok).map_err(|_| NoAnswer::Content)
    }
}

/// Why the reply of a site holds no answer. Reasons may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// It leads elsewhere: mostly to a page where people sign in.
    Redirect,
    /// 401 or 403: the site does not believe the shared secret.
    Refused,
    /// Another status than 200.
    Status,
    /// It is not `application/json`.
    MediaType,
    /// It has more than [`MAX_REPLY`] bytes.
    TooLong,
    /// It is not `{"ok": true}` or `{"ok": false}`.
    Content,
}

impl NoAnswer {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Refused => "refused",
            Self::Status => "status",
            Self::MediaType => "media-type",
            Self::TooLong => "too-long",
            Self::Content => "content",
        }
    }
}

shown!(NoAnswer);

#[cfg(test)]
mod tests {
    use super::super::request::Request;
    use super::*;

    fn asked(frame: &str) -> (User, Secret) {
        match Request::parse(frame.as_bytes()) {
            Request::Auth(user, password) => (user, password),
            other => panic!("it is a login, not {other:?}"),
        }
    }

    #[test]
    fn questions_are_json() {
        let (user, password) = asked("auth:alice:localhost:\"ü\":1");
        let auth = r#"{"command":"auth","user":"alice","host":"localhost","password":"\"ü\":1"}"#;
        let exists = r#"{"command":"isuser","user":"alice","host":"localhost"}"#;
        for (question, json) in
            [(Question::login(&user, &password), auth), (Question::existence(&user), exists)]
        {
            assert_eq!(std::str::from_utf8(&question.to_json()).unwrap(), json);
        }
    }

    /// The buffer is never moved: no copy of a password stays behind.
    #[test]
    fn the_longest_question_fits() {
        let (user, password) = asked(&format!("auth:a:b:{}", "\u{1}".repeat(usize::from(u16::MAX) - 9)));
        let json = Question::login(&user, &password).to_json();
        assert!(json.len() > 6 * 65_000);
        assert_eq!(json.capacity(), 6 * (password.expose().len() + 2) + OTHER);
    }

    #[test]
    fn only_an_answer_is_one() {
        let json = Some("application/json");
        let long = format!(r#"{{"ok":true,"more":"{}"}}"#, "x".repeat(MAX_REPLY));
        let longest = format!("{}{}", r#"{"ok":true}"#, " ".repeat(MAX_REPLY - 11));
        for (status, content_type, body, answer) in [
            (200, json, r#"{"ok":true}"#, Ok(true)),
            (200, json, &longest, Ok(true)),
            (200, Some("Application/JSON; charset=utf-8"), r#" {"ok": false, "why": "gone"} "#, Ok(false)),
            (200, json, r#"{"ok":1}"#, Err(NoAnswer::Content)),
            (200, json, r#"{"ok":"true"}"#, Err(NoAnswer::Content)),
            (200, json, r#"{"ok":true,"ok":false}"#, Err(NoAnswer::Content)),
            (200, json, "true", Err(NoAnswer::Content)),
            (200, json, "{}", Err(NoAnswer::Content)),
            (200, json, "", Err(NoAnswer::Content)),
            (200, json, &long, Err(NoAnswer::TooLong)),
            (200, Some("text/html"), r#"{"ok":true}"#, Err(NoAnswer::MediaType)),
            (200, None, r#"{"ok":true}"#, Err(NoAnswer::MediaType)),
            (204, json, r#"{"ok":true}"#, Err(NoAnswer::Status)),
            (404, json, r#"{"ok":true}"#, Err(NoAnswer::Status)),
            (500, json, r#"{"ok":true}"#, Err(NoAnswer::Status)),
            (401, json, r#"{"ok":true}"#, Err(NoAnswer::Refused)),
            (403, json, r#"{"ok":true}"#, Err(NoAnswer::Refused)),
            (302, json, r#"{"ok":true}"#, Err(NoAnswer::Redirect)),
        ] {
            assert_eq!(Question::answer(status, content_type, body.as_bytes()), answer, "{status} {body}");
        }
    }
}
