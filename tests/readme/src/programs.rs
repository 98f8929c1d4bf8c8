//! The commands and crates that blocks use, as cargo builds them.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::Failed;

/// Where everything is built; shared with the rest of the project.
pub(crate) fn target(root: &Path) -> PathBuf {
    root.join("target")
}

/// Where packages are built: where the caller says, so that they can be built with less optimization.
pub(crate) fn packages(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| target(root), PathBuf::from)
}

/// The folder of the commands `prebind` and `servers`, the libraries and the extension for PHP.
pub(crate) fn built(root: &Path) -> PathBuf {
    target(root).join("debug")
}

/// Builds what blocks use, with the features that this program was built with, so that most of it is there.
/// `tests/run` sets `PREBIND_BUILT` when it has built everything: another build would replace programs that
/// other parts run at the same time.
pub(crate) fn build(root: &Path) -> io::Result<()> {
    if env::var_os("PREBIND_BUILT").is_some() {
        return Ok(());
    }
    let all = ["build", "--quiet", "--locked", "--workspace", "--all-features", "--all-targets"];
    // Build scripts ask to run again when cargo's variables change, which costs a build of everything.
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(all).env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
    let status = cargo.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the workspace cannot be built")) }
}

/// Builds the package for the JVM, and returns the class path of a program that uses it, or is compiled.
pub(crate) fn classes(root: &Path) -> Result<String, Failed> {
    static CLASSES: OnceLock<Result<String, String>> = OnceLock::new();
    CLASSES
        .get_or_init(|| built_classes(root).map_err(|error| error.to_string()))
        .clone()
        .map_err(Failed::from)
}

fn built_classes(root: &Path) -> io::Result<String> {
    let (package, user) = (root.join("bindings/uniffi/kotlin"), root.join("tests/readme/jvm"));
    let list = target(root).join("tests/readme.classpath");
    let path = format!("-Dmdep.outputFile={}", list.display());
    maven(&package, &["install", "-DskipTests", "-Dprofile=dev"])?;
    maven(&user, &["dependency:build-classpath", &path])?;
    fs::read_to_string(list)
}

fn maven(folder: &Path, arguments: &[&str]) -> io::Result<()> {
    let output =
        Command::new("mvn").args(["--quiet", "--batch-mode"]).args(arguments).current_dir(folder).output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&output.stdout)))
    }
}

/// Compiles a block as a program in `folder`, and returns the program's path.
pub(crate) fn compile(root: &Path, folder: &Path, block: &str) -> Result<PathBuf, Failed> {
    let (source, executable) = (folder.join("block.rs"), folder.join("block"));
    fs::write(&source, program(block))?;
    let built = built(root);
    let mut compiler = Command::new("rustc");
    compiler.args(["--edition", "2024", "--deny", "warnings", "--allow", "unused", "-o"]);
    compiler.arg(&executable).arg(&source).arg("-L").arg(built.join("deps"));
    for library in ["prebind", "servers", "faults"] {
        let file = built.join(format!("lib{library}.rlib"));
        compiler.arg("--extern").arg(format!("{library}={}", file.display()));
    }
    let output = compiler.output()?;
    if output.status.success() {
        Ok(executable)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

fn program(block: &str) -> String {
    if block.contains("fn main()") {
        return block.to_owned();
    }
    format!("fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{block}\nOk(())\n}}\n")
}
