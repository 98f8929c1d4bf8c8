//! Makes text from elsewhere safe for a terminal.

/// Escapes the characters that a terminal would obey: control characters, and those that change the direction
/// of writing.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn terminals_are_not_commanded() {
        assert_eq!(printable("tab\there \u{1b}[31m \u{9b}2J"), r"tab\there \u{1b}[31m \u{9b}2J");
        assert_eq!(printable("alice\u{202e}@example.org"), r"alice\u{202e}@example.org");
        assert_eq!(printable("Ælfrič ☕"), "Ælfrič ☕");
    }
}
