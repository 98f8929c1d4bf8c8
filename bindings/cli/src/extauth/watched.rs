//! A file that is read again when it changes.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use zeroize::Zeroizing;

use crate::printable::printable;

/// The shortest time between two checks of a file.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A file that was written less than this ago may change again without getting a newer time.
const SETTLED: Duration = Duration::from_secs(2);

/// The content of a file, or its last usable content.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    path: PathBuf,
    limit: u64,
    /// The stamp of the file when its content was read.
    seen: Option<Stamp>,
    good: Option<T>,
    problem: Option<String>,
}

/// The values that show whether a file has changed.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    /// Whether a later change would show in these values.
    is_settled: bool,
}

impl<T> Watched<T> {
    /// A file of at most this many bytes. It is not read yet.
    pub(crate) fn new(path: &Path, limit: u64) -> Self {
        Self { path: path.to_owned(), limit, seen: None, good: None, problem: None }
    }

    /// The last usable content.
    pub(crate) fn good(&self) -> Option<&T> {
        self.good.as_ref()
    }

    /// Reads the file if it has changed, and logs what is new. Returns whether the content may have changed.
    pub(crate) fn look(&mut self, parse: impl FnOnce(&str) -> Result<T, String>) -> bool {
        let stamp = match Stamp::of(&self.path) {
            Ok(stamp) => stamp,
            Err(error) => return self.is_unusable(unreadable(&error)),
        };
        if self.seen.is_some_and(|seen| seen.is_settled && seen.is_like(stamp)) {
            return false;
        }
        let read = read(&self.path, self.limit).map_err(|error| unreadable(&error));
        match read.and_then(|text| parse(&text)) {
            Ok(good) => {
                let is_news = self.seen.is_some_and(|seen| !seen.is_like(stamp)) || self.problem.is_some();
                if is_news {
                    tracing::info!("{}: read again", self.name());
                }
                (self.seen, self.good, self.problem) = (Some(stamp), Some(good), None);
                true
            }
            Err(problem) => self.is_unusable(problem),
        }
    }

    fn is_unusable(&mut self, problem: String) -> bool {
        // Without a stamp, the file is read again even if only its permissions change.
        self.seen = None;
        if self.problem.as_ref() != Some(&problem) {
            let meanwhile = if self.good.is_some() { " (what it said before stays in use)" } else { "" };
            tracing::error!("{}: {}{meanwhile}", self.name(), printable(&problem));
            self.problem = Some(problem);
        }
        false
    }

    fn name(&self) -> String {
        printable(&self.path.to_string_lossy())
    }
}

impl Stamp {
    /// # Errors
    /// Also if it is no regular file, because opening a pipe would wait for a writer.
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let modified = metadata.modified().ok();
        let is_settled = modified.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > SETTLED);
        Ok(Self { modified, length: metadata.len(), is_settled })
    }

    fn is_like(self, other: Self) -> bool {
        (self.modified, self.length) == (other.modified, other.length)
    }
}

/// A file that is checked for changes when its content is needed.
pub(crate) struct Live<T> {
    parse: fn(&str) -> Result<T, String>,
    state: Mutex<(Option<Instant>, Watched<Arc<T>>)>,
}

impl<T> Live<T> {
    /// A file of at most this many bytes.
    pub(crate) fn new(path: &Path, limit: u64, parse: fn(&str) -> Result<T, String>) -> Self {
        Self { parse, state: Mutex::new((None, Watched::new(path, limit))) }
    }

    /// The content of the file, or its last usable content.
    pub(crate) fn get(&self) -> Option<Arc<T>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (looked, file) = &mut *state;
        if is_due(*looked) {
            *looked = Some(Instant::now());
            file.look(|text| (self.parse)(text).map(Arc::new));
        }
        file.good().cloned()
    }
}

/// Whether it is time to check files again that were last checked then.
pub(crate) fn is_due(looked: Option<Instant>) -> bool {
    looked.is_none_or(|looked| looked.elapsed() >= LOOK_AGAIN)
}

fn read(path: &Path, limit: u64) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(limit);
    // Reserves all the room at once, because a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(length).unwrap_or_default() + 1));
    file.take(limit + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= limit) {
        Ok(text)
    } else {
        Err(io::Error::other(format!("it has more than {limit} bytes")))
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read ({error}): make it a file that the user who runs ejabberd can read")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn number(text: &str) -> Result<u32, String> {
        text.trim().parse().map_err(|_| "is no number".to_owned())
    }

    fn write(path: &Path, text: &str, age: Duration) {
        fs::write(path, text).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn what_cannot_be_used_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = Watched::new(&path, 8);
        assert!(!file.look(number) && file.good().is_none());
        write(&path, "1", HOUR);
        assert!(file.look(number) && file.good() == Some(&1));
        assert!(!file.look(|_| panic!("it has not changed")));
        for unusable in ["x", "123456789"] {
            write(&path, unusable, HOUR);
            assert!(!file.look(number) && file.good() == Some(&1), "{unusable}");
        }
        fs::remove_file(&path).unwrap();
        assert!(!file.look(number) && file.good() == Some(&1));
        fs::create_dir(&path).unwrap();
        assert!(!file.look(number) && file.good() == Some(&1));
        fs::remove_dir(&path).unwrap();
        write(&path, "2", HOUR);
        assert!(file.look(number) && file.good() == Some(&2));
    }

    /// A second change within the resolution of the file system's clock leaves no trace.
    #[test]
    fn a_file_that_was_just_written_is_read_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = Watched::new(&path, 8);
        write(&path, "1", Duration::ZERO);
        let modified = path.metadata().unwrap().modified().unwrap();
        assert!(file.look(number) && file.good() == Some(&1));
        fs::write(&path, "2").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert!(file.look(number) && file.good() == Some(&2));
    }

    #[test]
    fn a_change_of_the_length_or_the_time_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = Watched::new(&path, 8);
        for (text, age) in [("1", 2 * HOUR), ("2", HOUR), ("33", HOUR)] {
            write(&path, text, age);
            assert!(file.look(number) && file.good() == text.parse().ok().as_ref());
        }
    }
}
