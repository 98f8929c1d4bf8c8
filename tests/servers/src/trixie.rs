//! Prosody 13, which Debian 12 does not have, run from the packages of Debian 13.
//!
//! They are fetched and unpacked once, below `target`. Prosody then runs with its own C library
//! and its own Lua, beside those of the system.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{Error, Result},
    guardian::Launch,
};

const SCRIPT: &str = include_str!("trixie.sh");

/// What runs Prosody 13, before its own arguments. It is fetched first if it is not there.
pub(crate) fn prosody() -> Result<Launch> {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/trixie"));
    let output = Command::new("/bin/sh")
        .args(["-c", SCRIPT, "trixie.sh"])
        .arg(directory)
        .output()
        .map_err(Error::io("run /bin/sh"))?;
    if !output.status.success() {
        return Err(Error::NotFetched(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let root = directory.join("root").canonicalize().map_err(Error::io("find Prosody 13"))?;
    let usr = root.join("usr");
    let loader = only(&usr.join("lib64"), "ld-linux").or_else(|| only(&usr.join("lib"), "ld-linux"));
    let libraries = fs::read_dir(usr.join("lib")).ok().and_then(|entries| {
        entries.flatten().map(|entry| entry.path()).find(|path| path.join("libc.so.6").exists())
    });
    let (Some(loader), Some(libraries)) = (loader, libraries) else {
        return Err(Error::NotFetched(format!("there is no C library in {}", root.display())));
    };
    let path =
        |parts: &[&Path]| parts.iter().map(|part| part.as_os_str()).collect::<Vec<_>>().join(";".as_ref());
    let shared = usr.join("share/lua/5.4");
    Ok(Launch {
        program: loader,
        arguments: vec![
            "--library-path".into(),
            libraries.clone().into(),
            usr.join("bin/lua5.4").into(),
            root.join("prosody.lua").into(),
        ],
        environment: BTreeMap::from([
            ("LUA_PATH", path(&[&shared.join("?.lua"), &shared.join("?/init.lua")])),
            ("LUA_CPATH", libraries.join("lua/5.4/?.so").into()),
        ]),
    })
}

/// The entry of a directory that begins so.
fn only(directory: &Path, start: &str) -> Option<PathBuf> {
    let mut entries = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
    entries.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start)))
}
