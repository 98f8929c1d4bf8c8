//! The commands and crates that blocks use, as cargo builds them.

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

/// The folder of the commands `prebind` and `servers`.
pub(crate) fn commands(root: &Path) -> PathBuf {
    target(root).join("debug")
}

/// Builds the commands that blocks call.
pub(crate) fn build(root: &Path) -> io::Result<()> {
    let status = cargo(root).args(["build", "--quiet", "-p", "prebind-cli", "-p", "servers"]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the commands cannot be built")) }
}

/// Builds the extension for PHP, and returns its path.
pub(crate) fn extension(root: &Path) -> Result<PathBuf, Failed> {
    let output = cargo(root).args(["build", "--quiet", "-p", "prebind-php"]).output()?;
    if output.status.success() {
        Ok(commands(root).join("libprebind_php.so"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
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
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/main.rs"), program(block))?;
    fs::write(folder.join("Cargo.toml"), manifest(root)?)?;
    // The versions that are tested, and built already.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let output = cargo(folder).args(["build", "--quiet"]).arg("--target-dir").arg(target(root)).output()?;
    if output.status.success() {
        Ok(commands(root).join("readme-block"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder);
    cargo
}

fn program(block: &str) -> String {
    if block.contains("fn main()") {
        return block.to_owned();
    }
    format!("fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{block}\nOk(())\n}}\n")
}

/// A package outside the workspace, but built with its profiles, lest everything be built again.
fn manifest(root: &Path) -> io::Result<String> {
    let workspace = fs::read_to_string(root.join("Cargo.toml"))?;
    let profiles = workspace.find("[profile.").map_or("", |start| &workspace[start..]);
    let root = root.display();
    Ok(format!(
        "[package]
name = \"readme-block\"
edition = \"2024\"

[workspace]

[dependencies]
prebind = {{ path = \"{root}/core\" }}
servers = {{ path = \"{root}/tests/servers\" }}
faults = {{ path = \"{root}/tests/faults\" }}

[lints.rust]
warnings = \"deny\"
unused = {{ level = \"allow\", priority = 1 }}

{profiles}"
    ))
}
