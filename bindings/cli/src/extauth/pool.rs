//! Whether ejabberd runs enough of these processes, which nobody sees from outside.

use std::fs;
use std::os::unix::process::parent_id;

/// The size that `--config` prints.
const ENOUGH: usize = 16;

/// Erlang's program that starts all others.
const STARTED_BY: &str = "erl_child_setup";

/// Logs if the pool is too small. ejabberd has started all of it before it asks the first question.
pub(crate) fn look() {
    let parent = parent_id();
    let name = fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    if name.trim_end() != STARTED_BY {
        return;
    }
    let pool = same_children(parent);
    if pool < ENOUGH {
        tracing::warn!(
            "ejabberd runs {pool} of these processes, and asks each one thing at a time: set extauth_pool_size: {ENOUGH}"
        );
    }
}

/// How many children of a process run the same command line as this one.
fn same_children(parent: u32) -> usize {
    let command = |process: &str| fs::read(format!("/proc/{process}/cmdline")).ok();
    let Some(own) = command("self") else { return 0 };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_same = |id: &str| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let of: u32 = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
        Some(of == parent && command(id)? == own)
    };
    processes.filter(|process| process.file_name().to_str().and_then(is_same) == Some(true)).count()
}
