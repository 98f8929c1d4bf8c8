//! The exit codes.

use std::process::ExitCode;

use prebind::ErrorKind;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Success = 0,
    Usage = 2,
    Config = 3,
    Connect = 4,
    Timeout = 5,
    Http = 6,
    Protocol = 7,
    Terminated = 8,
    Mechanism = 9,
    Auth = 10,
    ServerUnverified = 11,
    Bind = 12,
    // The next three are those of sysexits.h.
    Input = 66,
    Internal = 70,
    Output = 74,
}

impl Exit {
    const ALL: [Self; 15] = [
        Self::Success,
        Self::Usage,
        Self::Config,
        Self::Connect,
        Self::Timeout,
        Self::Http,
        Self::Protocol,
        Self::Terminated,
        Self::Mechanism,
        Self::Auth,
        Self::ServerUnverified,
        Self::Bind,
        Self::Input,
        Self::Internal,
        Self::Output,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Usage => "wrong usage of the command",
            Self::Config => "a wrong URL, JID or option; nothing was sent",
            Self::Connect => "no connection: name lookup, TCP, TLS, proxy",
            Self::Timeout => "timed out",
            Self::Http => "the answer is not BOSH: another status, a web page, a redirect",
            Self::Protocol => "the answer breaks the protocol",
            Self::Terminated => "the server ended the session, or does not know it",
            Self::Mechanism => "no login mechanism that both sides accept",
            Self::Auth => "the server refused the login",
            Self::ServerUnverified => "the server did not prove that it knows the secret",
            Self::Bind => "the server refused to bind the resource",
            Self::Input => "a password, file or session cannot be read",
            Self::Internal => "a defect in prebind",
            Self::Output => "the result could not be written; the session was ended again",
        }
    }
}

impl From<&ErrorKind> for Exit {
    fn from(kind: &ErrorKind) -> Self {
        match kind {
            ErrorKind::Config { .. } => Self::Config,
            ErrorKind::Connect { .. } => Self::Connect,
            ErrorKind::Timeout { .. } => Self::Timeout,
            ErrorKind::Http { .. } => Self::Http,
            ErrorKind::Protocol { .. } => Self::Protocol,
            ErrorKind::Terminated => Self::Terminated,
            ErrorKind::Mechanism { .. } => Self::Mechanism,
            ErrorKind::Auth => Self::Auth,
            ErrorKind::ServerUnverified { .. } => Self::ServerUnverified,
            ErrorKind::Bind => Self::Bind,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Every code and what it says, for the help.
pub(crate) fn table() -> String {
    Exit::ALL.map(|exit| format!("  {:>2}  {exit:<18}{}", exit as u8, exit.meaning())).join("\n")
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}
