//! The command `faults`: runs the servers of this crate for other languages and for people.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use clap::{Parser, Subcommand};
use faults::{Fault, Server, State, dns};
use serde_json::{Value, json};

/// A BOSH server for behaviour that real servers cannot be made to show.
///
/// A server prints one line of JSON with its `url` (and `ca`, the certificate to trust, if the URL is https).
/// It runs until its standard input is closed.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// List every fault with the kind of error that it has to end in.
    List,
    /// Answer a PLAIN login of alice@localhost until the fault strikes. At the end, print the requests.
    Serve {
        /// A name from `faults list`.
        fault: Fault,
        /// Strike at this request and at all requests after it.
        #[arg(long, default_value_t = 1, value_name = "N")]
        at: usize,
        /// Strike once, and answer the requests after that.
        #[arg(long)]
        once: bool,
        /// Print `{"struck": N}` each time, as soon as the fault strikes.
        #[arg(long)]
        tell: bool,
    },
    /// Serve a test vector. At the end, print the expected result, or print the difference and fail.
    Replay {
        /// A file, or a row of a table as `FILE#ROW`.
        #[arg(value_name = "CASE", required_unless_present = "list")]
        case: Option<String>,
        /// Print the cases of a directory that can be replayed, one per line.
        #[arg(long, value_name = "DIR", conflicts_with = "case")]
        list: Option<PathBuf>,
    },
    /// Fail if a process leaks. Standard input holds the states of the process after every N calls, each as a
    /// line of JSON: `{"files": 12, "threads": 9, "memory": 34000}`, with the memory in KiB.
    Growth {
        /// How many calls were made from one state to the next.
        #[arg(long, value_name = "N")]
        calls: u64,
    },
    /// Run a command where no name server answers.
    BlackHoleDns {
        #[arg(long, hide = true)]
        inside: bool,
        #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Task::List => list(),
        Task::Serve { fault, at, once, tell } => serve(fault, at, once, tell),
        Task::Replay { list: Some(directory), .. } => replayable(&directory),
        Task::Replay { case, .. } => replay(&case.unwrap_or_default()),
        Task::Growth { calls } => growth(calls),
        Task::BlackHoleDns { inside: false, command } => enter(&command),
        Task::BlackHoleDns { inside: true, command } => return inside(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failure(&problem),
    }
}

fn list() -> Result<(), String> {
    let width = faults::ALL.iter().map(|case| case.name.len()).max();
    let width = width.unwrap_or_default();
    for case in faults::ALL {
        print(&format_args!("{:width$}  {}", case.name, case.kind))?;
    }
    Ok(())
}

fn serve(fault: Fault, at: usize, once: bool, tell: bool) -> Result<(), String> {
    let strike = fault.at(at);
    let server = faults::serve(if once { strike.once() } else { strike });
    announce(&server.url, server.ca_pem())?;
    if tell {
        tell_strikes(&server)?;
    } else {
        wait_for_end_of_input()?;
    }
    let requests = server.requests().into_iter().map(|request| {
        json!({
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
            "body": request.body,
            "connection": request.connection,
            "at": request.at.as_secs_f64(),
        })
    });
    print(&json!({ "requests": requests.collect::<Value>() }))
}

fn replayable(directory: &Path) -> Result<(), String> {
    faults::replayable(directory)?.iter().try_for_each(|case| print(case))
}

fn replay(case: &str) -> Result<(), String> {
    let replay = faults::replay(case)?;
    announce(&replay.url, replay.ca_pem())?;
    wait_for_end_of_input()?;
    print(&json!({ "expect": replay.finish()? }))
}

fn growth(calls: u64) -> Result<(), String> {
    let read = |line: io::Result<String>| {
        let line = line.map_err(|e| e.to_string())?;
        serde_json::from_str(&line).map_err(|e| format!("{line}: {e}"))
    };
    let states = io::stdin().lines().map(read).collect::<Result<Vec<State>, _>>()?;
    for (measure, per_call) in faults::growth(&states, calls)? {
        print(&format_args!("{measure}: {per_call:.3} with each call"))?;
    }
    Ok(())
}

/// Starts this program again in new namespaces, in place of this process.
fn enter(command: &[OsString]) -> Result<(), String> {
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut again = dns::command(this)?;
    again.args(["black-hole-dns", "--inside", "--"]).args(command);
    Err(again.exec().to_string())
}

fn inside(command: &[OsString]) -> ExitCode {
    let status = dns::Hole::dig().and_then(|_hole| {
        let status = Command::new(&command[0]).args(&command[1..]).status();
        status.map_err(|e| format!("{}: {e}", command[0].display()))
    });
    match status {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            code.map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(problem) => failure(&problem),
    }
}

/// Prints the URL of the server.
fn announce(url: &str, ca: Option<&str>) -> Result<(), String> {
    print(&match ca {
        Some(ca) => json!({ "url": url, "ca": ca }),
        None => json!({ "url": url }),
    })
}

/// Waits until nobody needs the server any more.
fn wait_for_end_of_input() -> Result<(), String> {
    io::copy(&mut io::stdin(), &mut io::sink()).map_err(|e| e.to_string())?;
    Ok(())
}

/// Prints each strike until the input ends. The thread that prints the last line does this, so that it stays
/// the last line.
fn tell_strikes(server: &Server) -> Result<(), String> {
    let input = thread::spawn(wait_for_end_of_input);
    let mut told = 0;
    while !input.is_finished() {
        while told < server.strikes() {
            told += 1;
            print(&json!({ "struck": told }))?;
        }
        thread::sleep(Duration::from_millis(2));
    }
    input.join().unwrap_or(Ok(()))
}

fn print(line: &dyn std::fmt::Display) -> Result<(), String> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(|e| e.to_string())
}

fn failure(problem: &str) -> ExitCode {
    eprintln!("faults: {}", problem.trim_end());
    ExitCode::FAILURE
}
