//! A transcript, and whether what a command printed is what it shows.

use libtest_mimic::Failed;

/// Stands for what differs each time.
const ANYTHING: &str = "…";

/// A command of a `console` block and what follows it.
pub(crate) struct Command {
    pub(crate) line: String,
    output: Vec<String>,
}

/// The commands of a `console` block.
pub(crate) fn commands(block: &str) -> Result<Vec<Command>, Failed> {
    let mut commands: Vec<Command> = Vec::new();
    let mut continues = false;
    for line in block.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (None, Some(command)) if continues => {
                command.line.push('\n');
                command.line.push_str(line);
            }
            (Some(line), _) => commands.push(Command { line: line.to_owned(), output: Vec::new() }),
            (None, Some(command)) => {
                command.output.push(line.to_owned());
                continue;
            }
            (None, None) => return Err("the first line of a console block is a command after `$ `".into()),
        }
        continues = line.ends_with('\\');
    }
    Ok(commands)
}

impl Command {
    /// Compares what the command printed with what the block shows.
    pub(crate) fn check(&self, printed: &str) -> Result<(), Failed> {
        let shown: Vec<_> = self.output.iter().map(String::as_str).collect();
        let lines: Vec<_> = printed.lines().map(str::trim_end).collect();
        if lines_match(&shown, &lines) {
            Ok(())
        } else {
            Err(format!("$ {}\nshown:\n{}\nprinted:\n{printed}", self.line, shown.join("\n")).into())
        }
    }
}

fn lines_match(shown: &[&str], printed: &[&str]) -> bool {
    match (shown, printed) {
        ([], printed) => printed.is_empty(),
        ([ANYTHING, shown @ ..], printed) => {
            (0..=printed.len()).any(|skipped| lines_match(shown, &printed[skipped..]))
        }
        ([first, shown @ ..], [line, printed @ ..]) => {
            line_matches(first, line) && lines_match(shown, printed)
        }
        (_, []) => false,
    }
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let Some((start, rest)) = shown.split_once(ANYTHING) else { return shown == printed };
    let Some(printed) = printed.strip_prefix(start) else { return false };
    let ends = printed.char_indices().map(|(at, _)| at).chain([printed.len()]);
    ends.into_iter().any(|at| line_matches(rest, &printed[at..]))
}
