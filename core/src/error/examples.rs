//! Writes the list of every message with an example, `docs/messages.md`. The examples are errors of the code
//! itself: those of the shared cases, and those that need a network or a defect.

#[allow(dead_code, reason = "the tests that run the cases use the rest")]
#[path = "../../tests/vectors/case.rs"]
mod case;
mod literals;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::sync::LazyLock;
use std::time::SystemTime;

use super::*;
use crate::account::Account;
use crate::binding::{Language, Value};
use crate::config::{Accounts, Config, PasswordMechanism};
use crate::error::{BoshCondition, SaslCondition, ScramCondition, StanzaCondition, StreamCondition};
use crate::jid::Jid;
use crate::negotiation::{EACH_ANSWERED, Negotiation, Plan, Step};
use crate::random::Random;
use crate::sasl::{Credentials, FastToken, ScramHash, ScramKeys, XOAuth2Issuer};
use crate::token::{Algorithm, Issuer, Key};
use crate::web::Page;
use crate::wire::reply::Reply;

const URL: &str = "https://chat.example.org/http-bind";

/// The longest that a message usually is. A message with long values may be longer.
const USUAL_LENGTH: usize = 320;

/// Every message, with Rust's names of options, by the kind of its error.
fn messages() -> Vec<(&'static str, BTreeSet<(String, &'static str)>)> {
    let of_kind = |kind| {
        let mut seen = BTreeSet::new();
        let errors = errors().iter().filter(|error| error.kind().as_str() == kind);
        let told = errors.map(|error| (error.told_in(Language::Rust), error.retry().as_str()));
        // Messages that differ only in their values count as the same.
        told.filter(|(message, _)| seen.insert(without_values(message))).collect()
    };
    ErrorKind::NAMES.iter().map(|kind| (*kind, of_kind(*kind))).collect()
}

/// The message without numbers, without texts of servers, and without the names that the cases use.
fn without_values(message: &str) -> String {
    let names = ["localhost", "example.org", "nowhere.local", "mail.chat", "chat.", "127.0.0.1"];
    let message = names.iter().fold(message.to_owned(), |message, name| message.replace(name, ""));
    let quoted = message.split('"').enumerate().filter(|(at, _)| at % 2 == 0);
    quoted.flat_map(|(_, part)| part.chars()).filter(|character| !character.is_ascii_digit()).collect()
}

/// All errors. They are made once.
fn errors() -> &'static [Error] {
    static ERRORS: LazyLock<Vec<Error>> = LazyLock::new(find_errors);
    &ERRORS
}

fn find_errors() -> Vec<Error> {
    let mut errors = of_settings();
    errors.extend(of_conditions());
    errors.extend(of_exchanges());
    errors.extend(in_sasl2());
    errors.extend(crate::token::examples());
    errors.extend(crate::extauth::examples());
    errors.extend(crate::wire::reply::examples());
    errors.extend(crate::sasl::examples());
    errors.extend(crate::negotiation::examples());
    #[cfg(feature = "client")]
    errors.extend(crate::client::examples());
    errors.extend(of_cases());
    errors
}

/// The errors of the shared cases.
fn of_cases() -> Vec<Error> {
    let run = |case: case::Case| {
        let config = case.config()?;
        let account = case.account()?;
        let plan = case.plan(&config, &account);
        let (mut negotiation, _) = Negotiation::start(&config, &account, plan, case.random(), None)?;
        for entry in case.exchange.iter().filter(|entry| !entry.is_cleanup) {
            match negotiation.receive(&entry.reply()) {
                Ok(Step::Send(next, _) | Step::Wait(next)) => negotiation = next,
                Ok(Step::Done(..)) => return Ok(()),
                Err(failure) => return Err(failure.error),
            }
        }
        Ok(())
    };
    case::all().into_iter().filter_map(|case| run(case).err()).collect()
}

