//! What the linter must know, and the classes as one script.

use std::path::Path;
use std::{env, fs, io};

/// The files of `lib/`, each after what it takes.
const LIB: [&str; 9] =
    ["exceptions", "native", "jwt", "client", "session", "converse", "answer", "chat-login", "doctor"];

fn main() -> io::Result<()> {
    // PHP unloads its extensions before the process ends, and a thread that still looks a name up
    // would run on in nothing.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");

    println!("cargo:rerun-if-changed=lib");
    let read = |name: &&str| fs::read_to_string(format!("lib/{name}.php"));
    let mut parts = LIB.iter().map(read).collect::<io::Result<Vec<_>>>()?;
    let chat = fs::read_to_string("lib/chat.js")?;
    parts.push(format!("<?php namespace Prebind; const SCRIPT = <<<'JS'\n{chat}JS;\n"));
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("lib.php"), parts.join("?>"))
}
