//! The errors that keep a server from starting or answering, and what to do about them.

use std::io;

use crate::Kind;

/// The result of every function here that may fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a server does not start or does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A package of the server is not installed.
    #[error("{kind} cannot start: install the Debian package `{package}` (apt-get install {package})")]
    Missing {
        /// The server.
        kind: Kind,
        /// The package to install.
        package: &'static str,
    },
    /// A program for the place in front of a server is not installed.
    #[error("{program} cannot start: install the Debian package `{package}` (apt-get install {package})")]
    NoProgram {
        /// The program.
        program: &'static str,
        /// The package to install.
        package: &'static str,
    },
    /// A program in front of a server did not start.
    #[error("{program} does not listen; the end of its log:\n{log}")]
    NotListening {
        /// The program.
        program: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// A program that is in no Debian package could not be installed.
    #[error("{program} could not be installed, see tests/servers/README.md for what that takes: {reason}")]
    NotInstalled {
        /// The program.
        program: &'static str,
        /// What the installation said.
        reason: String,
    },
    /// The packages of a server could not be fetched from Debian 13.
    #[error(
        "{kind} cannot start: its packages could not be fetched (that takes apt-get, dpkg, \
             debian-archive-keyring and a way to a mirror of Debian, see DEBIAN_MIRROR): {reason}"
    )]
    NotFetched {
        /// The server.
        kind: Kind,
        /// Why they could not be fetched.
        reason: String,
    },
    /// Other programs took the chosen ports first, several times in a row.
    #[error("{0} found its ports taken {times} times; try again", times = crate::server::ATTEMPTS)]
    PortTaken(Kind),
    /// The server ended while starting.
    #[error("{kind} ended while starting; the end of its log:\n{log}")]
    Exited {
        /// The server.
        kind: Kind,
        /// The last lines of its log.
        log: String,
    },
    /// The server did not become ready in time.
    #[error("{kind} was not ready in time, is the machine overloaded? The end of its log:\n{log}")]
    NotReady {
        /// The server.
        kind: Kind,
        /// The last lines of its log.
        log: String,
    },
    /// The running server did not answer a question as expected.
    #[error("the server gave no usable answer to {question}: {reason}")]
    Control {
        /// What was asked.
        question: String,
        /// What came instead of an answer.
        reason: String,
    },
    /// The server does not offer this.
    #[error("{0}; see the hosts table in tests/servers/README.md")]
    NotOffered(String),
    /// An operation on a file or a process failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// What went wrong.
        source: io::Error,
    },
    /// The certificates could not be made.
    #[error("cannot make certificates: {0}")]
    Certificates(#[from] rcgen::Error),
}

impl Error {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
