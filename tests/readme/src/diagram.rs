//! A sequence diagram of Mermaid.

use std::collections::BTreeSet;

use libtest_mimic::Failed;

/// What leads from one participant to another.
const ARROWS: [&str; 2] = ["-->>", "->>"];

/// Whether each line is one that Mermaid draws: a participant, a message between participants, a note over them.
pub(crate) fn check(text: &str) -> Result<(), Failed> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.next() != Some("sequenceDiagram") {
        return Err("the first line of a diagram is `sequenceDiagram`".into());
    }
    let mut known = BTreeSet::new();
    for line in lines {
        if let Some(participant) = line.strip_prefix("participant ") {
            known.insert(participant.split_once(" as ").map_or(participant, |(name, _)| name));
        } else if !is_drawn(line, &known) {
            return Err(format!("this line is not drawn: {line}").into());
        }
    }
    Ok(())
}

fn is_drawn(line: &str, known: &BTreeSet<&str>) -> bool {
    let Some((names, text)) = line.split_once(": ") else { return false };
    let names: Vec<_> = match names.strip_prefix("Note over ") {
        Some(over) => over.split(',').collect(),
        None => ARROWS
            .iter()
            .find_map(|arrow| names.split_once(arrow))
            .map(|(a, b)| vec![a, b])
            .unwrap_or_default(),
    };
    // A semicolon ends a line for Mermaid.
    !text.contains(';') && !names.is_empty() && names.iter().all(|name| known.contains(name))
}