/// The errors for options, addresses and credentials that are refused.
fn of_settings() -> Vec<Error> {
    let config = || Config::new(URL).unwrap();
    let nonsense = Value::Map(vec![(String::new(), Value::Nothing)]);
    let mut errors: Vec<Option<Error>> = Config::options()
        .map(|option| Config::from_named(URL, [(option.name.to_owned(), nonsense.clone())]).err())
        .collect();
    errors.extend(
        Credentials::arguments()
            .map(|argument| Credentials::from_named([(argument.name.to_owned(), nonsense.clone())]).err()),
    );
    for keys in [
        "correct horse battery staple",
        "{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
    ] {
        let algorithm = keys.starts_with('{').then(|| ("algorithm".to_owned(), "ES256".to_owned().into()));
        let jwt =
            Value::Map([("keys".to_owned(), keys.to_owned().into())].into_iter().chain(algorithm).collect());
        errors.push(Credentials::from_named([("jwt".to_owned(), jwt)]).err());
    }
    for (iterations, salt) in [(1, &b"s"[..]), (4096, b"")] {
        errors.push(ScramKeys::derive(ScramHash::Sha1, &"x".into(), Some(salt), iterations).err());
    }
    for unknown in ["deadlin", "pasword", "colour"] {
        let unknown = [(unknown.to_owned(), nonsense.clone())];
        errors.push(Config::from_named(URL, unknown.clone()).err());
        errors.push(Credentials::from_named(unknown).err());
    }
    let api = "https://chat.example.org/api";
    for (url, jid, password) in [("x", "svc@example.org", "x"), (api, "x", "x"), (api, "svc@example.org", "")]
    {
        errors.push(XOAuth2Issuer::new(url, jid, password).err());
    }
    let issuer = XOAuth2Issuer::new(api, "svc@example.org", "x").unwrap();
    errors.push(issuer.with_lifetime(Duration::ZERO).err());
    let by_api = || Accounts::by_ejabberd(api, "svc@example.org", "x").unwrap();
    errors.push(by_api().with_group("").err());
    errors.push(Accounts::by_command("svc@example.org", "x").unwrap().with_group("x").err());
    for url in [
        &format!("https://chat.example.org/{}", "x".repeat(8000)),
        "chat.example.org",
        "https://",
        "wss://chat.example.org/ws",
        "ftp://chat.example.org",
        "https://a:b@chat/",
        "https://chat/#a",
    ] {
        errors.push(Config::new(url).err());
    }
    for jid in [
        "alice@mail.example@chat.example.org",
        "a b@chat.example.org",
        "\u{7}@chat.example.org",
        "@chat.example.org",
        "alice@",
        "alice@chat example",
        "alice@chat.example.org:5222",
        "alice@chat.example.org/",
        "alice@chat.example.org/ web",
        &format!("{}@chat.example.org", "a".repeat(1024)),
    ] {
        errors.push(Jid::new(jid).err());
    }
    for (bosh_url, settings) in [("", ""), (URL, "[]")] {
        let page = Page { jid: "alice@chat.example.org", bosh_url, settings, ..Page::default() };
        errors.push(page.html().err());
    }
    errors.push(Jid::from_user("\u{ff21}lice", "chat.example.org").err());
    errors.push(Jid::from_user(" alice", "chat.example.org").err());
    errors.push(Jid::from_user(&"a".repeat(20_000), "chat.example.org").err());
    errors.push(Jid::bound("alice@chat.example.org").err());
    errors.push(config().with_lang(Some(String::new())).err());
    errors.push("NONE".parse::<PasswordMechanism>().err());
    errors.push("MD5".parse::<ScramHash>().err());
    errors.push(FastToken::from_text("x").err());
    let token = || {
        let text = "{\"mechanism\":\"HT-SHA-256-NONE\",\"token\":\"t\",\"user_agent\":\"d4565fa7-4d72-4749-b3d3-740edbf87770\"}";
        FastToken::from_text(text).unwrap()
    };
    let keys = |salt: &str| Credentials::scram_salted_password(ScramHash::Sha1, salt, 1, vec![1; 3]);
    for (jid, credentials) in [
        ("chat.example.org", Credentials::password("secret")),
        ("a/b@chat.example.org", Credentials::password("secret")),
        ("alice@chat.example.org", Credentials::password("")),
        ("alice@chat.example.org", Credentials::password("\u{ad}")),
        ("alice@chat.example.org", Credentials::password("\u{7}")),
        ("alice@chat.example.org", Credentials::plain("")),
        ("alice@chat.example.org", Credentials::oauthbearer("a b")),
        ("alice@chat.example.org", Credentials::raw("plain", "secret")),
        ("alice@chat.example.org", keys("salt")),
        ("alice@chat.example.org", Credentials::password("secret").authzid("")),
        ("alice@chat.example.org", Credentials::external().fast_token(token())),
    ] {
        errors.push(Account::new(jid, credentials).err());
    }
    errors.into_iter().flatten().collect()
}

