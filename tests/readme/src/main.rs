//! Runs every code block of every README.md of the project and of every guide in `core/docs`, and looks where their
//! links lead.
//!
//! The language of a block says what is done with it:
//!
//! | language | |
//! |---|---|
//! | `rust` | compiled as a program, or as the body of one if it has no `main`, and run; `prebind`, `servers` and `faults` are at hand |
//! | `python` | run by the `python` of `venv`, if an earlier block made that, or by `python3` |
//! | `kotlin` `java` | compiled and run, with the package for the JVM |
//! | `ruby` | run by `ruby`, with what an earlier block has installed in `gems` |
//! | `sh` | run by `bash -euo pipefail`; it must succeed |
//! | `console` | commands after `$ `, run one by one, each followed by exactly what it prints; `…` stands for anything on a line, and alone on a line for any lines |
//! | `nginx` `apache` `haproxy` `caddyfile` | the program runs with this configuration, in front of a Prosody, and a user logs in through it |
//! | `mermaid` | a sequence diagram whose lines [`diagram`] understands |
//! | `json` `js` `lua` `toml` `xml` `yaml` | must be well formed |
//! | `text` | no code: a drawing, a listing |
//!
//! A block of another language, or without one, fails: nobody would notice when it is no longer
//! true.
//!
//! Programs and commands run against a real Prosody. `https://chat.example.org/http-bind` becomes
//! its URL and `example.org` its host; `PREBIND_PASSWORD` is alice's password, and
//! `PREBIND_SERVERS` is what the command `servers` sets. The blocks of one file run in their order,
//! in a directory of their own that has links to the project's files, so that one may write a file
//! that a later one reads. The blocks of the guide that sets a chat server up run on a [`machine`] of their own. `prebind` and `servers` are commands in the `PATH`.

mod blocks;
mod diagram;
mod document;
mod expect;
mod front;
mod machine;
mod programs;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use servers::{Kind, Server};

use crate::blocks::Runner;
use crate::document::Document;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = Arguments::from_args();
    // In their order.
    arguments.test_threads = Some(1);

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let documents = document::find(&root)?;
    programs::build(&root)?;
    let server = Arc::new(Server::start(Kind::Prosody)?);

    let mut trials = Vec::new();
    for document in documents {
        trials.extend(trials_of(document, &root, &server)?);
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    Ok(conclusion.exit_code())
}

fn trials_of(document: Document, root: &Path, server: &Arc<Server>) -> Result<Vec<Trial>, Box<dyn Error>> {
    let runner = Arc::new(Runner::new(&document.name, root, Arc::clone(server))?);
    let mut trials = Vec::new();
    for block in document.blocks.iter().filter(|block| block.language != "text").cloned() {
        let language = if block.language.is_empty() { "(no language)" } else { &block.language };
        let name = format!("{}:{} {language}", document.name, block.line);
        let runner = Arc::clone(&runner);
        trials.push(Trial::test(name, move || runner.run(&block)));
    }
    let name = format!("{} links", document.name);
    trials.push(Trial::test(name, move || document.check_links()));
    Ok(trials)
}
