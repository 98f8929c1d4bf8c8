//! The page: its configurations, and its table.

use std::fs;

use crate::measure::Worked;
use crate::way::{Product, WAYS, Way};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../core/docs/sign-in.md");
const TEXT: &str = include_str!("../../../../core/docs/sign-in.md");
const BEGIN: &str = "<!-- The table of what works: written by bindings/cli/tests/ways -->\n";
const END: &str = "<!-- The end of the table of what works -->\n";
const HEAD: &str = "| way | versions | credentials | messages while offline | contacts are kept | requests reach two tabs | a chat app beside |\n\
     |---|---|---|---|---|---|---|\n";

/// The first block of the section with this heading: the server's configuration.
pub(crate) fn block(section: &str) -> &'static str {
    let (_, rest) = TEXT.split_once(&format!("\n### {section}\n")).expect("the page has this section");
    let (_, rest) = rest.split_once("\n```").expect("the section has a block");
    let (_, rest) = rest.split_once('\n').expect("the block has lines");
    rest.split_once("```").expect("the block ends").0
}

/// The lines of the table for a product: its versions, and what worked with each of them.
pub(crate) fn lines(product: Product, versions: &[(&str, Vec<Worked>); 2]) -> Vec<String> {
    let ways = WAYS.iter().filter(|way| way.product == product);
    let [(old, on_old), (new, on_new)] = versions;
    let mut lines = Vec::new();
    for (index, way) in ways.enumerate() {
        let (before, after) = (&on_old[index], &on_new[index]);
        if before == after {
            lines.push(line(way, &format!("{old}, {new}"), before));
        } else {
            lines.push(line(way, old, before));
            lines.push(line(way, new, after));
        }
    }
    lines
}

fn line(way: &Way, versions: &str, worked: &Worked) -> String {
    let Way { section, credentials, .. } = way;
    let Worked { offline, roster, tabs, app } = worked;
    let anchor = section.to_lowercase().replace(' ', "-").replace([':', ',', '`'], "");
    format!(
        "| [{section}](#{anchor}) | {versions} | `{credentials}` | {offline} | {roster} | {tabs} | {app} |\n"
    )
}

/// The page has this table.
pub(crate) fn compare(lines: impl Iterator<Item = String>) {
    let table: String = [HEAD.to_owned()].into_iter().chain(lines).collect();
    let (before, rest) = TEXT.split_once(BEGIN).expect("the table begins");
    let (written, after) = rest.split_once(END).expect("the table ends");
    if std::env::var_os("PREBIND_UPDATE_DOCS").is_some() {
        fs::write(PAGE, format!("{before}{BEGIN}{table}{END}{after}")).expect("the page can be written");
        return;
    }
    assert!(
        written == table,
        "core/docs/sign-in.md is not up to date; its table should be\n{table}To update it, run this test with \
         PREBIND_UPDATE_DOCS=1"
    );
}
