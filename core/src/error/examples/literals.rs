//! Finds the texts in the source, to check that there is an example of each.

use std::fs;
use std::path::Path;

use crate::binding::Language;

/// Code whose texts are never part of an error: tests, pages, headers, lines for servers, and messages for
/// developers or the log.
const OTHERS: [&str; 16] = [
    "expect(",
    "tracing::",
    "reason =",
    "panic!",
    "unreachable!",
    "assert!",
    "#[error",
    "const UNKNOWN:",
    "const UNKNOWN_SID:",
    "const IS_THERE:",
    "const IMMUTABLE:",
    "html",
    "configuration = format!",
    "is_allowed.then",
    "complaint =",
    "HttpError::Tls(",
];

/// Every text of several words, with the file and line where it begins. The texts of `binding/given.rs`,
/// `binding/doctor.rs` and `token/refusal.rs` have their own cases: `web-given.json`, `web-doctor.json` and
/// `tokens.json`.
pub(super) fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    found
}

/// The parts of a text between its placeholders.
pub(super) fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_value = false;
    for character in text.chars() {
        match character {
            '{' => is_value = true,
            '}' => {
                is_value = false;
                parts.push(String::new());
            }
            character if !is_value => parts.last_mut().unwrap().push(character),
            _ => {}
        }
    }
    let is_sentence = |part: &String| part.trim().split(' ').count() > 2;
    parts.retain(is_sentence);
    parts.into_iter().map(|part| whole_names(&part)).collect()
}

/// The part with Rust's names of options. A part with half a name stays as it is.
fn whole_names(part: &str) -> String {
    if part.matches('`').count().is_multiple_of(2) { Language::Rust.tell(part) } else { part.to_owned() }
}

fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "examples.rs", "literals.rs", "trace.rs", "given.rs", "doctor.rs", "refusal.rs"]
                .contains(&name.as_str())
        {
            let source = fs::read_to_string(&path).unwrap();
            let code = source.split("\n#[cfg(test)]\nmod ").next().unwrap();
            let code = code.split("\n#[cfg(all(test").next().unwrap();
            let place = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
            found.extend(literals(code).into_iter().map(|(line, text)| (format!("{place}:{line}"), text)));
        }
    }
}

/// The texts in this code, with their lines.
fn literals(code: &str) -> Vec<(usize, String)> {
    let given = crate::Config::options().chain(crate::Credentials::arguments()).map(|it| it.about);
    let held = crate::Session::fields().chain(crate::Error::fields()).map(|it| it.about);
    let abouts: Vec<&str> = given.chain(held).collect();
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (line, after) = (code.len() - rest.len() + at, &rest[at + 1..]);
        match rest.as_bytes()[at] {
            b'/' if after.starts_with('/') => rest = &after[after.find('\n').unwrap_or(after.len())..],
            b'/' => rest = after,
            // This begins a character or a lifetime.
            b'\'' if after.starts_with('\\') => {
                rest = &after[after[2..].find('\'').map_or(0, |end| end + 3)..];
            }
            b'\'' => {
                let mut characters = after.chars();
                let is_character = characters.nth(1) == Some('\'');
                rest = if is_character { characters.as_str() } else { after };
            }
            _ => {
                let (text, length) = text(after);
                let before = &code[..line];
                let statement = &before[before.rfind([';', '}', '{']).map_or(0, |end| end + 1)..];
                let is_other = OTHERS.iter().any(|other| statement.contains(other));
                if text.split(' ').count() > 2 && !is_other && !abouts.contains(&text.as_str()) {
                    found.push((before.matches('\n').count() + 1, text));
                }
                rest = &after[length..];
            }
        }
    }
    found
}

/// The text that begins after an opening quote, and its length in the code.
fn text(code: &str) -> (String, usize) {
    let mut text = String::new();
    let mut characters = code.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, at + 1),
            '\\' => match characters.next() {
                Some((_, '\n')) => {
                    let after = characters.as_str();
                    let skipped = after.len() - after.trim_start().len();
                    (0..after[..skipped].chars().count()).for_each(|_| _ = characters.next());
                }
                Some((_, 'n')) => text.push('\n'),
                Some((_, other)) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    (text, code.len())
}

#[test]
fn texts_are_found_with_their_lines() {
    let code = "let a = '\"'; // \"not this one\"\nf(\"one of {a} two \\\n        three\"); let c: &'a str = \"a b c\";\n\
                tracing::debug!(\"x y z\"); let d = '\\''; g(\"d e f\")";
    let found: Vec<_> = literals(code);
    let expected = [(2, "one of {a} two three"), (3, "a b c"), (4, "d e f")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    assert_eq!(parts("one of {a} two three four, {b}"), [" two three four, "]);
}
