//! The file with what earlier calls have learned of the server.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process;

use crate::failure::Failure;

/// The file and its content.
pub(crate) struct ProfileFile {
    path: PathBuf,
    profile: Option<String>,
}

impl ProfileFile {
    /// # Errors
    /// `Input` if the file exists and cannot be read.
    pub(crate) fn read(path: PathBuf) -> Result<Self, Failure> {
        match fs::read(&path) {
            // The library ignores a text that is no profile.
            Ok(bytes) => Ok(Self { path, profile: String::from_utf8(bytes).ok() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { path, profile: None }),
            Err(error) => Err(Failure::unreadable(&path, &error)),
        }
    }

    pub(crate) fn profile(&self) -> Option<String> {
        self.profile.clone()
    }

    /// Writes the profile if it is new. If that fails, the next call only takes longer, so this prints only a
    /// warning.
    pub(crate) fn update(&self, profile: &str) {
        if self.profile.as_deref() == Some(profile) {
            return;
        }
        // The file is replaced in one step, because other calls may read it at any time.
        let mut beside = self.path.clone().into_os_string();
        beside.push(format!(".{}", process::id()));
        let written = fs::write(&beside, profile).and_then(|()| fs::rename(&beside, &self.path));
        if let Err(error) = written {
            let text = format!("warning: cannot write {}: {error}\n", self.path.display());
            anstream::stderr().lock().write_all(text.as_bytes()).unwrap_or_default();
        }
    }
}
