//! Decides which of a server's own words an error may repeat. A server knows the secrets that it was sent,
//! and may send them back: unchanged, cut off, in other letters or as base64. So an error repeats only words
//! that read like plain language, and no words with a piece of a secret in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::vocabulary::is_condition;

/// The replacement for words that are not repeated.
pub(super) const HIDDEN: &str = "***";

/// The most characters of a server's words that are repeated.
const MOST: usize = 200;

/// The longest name of a condition that no specification defines.
const LONGEST_CONDITION: usize = 64;

/// The number of characters in a row that count as a piece of a secret. A long secret, such as a token, has
/// longer pieces.
const PIECE: usize = 4;
const LONG_PIECE: usize = 8;

/// A secret with this many letters and digits is long. A UUID has 32, and any four of its digits may occur in
/// a sentence by chance.
const LONG: usize = 32;

/// The secrets that must not be repeated, in all forms in which a server may repeat them.
#[derive(Default)]
pub(crate) struct Secrets(Vec<Form>);

/// The letters and digits of one form, in lower case, and how many of them in a row count as a piece.
struct Form {
    letters: Zeroizing<String>,
    piece: usize,
}

impl Secrets {
    /// Adds a password, a token, a SID or the like.
    pub(crate) fn add(&mut self, secret: &[u8]) {
        let text = Zeroizing::new(String::from_utf8_lossy(secret).into_owned());
        let letters = letters(&text);
        let piece = if letters.chars().count() >= LONG { LONG_PIECE } else { PIECE };
        if letters.is_empty() {
            // The secret consists of punctuation only.
            self.0.push(Form { piece: text.len(), letters: text });
        } else {
            self.0.push(Form { letters, piece });
        }
        self.add_encoded(secret);
    }

    /// Adds a RID. It has so many digits that four of them may occur in a telephone number by chance.
    pub(crate) fn add_rid(&mut self, rid: u64) {
        self.0.push(Form { letters: Zeroizing::new(rid.to_string()), piece: LONG_PIECE });
    }

    /// Adds a message that holds a secret and other text.
    pub(crate) fn add_message(&mut self, message: &[u8]) {
        self.add_form(letters(&Zeroizing::new(String::from_utf8_lossy(message).into_owned())));
        self.add_encoded(message);
    }

    /// Adds the secret as base64, for each position it may have in a message, and in hexadecimal.
    fn add_encoded(&mut self, secret: &[u8]) {
        for before in 0..3 {
            let padded = Zeroizing::new([&[0; 3][..before], secret].concat());
            let encoded = Zeroizing::new(STANDARD.encode(&padded));
            // The first and the last character also encode the neighbouring bytes, so they are left out.
            let own = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
            self.add_form(letters(encoded.get(own).unwrap_or_default()));
        }
        self.add_form(Zeroizing::new(hex::encode(secret)));
    }

    /// Adds a form whose short pieces may occur by chance, so that only long ones count.
    fn add_form(&mut self, letters: Zeroizing<String>) {
        if letters.len() >= PIECE {
            self.0.push(Form { letters, piece: LONG_PIECE });
        }
    }

    /// Whether there is a piece of a secret in these words.
    pub(super) fn are_in(&self, words: &str) -> bool {
        self.have_piece_in(words, PIECE)
    }

    /// Whether there is a secret, or a long piece of one, in this address. Short pieces do not count, because
    /// addresses are full of digits and short words. The scheme does not count either, even if a header such
    /// as `X-Forwarded-Proto` has the same value.
    pub(super) fn are_repeated_in(&self, address: &str) -> bool {
        let told = address.split_once("://").map_or(address, |(_, rest)| rest);
        self.have_piece_in(told, LONG_PIECE)
    }