/// The errors for every condition of a specification, and for an unknown one.
fn of_conditions() -> Vec<Error> {
    let mut errors = Vec::new();
    let mut of = |kind: &ErrorKind, stages: &[Stage], condition: Option<Condition>| {
        for stage in stages {
            let error = Error::refused(kind.clone(), *stage, condition.clone(), None);
            errors.push(error.about("example.org"));
        }
    };
    let terminated = [Stage::Create, Stage::Bind, Stage::Terminate];
    let bosh = BoshCondition::ALL.iter().cloned().chain([BoshCondition::Other("too-many-cooks".to_owned())]);
    bosh.for_each(|it| of(&ErrorKind::Terminated, &terminated, Some(Condition::Bosh(it))));
    let stream = StreamCondition::ALL.iter().cloned();
    stream.for_each(|it| of(&ErrorKind::Terminated, &[Stage::Bind], Some(Condition::Stream(it))));
    let sasl = SaslCondition::ALL.iter().cloned();
    sasl.for_each(|it| of(&ErrorKind::Auth, &[Stage::Authenticate], Some(Condition::Sasl(it))));
    let scram = ScramCondition::ALL.iter().cloned();
    scram.for_each(|it| of(&ErrorKind::Auth, &[Stage::Authenticate], Some(Condition::Scram(it))));
    let stanza = StanzaCondition::ALL.iter().cloned();
    stanza.for_each(|it| of(&ErrorKind::Bind, &[Stage::Bind, Stage::Session], Some(Condition::Stanza(it))));
    of(&ErrorKind::Terminated, &[Stage::Create, Stage::Bind], None);
    of(&ErrorKind::Auth, &[Stage::Authenticate], None);
    of(&ErrorKind::Bind, &[Stage::Bind], None);
    errors
}

const CREATED: &str = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' \
     sid='a-session' from='example.org'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
     <mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism><mechanism>ANONYMOUS</mechanism>\
     <mechanism>EXTERNAL</mechanism><mechanism>OAUTHBEARER</mechanism><mechanism>X-OAUTH2</mechanism>\
     <mechanism>X-OWN</mechanism></mechanisms></stream:features></body>";
const REFUSED: &str = "<body xmlns='http://jabber.org/protocol/httpbind'><failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
     <not-authorized/></failure></body>";

/// The error of an exchange that gets these answers.
fn exchange(credentials: Credentials, answers: &[&str]) -> Option<Error> {
    let config = Config::new(URL).unwrap();
    let account = Account::new("alice@example.org", credentials).unwrap();
    let account = account.issued(SystemTime::UNIX_EPOCH).unwrap();
    let random = Random::fixed(1000, "nonce");
    let (mut negotiation, _) = Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
    for (rid, answer) in (1000..).zip(answers) {
        match negotiation.receive(&Reply::new(rid, 200, *answer)) {
            Ok(Step::Send(next, _) | Step::Wait(next)) => negotiation = next,
            Ok(Step::Done(..)) => return None,
            Err(failure) => return Some(failure.error),
        }
    }
    None
}

/// The errors of logins by SASL2.
fn in_sasl2() -> Vec<Error> {
    let bind = "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline>\
                <bind xmlns='urn:xmpp:bind:0'/></inline></authentication><mechanisms";
    let created = Reply::new(1000, 200, CREATED.replace("<mechanisms", bind));
    let account = Account::new("alice@example.org", Credentials::password("secret")).unwrap();
    let timeout = ErrorKind::Timeout { phase: Phase::Headers };
    let late = || Error::new(timeout.clone(), Stage::Authenticate, Retry::Later, "late");
    let fail = |learn: bool, fail: &dyn Fn(Negotiation<'_>) -> Error| {
        let config = Config { fast_tokens: true, learn, ..Config::new(URL).unwrap() };
        let random = Random::fixed(1000, "nonce");
        let (negotiation, _) = Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
        let Ok(Step::Send(negotiation, _)) = negotiation.receive(&created) else { panic!("no login") };
        fail(negotiation)
    };
    let ended = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='undefined-condition'/>";
    vec![
        fail(true, &|negotiation| negotiation.abandon(late()).error),
        fail(false, &|negotiation| negotiation.abandon(late()).error),
        fail(true, &|negotiation| negotiation.receive(&Reply::new(1001, 200, ended)).unwrap_err().error),
    ]
}

/// The error for a reply to no open request.
fn unasked() -> Error {
    let config = Config::new(URL).unwrap();
    let account = Account::new("alice@example.org", Credentials::plain("a-token")).unwrap();
    let (negotiation, _) =
        Negotiation::start(&config, &account, Plan::classic(), Random::fixed(1000, "nonce"), None).unwrap();
    negotiation.receive(&Reply::new(5, 200, CREATED)).unwrap_err().error
}

