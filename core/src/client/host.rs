//! What the processes of a web site on one host share: how many calls are under way, and whether the server
//! is reached.
//!
//! A worker of php-fpm, or a sync worker of gunicorn, makes one call at a time, so a limit inside each
//! process has no effect. Therefore each call holds an advisory lock on a file. The operating system releases
//! the lock when the process ends, even after a crash. Each user and URL has its own directory for these
//! files.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind as Io, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::config::Config;

/// The file that holds what the processes know of the server.
const NOTES: &str = "notes";

/// The file that is locked while a call probes whether the server is back.
const PROBE: &str = "probe";

/// How long to wait for the notes. A process holds them only to read and write a few lines, but one that is
/// suspended while it does must not stop the others.
const PATIENCE: Duration = Duration::from_millis(20);

/// The most to read of the notes, which is more than they ever take.
const MAX_NOTES: u64 = 256 * 1024;

#[derive(Debug)]
pub(super) struct Host {
    directory: PathBuf,
    /// How many requests this process serves at once.
    workers: u32,
    /// The configured limit of calls; 0 means half of the workers.
    most: u32,
    /// The lock that shows the other processes that this one is running.
    presence: Mutex<Option<Lock>>,
    /// Whether the directory was checked and belongs to this user.
    is_prepared: AtomicBool,
    /// Whether the warning that nothing is shared was logged.
    is_told: AtomicBool,
}

/// The refusal when all places are taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) most: u32,
}

/// A place for one call, held until it is dropped. It has no lock if the places cannot be counted.
#[derive(Debug)]
pub(super) struct Place(#[cfg_attr(not(test), expect(dead_code, reason = "it is held"))] Option<Lock>);

/// What the processes know of the server. No other process changes it until this is dropped.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) text: String,
    lock: Lock,
}

/// An advisory lock on a file.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    process: u32,
}

impl Host {
    /// `None` if the configuration shares nothing.
    pub(super) fn new(config: &Config) -> Option<Self> {
        Self::within(&env::temp_dir(), config)
    }

    pub(super) fn within(folder: &Path, config: &Config) -> Option<Self> {
        if config.workers == 0 && config.max_host_calls == 0 {
            return None;
        }
        // The name is a hash of the URL, because a URL may hold secrets, and characters that a file name must
        // not have.
        let digest = Sha256::digest(config.url.as_str());
        let name = digest.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        let user = rustix::process::geteuid().as_raw();
        Some(Self {
            directory: folder.join(format!("prebind-{user}")).join(format!("{name:032x}")),
            workers: config.workers,
            most: config.max_host_calls,
            presence: Mutex::default(),
            is_prepared: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
        })
    }

    /// Takes a place for a call, without waiting. If the places cannot be counted, every call gets one.
    pub(super) fn place(&self) -> Result<Place, Full> {
        let taken = self.show_presence().and_then(|()| {
            let most = if self.most == 0 { (self.present()? / 2).max(1) } else { self.most };
            for number in 0..most {
                if let Some(lock) = self.lock(&format!("call-{number}"))? {
                    return Ok(Ok(Place(Some(lock))));
                }
            }
            Ok(Err(Full { most }))
        });
        taken.unwrap_or_else(|error| {
            self.tell(&error);
            Ok(Place(None))
        })
    }

