//! Which module of a crate imports from which, as the source says it.
//!
//! An import goes to the file that defines the name, so a module that only declares and re-exports its children
//! imports nothing. Methods and implementations of traits need no path and are not seen: a child may implement
//! methods of its parent's type, if the parent names nothing of the child's.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, ItemFn, ItemMod, ItemUse, Macro, Meta, UseTree, Visibility};

/// The text of each source file, by its path below the folder of the root.
pub(crate) type Sources = BTreeMap<String, String>;

/// The modules that each module imports from. Modules are written `wire::body`; the root is empty.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// Reads every source file below a folder.
pub(crate) fn sources(folder: &Path) -> Sources {
    let mut found = Sources::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            found.extend(sources(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
    found
}

/// Who imports from whom. What only tests have is not looked at.
pub(crate) fn imports(sources: &Sources, root: &str) -> Imports {
    let mut modules = Modules::default();
    modules.read(sources, root, &[]);
    modules.imports()
}

/// The modules that import from each other, in as many groups as there are circles.
pub(crate) fn circles(imports: &Imports) -> BTreeSet<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        imports.keys().map(|module| (module, reached(imports, module))).collect();
    let circle = |module: &String| {
        let others =
            reached[module].iter().filter(|other| reached.get(**other).is_some_and(|it| it.contains(module)));
        others.map(|other| (*other).clone()).collect::<BTreeSet<_>>()
    };
    imports.keys().map(circle).filter(|circle| !circle.is_empty()).collect()
}

fn reached<'a>(imports: &'a Imports, from: &String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&String> = imports[from].iter().collect();
    while let Some(module) = ahead.pop() {
        if reached.insert(module) {
            ahead.extend(imports.get(module).into_iter().flatten());
        }
    }
    reached
}

/// The names of the modules on the way to an item, and its own.
type Names = Vec<String>;

#[derive(Default)]
struct Modules(BTreeMap<Names, Module>);

/// What a file says of other files.
#[derive(Default)]
struct Module {
    children: BTreeSet<String>,
    /// What `use` gives a name.
    named: BTreeMap<String, Names>,
    /// Every path with a name of a module in it.
    paths: Vec<Names>,
    /// Where `use` takes all names from.
    globs: Vec<Names>,
    /// What `pub use` passes on under this name: an import only if the file itself uses the name.
    passed_on: BTreeMap<String, Names>,
    /// Every name that a path begins with, and every name in a macro.
    mentioned: BTreeSet<String>,
}

