//! What is done with a block.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use libtest_mimic::Failed;
use servers::Server;
use tempfile::TempDir;

use crate::document::Block;
use crate::machine::{self, Machine};
use crate::{diagram, expect, front, programs};

/// How long a block may run, in seconds.
const LIMIT: &str = "300";

/// Runs the blocks of one README.md.
pub(crate) struct Runner {
    root: PathBuf,
    server: Arc<Server>,
    folder: TempDir,
    machine: Option<Machine>,
}

impl Runner {
    pub(crate) fn new(document: &str, root: &Path, server: Arc<Server>) -> Result<Self, std::io::Error> {
        let folder = tempfile::tempdir()?;
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            symlink(entry.path(), folder.path().join(entry.file_name()))?;
        }
        let machine = (document == machine::GUIDE).then(|| Machine::new(root)).transpose()?;
        Ok(Self { root: root.to_owned(), server, folder, machine })
    }

    /// Whether the block is true.
    pub(crate) fn run(&self, block: &Block) -> Result<(), Failed> {
        let text = &block.text;
        match block.language.as_str() {
            "rust" => self.rust(text),
            "ruby" => self.ruby(text),
            "python" => self.python(text),
            "php" => self.php(text),
            "kotlin" => self.kotlin(text),
            "java" => self.java(text),
            "sh" => self.sh(text),
            "console" => self.console(text),
            "json" => Ok(serde_json::from_str::<serde_json::Value>(text).map(drop)?),
            "js" => fed(Command::new("node").args(["--input-type=module", "--check"]), text),
            "nginx" | "apache" | "haproxy" | "caddyfile" => self.front(&block.language, text),
            "mermaid" => diagram::check(text),
            "lua" => fed(Command::new("luac5.4").args(["-p", "-"]), text),
            "xml" => parsed("xml.dom.minidom.parse(sys.stdin)", "xml.dom.minidom", text),
            "toml" => parsed("tomllib.load(sys.stdin.buffer)", "tomllib", text),
            "yaml" => parsed("list(yaml.safe_load_all(sys.stdin))", "yaml", text),
            "" => Err("this block has no language; if it is no code, let it be `text`".into()),
            other => Err(format!("nobody knows how to run {other}").into()),
        }
    }

    fn rust(&self, block: &str) -> Result<(), Failed> {
        let program = programs::compile(&self.root, self.folder.path(), &self.localized(block))?;
        succeeded(&self.command(&program).output()?)
    }

    fn python(&self, block: &str) -> Result<(), Failed> {
        let ours = self.folder.path().join("venv/bin/python");
        let python = if ours.exists() { ours } else { PathBuf::from("python3") };
        succeeded(&self.command(python).args(["-c", &self.localized(block)]).output()?)
    }

    fn ruby(&self, block: &str) -> Result<(), Failed> {
        let mut command = self.command("ruby");
        command.env("GEM_HOME", self.folder.path().join("gems"));
        succeeded(&command.args(["-e", &self.localized(block)]).output()?)
    }

    fn php(&self, block: &str) -> Result<(), Failed> {
        let file = programs::built(&self.root).join("libprebind_php.so");
        let extension = format!("extension={}", file.display());
        fed(self.command("php").args(["-d", &extension]), &self.localized(block))
    }

    fn kotlin(&self, block: &str) -> Result<(), Failed> {
        let classes = programs::classes(&self.root)?;
        let (source, output) = (self.folder.path().join("Block.kt"), self.folder.path().join("classes"));
        fs::write(&source, self.localized(block))?;
        let mut compiler = self.command("java");
        compiler.args([
            "-cp",
            &classes,
            "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
            "-no-stdlib",
            "-nowarn",
        ]);
        compiler.args(["-jvm-target", "17", "-cp", &classes, "-d"]).args([&output, &source]);
        succeeded(&compiler.output()?)?;
        let path = format!("{}:{classes}", output.display());
        succeeded(&self.command("java").args(["-cp", &path, "BlockKt"]).output()?)
    }

    fn java(&self, block: &str) -> Result<(), Failed> {
        let source = self.folder.path().join("Block.java");
        fs::write(&source, self.localized(block))?;
        let classes = programs::classes(&self.root)?;
        succeeded(&self.command("java").args(["-cp", &classes]).arg(&source).output()?)
    }

    /// Logs in through a reverse proxy that is configured so.
    fn front(&self, language: &str, block: &str) -> Result<(), Failed> {
        let front = front::start(language, block, &self.server.http_url)?;
        let script =
            r#"prebind login --json --ca "$CA" "$URL" alice@localhost | prebind terminate --ca "$CA" "$URL""#;
        let mut command = self.command("bash");
        command.env("URL", front.url).env("CA", front.program.ca_pem.as_os_str());
        succeeded(&command.args(["-euo", "pipefail", "-c", script]).output()?)
    }

    fn sh(&self, block: &str) -> Result<(), Failed> {
        let script = self.localized(block);
        succeeded(&self.command("bash").args(["-euo", "pipefail", "-c", &script]).output()?)
    }

    fn console(&self, block: &str) -> Result<(), Failed> {
        for command in expect::commands(&self.localized(block))? {
            let script = format!("exec 2>&1\n{}", command.line);
            let output = self.command("bash").args(["-c", &script]).output()?;
            command.check(&String::from_utf8_lossy(&output.stdout))?;
        }
        Ok(())
    }

    /// The block for the server that is there, instead of the one in all examples.
    fn localized(&self, block: &str) -> String {
        if let Some(machine) = &self.machine {
            return machine.localized(block);
        }
        block
            .replace("https://chat.example.org/http-bind", &self.server.https_url)
            .replace("example.org", "localhost")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let servers = BTreeMap::from([(self.server.kind, self.server.info())]);
        let servers = serde_json::to_string(&servers).unwrap_or_default();
        let path = env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", programs::built(&self.root).display());
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", LIMIT])
            .arg(program)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env("PATH", &path)
            .env("CARGO_TARGET_DIR", programs::packages(&self.root))
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("CARGO_MANIFEST_PATH")
            // Quicker to build; the package as it is published has tests of its own.
            .env("PREBIND_PROFILE", "dev")
            .env("PREBIND_BUILT", programs::built(&self.root))
            .env("SSL_CERT_FILE", &self.server.ca_pem)
            .env("PREBIND_SERVERS", servers)
            .env("PREBIND_PASSWORD", &self.server.accounts["alice"]);
        if let Some(machine) = &self.machine {
            machine.prepare(&mut command, &path);
        }
        command
    }
}

/// Has Python parse a block by an expression.
fn parsed(expression: &str, module: &str, block: &str) -> Result<(), Failed> {
    let program = format!("import sys, {module}; {expression}");
    fed(Command::new("python3").args(["-c", &program]), block)
}

/// Gives a block to a program that checks it.
fn fed(command: &mut Command, block: &str) -> Result<(), Failed> {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(block.as_bytes())?;
    }
    succeeded(&child.wait_with_output()?)
}

fn succeeded(output: &Output) -> Result<(), Failed> {
    if output.status.success() {
        return Ok(());
    }
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    Err(format!("{}\n{stdout}{stderr}", output.status).into())
}