    /// Reads and locks what the processes know of the server. Returns `None` if that is not possible in time.
    pub(super) fn notes(&self) -> Option<Notes> {
        let until = Instant::now() + PATIENCE;
        let read = || loop {
            if let Some(mut lock) = self.lock(NOTES)? {
                let mut bytes = Vec::new();
                (&mut lock.file).take(MAX_NOTES).read_to_end(&mut bytes)?;
                return Ok(Some(Notes { text: String::from_utf8_lossy(&bytes).into_owned(), lock }));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            thread::sleep(Duration::from_micros(200));
        };
        read().unwrap_or_else(|error| {
            self.tell(&error);
            None
        })
    }

    /// Makes this the one call of the host that probes. Returns `None` while another call probes.
    pub(super) fn probe(&self) -> Option<Lock> {
        self.lock(PROBE).ok().flatten()
    }

    /// Shows the other processes that this one is running, from its first call until it ends.
    fn show_presence(&self) -> io::Result<()> {
        let name = format!("{}{}", group(), process::id());
        let mut presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shown = |lock: &Lock| lock.is_at(&self.directory.join(&name));
        if self.most != 0 || presence.as_ref().is_some_and(is_shown) {
            return Ok(());
        }
        // If the file is locked already, another client of this process shows it.
        if let Some(mut lock) = self.lock(&name)? {
            lock.write(&self.workers.to_string())?;
            *presence = Some(lock);
        }
        Ok(())
    }

    /// How many requests the processes of this site serve at once. Processes with the same parent belong to
    /// one site. Files that dead processes left behind are deleted.
    fn present(&self) -> io::Result<u32> {
        let group = group();
        let mut workers: u32 = 0;
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with(PRESENCE)) else { continue };
            match self.lock(name) {
                Ok(Some(_dead)) => fs::remove_file(self.directory.join(name))?,
                Ok(None) if name.starts_with(&group) => {
                    let text = fs::read_to_string(self.directory.join(name)).unwrap_or_default();
                    workers = workers.saturating_add(text.parse().unwrap_or(1));
                }
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(workers)
    }

    /// Locks a file of the directory, and creates it if needed. Returns `None` while another process holds
    /// the lock.
    fn lock(&self, name: &str) -> io::Result<Option<Lock>> {
        if !self.is_prepared.load(Relaxed) {
            self.prepare()?;
            self.is_prepared.store(true, Relaxed);
        }
        let path = self.directory.join(name);
        let file = open(&path).or_else(|error| match error.kind() {
            Io::NotFound => self.prepare().and_then(|()| open(&path)),
            _ => Err(error),
        })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let lock = Lock { file, process: process::id() };
        // If another process deleted the file after it was opened, this lock protects nothing.
        Ok(lock.is_at(&path).then_some(lock))
    }

    /// Creates the directory. It must belong to this user, and no other user may write to it.
    fn prepare(&self) -> io::Result<()> {
        for directory in self.directory.parent().into_iter().chain([self.directory.as_path()]) {
            match DirBuilder::new().mode(0o700).create(directory) {
                Err(error) if error.kind() == Io::AlreadyExists => {}
                made => made?,
            }
            let found = fs::symlink_metadata(directory)?;
            let problem = if !found.is_dir() {
                "no directory"
            } else if found.uid() != rustix::process::geteuid().as_raw() {
                "another user's"
            } else if found.mode() & 0o077 != 0 {
                fs::set_permissions(directory, Permissions::from_mode(0o700))?;
                continue;
            } else {
                continue;
            };
            return Err(io::Error::new(Io::PermissionDenied, problem));
        }
        Ok(())
    }

    fn tell(&self, error: &io::Error) {
        if !self.is_told.swap(true, Relaxed) {
            let directory = self.directory.display();
            tracing::warn!(
                "each process counts only its own calls, because {directory} cannot be used ({error}): set TMPDIR to a \
                 directory that this user may write to"
            );
        }
    }
}

/// How the names of files begin that show which processes are running.
const PRESENCE: &str = "worker-";

/// How the names of such files begin for the processes of this site.
fn group() -> String {
    format!("{PRESENCE}{}-", parent_id())
}

fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

impl Notes {
    /// Replaces what the processes know of the server.
    pub(super) fn write(mut self, text: &str) {
        // Notes that were written only in part do no harm: the next process ignores lines that it cannot
        // read.
        if text != self.text && self.lock.write(text).is_err() {
            tracing::debug!("the notes about the server could not be written");
        }
    }
}

impl Lock {
    /// Whether this file still has that name. A program that cleans up temporary files may have deleted it.
    fn is_at(&self, path: &Path) -> bool {
        let place = |found: fs::Metadata| (found.dev(), found.ino());
        let [named, locked] = [fs::metadata(path), self.file.metadata()].map(|found| found.map(place).ok());
        named.is_some() && named == locked
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())
    }
}

impl Drop for Lock {
    /// Releases the lock, but only in the process that took it. A process that was forked since has the file
    /// open as well, so closing the file here would not release the lock.
    fn drop(&mut self) {
        if self.process == process::id() {
            let _ = flock(&self.file, FlockOperation::Unlock);
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::Folder;
