//! The modules of the command, as a reader follows them.

#[path = "../../../../core/tests/layers/graph.rs"]
mod graph;

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn no_module_imports_what_imports_it() {
    let sources = graph::sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let imports = graph::imports(&sources, "main.rs");
    assert!(imports.len() > 10 && imports["login"].contains("failure"), "{imports:?}");
    assert_eq!(graph::circles(&imports), BTreeSet::new(), "these import from each other");
}
