//! `examples/demo` as a stranger runs it, and what must not happen to it.
#![allow(clippy::unwrap_used, reason = "in helpers as in tests, to panic is to fail")]

use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo");

#[test]
fn two_users_talk_and_a_picture_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    // From another folder, by a path of its own.
    let output = demo(&["--once", "picture.png"]).current_dir(folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    for said in ["alice said \"Hello Bob, ", "bob answered", "no chat password"] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
    assert!(fs::read(folder.path().join("picture.png")).unwrap().starts_with(b"\x89PNG"));
    assert_gone(&text);
}

#[test]
fn it_leaves_nothing_behind() {
    // As a terminal does on Ctrl-C: to the whole group; and as others do: to the process.
    for (signal, group) in [("-INT", "-"), ("-TERM", "")] {
        let mut demo = demo(&[]).process_group(0).stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        let mut output = BufReader::new(demo.stdout.take().unwrap());
        while !text.contains("Ctrl-C ends it all") {
            assert_ne!(output.read_line(&mut text).unwrap(), 0, "ended early: {text}");
        }
        assert!(addresses(&text).all(listens), "{text}");

        let process = format!("{group}{}", demo.id());
        assert!(Command::new("kill").args([signal, "--", &process]).status().unwrap().success());
        assert!(!demo.wait().unwrap().success());
        assert_gone(&text);
    }
}

#[test]
fn it_asks_for_rust_where_it_is_too_old() {
    let folder = pretend("rustc", "rustc 1.87.0 (0123456789 2025-05-12)");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let message = format!("Rust {} or newer is needed", env!("CARGO_PKG_RUST_VERSION"));
    // Where no rustup has a newer one.
    let mut demo = demo(&[]);
    demo.env("PATH", path).env("HOME", folder.path()).env_remove("CARGO_HOME");
    assert_fails(&mut demo, &message);
}

#[test]
fn it_asks_for_node_where_it_is_too_old() {
    let folder = pretend("node", "v16.20.2");
    let path = format!("{}:{}", folder.path().display(), env::var("PATH").unwrap());
    assert_fails(demo(&[]).env("PATH", path), "Node 18 or newer is needed; here is 16.20.2");
}

#[test]
fn it_names_the_packages_where_it_cannot_install_them() {
    let folder = tempfile::tempdir().unwrap();
    // Neither a compiler, nor apt-get, nor sudo.
    for tool in [
        "bash", "cargo", "dirname", "env", "id", "node", "npm", "python3", "readlink", "rustc", "sed", "sort",
    ] {
        let which = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap();
        let found = String::from_utf8(which.stdout).unwrap();
        symlink(found.trim(), folder.path().join(tool)).unwrap();
    }
    assert_fails(
        demo(&[]).env("PATH", folder.path()),
        "please install these first (by the names Debian gives them): gcc libc6-dev",
    );
}

fn demo(arguments: &[&str]) -> Command {
    let mut demo = Command::new(DEMO);
    demo.args(arguments).stdin(Stdio::null());
    // What cargo tells a test about its own package would make build scripts run anew.
    for name in env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO_PKG_")) {
        demo.env_remove(name);
    }
    demo.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
    demo
}

/// A folder with a command that only says this.
fn pretend(command: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(command);
    fs::write(&file, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    folder
}

fn assert_fails(demo: &mut Command, message: &str) {
    let output = demo.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(message), "{said}");
}

/// Whether neither the site nor the chat server is there any more, after a moment.
fn assert_gone(text: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while addresses(text).any(listens) {
        assert!(Instant::now() < until, "something is still there: {text}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The addresses that the demo has printed, `127.0.0.1:PORT`.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.split("http://").skip(1).filter_map(|rest| rest.split('/').next())
}

fn listens(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}