impl Modules {
    fn read(&mut self, sources: &Sources, file: &str, module: &[String]) {
        let text = sources.get(file).unwrap_or_else(|| panic!("no file {file}"));
        let mut reader = Module::default();
        reader.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}")));
        let children = reader.children.clone();
        self.0.insert(module.to_vec(), reader);
        for child in children {
            let module = [module, &[child]].concat();
            let path = module.join("/");
            let files = [format!("{path}.rs"), format!("{path}/mod.rs")];
            let file = files.into_iter().find(|file| sources.contains_key(file));
            self.read(sources, &file.unwrap_or_else(|| panic!("no file of {path}")), &module);
        }
    }

    fn imports(&self) -> Imports {
        let of = |module: &Names| {
            let Module { paths, globs, passed_on, mentioned, .. } = &self.0[module];
            for names in globs {
                let target = self.absolute(module, names, 0);
                let is_module = target.is_some_and(|target| self.0.contains_key(&target));
                assert!(
                    !is_module,
                    "{}: `use {}::*` hides what it imports",
                    module.join("::"),
                    names.join("::")
                );
            }
            let used = passed_on.iter().filter(|(name, _)| mentioned.contains(*name)).map(|(_, names)| names);
            let targets = paths.iter().chain(globs).chain(used).filter_map(|names| {
                let target = self.absolute(module, names, 0)?;
                self.definer(&target, 0)
            });
            targets.filter(|target| target != module).map(|target| target.join("::")).collect()
        };
        self.0.keys().map(|module| (module.join("::"), of(module))).collect()
    }

    /// The path from the root, unless it leads to another crate.
    fn absolute(&self, module: &[String], names: &[String], depth: usize) -> Option<Names> {
        assert!(depth < 32, "{} is imported in a circle", names.join("::"));
        let (first, rest) = names.split_first()?;
        let here = &self.0[module];
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" if rest.is_empty() => Some(module.to_vec()),
            "self" => self.absolute(module, rest, depth + 1).or_else(|| Some([module, rest].concat())),
            "super" => {
                let parent = &module[..module.len().checked_sub(1)?];
                let is_higher = rest.first().is_some_and(|next| next == "super");
                if is_higher { self.absolute(parent, rest, depth + 1) } else { Some([parent, rest].concat()) }
            }
            _ if here.children.contains(first) => Some([module, names].concat()),
            _ => {
                let whole = self.absolute(module, here.named.get(first)?, depth + 1)?;
                Some([&whole, rest].concat())
            }
        }
    }

    /// The module whose file defines what this path from the root leads to.
    fn definer(&self, path: &[String], depth: usize) -> Option<Names> {
        assert!(depth < 32, "{} is re-exported in a circle", path.join("::"));
        let length = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let Some((name, rest)) = rest.split_first() else { return Some(module.to_vec()) };
        match self.0[module].named.get(name) {
            None => Some(module.to_vec()),
            Some(named) => {
                let named = self.absolute(module, named, depth)?;
                self.definer(&[&named, rest].concat(), depth + 1)
            }
        }
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, before: &[String], is_passed_on: bool) {
        let with = |name: String| [before, &[name]].concat();
        let (name, names) = match tree {
            UseTree::Path(path) => {
                return self.import(&path.tree, &with(path.ident.to_string()), is_passed_on);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, before, is_passed_on));
            }
            UseTree::Glob(_) => return self.globs.push(before.to_vec()),
            UseTree::Name(it) if it.ident == "self" => {
                (before.last().cloned().unwrap_or_default(), before.to_vec())
            }
            UseTree::Name(it) => (it.ident.to_string(), with(it.ident.to_string())),
            UseTree::Rename(it) if it.ident == "self" => (it.rename.to_string(), before.to_vec()),
            UseTree::Rename(it) => (it.rename.to_string(), with(it.ident.to_string())),
        };
        if is_passed_on {
            self.passed_on.insert(name.clone(), names.clone());
        } else {
            self.paths.push(names.clone());
        }
        // A crate that is imported by its own name leads nowhere else.
        if name != "_" && names != [name.as_str()] {
            self.named.insert(name, names);
        }
    }

    /// Takes what looks like a path among the tokens of a macro.
    fn scan(&mut self, tokens: TokenStream) {
        let mut names = Names::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) if colons == 2 => {
                    names.push(name.to_string());
                    colons = 0;
                }
                other => {
                    self.paths.extend(Some(mem::take(&mut names)).filter(|names| names.len() > 1));
                    colons = 0;
                    match other {
                        TokenTree::Ident(name) => {
                            self.mentioned.insert(name.to_string());
                            names.push(name.to_string());
                        }
                        TokenTree::Group(group) => self.scan(group.stream()),
                        _ => {}
                    }
                }
            }
        }
        self.paths.extend(Some(names).filter(|names| names.len() > 1));
    }
}

impl Visit<'_> for Module {
    fn visit_item_mod(&mut self, item: &ItemMod) {
        if is_of_tests(&item.attrs) {
            return;
        }
        assert!(item.content.is_none(), "the module {} has no file of its own", item.ident);
        self.children.insert(item.ident.to_string());
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        if !is_of_tests(&item.attrs) && item.leading_colon.is_none() {
            self.import(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_item_fn(&mut self, item: &ItemFn) {
        if !is_of_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &ImplItemFn) {
        if !is_of_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        self.mentioned.extend(path.segments.first().map(|it| it.ident.to_string()));
        // A single name is one of this file, or one that a `use` has brought here.
        if path.segments.len() > 1 {
            self.paths.push(path.segments.iter().map(|it| it.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, it: &Macro) {
        self.scan(it.tokens.clone());
        visit::visit_macro(self, it);
    }

    // Who may see an item is no import, and neither is what a derive is told.
    fn visit_visibility(&mut self, _: &Visibility) {}
    fn visit_attribute(&mut self, _: &Attribute) {}
}

/// Whether only tests have it.
fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        _ => false,
    })
}