/// Credentials whose tokens the site signs.
fn jwt() -> Credentials {
    let key = Key::from_secret(Algorithm::Hs256, [7; 32]).unwrap();
    Credentials::jwt(Issuer::new([key]).unwrap())
}

/// Tokens that ejabberd issues.
fn x_oauth2_issuer() -> Credentials {
    let issuer = XOAuth2Issuer::new("https://chat.example.org/api", "svc@example.org", "secret").unwrap();
    let credentials = Credentials::x_oauth2_issuer(issuer);
    #[cfg(feature = "client")]
    let credentials = credentials.with_issued("a-token".into());
    credentials
}

/// The error of a driver that does not issue a token for its exchange, or cannot.
fn not_issued(credentials: Credentials) -> Error {
    let account = Account::new("alice@example.org", credentials).unwrap();
    let (config, random) = (Config::new(URL).unwrap(), Random::fixed(1000, "nonce"));
    let (negotiation, _) = Negotiation::start(&config, &account, Plan::classic(), random, None).unwrap();
    negotiation.receive(&Reply::new(1000, 200, CREATED)).unwrap_err().error
}

/// The errors that depend on the credentials, or on more than one answer.
fn of_exchanges() -> Vec<Error> {
    let keys = Credentials::scram_salted_password(ScramHash::Sha1, "salt", 4096, vec![1; 20]);
    let all = [
        Credentials::password("a-password"),
        Credentials::password("a-password").authzid("bob@example.org"),
        Credentials::plain("a-token").authzid("bob@example.org"),
        Credentials::plain("a-token"),
        jwt(),
        Credentials::oauthbearer("a-token"),
        Credentials::x_oauth2("a-token"),
        x_oauth2_issuer(),
        Credentials::anonymous(),
        Credentials::external(),
        Credentials::raw("X-OWN", "a-response"),
        keys,
    ];
    let mut errors: Vec<Option<Error>> =
        all.into_iter().map(|credentials| exchange(credentials, &[CREATED, REFUSED])).collect();
    let failure =
        |text: &str| REFUSED.replace("<not-authorized/>", &format!("<not-authorized/><text>{text}</text>"));
    for text in ["Unknown user", "a-token is wrong"] {
        errors.push(exchange(Credentials::plain("a-token"), &[CREATED, &failure(text)]));
    }
    let body = |inner: &str| {
        format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'>{inner}</body>"
        )
    };
    let success = body("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    let features = body("<stream:features/>");
    let bound = |jid: &str| {
        body(&format!(
            "<iq xmlns='jabber:client' type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <jid>{jid}</jid></bind></iq>"
        ))
    };
    for (credentials, jid) in [
        (Credentials::plain("a-token"), "bob@example.org/1"),
        (Credentials::plain("a-token"), "alice@other.example.org/1"),
        (Credentials::plain("a-token").authzid("bob@example.org"), "admin@example.org/1"),
        (Credentials::plain("a-token"), "example.org"),
    ] {
        errors.push(exchange(credentials, &[CREATED, &success, &features, &bound(jid)]));
    }
    let token = || Credentials::plain("a-token");
    let elsewhere = |inner: &str, attributes: &str| {
        body(inner).replacen(" xmlns", &format!(" type='terminate' {attributes} xmlns"), 1)
    };
    let host = "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>node-2.example.org\
                </see-other-host></stream:error>";
    errors.push(exchange(token(), &[&elsewhere(host, "condition='remote-stream-error'")]));
    for uri in ["https://node-2.example.org/bosh", "wss://node-2.example.org/ws", "/bosh"] {
        let uri = format!("<uri>{uri}</uri>");
        errors.push(exchange(token(), &[&elsewhere(&uri, "condition='see-other-uri'")]));
    }
    errors.push(exchange(token(), &[&CREATED.replace("from='example.org'", "from='openfire.local'")]));
    let challenge =
        |text: &str| body(&format!("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</challenge>"));
    for text in ["ab\ncd", "????", "cj14"] {
        errors.push(exchange(Credentials::password("a-password"), &[CREATED, &challenge(text)]));
    }
    let continued = body("<continue xmlns='urn:xmpp:sasl:2'/>");
    errors.push(exchange(token(), &[CREATED, &continued]));
    errors.push(exchange(token(), &[&CREATED.replace("sid=", "inactivity='x' sid=")]));
    let twice = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".repeat(2);
    errors.push(exchange(token(), &[CREATED, &body(&twice)]));
    let odd = bound("alice@example.org/1").replace("type='result'", "type='get'");
    errors.push(exchange(token(), &[CREATED, &success, &features, &odd]));
    errors.push(Some(Error::protocol(Stage::Bind, EACH_ANSWERED, "none to an empty request")));
    errors.push(Some(unasked()));
    errors.push(Some(not_issued(jwt())));
    let issuer = XOAuth2Issuer::new("https://chat.example.org/api", "svc@example.org", "secret").unwrap();
    errors.push(Some(not_issued(Credentials::x_oauth2_issuer(issuer))));
    let patience = vec![body(""); 30];
    let answers: Vec<&str> = patience.iter().map(String::as_str).collect();
    errors.push(exchange(token(), &[&[CREATED][..], &answers].concat()));
    let unoffered = CREATED.replace("features", "other");
    errors.push(exchange(token(), &[&[unoffered.as_str()][..], &answers].concat()));
    let success = success.as_str();
    errors.push(exchange(token(), &[&[CREATED, success][..], &answers].concat()));
    errors.push(exchange(token(), &[&[CREATED, success, &features][..], &answers].concat()));
    errors.into_iter().flatten().collect()
}

