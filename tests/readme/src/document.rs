//! A README.md or a guide, as far as it can be wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// The folder of the guides, from the top of the project.
const GUIDES: &str = "core/docs";

/// A README.md or a guide.
pub(crate) struct Document {
    /// Its path from the top of the project.
    pub(crate) name: String,
    pub(crate) blocks: Vec<Block>,
    file: PathBuf,
    links: Vec<String>,
}

/// A code block.
#[derive(Clone)]
pub(crate) struct Block {
    /// The line it begins on.
    pub(crate) line: usize,
    /// The first word after the fence; empty without one.
    pub(crate) language: String,
    pub(crate) text: String,
}

/// Every README.md of the project and every guide, by name.
pub(crate) fn find(root: &Path) -> io::Result<Vec<Document>> {
    let mut documents = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_guide = folder == root.join(GUIDES) && name.ends_with(".md");
            if name == "README.md" || is_guide {
                documents.push(Document::read(root, &entry.path())?);
            } else if entry.file_type()?.is_dir() && !name.starts_with('.') && !is_foreign(&name) {
                folders.push(entry.path());
            }
        }
    }
    documents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(documents)
}

/// Whether a folder holds what others wrote.
fn is_foreign(folder: &str) -> bool {
    ["target", "node_modules", "vendor"].contains(&folder)
}

impl Document {
    fn read(root: &Path, path: &Path) -> io::Result<Self> {
        let markdown = fs::read_to_string(path)?;
        let mut document = Self {
            name: path.strip_prefix(root).unwrap_or(path).display().to_string(),
            blocks: Vec::new(),
            file: path.to_owned(),
            links: Vec::new(),
        };
        let mut events = Parser::new_ext(&markdown, Options::ENABLE_TABLES).into_offset_iter();
        while let Some((event, place)) = events.next() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let texts = events.by_ref().map_while(|(event, _)| match event {
                        Event::Text(text) => Some(text.into_string()),
                        _ => None,
                    });
                    document.blocks.push(Block {
                        line: markdown[..place.start].lines().count() + 1,
                        language: language(&kind),
                        text: texts.collect(),
                    });
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.into_string());
                }
                _ => {}
            }
        }
        Ok(document)
    }

    /// Whether every link into the project leads to something: to a file, and to a heading of it if the link has `#`.
    pub(crate) fn check_links(&self) -> Result<(), Failed> {
        let is_dead = |link: &&String| {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = if path.is_empty() { self.file.clone() } else { self.file.with_file_name(path) };
            let has_anchor = || fs::read_to_string(&file).is_ok_and(|text| anchors(&text).contains(anchor));
            !link.contains("://") && !(file.exists() && (anchor.is_empty() || has_anchor()))
        };
        let dead: Vec<_> = self.links.iter().filter(is_dead).map(String::as_str).collect();
        if dead.is_empty() {
            Ok(())
        } else {
            Err(format!("these links lead nowhere: {}", dead.join(", ")).into())
        }
    }
}

fn language(kind: &CodeBlockKind<'_>) -> String {
    match kind {
        CodeBlockKind::Fenced(info) => info.split([' ', ',']).next().unwrap_or_default().to_owned(),
        CodeBlockKind::Indented => String::new(),
    }
}

/// The anchors of a page's headings, as GitHub and crates.io make them.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&heading.take().unwrap_or_default());
                let time = times.entry(anchor.clone()).or_default();
                found.insert(if *time == 0 { anchor } else { format!("{anchor}-{time}") });
                *time += 1;
            }
            _ => {}
        }
    }
    found
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|next| next.is_alphanumeric() || " -_".contains(*next));
    kept.map(|next| if next == ' ' { '-' } else { next }).collect::<String>().to_lowercase()
}
