//! What the languages declare and document for each option. It is generated from the core's table: this test writes
//! it with `PREBIND_UPDATE_DOCS=1`, and otherwise compares it.

use std::env;

use super::super::super::language::{Language, camel_case};
use super::*;
use crate::config::{IpFamily, PasswordMechanism};

/// The file, what stands before and after the generated lines there, and what generates them.
type Place = (&'static str, Before, After, Generate);
type Before = &'static str;
type After = &'static str;
type Generate = fn(&[Parameter]) -> String;

static PLACES: &[Place] = &[
    ("docs/options.md", "|---|---|---|---|\n", "", table),
    ("../bindings/python/python/prebind/_types.py", COMMAND, "    # End of the generated", python),
    (
        "../bindings/ruby/lib/prebind/client.rb",
        "BOSH endpoint\n",
        "    # @raise [ConfigError] if the URL",
        ruby,
    ),
    ("../bindings/ruby/sig/prebind.rbs", "initialize: (_ToS url", ") -> void\n    def prebind:", rbs),
    (KOTLIN, COMMAND, "\n    // End of the generated", kotlin),
    php("../bindings/php/lib/client.php", PHP_DOCS),
    php("../bindings/php/lib/client.php", PHP_ARGUMENTS),
    php("../bindings/php/lib/start.php", PHP_SHAPE),
    // The stubs repeat `lib/`.
    php("../bindings/php/stubs/prebind.php", PHP_DOCS),
    php("../bindings/php/stubs/prebind.php", PHP_ARGUMENTS),
    php("../bindings/php/stubs/prebind.php", PHP_SHAPE),
];

/// The end of the comments that tell how to generate what follows.
const COMMAND: &str = "PREBIND_UPDATE_DOCS=1 cargo test -p prebind --lib`.\n";

const KOTLIN: &str = "../bindings/uniffi/kotlin/src/main/kotlin/prebind/Options.kt";

const PHP_DOCS: (Before, After, Generate) =
    ("endpoint; `prebind.url` in `php.ini`\n", "     * @param ?array{callable", php_docs);
const PHP_ARGUMENTS: (Before, After, Generate) = (COMMAND, "        ?array $cache = null,", php_arguments);
const PHP_SHAPE: (Before, After, Generate) = ("@param array{\n", "     *     cache?: ", php_shape);

const fn php(path: &'static str, (before, after, generate): (Before, After, Generate)) -> Place {
    (path, before, after, generate)
}

#[test]
fn every_language_declares_the_options() {
    let options: Vec<_> = Config::options().collect();
    for (path, before, after, generate) in PLACES {
        let was = file(path);
        let (head, rest) = was.split_once(before).unwrap_or_else(|| panic!("{path}: no {before:?}"));
        let (_, tail) = rest.rsplit_once(after).unwrap_or_else(|| panic!("{path}: no {after:?}"));
        let is = [head, before, &generate(&options), after, tail].concat();
        if env::var_os("PREBIND_UPDATE_DOCS").is_some() {
            fs::write(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")), is).unwrap();
        } else {
            assert!(was == is, "{path} is outdated: update it with PREBIND_UPDATE_DOCS=1");
        }
    }
}

/// The type of an option in each language. In PHP each may be null: nothing is given.
struct Types {
    python: &'static str,
    yard: &'static str,
    rbs: &'static str,
    php: &'static str,
    kotlin: &'static str,
}

fn types(option: &Parameter) -> Types {
    let [python, yard, rbs, php, kotlin] = match option.takes {
        ValueType::Flag => ["bool", "Boolean", "bool", "?bool", "Boolean"],
        ValueType::Count { .. } => ["int", "Integer", "Integer", "?int", "Int"],
        ValueType::Range { .. } => [
            "tuple[int, int]",
            "Range<Integer>, Array(Integer, Integer)",
            "Range[Integer] | [Integer, Integer]",
            "?array{int, int}",
            "IntRange",
        ],
        ValueType::Seconds { .. } => ["Seconds", "Numeric", "seconds", "int|float|null", "Duration"],
        ValueType::Choice { values } => {
            let kotlin = match values {
                _ if values == PasswordMechanism::NAMES => "PasswordMechanism",
                _ if values == IpFamily::NAMES => "IpFamily",
                _ => panic!("{}: Kotlin has an enum for each choice", option.name),
            };
            ["str", "String, Symbol", "String | Symbol", "?string", kotlin]
        }
        ValueType::Text => ["str", "String", "String", "?string", "String"],
        ValueType::Pem => ["Pem", "String", "pem", "?string", "String"],
        ValueType::Certificate => [
            "tuple[Pem, Pem]",
            "Array(String, String)",
            "[pem, pem]",
            "?array{string, string}",
            "ClientCertificate",
        ],
        ValueType::Headers => [
            "Mapping[str, str]",
            "Hash{String => String}",
            "Hash[String, String]",
            "?array<string, string>",
            "Map<String, String>",
        ],
        ValueType::Record { .. } if option.name == "accounts" => [
            "Accounts",
            "Accounts",
            "Accounts",
            "?array{jid: string, password: string, url?: ?string, group?: ?string}",
            "Accounts",
        ],
        ValueType::Record { .. } => panic!("{}: each language has a class for each record", option.name),
    };
    Types { python, yard, rbs, php, kotlin }
}

fn table(options: &[Parameter]) -> String {
    let mut table = String::new();
    for option in options {
        let or_nothing = if option.is_optional { ", or nothing" } else { "" };
        let (name, takes, about) = (option.name, option.takes, option.about);
        writeln!(table, "| `{name}` | {takes}{or_nothing} | {} | {about} |", default_of(option)).unwrap();
    }
    table
}

fn python(options: &[Parameter]) -> String {
    let mut body = String::new();
    for option in options {
        let or_none = if option.is_optional { " | None" } else { "" };
        writeln!(body, "    {}: {}{or_none}", option.name, types(option).python).unwrap();
        let about = about(option, |_| None) + &choices(option);
        let text =
            format!("\"\"\"{about}.{}\"\"\"", default_sentence(option, &in_yes_or_no(option), "`None`"));
        body += &filled(text.split(' '), "    ", "    ", 100);
    }
    body
}

fn ruby(options: &[Parameter]) -> String {
    let mut comment = String::new();
    for option in options {
        let reference = |name: &str| match name.split_once('.') {
            Some(("Client", member)) => Some(format!("{{#{member}}}")),
            Some(("Session", member)) => Some(format!("{{Session#{member}}}")),
            _ => None,
        };
        let or_nil = if option.is_optional { ", nil" } else { "" };
        let default = default_in_ruby(option).map_or_else(String::new, |default| format!("({default}) "));
        let nil_for_none = if has_none(option) { "; nil for none" } else { "" };
        let about = uncapitalized(&about(option, reference)) + &choices(option);
        let tag = format!(
            "@option options [{}{or_nil}] :{} {default}{about}{nil_for_none}",
            types(option).yard,
            option.name
        );
        comment += &filled(tag.split(' '), "    # ", "    #   ", 120);
    }
    comment
}

fn rbs(options: &[Parameter]) -> String {
    let mut keywords = String::new();
    for option in options {
        let or_nil = if option.is_optional { "?" } else { "" };
        write!(keywords, ", ?{}: {}{or_nil}", option.name, types(option).rbs).unwrap();
    }
    keywords
}

fn php_docs(options: &[Parameter]) -> String {
    let mut tags = String::new();
    for option in options {
        let reference = |name: &str| match name.split_once('.') {
            Some(("Client", member)) => Some(format!("{{@see {member}()}}")),
            Some(("Session", member)) => Some(format!("`Session::${}`", camel_case(member))),
            _ => is_name(name).then(|| format!("`${name}`")),
        };
        let mut text = uncapitalized(&about(option, reference)) + &choices(option);
        if let (ValueType::Range { .. }, Some(Value::List(ends))) = (option.takes, &option.default) {
            let ends: Vec<_> = ends.iter().map(|end| json(end).to_string()).collect();
            write!(text, "; in `php.ini` as `{}` or only the most", ends.join("-")).unwrap();
        }
        let default = in_yes_or_no(option);
        if default != "none" {
            let or_none = if has_none(option) { ", empty for none" } else { "" };
            write!(text, "; default {default}{or_none}").unwrap();
        }
        // The extension sets these two itself.
        text += match option.name {
            "deadline" => "; in a web server 3",
            "workers" => "; in a web server 1",
            _ => "",
        };
        let tag = format!("@param {} ${} {text}", types(option).php, option.name);
        tags += &filled(tag.split(' '), "     * ", "     *     ", 120);
    }
    tags
}

fn php_arguments(options: &[Parameter]) -> String {
    let mut arguments = String::new();
    for option in options {
        let row = OPTIONS.iter().find(|row| row.name == option.name).unwrap();
        let sensitive = if row.is_secret { "#[\\SensitiveParameter] " } else { "" };
        // What an array holds is for the documentation.
        let of_array = types(option).php.find(['{', '<']).unwrap_or(types(option).php.len());
        let php = &types(option).php[..of_array];
        writeln!(arguments, "        {sensitive}{php} ${} = null,", option.name).unwrap();
    }
    arguments
}

fn php_shape(options: &[Parameter]) -> String {
    let keys: Vec<_> =
        options.iter().map(|option| format!("{}?: {},", option.name, types(option).php)).collect();
    filled(keys.iter().map(String::as_str), "     *     ", "     *     ", 120)
}

fn kotlin(options: &[Parameter]) -> String {
    let mut properties = String::new();
    for option in options {
        let reference = |name: &str| match name.split_once('.') {
            Some((class @ ("Client" | "Session"), member)) => {
                Some(format!("[{class}.{}]", camel_case(member)))
            }
            _ => is_name(name).then(|| format!("[{}]", camel_case(name))),
        };
        let kotlin = types(option).kotlin;
        let default = match (option.takes, &option.default) {
            (ValueType::Choice { .. }, Some(Value::Text(name))) => {
                format!("[{kotlin}.{}]", name.expose().replace('-', "_").to_uppercase())
            }
            (ValueType::Seconds { .. }, _) => default_of(option),
            _ => in_yes_or_no(option),
        };
        let text = format!("{}.{}", about(option, reference), default_sentence(option, &default, "null"));
        let line = format!("    /** {text} */\n");
        properties += "\n";
        if line.trim_end().chars().count() <= 110 {
            properties += &line;
        } else {
            let block = filled(text.split(' '), "     * ", "     * ", 110);
            write!(properties, "    /**\n{block}     */\n").unwrap();
        }
        let name = Language::Kotlin.name(option.name).unwrap();
        writeln!(properties, "    public var {name}: {kotlin}? by Option()").unwrap();
    }
    properties
}

/// What the option does, without the full stop. `reference` is how the language refers to an option or to a member of
/// a class, such as `Client.profile`; `None` for code in backticks.
fn about(option: &Parameter, reference: impl Fn(&str) -> Option<String>) -> String {
    let parts = option.about.trim_end_matches('.').split('`').enumerate();
    let told = parts.map(|(at, part)| match reference(part) {
        Some(reference) if at % 2 == 1 => reference,
        _ if at % 2 == 1 => format!("`{part}`"),
        _ => part.to_owned(),
    });
    told.collect()
}

/// The values of a choice, for languages that have no type for it.
fn choices(option: &Parameter) -> String {
    let ValueType::Choice { values: [first @ .., last] } = option.takes else { return String::new() };
    let first: Vec<_> = first.iter().map(|value| format!("`{value}`")).collect();
    format!(": {} or `{last}`", first.join(", "))
}

/// As a sentence at the end; `none` is what stands for nothing.
fn default_sentence(option: &Parameter, default: &str, none: &str) -> String {
    match default {
        "none" => String::new(),
        _ if has_none(option) => format!(" Default {default}, {none} for none."),
        _ => format!(" Default {default}."),
    }
}

/// Whether nothing is a value, but not the default.
fn has_none(option: &Parameter) -> bool {
    option.is_optional && !matches!(option.default, Some(Value::Nothing))
}

/// The default; that of a flag is yes or no.
fn in_yes_or_no(option: &Parameter) -> String {
    match option.default.as_ref().unwrap() {
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        default => in_words(default),
    }
}

/// The default as Ruby writes it, texts in backticks.
fn default_in_ruby(option: &Parameter) -> Option<String> {
    let number = |value: &Value| match in_words(value) {
        short if short.len() <= "1,000".len() => short.replace(',', ""),
        long => long.replace(',', "_"),
    };
    match option.default.as_ref().unwrap() {
        Value::Nothing | Value::Map(_) => None,
        Value::List(ends) => Some(ends.iter().map(number).collect::<Vec<_>>().join("..")),
        Value::Text(text) => Some(format!("`{:?}`", text.expose())),
        Value::Flag(flag) => Some(flag.to_string()),
        other => Some(number(other)),
    }
}

/// As a part of a sentence; "HTTP" stays.
fn uncapitalized(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    let is_word = rest.starts_with(|second: char| second.is_lowercase());
    if is_word { first.to_lowercase() + rest } else { text.to_owned() }
}

/// Lines of words, none of them longer than `width`.
fn filled<'a>(words: impl Iterator<Item = &'a str>, first: &str, next: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    for (at, word) in words.enumerate() {
        if at > 0 && line.chars().count() + 1 + word.chars().count() > width {
            lines += &line;
            lines += "\n";
            next.clone_into(&mut line);
        } else if at > 0 {
            line += " ";
        }
        line += word;
    }
    lines + &line + "\n"
}
