//! Who exists.

use std::fs;

use tempfile::TempDir;

use crate::support::{NEW, Program, jwk, replace, text};

fn key() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("there is room");
    let key = folder.path().join("chat.jwk");
    fs::write(&key, jwk(NEW)).expect("there is room");
    let key = text(&key).to_owned();
    (folder, key)
}

#[test]
fn everybody_or_nobody() {
    let (_folder, key) = key();
    for (rule, is_there) in [(&[][..], true), (&["--isuser", "all"], true), (&["--isuser", "none"], false)] {
        let mut program = Program::start(["--key", &key].into_iter().chain(rule.iter().copied()));
        assert_eq!([program.knows("alice"), program.knows("nobody")], [is_there; 2], "{rule:?}");
        program.end().well();
    }
}

#[test]
fn those_of_a_list_that_may_change() {
    let (folder, key) = key();
    let list = folder.path().join("users");
    let mut program = Program::start(["--key", &key, "--users", text(&list)]);
    assert!(!program.knows("alice"), "there is no list");
    replace(&list, "# people\nalice\nbob@localhost\ncarol@example.org\n");
    assert!(program.comes_to(|program| program.knows("alice")));
    assert!(program.knows("bob") && !program.knows("carol"));
    replace(&list, "carol\n@\n");
    assert!(program.comes_to(|program| program.knows("carol")));
    assert!(!program.knows("alice"));
    replace(&list, "# nobody\n");
    program.comes_to_log("names nobody", 1);
    assert!(program.knows("carol"), "the last list stays");
    let log = program.end().well();
    assert!(
        log.contains("cannot be read") && log.contains("line 2 of the list of users is neither"),
        "{log}"
    );
}
