//! The modules of the command, as a reader follows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What is left when modules are taken away whose imports have all been taken away.
fn circle(mut imports: BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    loop {
        let known: BTreeSet<String> = imports.keys().cloned().collect();
        let before = imports.len();
        imports.retain(|_, imported| !imported.is_disjoint(&known));
        if imports.len() == before {
            return known;
        }
    }
}

#[test]
fn no_module_imports_what_imports_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports = BTreeMap::<String, BTreeSet<String>>::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let source = fs::read_to_string(&file).unwrap();
        let starts = source.lines().filter_map(|line| line.strip_prefix("use crate::"));
        let names = starts.map(|path| path.split([':', ';']).next().unwrap().to_owned());
        imports.insert(file.file_stem().unwrap().to_str().unwrap().to_owned(), names.collect());
    }
    assert!(imports.len() > 10 && imports["login"].contains("failure"), "{imports:?}");
    assert_eq!(circle(imports), BTreeSet::new(), "these import each other in a circle, or one that does");
}

#[test]
fn a_circle_is_found() {
    let imports = |of: [(&str, &[&str]); 3]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        of.into_iter().map(|(name, imported)| (name.to_owned(), owned(imported))).collect()
    };
    assert!(circle(imports([("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])).is_empty());
    let found = circle(imports([("a", &["b"]), ("b", &["a"]), ("c", &[])]));
    assert_eq!(found, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
}
