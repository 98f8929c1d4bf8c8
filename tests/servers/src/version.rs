//! The versions of programs, without the parts that security updates change: `1.22` for `1.22.1-9+deb12u3`.

use std::{fs, path::Path, process::Command};

use crate::error::{Error, Result};

pub(crate) fn of_package(package: &str) -> Result<String> {
    let query = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output();
    let output = query.map_err(Error::io("run dpkg-query"))?;
    shortened(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| Error::NotOffered(format!("the package {package} is not installed")))
}

pub(crate) fn of_file(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).map_err(Error::io("read a version"))?;
    shortened(&text).ok_or_else(|| Error::NotOffered(format!("{} holds no version", file.display())))
}

/// The first two numbers at the beginning of the text.
pub(crate) fn shortened(text: &str) -> Option<String> {
    let mut numbers = text.split(|next: char| !next.is_ascii_digit()).take(2);
    let (major, minor) = (numbers.next()?, numbers.next()?);
    (!major.is_empty()).then(|| format!("{major}.{minor}"))
}
