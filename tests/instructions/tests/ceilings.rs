//! How many instructions a negotiation takes, without any I/O: unlike time, the same on every run,
//! so that a step back shows at once.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

/// What one negotiation may take, and by what it may exceed that: compilers and C libraries differ.
const CEILINGS: [(&str, u64); 7] = [
    ("prosody-0.12-plain", 273_000),
    ("prosody-0.12-scram-sha-1", 383_000),
    ("plan-prosody-0.12-plain", 145_000),
    ("plan-prosody-0.12-scram-sha-1", 254_000),
    ("plan-ejabberd-23.01-plain", 245_000),
    ("plan-ejabberd-23.01-bind-ahead", 167_000),
    ("plan-ejabberd-23.01-scram-sha-1", 338_000),
];
const HEADROOM_PERCENT: u64 = 5;

/// Enough for what a process does once, and what varies from one to the next, not to count.
const NEGOTIATIONS: u64 = 200;

#[test]
#[cfg_attr(debug_assertions, ignore = "it counts the instructions of a release build: cargo test --release")]
fn no_more_than_before() {
    for (case, ceiling) in CEILINGS {
        let found = (instructions(case, NEGOTIATIONS + 1) - instructions(case, 1)) / NEGOTIATIONS;
        println!("{case}: {found} instructions");
        assert!(
            found <= ceiling + ceiling * HEADROOM_PERCENT / 100,
            "a negotiation of {case} takes {found} instructions, more than {ceiling}. Look where they go: \
             `valgrind --tool=callgrind target/release/instructions tests/vectors/{case}.json 200`, then \
             `callgrind_annotate callgrind.out.*`. If they are worth it, or another compiler makes them, write \
             {found} into CEILINGS and say why"
        );
        if found < ceiling - ceiling / 10 {
            // No defect: a better compiler does the same.
            println!("write {found} into CEILINGS, so that it stays so");
        }
    }
}

fn instructions(case: &str, count: u64) -> u64 {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../vectors/{case}.json"));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_instructions")])
        .arg(case)
        .arg(count.to_string())
        .output()
        .expect("valgrind runs: install the Debian package `valgrind`");
    let report = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : ")).expect("a count").1;
    collected.trim().parse().unwrap()
}
