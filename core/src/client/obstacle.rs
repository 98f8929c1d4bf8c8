//! What `ureq` has no error for, on its way through `ureq`.

use std::io;
use std::sync::Arc;

/// An obstacle, and what the system said of it, for all who wait for the same lookup.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{obstacle:?}")]
pub(super) struct Obstructed {
    obstacle: Obstacle,
    source: Option<Arc<io::Error>>,
}

impl Obstructed {
    /// What a name lookup failed with.
    pub(super) fn by_lookup(error: io::Error) -> Self {
        Self { obstacle: Obstacle::of_lookup(&error), source: Some(Arc::new(error)) }
    }

    /// What the system said.
    pub(super) fn into_source(self) -> Option<Arc<io::Error>> {
        self.source
    }
}

/// What stood in the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The name service knows no such host.
    NoSuchHost,
    /// The name service did not answer, or with an error of its own.
    NameService,
    /// The host has no address that may be used.
    NoUsableAddress,
    /// The system let this process start no thread.
    NoThread,
}

impl Obstacle {
    /// What made a name lookup fail. Only the text tells it, with glibc, musl, macOS and Windows.
    fn of_lookup(error: &io::Error) -> Self {
        const UNKNOWN: [&str; 4] = ["not known", "not resolve", "no address", "no such host"];
        let text = error.to_string().to_lowercase();
        let is_unknown = UNKNOWN.iter().any(|words| text.contains(words));
        if is_unknown { Self::NoSuchHost } else { Self::NameService }
    }

    /// The obstacle inside an error, if it is one.
    pub(super) fn inside(error: &io::Error) -> Option<Self> {
        Some(error.get_ref()?.downcast_ref::<Obstructed>()?.obstacle)
    }
}

impl From<Obstacle> for io::Error {
    fn from(obstacle: Obstacle) -> Self {
        Obstructed { obstacle, source: None }.into()
    }
}

impl From<Obstructed> for io::Error {
    fn from(obstructed: Obstructed) -> Self {
        Self::other(obstructed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_there_is_not_a_name_service_that_is_down() {
        const PREFIX: &str = "failed to lookup address information: ";
        for (text, obstacle) in [
            ("Name or service not known", Obstacle::NoSuchHost),
            ("No address associated with hostname", Obstacle::NoSuchHost),
            ("Name does not resolve", Obstacle::NoSuchHost),
            ("nodename nor servname provided, or not known", Obstacle::NoSuchHost),
            ("No such host is known. (os error 11001)", Obstacle::NoSuchHost),
            ("Temporary failure in name resolution", Obstacle::NameService),
            ("Non-recoverable failure in name resolution", Obstacle::NameService),
            ("Try again", Obstacle::NameService),
            ("Too many open files (os error 24)", Obstacle::NameService),
        ] {
            assert_eq!(Obstacle::of_lookup(&io::Error::other(format!("{PREFIX}{text}"))), obstacle, "{text}");
        }
        assert_eq!(Obstacle::inside(&Obstacle::NoThread.into()), Some(Obstacle::NoThread));
        assert_eq!(Obstacle::inside(&io::ErrorKind::TimedOut.into()), None);
    }
}
