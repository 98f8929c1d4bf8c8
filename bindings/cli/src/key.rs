//! `prebind key`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use prebind::Secret;
use prebind::token::{Algorithm, Key as Signing, ServerSide};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::help::examples;
use crate::output;

/// Make a key that signs tokens, and print what a chat server needs for it
///
/// A site that signs a token for each login needs no chat passwords.
#[derive(Args)]
#[command(after_help = examples(EXAMPLES))]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &[&str] = &[
    "prebind key new site.jwk",
    "prebind key ejabberd site.jwk --domain example.org",
    "prebind key prosody site.jwk --domain example.org",
    "prebind key ejabberd site.jwk --only-file > /etc/ejabberd/jwt.jwk",
];

#[derive(Subcommand)]
enum Command {
    /// Write a new key to a file that only you may read
    ///
    /// A file that exists is never overwritten.
    New {
        /// The file to make
        file: PathBuf,
        #[arg(long, default_value_t = Algorithm::default(), help = "HS256, HS384, HS512, ES256 or EdDSA")]
        algorithm: Algorithm,
        /// The name of the key in tokens (kid); random by default
        #[arg(long)]
        id: Option<String>,
    },
    /// Print what ejabberd needs to verify the tokens of a key
    Ejabberd(Side),
    /// Print what Prosody with `mod_auth_prebind` needs to verify the tokens of a key
    Prosody(Side),
}

#[derive(Args)]
struct Side {
    /// The key: a JWK or PEM, private or public
    file: PathBuf,
    /// The domain of the chat accounts
    #[arg(long, default_value = "example.org")]
    domain: String,
    /// Print only what goes into the server's file
    #[arg(long)]
    only_file: bool,
}

impl Key {
    /// # Errors
    /// `Input` if a file cannot be read or made, `Config` if it holds no key that the server can use.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::New { file, algorithm, id } => {
                let jwk = Signing::generate(*algorithm, id.as_deref())?;
                write_new(file, &jwk).map_err(|error| unusable("make", file, &error))
            }
            Command::Ejabberd(side) => side.print(Signing::for_ejabberd),
            Command::Prosody(side) => side.print(Signing::for_prosody),
        }
    }
}

impl Side {
    fn print(&self, of: fn(&Signing, &str) -> prebind::Result<ServerSide>) -> Result<(), Failure> {
        let text = read(&self.file).map_err(|error| unusable("read", &self.file, &error))?;
        let key = Signing::read(&text)?.remove(0);
        let side = of(&key, &self.domain)?;
        if self.only_file {
            return output::print_line(side.file.expose().trim_end());
        }
        output::print_line(side.instructions().expose())
    }
}

/// The most bytes of a file of keys, which is more than any key has.
const MAX_FILE: u64 = 1024 * 1024;

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    File::open(path)?.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

fn write_new(path: &Path, key: &Secret) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn unusable(action: &str, path: &Path, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::AlreadyExists => "give the name of a file that does not exist yet",
        _ => "check its name and who may use it",
    };
    Failure::Input(format!("cannot {action} {}: {error}; {remedy}", path.display()))
}
