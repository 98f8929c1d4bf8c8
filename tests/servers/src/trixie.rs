//! Runs programs from the packages of Debian 13.
//!
//! The packages of a server are fetched and unpacked once, below `target`. The server runs with the C library
//! of Debian 13, not with the system's.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Kind,
    error::{Error, Result},
    guardian::Launch,
    version,
};

const SCRIPT: &str = include_str!("trixie.sh");

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/trixie");

/// The unpacked packages of a server.
pub(crate) struct Trixie {
    kind: Kind,
    /// The directory that is `/usr` on a Debian 13.
    pub(crate) usr: PathBuf,
    loader: PathBuf,
    /// The libraries of this machine's architecture.
    pub(crate) libraries: PathBuf,
}

impl Trixie {
    /// The packages in the versions of a suite, such as `trixie` or `trixie-backports`. They are fetched if
    /// needed. The first package is the server's.
    pub(crate) fn with(kind: Kind, suite: &str, packages: &[&str]) -> Result<Self> {
        let output = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "trixie.sh"])
            .arg(directory(kind))
            .arg(suite)
            .args(packages)
            .output()
            .map_err(Error::io("run /bin/sh"))?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::NotFetched { kind, reason });
        }
        let directory = directory(kind).canonicalize().map_err(Error::io("find packages of Debian 13"))?;
        let usr = directory.join("root/usr");
        let loader = entry(&usr.join("lib64"), "ld-linux").or_else(|| entry(&usr.join("lib"), "ld-linux"));
        let libraries = fs::read_dir(usr.join("lib")).ok().and_then(|entries| {
            entries.flatten().map(|entry| entry.path()).find(|path| path.join("libc.so.6").exists())
        });
        match (loader, libraries) {
            (Some(loader), Some(libraries)) => Ok(Self { kind, usr, loader, libraries }),
            _ => {
                Err(Error::NotFetched { kind, reason: format!("there is no C library in {}", usr.display()) })
            }
        }
    }

    /// The command line of one of the programs, without its own arguments.
    pub(crate) fn launch(&self, program: &Path) -> Launch {
        let arguments = vec!["--library-path".into(), self.libraries.clone().into(), program.into()];
        Launch { program: self.loader.clone(), arguments, environment: BTreeMap::new() }
    }

    /// A script that runs one of the programs.
    pub(crate) fn script(&self, program: &Path) -> String {
        let Self { loader, libraries, .. } = self;
        let [loader, libraries, program] = [loader, libraries, program].map(|path| path.display());
        format!("#!/bin/sh\nexec '{loader}' --library-path '{libraries}' '{program}' \"$@\"\n")
    }

    /// The only entry of a directory whose name begins like this.
    pub(crate) fn find(&self, directory: &Path, start: &str) -> Result<PathBuf> {
        entry(directory, start).ok_or_else(|| Error::NotFetched {
            kind: self.kind,
            reason: format!("there is no {start}… in {}", directory.display()),
        })
    }
}

/// The server's version, once its packages have been fetched.
pub(crate) fn version(kind: Kind) -> Result<String> {
    version::of_file(&directory(kind).join("root/version"))
}

fn directory(kind: Kind) -> PathBuf {
    Path::new(DIRECTORY).join(kind.to_string())
}

fn entry(directory: &Path, start: &str) -> Option<PathBuf> {
    let mut entries = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
    entries.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start)))
}
