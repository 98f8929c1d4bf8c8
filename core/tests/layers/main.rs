//! The layers of the core: a module imports only from those above its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod graph;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use graph::{Imports, Sources, circles, imports, sources};

/// The order, from the top. Modules of one row may import from each other, but not in a circle.
const LAYERS: [&[&str]; 15] = [
    &["text", "secret", "lock"],
    &["error"],
    &["jid", "named", "random"],
    &["config"],
    &["token"],
    &["wire"],
    &["sasl"],
    &["account", "session"],
    &["negotiation"],
    &["client"],
    &["web"],
    &["extauth"],
    &["binding"],
    &["protocol"],
    &["guide"],
];

/// The sources of the core, and what imports what in them.
static CORE: LazyLock<(Sources, Imports)> = LazyLock::new(|| {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let imports = imports(&sources, "lib.rs");
    (sources, imports)
});

/// The file or folder that a module is in.
fn top(module: &str) -> &str {
    module.split("::").next().unwrap()
}

/// The place of a module in the order; the root may import from all.
fn layer(module: &str) -> Option<usize> {
    let top = top(module);
    if top.is_empty() { Some(LAYERS.len()) } else { LAYERS.iter().position(|layer| layer.contains(&top)) }
}

/// The imports from a layer that is not above, by the layers' modules.
fn climbs(imports: &Imports) -> BTreeSet<(&str, &str)> {
    let all =
        imports.iter().flat_map(|(from, targets)| targets.iter().map(move |to| (from.as_str(), to.as_str())));
    all.filter(|(from, to)| layer(to) > layer(from)).map(|(from, to)| (top(from), top(to))).collect()
}

#[test]
fn a_module_imports_only_from_layers_above() {
    let (_, imports) = &*CORE;
    assert!(imports.len() > 80 && imports["wire::reply::not_bosh"].contains("wire::reply"), "{imports:?}");
    for module in imports.keys() {
        assert!(layer(module).is_some(), "no layer has {module}");
    }
    assert_eq!(climbs(imports), BTreeSet::new(), "these import from a layer below");
}

#[test]
fn no_modules_import_from_each_other() {
    assert_eq!(circles(&CORE.1), BTreeSet::new(), "these import from each other");
}

#[test]
fn every_module_in_the_order_is_there() {
    for module in LAYERS.iter().copied().flatten() {
        assert!(CORE.1.contains_key(*module), "there is no module {module}");
    }
}

#[test]
fn each_folder_says_what_it_may_import() {
    let (sources, _) = &*CORE;
    for above in LAYERS.windows(2) {
        for module in above[1] {
            if !sources.keys().any(|file| file.starts_with(&format!("{module}/"))) {
                continue;
            }
            let names: Vec<String> = above[0].iter().map(|name| format!("`{name}`")).collect();
            let sentence = format!(
                "// May import from {} and the layers above, in the order of `core/tests/layers`.",
                names.join(", ")
            );
            let file = [format!("{module}.rs"), format!("{module}/mod.rs")];
            let file = file.iter().find_map(|file| sources.get(file)).unwrap();
            assert!(file.lines().any(|line| line == sentence), "{module} has to say: {sentence}");
        }
    }
}