    fn have_piece_in(&self, words: &str, least: usize) -> bool {
        let told = letters(words);
        self.0.iter().any(|form| {
            let length = form.letters.chars().count();
            if length == 0 {
                return false;
            }
            if form.letters.chars().all(|c| !c.is_alphanumeric()) {
                return words.contains(form.letters.as_str());
            }
            let piece = form.piece.max(least).min(length);
            let starts: Vec<usize> = form.letters.char_indices().map(|(at, _)| at).collect();
            (0..=length - piece).any(|first| {
                let end = starts.get(first + piece).copied().unwrap_or(form.letters.len());
                told.contains(&form.letters[starts[first]..end])
            })
        })
    }
}

/// The letters and digits of a text, in lower case. They stay the same however the text is spaced and
/// punctuated.
fn letters(text: &str) -> Zeroizing<String> {
    let mut letters = Zeroizing::new(String::with_capacity(text.len()));
    letters.extend(text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
    letters
}

/// A server's words in one line for a log. Words that do not read like plain language are hidden.
pub(crate) fn presentable(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    let words: Vec<&str> =
        line.split_whitespace().map(|word| if is_plain(word) { word } else { HIDDEN }).collect();
    words.join(" ")
}

/// A name or an address in one line for a log. It need not be plain language. Backticks are removed, because
/// they mark the names of options. If it comes from a server that may know a secret, also call
/// [`quoting`](super::Error::quoting).
pub(crate) fn address(text: &str) -> String {
    let shown = |c: char| if c.is_control() || c == '`' { ' ' } else { c };
    let line: String = text.chars().map(shown).take(MOST).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text, cut to this many characters if it is longer.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The name of a condition, cut to its longest length. Returns `None` if it is no name.
pub(super) fn presentable_condition(name: &str) -> Option<&str> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (is_name || is_condition(name)).then(|| &name[..name.len().min(LONGEST_CONDITION)])
}

/// Whether this is a word of a language, a short number, or several of these with punctuation between, like a
/// date or an address.
fn is_plain(word: &str) -> bool {
    const LONGEST_WORD: usize = 24;
    const LONGEST_NUMBER: usize = 4;
    let is_mark = |c: char| !c.is_alphanumeric();
    let core = word.trim_matches(is_mark);
    if core.is_empty() {
        return word.chars().count() <= 3;
    }
    core.split(['-', '\'', '’', '_', '.', ',', ':', '/']).all(|part| {
        let mut rest = part.chars();
        rest.next();
        let is_word = part.chars().all(char::is_alphabetic)
            && (rest.all(|c| !c.is_uppercase()) || part.chars().all(char::is_uppercase));
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit()) && part.len() <= LONGEST_NUMBER;
        (is_word || is_number) && part.chars().count() <= LONGEST_WORD
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_fit_a_line() {
        assert_eq!(presentable(" a\r\n\tb\u{0}c  d "), "a b c d");
        assert_eq!(presentable(&"é ".repeat(300)), "é ".repeat(100).trim_end());
        assert_eq!(address(" win-chat01\r\n`x"), "win-chat01 x");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüx", 3), "äö…");
    }

    #[test]
    fn plain_language_is_repeated() {
        for words in [
            "Unable to authorize you with the authentication credentials you've sent.",
            "Call 212-555-1212 & ask.",
            "Too many (3) failed authentications from this address (127.0.0.1): unblocked at 10:20:03, 1.12.2026",
            "invalid_token",
            "XML is not well-formed!",
            "Ungültiges Passwort",
            "パスワード が 違います",
        ] {
            assert_eq!(presentable(words), words);
        }
    }

    #[test]
    fn a_short_piece_of_a_uuid_may_occur_by_chance() {
        let mut secrets = Secrets::default();
        secrets.add(b"9c1dedb7-9cc3-4c6e-8b3c-5d7a1f0e2b44");
        assert!(!secrets.are_in("The response provided by the client doesn't match the one we calculated."));
        assert!(secrets.are_in("No session 1dedb79c c3"));
    }

    #[test]
    fn a_short_piece_of_a_rid_may_occur_by_chance() {
        let mut secrets = Secrets::default();
        secrets.add_rid(4_512_125_557_981);
        assert!(!secrets.are_in("Call 212-555-1212 & ask."));
        assert!(secrets.are_in("No request 1212.5557.9 in 2026"));
    }

    #[test]
    fn words_that_are_no_plain_language_are_hidden() {
        for word in [
            "wonder-1x",
            "1234567890123",
            "fcc19054-e208-4d03-99a8-99ec7f710f4c",
            "9f86d081884c7d65",
            "AGFsaWNlAHdvbmRlci0x",
            "wonderOne",
            "a=b",
            "p=v0X8v3Bz2T0CJGbJQyF0X",
            "abcdefghijklmnopqrstuvwxyz",
            "????????",
        ] {
            assert_eq!(presentable(&format!("bad {word} here")), "bad *** here");
        }
    }

    fn secrets(secret: &str) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add(secret.as_bytes());
        secrets
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJqaWQiOiJhbGljZUBsb2NhbGhvc3QifQ.c2lnbmF0dXJl";
        for (secret, words) in [
            ("correct  horse", "password correct horse is wrong"),
            ("correct horse", "CORRECT-HORSE"),
            ("correct horse", "c o r r e c t"),
            ("correct horse", "starts with corr"),
            ("wonder-1", "base64 d29uZGVyLTE="),
            // This is NUL alice NUL wonder-1.
            ("wonder-1", "AGFsaWNlAHdvbmRlci0x"),
            ("wonder-1", "776f6e6465722d31"),
            // This is the end of the secret as base64, shifted by one byte.
            ("correct horse battery staple", "eSBzdGFwbGU"),
            ("wonder-1", "wonder%2D1"),
            ("abc", "it is abc"),
            ("!?", "it is !?"),
            ("1234567890123", "request 3456-7890"),
            (token, "in token JIUzI1NiJ9"),
            ("größe", "GRÖSSE größe"),
        ] {
            assert!(secrets(secret).are_in(words), "{secret} in {words}");
        }
    }

    /// For a short secret, the whole base64 of the secret itself has to occur.
    #[test]
    fn base64_is_recognized_at_every_position_of_the_secret() {
        for words in ["YWJjZGVm", "eWFiY2RlZg", "eXlhYmNkZWY"] {
            assert!(secrets("abcdef").are_in(words), "{words}");
        }
        assert!(!secrets("abcdef").are_in("JjZGVm"), "a piece of it may be chance");
    }

    #[test]
    fn an_address_may_look_like_a_secret() {
        for (secret, address, is_repeated) in [
            ("https", "https://chat.example.org/bosh", false),
            ("chat-room-17", "https://chat.example.org/bosh", false),
            ("chat-room-17", "https://chat.example.org/chat-room/", true),
            ("chat", "https://chat.example.org/bosh", true),
        ] {
            assert_eq!(secrets(secret).are_repeated_in(address), is_repeated, "{secret} in {address}");
        }
    }

    #[test]
    fn other_words_are_no_secret() {
        for secret in ["wonder-1", "fcc19054-e208-4d03-99a8-99ec7f710f4c", "!?", "", "1234567890123"] {
            assert!(!secrets(secret).are_in("Invalid username or password, of 2026!"), "{secret}");
        }
        let mut proof = Secrets::default();
        proof.add_message(
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        );
        assert!(proof.are_in("bad proof v0X8v3Bz2T0CJ"));
        assert!(!proof.are_in("Invalid username or password"));
    }

    #[test]
    fn a_condition_is_a_name() {
        for name in ["not-authorized", "xml-not-well-formed", "x"] {
            assert_eq!(presentable_condition(name), Some(name));
        }
        assert_eq!(presentable_condition(&"x".repeat(65)), Some(&*"x".repeat(64)));
        for name in ["", "Not", "a b", "s1"] {
            assert_eq!(presentable_condition(name), None, "{name}");
        }
    }
}
