//! Who is measured.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::args::Options;
use crate::report::Problems;
use crate::scenario::WARM_UP;
use crate::target::Login;

/// A language that the library is bound to: how its native part is made, and its driver started. In their
/// words, `PROFILE` is that of this program, and `FOLDER` is where cargo puts what it builds so.
struct Binding {
    name: &'static str,
    /// Succeeds if the language is there.
    probe: &'static [&'static str],
    make: &'static [&'static str],
    drive: &'static [&'static str],
    warm_up: usize,
}

const BINDINGS: &[Binding] = &[
    Binding {
        name: "Python",
        probe: &["python3", "--version"],
        make: &["cargo", "build", "--profile", "PROFILE", "--package", "prebind-python"],
        drive: &["tests/bench/drivers/python", "FOLDER"],
        warm_up: WARM_UP,
    },
    Binding {
        name: "PHP",
        probe: &["php-config", "--version"],
        make: &["cargo", "build", "--profile", "PROFILE", "--package", "prebind-php"],
        drive: &["tests/bench/drivers/php", "FOLDER"],
        warm_up: WARM_UP,
    },
    Binding {
        name: "Ruby",
        probe: &["ruby", "-e", "File.exist?(RbConfig::CONFIG['rubyhdrdir']) or exit 1"],
        make: &["cargo", "build", "--profile", "PROFILE", "--package", "prebind-ruby"],
        drive: &["tests/bench/drivers/ruby", "FOLDER"],
        warm_up: WARM_UP,
    },
    Binding {
        name: "Kotlin",
        probe: &["mvn", "--version"],
        make: &["tests/bench/drivers/jvm", "make", "PROFILE"],
        drive: &["tests/bench/drivers/jvm"],
        // Its compiler takes so many to be done; the JVM of a site lives for days.
        warm_up: 1000,
    },
];

const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

/// A peer in a package of Debian's.
struct Peer {
    name: &'static str,
    /// Succeeds if it is there.
    probe: &'static [&'static str],
    drive: &'static [&'static str],
    logins: &'static [Login],
}

const PEERS: &[Peer] = &[Peer {
    name: "xmpp4r",
    probe: &["ruby", "-e", "require 'xmpp4r/httpbinding'"],
    drive: &["ruby", "tests/bench/drivers/xmpp4r.rb"],
    logins: &[Login::Plain],
}];

/// The library from Rust, to which bindings are compared.
pub(crate) const RUST: &str = "Rust";
/// What no client can be faster than.
pub(crate) const FLOOR: &str = "floor";

/// A command that is measured, and the logins it knows.
#[derive(Clone)]
pub(crate) struct Participant {
    pub(crate) name: String,
    pub(crate) command: Vec<OsString>,
    pub(crate) logins: Vec<Login>,
    /// Whether it is this library, which must not fail.
    pub(crate) is_ours: bool,
    /// After so many calls it is as quick as it stays.
    pub(crate) warm_up: usize,
}

/// Rust, the bindings, and the peers that are there.
pub(crate) fn all(options: &Options, problems: &mut Problems) -> Result<Vec<Participant>> {
    let mut participants = vec![rust(&[])?];
    for binding in BINDINGS {
        if !is_there(binding.probe) {
            eprintln!("{} is not installed, so it is not measured", binding.name);
            continue;
        }
        if !is_made(binding)? {
            problems.add(format!("the package for {} could not be made", binding.name));
            continue;
        }
        participants.push(Participant {
            name: binding.name.to_owned(),
            command: at_root(binding.drive)?,
            logins: Login::WITH_PASSWORD.to_vec(),
            is_ours: true,
            warm_up: if options.quick { WARM_UP } else { binding.warm_up },
        });
    }
    for peer in PEERS {
        if is_there(peer.probe) {
            let (name, command, logins) = (peer.name.to_owned(), at_root(peer.drive)?, peer.logins.to_vec());
            participants.push(Participant { name, command, logins, is_ours: false, warm_up: 1 });
        } else {
            eprintln!("{} is not installed, so it is not measured", peer.name);
        }
    }
    for peer in &options.peer {
        let calls = (WARM_UP + options.calls(Duration::ZERO)).to_string();
        let word = |word| if word == "N" { calls.as_str().into() } else { OsString::from(word) };
        let command = peer.split_whitespace().map(word).collect();
        let name = peer_name(peer);
        participants.push(Participant {
            name,
            command,
            logins: vec![Login::Plain],
            is_ours: false,
            warm_up: 1,
        });
    }
    Ok(participants)
}

/// Makes the native part, unless cargo has made it for the whole workspace and `PREBIND_BUILT` says so.
fn is_made(binding: &Binding) -> Result<bool> {
    let words = at_root(binding.make)?;
    let [program, arguments @ ..] = words.as_slice() else { return Ok(false) };
    if program == "cargo" && env::var_os("PREBIND_BUILT").is_some() {
        return Ok(true);
    }
    Ok(Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .is_ok_and(|status| status.success()))
}

/// A peer given by path is called as its script is, or its program.
pub(crate) fn peer_name(command: &str) -> String {
    let word = command.split_whitespace().take(2).last().unwrap_or("peer");
    Path::new(word).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The library from Rust, with more arguments for its driver.
pub(crate) fn rust(arguments: &[&str]) -> Result<Participant> {
    Ok(Participant {
        name: RUST.to_owned(),
        command: own(["drive", "rust"].iter().chain(arguments))?,
        logins: Login::ALL.to_vec(),
        is_ours: true,
        warm_up: WARM_UP,
    })
}

/// What was recorded, again.
pub(crate) fn floor(script: &Path, arguments: &[&str]) -> Result<Participant> {
    let mut command = own(["drive", "replay"].iter())?;
    command.push(script.into());
    command.extend(arguments.iter().map(OsString::from));
    Ok(Participant {
        name: FLOOR.to_owned(),
        command,
        logins: Login::ALL.to_vec(),
        is_ours: true,
        warm_up: WARM_UP,
    })
}

fn own<'a>(arguments: impl Iterator<Item = &'a &'a str>) -> Result<Vec<OsString>> {
    let program = env::current_exe()?.into_os_string();
    Ok(std::iter::once(program).chain(arguments.map(OsString::from)).collect())
}

/// A command whose files are named from the top of the project.
fn at_root(words: &[&str]) -> Result<Vec<OsString>> {
    let program = env::current_exe()?;
    let folder = program.parent().unwrap_or(&program);
    let located = |word: &&str| match *word {
        "PROFILE" => PROFILE.into(),
        "FOLDER" => folder.as_os_str().to_owned(),
        word if word.contains('/') => root().join(word).into_os_string(),
        word => word.into(),
    };
    Ok(words.iter().map(located).collect())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn is_there(probe: &[&str]) -> bool {
    let [program, arguments @ ..] = probe else { return false };
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
