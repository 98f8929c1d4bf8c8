//! Reads secrets from a prompt, stdin, a file or the environment. They are never arguments, because every
//! user of the machine can read those in the list of processes.

use std::env;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use prebind::Secret;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The variable that is read unless another one is named.
const VARIABLE: &str = "PREBIND_PASSWORD";

/// The error if a secret is given as an argument.
pub(crate) const NEVER_AN_ARGUMENT: &str = "a password or token is never an argument, since every user of the \
     machine could read it in the list of processes; give it by --password-stdin, by --password-file PATH, in the \
     environment variable PREBIND_PASSWORD (or another: --password-env NAME), or type it when asked";

/// The most bytes to read, which is more than any password, token or session has.
const LIMIT: u64 = 64 * 1024;

/// Where to read the secret. Without any of these the command asks for it.
#[derive(Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct SecretSource {
    /// Read the password or token from stdin, one line
    #[arg(long = "password-stdin")]
    stdin: bool,
    /// Read the password or token from a file of one line
    #[arg(long = "password-file", value_name = "PATH")]
    file: Option<PathBuf>,
    #[arg(long = "password-env", value_name = "NAME",
          help = format!("Take the password or token from this environment variable [default: {VARIABLE}]"))]
    variable: Option<String>,
}

impl SecretSource {
    /// Whether one of the options was given.
    pub(crate) fn is_given(&self) -> bool {
        self.stdin || self.file.is_some() || self.variable.is_some()
    }

    /// # Errors
    /// `Input` if the secret cannot be read.
    pub(crate) fn read(&self, prompt: &str) -> Result<Secret, Failure> {
        if self.stdin {
            return first_line(io::stdin().lock());
        }
        if let Some(path) = &self.file {
            return only_line(path);
        }
        if let Some(name) = &self.variable {
            return variable(name)?.ok_or_else(|| {
                Failure::Input(format!("the environment variable {name} is not set or empty"))
            });
        }
        match variable(VARIABLE)? {
            Some(secret) => Ok(secret),
            None => ask(prompt),
        }
    }
}

/// Reads a text with a secret, within the limit, into memory that is never moved and is wiped at the end.
///
/// # Errors
/// If it cannot be read, is too long or is not UTF-8.
pub(crate) fn read_text(source: impl Read) -> io::Result<Zeroizing<String>> {
    let mut text = buffer();
    source.take(LIMIT).read_to_string(&mut text)?;
    within_limit(text)
}

/// As [`read_text`], from a file.
///
/// # Errors
/// `Input`.
pub(crate) fn read_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    File::open(path).and_then(read_text).map_err(|error| Failure::unreadable(path, &error))
}

fn first_line(source: impl BufRead) -> Result<Secret, Failure> {
    let mut line = buffer();
    let line = match source.take(LIMIT).read_line(&mut line).and_then(|_| within_limit(line)) {
        Ok(line) => line,
        Err(error) => return Err(Failure::Input(format!("cannot read the password from stdin: {error}"))),
    };
    if line.is_empty() {
        return Err(Failure::Input("no password came from stdin: it ended at once".to_owned()));
    }
    Ok(without_newline(&line).into())
}

fn only_line(path: &Path) -> Result<Secret, Failure> {
    let text = read_file(path)?;
    let line = without_newline(&text);
    if line.contains('\n') {
        let path = path.display();
        return Err(Failure::Input(format!(
            "{path} has more than one line; it must hold the password alone"
        )));
    }
    Ok(line.into())
}

fn variable(name: &str) -> Result<Option<Secret>, Failure> {
    match env::var(name) {
        Ok(secret) if secret.is_empty() => Ok(None),
        Ok(secret) => Ok(Some(secret.into())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Failure::Input(format!("the environment variable {name} is not UTF-8")))
        }
    }
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Input(format!(
            "no password, and no terminal to ask for one: give it by --password-stdin, by --password-file PATH or in \
             the environment variable {VARIABLE} (or another: --password-env NAME)"
        )));
    }
    match rpassword::prompt_password(prompt) {
        Ok(secret) => Ok(secret.into()),
        Err(error) => Err(Failure::Input(format!("cannot read the password from the terminal: {error}"))),
    }
}

/// Reserves all the room at once, because a buffer that grows leaves copies behind.
fn buffer() -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(usize::try_from(LIMIT).unwrap_or(usize::MAX)))
}

fn within_limit(text: Zeroizing<String>) -> io::Result<Zeroizing<String>> {
    if u64::try_from(text.len()).is_ok_and(|length| length < LIMIT) {
        Ok(text)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has {LIMIT} bytes or more")))
    }
}

fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