/// The document. It holds only messages of the code.
fn document() -> String {
    let mut text = String::from(
        "# Messages\n\n\
         Every message of an error, with an example of each value in it, by the kind of the error. Each names the \
         cause and what mends it. Options are called as Rust calls them; other languages use their own names. The \
         last column is `retry`: what a caller may do next. A test compares this list with the library.\n",
    );
    for (kind, messages) in messages() {
        let _ = write!(text, "\n## {kind}\n\n| message | retry |\n|---|---|\n");
        for (message, retry) in messages {
            let _ = writeln!(text, "| {} | {retry} |", message.replace('|', "\\|"));
        }
    }
    text
}

// Without the client some messages are missing.
#[cfg(feature = "client")]
#[test]
fn the_documented_list_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/messages.md");
    let document = document();
    if std::env::var_os("PREBIND_UPDATE_DOCS").is_some() {
        fs::write(path, &document).unwrap();
    }
    let documented = fs::read_to_string(path).unwrap_or_default();
    let missing: Vec<&str> = document.lines().filter(|line| !documented.contains(line)).collect();
    assert!(
        documented == document,
        "core/docs/messages.md is not up to date; these lines are missing:\n{}\nTo update it, run this test with \
         PREBIND_UPDATE_DOCS=1",
        missing.join("\n")
    );
}

#[test]
fn a_message_is_short_and_in_our_own_words() {
    /// Words that come from other libraries or from the `Debug` output of Rust.
    const FOREIGN: [&str; 9] = ["Some(", "None", "Err(", "Error", "rror::", "os error", "{", "}", "\\n"];
    for error in errors() {
        for language in Language::ALL {
            let told = error.told_in(language);
            let length = told.chars().count();
            let is_long = matches!(error.kind(), ErrorKind::Config { field: "options" });
            assert!(length <= if is_long { 500 } else { USUAL_LENGTH }, "{length} characters: {told}");
            let foreign = FOREIGN.iter().find(|foreign| told.contains(*foreign));
            assert_eq!(foreign, None, "{told}");
            let is_debug_text = |word: &str| {
                let name = word.split('(').next().unwrap_or_default();
                word.contains('(')
                    && name.len() > 3
                    && name.starts_with(char::is_uppercase)
                    && name.contains(char::is_lowercase)
            };
            assert!(!told.split(' ').any(is_debug_text), "{told}");
        }
    }
}

/// Checks that every text in the source that may be part of an error is in one of the examples.
#[cfg(feature = "client")]
#[test]
fn no_message_is_missing() {
    let mut told = String::new();
    for error in errors() {
        for language in Language::ALL {
            told.push_str(&error.told_in(language));
            told.push('\n');
        }
        if let ErrorKind::Protocol { expected } = error.kind() {
            told.push_str(expected);
        }
    }
    let missing: Vec<String> = literals::all()
        .into_iter()
        .filter(|(_, text)| literals::parts(text).iter().any(|part| !told.contains(part.as_str())))
        .map(|(place, text)| format!("{place}: {text}"))
        .collect();
    assert!(
        missing.is_empty(),
        "no example has these texts; add one to those of its module, or to core/src/error/examples.rs:\n{}",
        missing.join("\n")
    );
}