/// Made-up sources, by file.
fn made_up(files: &[(&str, &str)]) -> Imports {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    imports(&files.collect(), "lib.rs")
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_climb_is_found() {
    let client = "use crate::secret::Secret; pub struct Client;";
    let good =
        [("lib.rs", "mod client; mod secret;"), ("client.rs", client), ("secret.rs", "pub struct Secret;")];
    assert_eq!(climbs(&made_up(&good)), BTreeSet::new());
    for climb in [
        "use crate::client::Client;",
        "use super::client::Client;",
        "use crate::{client::{Client as Other}};",
        "use super::client;",
        "fn f(_: crate::client::Client) {}",
        "fn f() { use crate::client::Client; }",
        "fn f() { println!(\"{}\", [crate::client::NAME]); }",
        "macro_rules! m { () => { $crate::client::Client } }",
    ] {
        let bad = [good[0], good[1], ("secret.rs", &*format!("pub struct Secret; {climb}"))];
        assert_eq!(climbs(&made_up(&bad)), BTreeSet::from([("secret", "client")]), "{climb}");
    }
}

#[test]
fn what_only_tests_import_does_not_count() {
    for allowed in [
        "#[cfg(test)] mod tests { use crate::client::Client; }",
        "#[cfg(test)] mod tests;",
        "#[cfg(all(test, feature = \"client\"))] mod tests { use crate::client::Client; }",
        "#[cfg(test)] pub(crate) use crate::client::Client;",
        "#[cfg(test)] fn f(_: crate::client::Client) {}",
        "/// [`Client`](crate::client::Client)\npub struct A;",
        "pub(in crate::client) struct A;",
    ] {
        let imports =
            made_up(&[("lib.rs", "mod client; mod secret;"), ("client.rs", ""), ("secret.rs", allowed)]);
        assert_eq!(imports["secret"], BTreeSet::new(), "{allowed}");
    }
    let imports = made_up(&[
        ("lib.rs", "mod client; mod secret;"),
        ("client.rs", ""),
        ("secret.rs", "#[cfg(any(test, feature = \"client\"))] use crate::client::Client;"),
    ]);
    assert_eq!(imports["secret"], names(&["client"]));
}

#[test]
fn a_circle_is_found() {
    let root = ("lib.rs", "mod a; mod b; mod c;");
    let chain = [root, ("a.rs", "use crate::b::B;"), ("b.rs", "use super::c::C;"), ("c.rs", "")];
    assert_eq!(circles(&made_up(&chain)), BTreeSet::new());
    let circle =
        [root, ("a.rs", "use crate::b::B;"), ("b.rs", "use super::c::C;"), ("c.rs", "use crate::a;")];
    assert_eq!(circles(&made_up(&circle)), BTreeSet::from([names(&["a", "b", "c"])]));
    let pair = [
        root,
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "fn f() { crate::a::f(); }"),
        ("c.rs", "use crate::a;"),
    ];
    assert_eq!(circles(&made_up(&pair)), BTreeSet::from([names(&["a", "b"])]));
}

#[test]
fn a_child_may_import_what_its_parent_only_passes_on() {
    let root = ("lib.rs", "mod a;");
    let sibling = ("a/two.rs", "pub struct Two;");
    let child = ("a/one.rs", "use super::Two; pub struct One;");
    let passed_on = "mod one; mod two; pub use one::One; pub use two::Two;";
    let imports = made_up(&[root, ("a/mod.rs", passed_on), child, sibling]);
    assert_eq!(imports["a::one"], names(&["a::two"]));
    assert_eq!(circles(&imports), BTreeSet::new());
    for body in
        ["mod one; use one::One; pub struct Two(One);", "mod one; pub struct Two; fn f() { one::f(); }"]
    {
        let imports = made_up(&[root, ("a.rs", body), child]);
        assert_eq!(circles(&imports), BTreeSet::from([names(&["a", "a::one"])]), "{body}");
    }
    let methods = "mod one; pub struct Two;";
    assert_eq!(circles(&made_up(&[root, ("a.rs", methods), child])), BTreeSet::new());
}

#[test]
fn a_name_is_followed_to_the_file_that_defines_it() {
    let imports = made_up(&[
        ("lib.rs", "mod a; mod wire; mod z; pub use wire::Body;"),
        ("wire.rs", "pub mod body; pub mod ns; pub use self::body::Body; pub use ns as namespaces;"),
        ("wire/body.rs", "use std::fmt; use fmt::Debug; pub struct Body;"),
        ("wire/ns.rs", ""),
        ("a.rs", "use crate::Body;"),
        ("z.rs", "use crate::wire; fn f() { wire::namespaces::f(wire::Body::new()); }"),
    ]);
    assert_eq!(imports["a"], names(&["wire::body"]));
    assert_eq!(imports["z"], names(&["wire", "wire::body", "wire::ns"]));
    assert_eq!(imports["wire::body"], BTreeSet::new());
}

#[test]
#[should_panic(expected = "hides what it imports")]
fn a_glob_is_refused() {
    made_up(&[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::*;"), ("b.rs", "")]);
}
