//! What the processes of a web site on one host share. Each process here is this program again, as the test `call`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::env;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{fs, thread};

use faults::{Fault, Server};
use prebind::{Account, Client, Config, Credentials, ErrorKind};

/// How long to wait for what is to happen, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a process that calls is told what to do: the URL, how many processes may call, and `fail_fast_after`.
const TASK: &str = "PREBIND_TEST_HOST";

/// An empty folder for temporary files, until it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("prebind-host-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that makes one call. It is killed when this is dropped.
struct Caller(Child);

impl Caller {
    fn new(temporary: &Path, url: &str, most: u32, fail_fast_after: u32) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "call", "--nocapture"]);
        command.env(TASK, format!("{url} {most} {fail_fast_after}")).env("TMPDIR", temporary);
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// What became of the call.
    fn outcome(mut self) -> String {
        let mut output = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        let outcome = output.lines().find_map(|line| line.split_once("outcome: "));
        outcome.unwrap_or_else(|| panic!("the process said {output}")).1.to_owned()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What each process does. Where no other test has started it, its call meets a server that is well.
#[test]
fn call() {
    if let Ok(task) = env::var(TASK) {
        println!("outcome: {}", outcome_of(&task));
    } else {
        let server = faults::serve(Fault::NoHeaders.at(1_000));
        assert_eq!(outcome_of(&format!("{} 8 0", server.url)), "opened");
    }
}

fn outcome_of(task: &str) -> String {
    let [url, most, after] = task.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let config = Config::new(url)
        .unwrap()
        .with_max_host_calls(most.parse().unwrap())
        .unwrap()
        .with_fail_fast_after(after.parse().unwrap())
        .with_deadline(2 * PATIENCE)
        .unwrap()
        .with_request_timeout(2 * PATIENCE)
        .unwrap();
    let account = Account::new("alice@localhost", Credentials::password("wonder-1")).unwrap();
    let Err(error) = Client::new(config).unwrap().prebind(&account) else { return "opened".to_owned() };
    let after = error.retry_after().map(|time| time.as_secs());
    match error.kind() {
        ErrorKind::Timeout { phase } => format!("{phase} {after:?} {}", error.retry()),
        kind => kind.as_str().to_owned(),
    }
}

fn wait_for(server: &Server, requests: usize) {
    let until = Instant::now() + PATIENCE;
    while server.requests().len() < requests {
        assert!(Instant::now() < until, "{} of {requests} have called", server.requests().len());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_ninth_process_is_refused_at_once() {
    let (folder, server) = (Folder::new(), faults::serve(Fault::NoHeaders.at(1)));
    let _hanging: Vec<_> = (0..8).map(|_| Caller::new(&folder.0, &server.url, 8, 0)).collect();
    wait_for(&server, 8);
    // The others hang for much longer than this test may take.
    assert_eq!(Caller::new(&folder.0, &server.url, 8, 0).outcome(), "queue Some(1) later");
    assert_eq!(server.requests().len(), 8);
}

#[test]
fn a_process_that_dies_frees_its_place() {
    let (folder, server) = (Folder::new(), faults::serve(Fault::NoHeaders.at(1).once()));
    let hanging = Caller::new(&folder.0, &server.url, 1, 0);
    wait_for(&server, 1);
    assert_eq!(Caller::new(&folder.0, &server.url, 1, 0).outcome(), "queue Some(1) later");
    // By SIGKILL.
    drop(hanging);
    assert_eq!(Caller::new(&folder.0, &server.url, 1, 0).outcome(), "opened");
}

#[test]
fn what_one_process_learned_another_knows() {
    let folder = Folder::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/http-bind");
    let outcomes = [(); 4].map(|()| Caller::new(&folder.0, &url, 8, 3).outcome());
    assert_eq!(outcomes[..3], ["Connect"; 3]);
    assert!(outcomes[3].starts_with("fail-fast Some("), "{}", outcomes[3]);
    assert!(outcomes[3].ends_with(") later"), "{}", outcomes[3]);
}

#[test]
fn where_nothing_can_be_shared_calls_go_on() {
    let (folder, server) = (Folder::new(), faults::serve(Fault::NoHeaders.at(1).once()));
    let file = folder.0.join("a file");
    fs::write(&file, "").unwrap();
    let _hanging = Caller::new(&file, &server.url, 1, 0);
    wait_for(&server, 1);
    assert_eq!(Caller::new(&file, &server.url, 1, 0).outcome(), "opened");
}
