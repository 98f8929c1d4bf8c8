//! Asks the site about users.

use std::env;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use prebind::Secret;
use prebind::extauth::{MAX_REPLY, NoAnswer, Question, User, is_site_secret};
use ureq::http::header::HeaderValue;

use super::http::{Http, HttpOptions, Url, UrlParser};
use super::watched::Live;

/// The variable with the shared secret, if no file is given.
const VARIABLE: &str = "PREBIND_SITE_SECRET";

/// The most bytes of the file with the shared secret.
const MOST: u64 = 4096;

/// How long not to ask the site which users exist after it gave no answer.
const REST: Duration = Duration::from_secs(5);

#[derive(Args)]
#[command(next_help_heading = "Site")]
pub(crate) struct SiteOptions {
    /// Ask the site at this URL whether a user exists, and with --ask whether a password is right
    #[arg(long = "site", value_name = "URL", value_parser = UrlParser)]
    url: Option<Url>,
    /// The file with the secret that proves to the site who asks; without it the secret comes from the
    /// environment variable `PREBIND_SITE_SECRET`
    #[arg(long = "site-secret-file", value_name = "FILE", requires = "url")]
    secret_file: Option<PathBuf>,
    /// Ask the site about logins too, except for a token that a key verifies or refuses
    #[arg(long, requires = "url")]
    pub(crate) ask: bool,
}

impl SiteOptions {
    /// Whether there is a site to ask.
    pub(crate) fn is_given(&self) -> bool {
        self.url.is_some()
    }

    pub(crate) fn site(&self, http: &HttpOptions) -> Option<Site> {
        let secret = match &self.secret_file {
            Some(file) => SharedSecret::File(Live::new(file, MOST, header)),
            None => SharedSecret::Variable(env::var(VARIABLE).unwrap_or_default().into()),
        };
        Some(Site { url: self.url.clone()?, http: Http::new(http), secret, rests_until: Mutex::default() })
    }
}

/// The site, which knows its users.
pub(crate) struct Site {
    url: Url,
    http: Http,
    secret: SharedSecret,
    /// Until then, the site is not asked which users exist.
    rests_until: Mutex<Option<Instant>>,
}

enum SharedSecret {
    File(Live<HeaderValue>),
    Variable(Secret),
}

impl Site {
    /// Whether the site says that this password is the user's. No answer counts as no.
    pub(crate) fn accepts(&self, user: &User, password: &Secret) -> bool {
        match self.ask(Question::login(user, password)) {
            Ok(true) => true,
            Ok(false) => {
                tracing::info!("{user} is refused: the site says no");
                false
            }
            Err(problem) => {
                tracing::error!("{user} is refused, because the site gave no answer: {problem}");
                false
            }
        }
    }

    /// Whether the site says that this user exists. If it gives no answer, all users exist for a while, so
    /// that messages are kept and not returned to the sender.
    pub(crate) fn knows(&self, user: &User) -> bool {
        let mut rests_until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if rests_until.is_some_and(|until| Instant::now() < until) {
            return true;
        }
        drop(rests_until);
        let answer = self.ask(Question::existence(user));
        rests_until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(is_known) => {
                *rests_until = None;
                is_known
            }
            Err(problem) => {
                let seconds = REST.as_secs();
                tracing::error!(
                    "for {seconds} s every user exists, because the site gave no answer: {problem}"
                );
                *rests_until = Some(Instant::now() + REST);
                true
            }
        }
    }

    /// # Errors
    /// Says why there is no answer, and how to fix it.
    fn ask(&self, question: Question<'_>) -> Result<bool, String> {
        let secret = self.secret.header()?;
        let reply = self.http.post(&self.url, &secret, &question.to_json(), MAX_REPLY)?;
        Question::answer(reply.status, reply.content_type.as_deref(), &reply.body)
            .map_err(|reason| told(reason, reply.status))
    }
}

impl SharedSecret {
    fn header(&self) -> Result<Arc<HeaderValue>, String> {
        match self {
            Self::File(file) => {
                file.get().ok_or_else(|| "the shared secret cannot be read: see above".to_owned())
            }
            Self::Variable(secret) => header(secret.expose()).map(Arc::new).map_err(|problem| {
                format!("the shared secret in {VARIABLE} {problem}; or give --site-secret-file")
            }),
        }
    }
}

/// The header that proves to the site who asks.
fn header(text: &str) -> Result<HeaderValue, String> {
    let secret = text.trim();
    if !is_site_secret(secret) {
        return Err("has to be 16 or more visible ASCII characters in one line: make a random one".to_owned());
    }
    let mut value = HeaderValue::try_from(format!("Bearer {secret}"))
        .map_err(|_| "cannot be sent: make a random one".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Says why a reply is no answer, and how to fix it.
fn told(reason: NoAnswer, status: u16) -> String {
    match reason {
        NoAnswer::Redirect => {
            format!(
                "it leads elsewhere ({status}): give the last URL, which must not want anybody to sign in"
            )
        }
        NoAnswer::Refused => {
            format!("it refuses the question ({status}): give both the same secret, and allow this machine")
        }
        NoAnswer::Status => format!("its status is {status}, not 200: see the site's log"),
        NoAnswer::MediaType => {
            "it is not application/json: give the URL of the site's endpoint for the chat server".to_owned()
        }
        NoAnswer::TooLong => {
            format!("it has more than {MAX_REPLY} bytes: answer {{\"ok\": true}} or {{\"ok\": false}}")
        }
        _ => "it is neither {\"ok\": true} nor {\"ok\": false}: answer one of them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_secret_is_one_line_that_is_hard_to_guess() {
        assert_eq!(header("0123456789abcdef\n").unwrap().to_str().unwrap(), "Bearer 0123456789abcdef");
        for bad in [
            "",
            "short",
            "0123456789abcdef 0123456789abcdef",
            "0123456789abcdef\n0123456789abcdef",
            "0123456789abcdeü",
        ] {
            assert!(!header(bad).unwrap_err().contains("0123"), "{bad}");
        }
    }
}
