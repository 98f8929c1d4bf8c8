//! Installs programs that are in no Debian package below `target`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::{Error, Result};

/// Runs `config/NAME/install.sh`, unless that was done before. Returns where the program is installed.
pub(crate) fn install(name: &'static str) -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = own.join("../../target").join(name);
    let output = Command::new("/bin/sh")
        .args(["-c", include_str!("../config/install.sh"), "install.sh"])
        .args([own.join("config").join(name), directory.clone()])
        .output()
        .map_err(Error::io("run /bin/sh"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::NotInstalled { program: name, reason });
    }
    directory.join("installed").canonicalize().map_err(Error::io("find what was installed"))
}
