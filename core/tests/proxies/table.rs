//! The table in the guide.

use std::fs;

use crate::door::{Door, Mechanisms};
use crate::rows::Row;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tested.md");
const BEGIN: &str = "<!-- The table of servers: written by core/tests/proxies -->\n";
const END: &str = "<!-- The end of the table of servers -->\n";
const HEAD: &str = "| server | in front of it | configured with | scheme | logins |\n|---|---|---|---|---|\n";

/// A line of the table, for the mechanisms that worked at each address of a row.
pub(crate) fn line(row: &Row, worked: &[Mechanisms]) -> String {
    let Row { server, front, ways } = row;
    let schemes = ways[0].doors.iter().map(Door::scheme);
    let mechanisms = &worked[0];
    assert!(worked.iter().all(|others| others == mechanisms), "{server}, {front}: {worked:?}");
    let join = |words: Vec<&str>| words.join(", ");
    format!(
        "| {server} | {front} | {} | {} | {} |\n",
        join(ways.iter().map(|way| way.name).collect()),
        join(schemes.collect()),
        mechanisms.join(", "),
    )
}

/// The guide has this table.
pub(crate) fn compare(lines: impl Iterator<Item = String>) {
    let table: String = [HEAD.to_owned()].into_iter().chain(lines).collect();
    let guide = fs::read_to_string(GUIDE).unwrap();
    let (before, rest) = guide.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("PREBIND_UPDATE_DOCS").is_some() {
        fs::write(GUIDE, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert!(
        written == table,
        "core/docs/tested.md is not up to date; its table should be\n{table}To update it, run this test with \
         PREBIND_UPDATE_DOCS=1"
    );
}
