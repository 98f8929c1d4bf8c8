//! The keys of the site's tokens, in files and in folders of files. They are read again when they change.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use prebind::token::{Key, Verifier};

use super::rules::Rules;
use super::watched::{Watched, is_due};
use crate::printable::printable;

/// The most bytes of a file of keys.
const LIMIT: u64 = 64 * 1024;

/// The endings of the names of files with keys in a folder.
const ENDINGS: [&str; 3] = ["jwk", "json", "pem"];

/// Verifies tokens with the present keys.
pub(crate) struct KeyRing {
    /// Files, and folders of files.
    sources: Vec<PathBuf>,
    rules: Rules,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    looked: Option<Instant>,
    files: BTreeMap<PathBuf, Watched<Vec<Key>>>,
    verifier: Option<Arc<Verifier>>,
    problems: BTreeMap<PathBuf, String>,
}

impl KeyRing {
    pub(crate) fn new(sources: Vec<PathBuf>, rules: Rules) -> Self {
        Self { sources, rules, state: Mutex::default() }
    }

    /// The present verifier. `None` while there is no key.
    pub(crate) fn verifier(&self) -> Option<Arc<Verifier>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if is_due(state.looked) {
            state.looked = Some(Instant::now());
            state.look(&self.sources, &self.rules);
        }
        state.verifier.clone()
    }
}

impl State {
    /// Checks all files. If a file cannot be read, its last keys stay in use.
    fn look(&mut self, sources: &[PathBuf], rules: &Rules) {
        let mut paths = Vec::new();
        for source in sources {
            let known: Vec<PathBuf> =
                self.files.keys().filter(|file| file.parent() == Some(source)).cloned().collect();
            let problem = match files(source, !known.is_empty()) {
                Ok(files) => {
                    paths.extend(files);
                    None
                }
                Err(problem) => {
                    paths.extend(known);
                    Some(problem)
                }
            };
            self.tell(source, problem);
        }
        let before = self.files.len();
        self.files.retain(|path, _| paths.contains(path));
        let mut is_new = self.files.len() != before;
        for path in paths {
            let file = self.files.entry(path).or_insert_with_key(|path| Watched::new(path, LIMIT));
            is_new |= file.look(|text| Key::read(text).map_err(|error| error.to_string()));
        }
        if is_new {
            self.renew(rules);
        }
    }

    /// Logs what is wrong with a source, once.
    fn tell(&mut self, source: &Path, problem: Option<String>) {
        let Some(problem) = problem else {
            self.problems.remove(source);
            return;
        };
        if self.problems.get(source) != Some(&problem) {
            tracing::error!("{}: {problem}", printable(&source.to_string_lossy()));
            self.problems.insert(source.to_owned(), problem);
        }
    }

    fn renew(&mut self, rules: &Rules) {
        let keys = self.files.values().filter_map(Watched::good).flatten().cloned();
        let keys = rules.usable(keys);
        let count = keys.len();
        match rules.verifier(keys) {
            Ok(verifier) => {
                self.verifier = Some(Arc::new(verifier));
                tracing::info!("keys that verify tokens: {count}");
            }
            Err(error) => tracing::error!("{error}"),
        }
    }
}

/// The files of a source, in the order of their names. A source that `was_folder` is never treated as a file.
fn files(source: &Path, was_folder: bool) -> Result<Vec<PathBuf>, String> {
    // A file that cannot be read is reported later, when it is read.
    if !was_folder && !source.is_dir() {
        return Ok(vec![source.to_owned()]);
    }
    let is_key = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        !is_hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending))
    };
    let listed = fs::read_dir(source)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    let mut files: Vec<PathBuf> = listed
        .map_err(|error| format!("cannot be listed ({error}): let the user who runs ejabberd read it"))?;
    files.retain(is_key);
    files.sort();
    if files.is_empty() {
        return Err("has no key: put one there, in a file *.jwk, *.json or *.pem".to_owned());
    }
    Ok(files)
}
