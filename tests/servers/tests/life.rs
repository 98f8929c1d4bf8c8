//! Tests that servers start and stop as told, and never stay behind.
#![allow(clippy::unwrap_used, reason = "in helpers as in tests, to panic is to fail")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::start;
use servers::{Info, Kind};

type Servers = BTreeMap<Kind, Info>;

#[test]
fn two_of_a_kind_run_at_once_and_are_gone_when_dropped() {
    let kinds = [Kind::Prosody, Kind::Prosody, Kind::Ejabberd, Kind::Ejabberd];
    let starting = kinds.map(|kind| thread::spawn(move || start(kind)));
    let servers = starting.map(|thread| thread.join().unwrap());
    for server in &servers {
        assert!(server.sessions().unwrap().is_empty());
    }

    let infos = servers.each_ref().map(|server| server.info().clone());
    drop(servers);
    for info in &infos {
        assert!(!directory(info).exists());
        assert!(TcpStream::connect(address(info)).is_err());
        assert_eq!(processes(info), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_killed_holder_leaves_nothing() {
    for which in ["all", "prosody13", "ejabberd24", "ejabberd26", "vysper"] {
        let (mut holder, servers) = command(which);
        assert!(servers.values().all(|server| !processes(server).is_empty()));
        holder.kill().unwrap();
        holder.wait().unwrap();
        for server in servers.values() {
            wait_until(|| processes(server).is_empty() && !directory(server).exists());
        }
    }
}

#[test]
fn a_killed_guardian_leaves_no_server() {
    let (mut holder, servers) = command("all");
    for server in servers.values() {
        let status = fs::read_to_string(format!("/proc/{}/stat", server.pid)).unwrap();
        let parent = status.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().to_owned();
        assert!(Command::new("kill").args(["-KILL", &parent]).status().unwrap().success());
    }
    drop(holder.stdin.take());
    holder.wait().unwrap();
    for server in servers.values() {
        wait_until(|| processes(server).is_empty());
        fs::remove_dir_all(directory(server)).unwrap();
    }
}

#[test]
fn the_command_ends_with_its_input_or_by_a_signal() {
    let closed = |holder: &mut Child| drop(holder.stdin.take());
    let signalled = |holder: &mut Child| {
        assert!(Command::new("kill").arg(holder.id().to_string()).status().unwrap().success());
    };
    for end in [&closed as &dyn Fn(&mut Child), &signalled] {
        let (mut holder, servers) = command("prosody");
        end(&mut holder);
        assert!(holder.wait().unwrap().success());
        assert!(!directory(&servers[&Kind::Prosody]).exists());
    }
}

#[test]
fn the_command_runs_another_and_exits_as_it_does() {
    let output = Command::new(env!("CARGO_BIN_EXE_servers"))
        .args(["prosody", "--", "sh", "-c", "\"$0\" sessions; exit 7"])
        .arg(env!("CARGO_BIN_EXE_servers"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, "{\"prosody\":{\"jids\":[],\"streams\":0}}\n");
}

fn command(which: &str) -> (Child, Servers) {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_servers"))
        .args([which, "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (holder, serde_json::from_str(&line).unwrap())
}

fn directory(server: &Info) -> &Path {
    server.ca_pem.parent().unwrap()
}

fn address(server: &Info) -> &str {
    server.http_url.split('/').nth(2).unwrap()
}

/// The processes that work in a server's directory: the guardian, the server and its children.
fn processes(server: &Info) -> Vec<PathBuf> {
    let directory = directory(server).to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let works_there = |process: &PathBuf| {
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.to_string_lossy().starts_with(directory))
    };
    processes.filter(works_there).collect()
}

fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s");
        thread::sleep(Duration::from_millis(20));
    }
}
