use std::fmt::Write as _;
use std::fs;

use super::*;

/// One error of each kind.
fn errors() -> Vec<Error> {
    let kinds = [
        ErrorKind::Config { field: "url" },
        ErrorKind::Connect { phase: Phase::Dns },
        ErrorKind::Timeout { phase: Phase::Tls },
        ErrorKind::Http { status: 302, location: Some("https://chat.example.org/".to_owned()) },
        ErrorKind::Protocol { expected: "a body" },
        ErrorKind::Terminated,
        ErrorKind::Mechanism { offered: vec!["PLAIN".to_owned()], allowed: Vec::new() },
        ErrorKind::Auth,
        ErrorKind::ServerUnverified { check: Check::Nonce },
        ErrorKind::Bind,
        ErrorKind::Internal,
    ];
    kinds.map(|kind| Error::new(kind, Stage::Create, Retry::Later, "cause and remedy")).into()
}

/// What an error of this kind has that not all have.
fn carried(kind: &ErrorKind) -> &'static [&'static str] {
    macro_rules! fields {
        ($($kind:ident { $($field:ident)* })+) => {
            // Does not compile while a kind or what it carries is missing here.
            match kind { $(ErrorKind::$kind { $($field: _),* } => &[$(stringify!($field)),*],)+ }
        };
    }
    fields! {
        Config { field }
        Connect { phase }
        Timeout { phase }
        Http { status location }
        Protocol { expected }
        Terminated {}
        Mechanism { offered allowed }
        Auth {}
        ServerUnverified { check }
        Bind {}
        Internal {}
    }
}

#[test]
fn an_error_has_what_its_kind_carries() {
    let errors = errors();
    let kinds: Vec<_> = errors.iter().map(|error| error.kind().as_str()).collect();
    assert_eq!(kinds, ErrorKind::NAMES);
    for error in errors {
        let kind = error.kind().as_str();
        let names = |fields: Vec<Field>| fields.into_iter().map(|field| field.name).collect::<Vec<_>>();
        let given = names(error.to_named().map(|(field, _)| field).collect());
        assert_eq!(given, names(Error::fields().filter(|field| field.is_of(kind)).collect()), "{kind}");
        let own = names(Error::fields().filter(|field| field.kinds.contains(&kind)).collect());
        assert_eq!(own, carried(error.kind()), "{kind}");
    }
}

#[test]
fn values_are_of_their_fields_types() {
    for (field, value) in errors().iter().flat_map(Error::to_named) {
        let fits = match (field.holds, &value) {
            (_, Value::Nothing) => field.is_optional,
            (Text, Value::Text(_)) | (Count | Seconds, Value::Whole(_)) => true,
            (Choice { values }, Value::Text(text)) => values.contains(&text.expose()),
            (Texts, Value::List(texts)) => texts.iter().all(|text| matches!(text, Value::Text(_))),
            _ => false,
        };
        assert!(fits, "{}: {value:?}", field.name);
    }
}

#[test]
fn languages_have_their_own_case() {
    let field = Error::fields().find(|field| field.name == "retry_after").unwrap();
    let names = [Language::Python, Language::Php].map(|language| field.name_in(language));
    assert_eq!(names, ["retry_after", "retryAfter"]);
}

#[test]
fn each_is_described_in_one_sentence() {
    for Field { name, about, .. } in Session::fields().chain(Error::fields()) {
        assert!(about.ends_with('.') && !about.contains(". "), "{name}: {about}");
    }
}

/// What every README leads to.
#[test]
fn the_documented_tables_are_these() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/results.md");
    let document = document();
    if std::env::var_os("PREBIND_UPDATE_DOCS").is_some() {
        fs::write(path, &document).unwrap();
    }
    let documented = fs::read_to_string(path).unwrap_or_default();
    assert!(
        documented == document,
        "core/docs/results.md should be\n\n{document}\nTo update it, run this test with PREBIND_UPDATE_DOCS=1"
    );
}

fn document() -> String {
    let mut text = "# Sessions and errors\n\n\
        Every language has these fields, in its own case style and with its own types: a time may be a `Duration`, \
        for\nexample. A test compares these tables with the library.\n"
        .to_owned();
    text.push_str("\n## A session\n\n| field | value | |\n|---|---|---|\n");
    for Field { name, holds, is_optional, about, .. } in Session::fields() {
        writeln!(text, "| `{name}` | {} | {about} |", in_words(holds, is_optional)).unwrap();
    }
    text.push_str("\n## An error\n\n| field | value | kinds | |\n|---|---|---|---|\n");
    for Field { name, holds, is_optional, kinds, about, .. } in Error::fields() {
        let kinds = if kinds.is_empty() { "all".to_owned() } else { kinds.join(", ") };
        writeln!(text, "| `{name}` | {} | {kinds} | {about} |", in_words(holds, is_optional)).unwrap();
    }
    text
}

fn in_words(holds: FieldType, is_optional: bool) -> String {
    let words = match holds {
        Text => "text".to_owned(),
        Choice { values } => format!("one of {}", values.join(", ")),
        Count => "a whole number".to_owned(),
        Seconds => "a whole number of seconds".to_owned(),
        Texts => "texts".to_owned(),
        Records { fields } => format!("lists of {}", fields.join(", ")),
    };
    if is_optional { format!("{words}, or nothing") } else { words }
}
