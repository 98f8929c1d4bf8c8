//! What a chat server is answered, in the form of its question.

use super::inquiry::{Command, Form};
use super::refusal::Refusal;
use crate::web::Answer;

impl Form {
    /// Yes or no.
    pub(super) fn decided(self, is_yes: bool) -> Answer {
        self.answer(200, is_yes, Vec::new())
    }

    /// `MongooseIM`'s documentation lists the statuses that its form may have: among them is neither 405 nor 429.
    pub(super) fn refused(self, refusal: Refusal) -> Answer {
        let allow = || vec![("Allow", "POST".to_owned())];
        let (status, more) = match (refusal, self) {
            (Refusal::Token(_) | Refusal::Used, _) => (200, Vec::new()),
            (Refusal::Command, Self::Text(Command::Absent)) => (404, Vec::new()),
            (Refusal::Address | Refusal::Proxy | Refusal::Secret | Refusal::Command, _) => (403, Vec::new()),
            (Refusal::Method, Self::Json) => (405, allow()),
            (Refusal::Method | Refusal::Question, _) => (400, Vec::new()),
        };
        self.answer(status, false, more)
    }

    /// No, and the next question is to come after so many seconds.
    pub(super) fn too_often(self, seconds: u64) -> Answer {
        match self {
            Self::Json => self.answer(429, false, vec![("Retry-After", seconds.to_string())]),
            Self::Text(_) => self.answer(403, false, Vec::new()),
        }
    }

    /// No answer.
    pub(super) fn broken(self) -> Answer {
        self.answer(500, false, Vec::new())
    }

    /// `MongooseIM` wants the length of each answer.
    fn answer(self, status: u16, is_yes: bool, more: Vec<(&'static str, String)>) -> Answer {
        let (media_type, body) = match (self, is_yes) {
            (Self::Json, true) => ("application/json", r#"{"ok":true}"#),
            (Self::Json, false) => ("application/json", r#"{"ok":false}"#),
            (Self::Text(_), true) => ("text/plain; charset=utf-8", "true"),
            (Self::Text(_), false) => ("text/plain; charset=utf-8", "false"),
        };
        let mut headers = vec![
            ("Content-Type", media_type.to_owned()),
            ("Content-Length", body.len().to_string()),
            ("Cache-Control", "no-store".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ];
        headers.extend(more);
        Answer::to_server(status, headers, body)
    }
}
