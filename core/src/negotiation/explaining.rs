//! Explains a failure by what the server does not say: which account logged in, and by which mechanism.

use super::bosh::is_unknown;
use crate::account::Account;
use crate::config::Config;
use crate::error::{
    Condition, Error, ErrorKind, Phase, Retry, SaslCondition, ScramCondition, Stage, shortened,
};
use crate::jid::{Jid, Likeness};

/// The longest address in a message, in characters.
const LONGEST: usize = 60;

/// The expectation that fails if replies bring no progress.
pub(super) const NEXT_STEP: &str = "the next step of the exchange";

/// What is known of a login that fails.
#[derive(Clone, Copy)]
pub(super) struct Explaining<'a> {
    pub(super) config: &'a Config,
    pub(super) account: &'a Account,
    pub(super) mechanism: Option<&'a str>,
}

impl Explaining<'_> {
    /// Adds a remedy for this account to the error.
    pub(super) fn remedied(&self, error: Error) -> Error {
        let error = match error.kind() {
            ErrorKind::Auth if is_about_credentials(&error) => error.with_remedy(self.credentials_remedy()),
            _ => error,
        };
        error.about(self.account.jid().domain())
    }

    /// Explains why a login by SASL2 failed although the server also offers a login without it: servers that
    /// offer SASL2 for other connections do not always answer it over BOSH.
    pub(super) fn explained_by_sasl2(&self, error: Error) -> Error {
        let option = if self.config.fast_tokens { "`fast_tokens`" } else { "`fast_token`" };
        match error.kind() {
            ErrorKind::Timeout { phase: phase @ (Phase::Headers | Phase::Body) } => {
                let (retry, next) = if self.config.learn {
                    (Retry::FreshSession, "; the next call logs in without it")
                } else {
                    (Retry::AfterConfigChange, "")
                };
                let message = format!(
                    "the server offers SASL2 but did not answer the login by it in time: switch SASL2 off for BOSH on \
                     the server, or leave out {option}{next}"
                );
                Error::new(ErrorKind::Timeout { phase: *phase }, error.stage(), retry, message)
            }
            ErrorKind::Http { status: 500, .. } | ErrorKind::Protocol { .. } | ErrorKind::Terminated
                if !is_unknown(&error) =>
            {
                let more = format!("; the login was made by SASL2: if that fails here, leave out {option}");
                error.with_more(&more)
            }
            _ => error,
        }
    }

    /// The remedy if the server refuses credentials of this kind.
    fn credentials_remedy(&self) -> String {
        let account = self.account;
        if !account.identity().authzid.is_empty() {
            let by_plain = self.plain_for_authzid();
            return format!(
                "check that the user who logs in may act for `authzid`, and the password{by_plain}"
            );
        }
        account.credentials().kind().if_refused.to_owned()
    }

    /// The remedy for Openfire, which lets administrators act for others, but ignores `authzid` in SCRAM.
    fn plain_for_authzid(&self) -> &'static str {
        match self.mechanism {
            Some("PLAIN") | None => "",
            Some(_) => {
                "; Openfire takes `authzid` by PLAIN only: give the password as `token` instead of `password`"
            }
        }
    }

    /// The error if the server bound a JID that is not the account's.
    pub(super) fn bound_another(&self, bound: &Jid, likeness: Likeness) -> Error {
        let asked = self.account.jid();
        let shown = |jid: &Jid| shortened(&jid.bare().to_string(), LONGEST);
        let (theirs, ours) = (shown(bound), shown(asked));
        if likeness == Likeness::Folded {
            let message = format!(
                "the server treats {ours} as {theirs}, which may be another user: log in with the `password`, or \
                 give this user the JID {theirs}, and no other user the JID {ours}"
            );
            return Error::new(ErrorKind::Bind, Stage::Bind, Retry::No, message).quoting(theirs);
        }
        let remedy = if !asked.is_at(bound.domain()) {
            let domain = shortened(bound.domain(), LONGEST);
            format!("the server's own domain is {domain}; use that in `jid`")
        } else if !self.account.identity().authzid.is_empty() {
            let by_plain = self.plain_for_authzid();
            let instead = format!("; give the credentials of {ours} itself and no `authzid`");
            format!("it ignored `authzid`{}", if by_plain.is_empty() { &instead } else { by_plain })
        } else {
            "the credentials are those of another account, or the server gives it another name; if that is right, \
             use the name as `jid`"
                .to_owned()
        };
        let message = format!("the server bound {theirs} instead of {ours}: {remedy}");
        let error = Error::new(ErrorKind::Bind, Stage::Bind, Retry::No, message);
        // The caller gave this name, so the error may show it even if a hidden SASL message contains it.
        let is_of_authcid =
            bound.local() == Some(self.account.identity().authcid) && asked.is_at(bound.domain());
        if is_of_authcid { error } else { error.quoting(theirs) }
    }
}

/// The error if the server sent this many replies without the answer that was awaited.
pub(super) fn no_progress(stage: Stage, replies: u32) -> Error {
    let awaited = match stage {
        Stage::Create | Stage::Features => "the login mechanisms that it offers",
        Stage::Authenticate => "an answer to the login",
        Stage::Restart => "the features of the restarted stream",
        Stage::Bind => "an answer to the bind",
        _ => "an answer",
    };
    let message = format!(
        "the server sent {replies} replies without {awaited}: check that the XMPP server behind the BOSH \
         endpoint runs, and see the logs of both"
    );
    Error::unreadable(stage, NEXT_STEP, message)
}

/// Whether the server says that the credentials themselves are wrong.
fn is_about_credentials(error: &Error) -> bool {
    matches!(
        error.condition(),
        Some(
            Condition::Sasl(SaslCondition::NotAuthorized)
                | Condition::Scram(ScramCondition::InvalidProof | ScramCondition::UnknownUser)
        )
    )
}
